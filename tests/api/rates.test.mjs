// Rate limits, from outside: by address, by user, for places in line; who is counted as whom behind a proxy; what 429 says; and that nobody who
// keeps to what the server tells is turned away. Several addresses of this machine (127.0.0.x) stand for several people.
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it } from 'node:test';
import { jari, serverHere, show, sleep, told } from './harness.mjs';

const MINUTE = 60;

// A person's connections, from an address of this machine.
const from = (n) => ({ agent: new http.Agent({ keepAlive: true, maxSockets: 8, localAddress: `127.0.0.${n}` }) });

// Asks so often and gives how many were answered with each status, and in what time.
async function many(times, ask) {
	const began = Date.now();
	const seen = {};
	for (let i = 0; i < times; i++) {
		const reply = await ask(i);
		seen[reply.status] = (seen[reply.status] ?? 0) + 1;
	}
	return { seen, ms: Date.now() - began };
}

// Of so many requests all the quota was answered, and no more than that and what had come back meanwhile.
function keptTo(quota, { seen, ms }, times) {
	const good = times - (seen[429] ?? 0);
	assert.ok(good >= quota && good <= quota + (ms * quota) / 60000 + 1, `${quota} a minute, ${good} of ${times} in ${ms} ms: ${show(seen)}`);
}

function vetLimited(reply, limit, quota) {
	assert.equal(reply.json?.code, 'RATE_LIMITED', told(reply));
	const after = Number(reply.headers['retry-after']);
	assert.ok(after >= 1 && after <= MINUTE, `Retry-After${told(reply)}`);
	assert.equal(reply.headers['ratelimit-policy'], `"${limit}";q=${quota};w=${MINUTE}`, told(reply));
	assert.equal(reply.headers.ratelimit, `"${limit}";r=0;t=${after}`, told(reply));
	return after;
}

// Also on a machine that stalls for as long as one takes to come back.
async function isLimited(ask, limit, quota) {
	let reply;
	for (let i = 0; i < 3 && reply?.status !== 429; i++) reply = await ask();
	return vetLimited(reply, limit, quota);
}

const limited = async (s) => {
	const { text } = await s.api('GET', '/metrics', from(99));
	return Object.fromEntries([...text.matchAll(/^jari_rate_limited_total\{limit="(\w+)"\} (\d+)$/gm)].map((m) => [m[1], Number(m[2])]));
};

describe('by default, on this machine alone', () => {
	const s = serverHere();

	it('nothing is limited, and nothing is said of limits', async () => {
		const t = await s.join('somebody');
		const replies = await Promise.all(Array.from({ length: 2000 }, () => s.api('GET', '/api/check', { token: t.token })));
		for (const reply of replies) {
			assert.equal(reply.status, 200, told(reply));
			assert.ok(!('ratelimit' in reply.headers) && !('ratelimit-policy' in reply.headers), told(reply));
		}
		assert.deepEqual(await limited(s), { address: 0, tokens: 0, user: 0 });
	});
});

describe('the limit of an address', () => {
	const s = serverHere({ args: ['--rate-address', '10'] });

	it('lets its number through at once, then answers 429 until some come back', async () => {
		const me = from(2);
		assert.deepEqual((await many(10, () => s.api('GET', '/api/concerts', me))).seen, { 200: 10 });
		const after = await isLimited(() => s.api('GET', '/api/concerts', me), 'address', 10);
		assert.ok(after <= 6, `one comes back every six seconds: ${after}`);
		await sleep(after * 1000);
		assert.equal((await s.api('GET', '/api/concerts', me)).status, 200, 'who waits as told is let in');
	});

	it('is the address\'s own: others are not touched', async () => {
		const [one, other] = [from(3), from(4)];
		await many(15, () => s.api('GET', '/api/concerts', one));
		await isLimited(() => s.api('GET', '/api/concerts', one), 'address', 10);
		assert.deepEqual((await many(10, () => s.api('GET', '/api/concerts', other))).seen, { 200: 10 });
	});

	it('holds over all connections and threads together', async () => {
		const began = Date.now();
		const replies = await Promise.all(Array.from({ length: 120 }, () => s.api('GET', '/api/concerts', { agent: new http.Agent({ localAddress: '127.0.0.5' }) })));
		keptTo(10, { seen: { 429: replies.filter((r) => r.status === 429).length }, ms: Date.now() - began }, 120);
	});

	it('comes before everything else that is wrong with a request', async () => {
		const me = from(6);
		await many(10, () => s.api('GET', '/api/concerts', me));
		for (const [method, path, options] of [
			['GET', '/nowhere', {}],
			['PUT', '/api/concerts', {}],
			['GET', '/api/1', {}],
			['GET', '/api/check', { token: 'nonsense' }],
			['GET', '/api/admin/stats', { admin: 'not the key' }],
			['POST', '/api/getToken', { body: {} }],
			['OPTIONS', '/api/concerts', {}],
			['GET', '/', {}],
		])
			await isLimited(() => s.api(method, path, { ...options, ...me }), 'address', 10);
	});

	it('spares who watches over the server, the organiser with the key, and a good token\'s polls', async () => {
		const t = await s.join('poller', undefined, 201, from(7));
		const me = from(8);
		await many(15, () => s.api('GET', '/nowhere', me));
		await isLimited(() => s.api('GET', '/nowhere', me), 'address', 10);
		for (const path of ['/healthz', '/readyz']) assert.deepEqual((await many(50, () => s.api('GET', path, me))).seen, { 200: 50 });
		assert.deepEqual((await many(50, () => s.api('GET', '/api/check', { token: t.token, ...me }))).seen, { 200: 50 });
		for (const path of ['/api/admin/stats', '/metrics']) assert.deepEqual((await many(50, () => s.api('GET', path, { admin: true, ...me }))).seen, { 200: 50 });
		await isLimited(() => s.api('GET', '/metrics', me), 'address', 10);
		assert.equal((await s.api('DELETE', '/api/token', { token: t.token, ...me })).status, 204);
		// what the token does otherwise is the address's
		await isLimited(() => s.api('GET', `/api/${t.userId}`, { token: t.token, ...me }), 'address', 10);
	});

	it('believes no header of a stranger\'s', async () => {
		const asked = await many(60, (i) => s.api('GET', '/api/concerts', { headers: { 'x-forwarded-for': `203.0.113.${i}`, forwarded: `for=203.0.113.${i}` }, ...from(9) }));
		keptTo(10, asked, 60);
	});

	it('of somebody who seems to be a proxy is told in the log, once', async () => {
		await many(30, (i) => s.api('GET', '/nowhere', { headers: { 'x-forwarded-for': `203.0.113.${i}` }, ...from(11) }));
		const lines = s.log.split('\n').filter((line) => line.includes('address_limited'));
		assert.ok(lines.length >= 1 && lines.length <= 2, show(lines));
		assert.match(lines[0], / warn address_limited means="127\.0\.0\.\d+ is limited .* --trusted-proxy/);
	});

	it('is counted in /metrics', async () => {
		const me = from(10);
		const before = await limited(s);
		const { seen: first } = await many(10, () => s.api('GET', '/nowhere', me));
		const { seen } = await many(7, () => s.api('GET', '/nowhere', me));
		const after = await limited(s);
		assert.equal(after.address - before.address, seen[429] + (first[429] ?? 0), show([before, after, seen]));
		assert.equal(after.user, 0);
		assert.equal(after.tokens, 0);
	});
});

describe('the limit of a user', () => {
	const s = serverHere({ args: ['--rate-user=12'] });

	it('is over all the user\'s tokens and addresses, and no other user\'s', async () => {
		const c = await s.makeConcert();
		const [a, b] = [await s.join('kim'), await s.join('kim', c.concertId)];
		assert.notEqual(a.token, b.token);
		const other = await s.join('lee');
		const asked = await many(40, (i) => s.api('GET', `/api/${a.userId}`, { token: i % 2 ? a.token : b.token, ...from(2 + (i % 5)) }));
		keptTo(12, asked, 40);
		for (const [method, path, options] of [
			['GET', '/api/check', {}],
			['GET', '/api/check/events', {}],
			['DELETE', '/api/token', {}],
			['POST', `/api/${a.userId}/charge`, { body: { amount: 5 } }],
			['POST', `/api/${a.userId}/charge`, { raw: '{' }],
			['POST', `/api/booking/${c.concertId}/seat`, { body: { showId: c.showId, seatNumber: 1 } }],
		])
			await isLimited(() => s.api(method, path, { token: b.token, ...options }), 'user', 12);
		assert.deepEqual((await many(12, () => s.api('GET', `/api/${other.userId}`, { token: other.token }))).seen, { 200: 12 });
		// nothing was changed, and a place in line is still to be had
		await sleep(5500);
		assert.equal((await s.api('GET', `/api/${a.userId}`, { token: a.token })).json.balance, 0);
		assert.equal((await s.join('kim', c.concertId, 200)).token, b.token);
	});

	it('is for who the token is of: a wrong one is 401 as ever', async () => {
		assert.deepEqual((await many(40, () => s.api('GET', '/api/check', { token: '00000000-0000-4000-8000-000000000000' }))).seen, { 401: 40 });
	});
});

describe('the limit of places in line', () => {
	const s = serverHere({ args: ['--rate-tokens', '10'] });

	it('is for POST /api/getToken, good or bad, and for nothing else', async () => {
		const me = from(2);
		assert.deepEqual((await many(10, (i) => s.api('POST', '/api/getToken', { body: i % 2 ? { username: 'n' } : {}, ...me }))).seen, { 201: 1, 200: 4, 400: 5 });
		await isLimited(() => s.api('POST', '/api/getToken', { body: { username: 'n' }, ...me }), 'tokens', 10);
		assert.deepEqual((await many(50, () => s.api('GET', '/api/concerts', me))).seen, { 200: 50 });
		assert.equal((await s.api('GET', '/api/getToken', me)).status, 405);
		assert.equal((await s.api('POST', '/api/getToken', { body: { username: 'n' }, ...from(3) })).status, 200);
	});

	it('counts once, and refuses before the body is sent, where the client asks first', async () => {
		const join = () =>
			new Promise((resolve, reject) => {
				const body = '{"username":"asks first"}';
				const headers = { expect: '100-continue', 'content-type': 'application/json', 'content-length': body.length };
				const req = http.request({ host: '127.0.0.1', port: s.port, localAddress: '127.0.0.4', method: 'POST', path: '/api/getToken', headers });
				let told = false;
				req.on('continue', () => {
					told = true;
					req.end(body);
				});
				req.on('response', (res) => {
					res.resume();
					resolve({ status: res.statusCode, told });
				});
				req.on('error', reject);
				req.flushHeaders();
			});
		for (let i = 0; i < 10; i++) assert.deepEqual(await join(), { status: i ? 200 : 201, told: true });
		let last;
		for (let i = 0; i < 3 && last?.status !== 429; i++) last = await join();
		assert.deepEqual(last, { status: 429, told: false });
	});
});

describe('behind proxies that are trusted', () => {
	const s = serverHere({ args: ['--rate-address', '10', '--trusted-proxy', '127.0.0.1, 127.0.0.64/26,10.0.0.0/8'] });
	const ask = (headers, who = {}) => s.api('GET', '/api/concerts', { headers, ...who });
	const empty = (headers, who) => many(13, () => ask(headers, who));

	it('the client is who the last proxy says', async () => {
		await empty({ 'x-forwarded-for': '203.0.113.1' });
		await isLimited(() => ask({ 'x-forwarded-for': '203.0.113.1' }), 'address', 10);
		assert.equal((await ask({ 'x-forwarded-for': '203.0.113.2' })).status, 200, 'another client of the proxy');
		// through another trusted proxy, and a chain of them, it is the same client
		await isLimited(() => ask({ 'x-forwarded-for': '203.0.113.1' }, from(70)), 'address', 10);
		await isLimited(() => ask({ 'x-forwarded-for': '203.0.113.1, 10.1.1.1, 127.0.0.65' }), 'address', 10);
		await isLimited(() => ask({ forwarded: 'for=203.0.113.1;proto=https' }), 'address', 10);
		await isLimited(() => ask({ forwarded: 'for=1.1.1.1, for="203.0.113.1:99", for=10.1.1.1' }), 'address', 10);
	});

	it('nobody gets a new address by writing headers', async () => {
		await empty({ 'x-forwarded-for': '203.0.113.3' });
		for (let i = 0; i < 5; i++) {
			await isLimited(() => ask({ 'x-forwarded-for': `198.51.100.${i}, 203.0.113.3` }), 'address', 10);
			await isLimited(() => ask({ 'x-forwarded-for': [`198.51.100.${i}`, '203.0.113.3'] }), 'address', 10);
			await isLimited(() => ask({ 'x-forwarded-for': `10.0.0.${i}, 203.0.113.3` }), 'address', 10);
		}
		// the header that the proxy does not write leads to the proxy's own bucket, whatever is in it
		keptTo(10, await many(40, (i) => ask({ 'x-forwarded-for': '203.0.113.4', forwarded: `for=198.51.100.${i}` })), 40);
		assert.equal((await ask({ 'x-forwarded-for': '203.0.113.4' })).status, 200);
	});

	it('who connects without such a proxy is believed nothing', async () => {
		keptTo(10, await many(30, (i) => ask({ 'x-forwarded-for': `203.0.113.${100 + i}` }, from(2))), 30);
		await isLimited(() => ask({}, from(2)), 'address', 10);
	});

	it('IPv6 is counted by its first 64 bits', async () => {
		keptTo(10, await many(30, (i) => ask({ 'x-forwarded-for': `2001:db8:1:2::${i.toString(16)}` })), 30);
		assert.equal((await ask({ 'x-forwarded-for': '2001:db8:1:3::1' })).status, 200);
		// and IPv4 in IPv6's clothes is IPv4
		await empty({ 'x-forwarded-for': '203.0.113.5' });
		await isLimited(() => ask({ 'x-forwarded-for': '::ffff:203.0.113.5' }), 'address', 10);
		await isLimited(() => ask({ 'x-forwarded-for': '[::ffff:cb00:7105]:80' }), 'address', 10);
	});
});

// The defaults are these where others can reach the server (tests/unit/test_options.c); here nobody can.
describe('the defaults', () => {
	const s = serverHere({ args: ['--rate-address', '30000', '--rate-user', '600', '--rate-tokens', '3000'] });

	it('have room for thousands behind one address, and none for one user without end', async () => {
		const t = await s.join('busy');
		const seen = { 200: 0 };
		let last;
		await Promise.all(
			Array.from({ length: 8 }, async () => {
				for (let i = 0; i < 120; i++) {
					const reply = await s.api('GET', `/api/${t.userId}`, { token: t.token });
					seen[reply.status] = (seen[reply.status] ?? 0) + 1;
					if (reply.status === 429) last = reply;
				}
			}),
		);
		assert.ok(seen[200] >= 600, `ten a second: ${show(seen)}`);
		if (last) vetLimited(last, 'user', 600);
		// five hundred who load the page, take a place and look, at once and from one address
		const people = await Promise.all(
			Array.from({ length: 500 }, async (_, i) => {
				for (const path of ['/', '/api/concerts']) await s.api('GET', path);
				return s.join(`crowd-${i}`);
			}),
		);
		assert.equal(new Set(people.map((p) => p.token)).size, 500);
	});

	it('never limit a poll that follows retryAfterSeconds', async () => {
		await s.ok(200, 'PATCH', '/api/admin/queues/1', { admin: true, body: { paused: true } });
		const people = await Promise.all(Array.from({ length: 20 }, (_, i) => s.join(`patient-${i}`)));
		const end = Date.now() + 6000;
		await Promise.all(
			people.map(async (p) => {
				let ticket = p;
				while (Date.now() < end) {
					await sleep(ticket.retryAfterSeconds * 1000);
					ticket = await s.check(p.token);
				}
			}),
		);
		assert.equal((await limited(s)).address, 0);
	});
});

describe('the options', () => {
	const refused = (args, words) => {
		const r = jari(['serve', '--store', 'memory:', ...args]);
		assert.equal(r.status, 2, show(r));
		assert.match(r.stderr, words);
	};

	it('refuse what is no limit and no network', () => {
		refused(['--rate-address', '-1'], /--rate-address needs a whole number from 0 to 6000000/);
		refused(['--rate-user', '1/s'], /--rate-user needs a whole number/);
		refused(['--rate-tokens', '6000001'], /--rate-tokens needs a whole number/);
		for (const bad of ['10.0.0.1/8', 'proxy.example', '10.0.0.0/8,', '10.0.0.0/8;::1']) refused(['--trusted-proxy', bad], /--trusted-proxy needs addresses or networks/);
	});
});

