// The waiting line: taking a place, its number, who is before whom, admission, leaving.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INSTANT, UUID, eventually, many, serverHere, show, told, vetTicket } from './harness.mjs';

describe('taking a place', () => {
	const s = serverHere({ args: ['--queue-capacity', '2'] });

	it('gives 201 with a ticket, and 200 with the same token and place to who asks again', async () => {
		const first = await s.api('POST', '/api/getToken', { body: { username: 'kim' } });
		assert.equal(first.status, 201, `the first time${told(first)}`);
		const t = vetTicket(first.json);
		assert.match(t.token, UUID);
		assert.equal(t.username, 'kim');
		assert.equal(t.queueId, 1, 'without concertId: the default queue');
		assert.equal(t.number, 1, 'the first number is 1');
		assert.equal(t.status, 'ACTIVE', 'there is room and nobody waits');
		assert.equal(t.position, 0);
		assert.match(t.expiresAt, INSTANT);
		const left = Date.parse(t.expiresAt) - Date.now();
		assert.ok(left > 590000 && left <= 601000, `an active place lasts 10 minutes, this one ${left} ms`);

		const again = await s.api('POST', '/api/getToken', { body: { username: 'kim' } });
		assert.equal(again.status, 200, `the second time${told(again)}`);
		for (const name of ['token', 'userId', 'number', 'issuedAt', 'queueId', 'expiresAt']) assert.equal(again.json[name], t[name], `the same ${name}`);
	});

	it('knows names apart to the byte', async () => {
		const t = await s.join('Kim');
		assert.notEqual(t.userId, (await s.join('kim', undefined, 200)).userId, 'Kim is not kim');
	});

	it('lets who comes after wait', async () => {
		const t = await s.join('third');
		assert.equal(t.status, 'WAITING');
		assert.equal(t.number, 3);
		assert.deepEqual([t.ahead, t.position], [0, 1]);
		const again = await s.join('third', undefined, 200);
		assert.equal(again.token, t.token);
		assert.equal(again.status, 'WAITING');
	});

	it('says Retry-After while waiting, and only then', async () => {
		for (const [who, waits] of [['third', true], ['kim', false]]) {
			const joined = await s.api('POST', '/api/getToken', { body: { username: who } });
			const checked = await s.api('GET', '/api/check', { token: joined.json.token });
			for (const r of [joined, checked]) {
				if (waits) assert.equal(r.headers['retry-after'], String(r.json.retryAfterSeconds), `the header says what the member says${told(r)}`);
				else assert.equal(r.headers['retry-after'], undefined, `no Retry-After when active${told(r)}`);
			}
		}
	});

	it('takes unknown members, and a concertId that is null counts as none or is refused, never as another queue', async () => {
		const t = await s.join('third', undefined, 200, { body: { username: 'third', colour: 'blue', nested: { deep: [1, 2, { x: null }] } } });
		assert.equal(t.queueId, 1);
		const r = await s.api('POST', '/api/getToken', { body: { username: 'third', concertId: null } });
		assert.ok(r.status === 400 || (r.status === 200 && r.json.queueId === 1), `a null concertId${told(r)}`);
	});

	const names = {
		'one letter': 'x',
		Korean: '김서연',
		'64 letters': 'n'.repeat(64),
		'64 Korean syllables': '가'.repeat(64),
		'64 emoji': '🎫'.repeat(64),
		'a space inside': 'Kim Seo-yeon',
		'a quote, a backslash and a slash': 'a"b\\c/d',
		'an apostrophe and a comment of SQL': "Robert'); DROP TABLE users;--",
		'markup': '<script>alert(1)</script>',
		'a combining sign and a zero-width joiner': 'é👩‍👩‍👧',
		'the largest code point': '\u{10FFFF}',
	};
	for (const [what, username] of Object.entries(names))
		it(`takes a username: ${what}`, async () => {
			const t = await s.join(username);
			assert.equal(t.username, username, 'the name comes back as it went in');
			assert.equal((await s.check(t.token)).username, username);
			const wallet = await s.ok(200, 'GET', `/api/${t.userId}`, { token: t.token });
			assert.deepEqual(wallet, { userId: t.userId, username, balance: 0 });
		});

	const refused = {
		'none at all': {},
		empty: { username: '' },
		'65 letters': { username: 'n'.repeat(65) },
		'65 emoji': { username: '🎫'.repeat(65) },
		NUL: { username: 'a\u0000b' },
		'a line feed': { username: 'a\nb' },
		'a tab': { username: '\t' },
		'an escape': { username: '\u001b[31m' },
		DEL: { username: 'a\u007f' },
		'a C1 control': { username: 'a\u0085b' },
		null: { username: null },
		'a number': { username: 5 },
		'an object': { username: {} },
		'a list': { username: ['kim'] },
		true: { username: true },
	};
	for (const [what, body] of Object.entries(refused))
		it(`refuses a username: ${what}`, async () => {
			const before = await s.queue(1);
			const p = await s.no('INVALID_REQUEST', 'POST', '/api/getToken', { body });
			if (what !== 'NUL') assert.match(p.detail, /username/, `detail names the member: ${p.detail}`);
			assert.equal((await s.queue(1)).lastNumber, before.lastNumber, 'no number was issued');
		});

	for (const concertId of [0, -1, '1', 1.5, true, [], {}])
		it(`refuses concertId ${JSON.stringify(concertId)}`, async () => {
			const r = await s.api('POST', '/api/getToken', { body: { username: 'kim', concertId } });
			assert.equal(r.json?.code, 'INVALID_REQUEST', `expected INVALID_REQUEST${told(r)}`);
			assert.match(r.json.detail, /concertId/);
		});

	it('says CONCERT_NOT_FOUND for a concert that is none', async () => {
		await s.no('CONCERT_NOT_FOUND', 'POST', '/api/getToken', { body: { username: 'kim', concertId: 987654 } });
		await s.no('CONCERT_NOT_FOUND', 'POST', '/api/getToken', { body: { username: 'kim', concertId: Number.MAX_SAFE_INTEGER } });
	});

	it('goes to the queue of the concert, and keeps queues apart', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const t = await s.join('kim', c.concertId);
		assert.equal(t.queueId, c.queueId);
		assert.equal(t.number, 1, 'numbers are a queue’s own');
		const d = await s.join('kim', undefined, 200);
		assert.equal(d.userId, t.userId, 'one user in two queues');
		assert.notEqual(d.token, t.token, 'with two tokens');
		assert.equal((await s.join('kim', c.concertId, 200)).token, t.token);
	});
});

describe('numbers', () => {
	const s = serverHere({ args: ['--queue-capacity', '10'] });

	it('are 1, 2, 3 … without gaps under 200 parallel requests', async () => {
		const tickets = await many(400, 200, (i) => s.join(`p${i}`));
		const numbers = tickets.map((t) => t.number).sort((a, b) => a - b);
		assert.deepEqual(numbers, Array.from({ length: 400 }, (_, i) => i + 1));
		assert.equal(new Set(tickets.map((t) => t.token)).size, 400, 'tokens differ');
		assert.equal(new Set(tickets.map((t) => t.userId)).size, 400, 'users differ');
		for (const t of tickets) assert.equal(t.status, t.number <= 10 ? 'ACTIVE' : 'WAITING', `ten are active, by number: ${show(t)}`);
	});

	it('do not grow by requests that are refused or repeated', async () => {
		await s.no('INVALID_REQUEST', 'POST', '/api/getToken', { body: { username: '' } });
		await s.no('CONCERT_NOT_FOUND', 'POST', '/api/getToken', { body: { username: 'nobody', concertId: 99999 } });
		await s.join('p0', undefined, 200);
		assert.equal((await s.join('next')).number, 401);
	});

	it('one user who asks 50 times at once has one place', async () => {
		const replies = await many(50, 50, () => s.api('POST', '/api/getToken', { body: { username: 'eager' } }));
		assert.equal(replies.filter((r) => r.status === 201).length, 1, 'one 201');
		assert.equal(replies.filter((r) => r.status === 200).length, 49, 'and 49 times 200');
		assert.equal(new Set(replies.map((r) => r.json.token)).size, 1, 'all with one token');
		assert.equal(new Set(replies.map((r) => r.json.number)).size, 1, 'and one number');
	});

	it('are told longer to wait the further back they are, with jitter', async () => {
		const tickets = (await many(1200, 64, (i) => s.join(`far${i}`))).sort((a, b) => a.number - b.number);
		const waiting = (await many(60, 30, (i) => s.join(`p${i}`, undefined, 200))).filter((t) => t.status === 'WAITING').sort((a, b) => a.ahead - b.ahead);
		const ask = (list) => many(list.length, 15, async (i) => (await s.check(list[i].token)).retryAfterSeconds);
		const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
		const [front, back] = [await ask(waiting.slice(0, 20)), await ask(tickets.slice(-40))];
		assert.ok(mean(back) > mean(front), `further back waits longer: ${show(back)} against ${show(front)}`);
		assert.ok(new Set(back).size > 1, `those at the back do not all come back at once: ${show(back)}`);
	});
});

describe('who is before whom', () => {
	const s = serverHere();

	it('ahead and position are exact as people leave', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const line = [];
		for (let i = 0; i <= 12; i++) line.push(await s.join(`w${i}`, c.concertId));
		assert.equal(line[0].status, 'ACTIVE');
		const gone = new Set();
		const look = async () => {
			let ahead = 0;
			for (let i = 1; i <= 12; i++) {
				const t = await s.check(line[i].token);
				if (gone.has(i)) {
					assert.deepEqual([t.status, t.reason, t.ahead, t.position], ['EXPIRED', 'LEFT', 0, 0]);
					continue;
				}
				assert.equal(t.status, 'WAITING');
				assert.deepEqual([t.ahead, t.position], [ahead, ahead + 1], `w${i} after ${[...gone]} left`);
				ahead += 1;
			}
		};
		await look();
		for (const leave of [5, 1, 12, 6, 4]) {
			await s.ok(204, 'DELETE', '/api/token', { token: line[leave].token });
			gone.add(leave);
			await look();
		}
		const q = await s.queue(c.queueId);
		assert.deepEqual([q.waiting, q.active, q.admitted, q.lastNumber], [7, 1, 1, 13]);
		const late = await s.join('late', c.concertId);
		assert.deepEqual([late.number, late.ahead], [14, 7], 'who comes now counts only those who are there');
	});

	it('a slot goes to the lowest number that waits, one after the other', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const line = [];
		for (let i = 0; i < 6; i++) line.push(await s.join(`o${i}`, c.concertId));
		await s.ok(204, 'DELETE', '/api/token', { token: line[2].token });
		for (const [leaves, comes] of [[0, 1], [1, 3], [3, 4], [4, 5]]) {
			await s.ok(204, 'DELETE', '/api/token', { token: line[leaves].token });
			const t = await eventually(`o${comes} is admitted after o${leaves} left`, async () => {
				const now = await s.check(line[comes].token);
				return now.status === 'ACTIVE' && now;
			});
			assert.match(t.expiresAt, INSTANT);
			for (let later = comes + 1; later < 6; later++) if (later !== 2) assert.equal((await s.check(line[later].token)).status, 'WAITING', `o${later} still waits`);
		}
	});

	it('leaving twice is 204 both times, and leaving does not free a second slot', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const [a, b, d] = [await s.join('a', c.concertId), await s.join('b', c.concertId), await s.join('d', c.concertId)];
		await s.ok(204, 'DELETE', '/api/token', { token: a.token });
		await s.ok(204, 'DELETE', '/api/token', { token: a.token });
		await eventually('b is admitted', async () => (await s.check(b.token)).status === 'ACTIVE');
		assert.equal((await s.check(d.token)).status, 'WAITING');
		const gone = await s.check(a.token);
		assert.deepEqual([gone.status, gone.reason], ['EXPIRED', 'LEFT']);
		const q = await s.queue(c.queueId);
		assert.deepEqual([q.waiting, q.active, q.admitted], [1, 1, 2]);
	});

	it('a new ticket after the end of the old one is at the back, with a new token', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		await s.join('holder', c.concertId);
		const old = await s.join('back', c.concertId);
		const other = await s.join('other', c.concertId);
		await s.ok(204, 'DELETE', '/api/token', { token: old.token });
		const t = await s.join('back', c.concertId, 201);
		assert.equal(t.number, 4);
		assert.equal(t.userId, old.userId, 'the same user');
		assert.notEqual(t.token, old.token, 'a new token');
		assert.equal(t.ahead, 1);
		assert.equal((await s.check(old.token)).status, 'EXPIRED', 'the old ticket stays ended');
		assert.equal((await s.check(other.token)).ahead, 0);
		await s.ok(204, 'DELETE', '/api/token', { token: old.token });
		assert.equal((await s.check(t.token)).status, 'WAITING', 'leaving with the old token is no leaving with the new one');
	});

	it('who pays makes room for the next', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const a = await s.buyer(c, 50000);
		const b = await s.join('b-pays', c.concertId);
		const r = await s.hold(a, c, { seatNumber: 1 });
		await s.pay(a, r);
		const ended = await s.check(a.token);
		assert.deepEqual([ended.status, ended.reason], ['EXPIRED', 'PAID']);
		await eventually('the next is admitted', async () => (await s.check(b.token)).status === 'ACTIVE');
	});
});

describe('capacity, pause and rate', () => {
	const s = serverHere();
	const states = async (line) => (await Promise.all(line.map((t) => s.check(t.token)))).map((t) => t.status[0]).join('');
	// One after the other, from the end: whoever is seen to be in, those asked later, who stand before, must be in too. Asked at once, a place may be
	// looked at before two are admitted, and the one behind it after.
	const statesFromTheEnd = async (line) => {
		let seen = '';
		for (const t of [...line].reverse()) seen = (await s.check(t.token)).status[0] + seen;
		return seen;
	};

	it('raising the capacity admits in order; lowering it sends nobody away and admits nobody', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const line = [];
		for (let i = 0; i < 7; i++) line.push(await s.join(`c${i}`, c.concertId));
		assert.equal(await states(line), 'AWWWWWW');
		const q = await s.patchQueue(c.queueId, { capacity: 4 });
		assert.equal(q.capacity, 4);
		await eventually('four are active', async () => (await states(line)) === 'AAAAWWW');
		await s.patchQueue(c.queueId, { capacity: 2 });
		assert.equal(await states(line), 'AAAAWWW', 'who is in stays in');
		await s.ok(204, 'DELETE', '/api/token', { token: line[0].token });
		await s.ok(204, 'DELETE', '/api/token', { token: line[1].token });
		await new Promise((resolve) => setTimeout(resolve, 400));
		assert.equal(await states(line), 'EEAAWWW', 'two are in, two is the capacity');
		await s.ok(204, 'DELETE', '/api/token', { token: line[3].token });
		await eventually('the next is admitted', async () => (await states(line)) === 'EEAEAWW');
		const after = await s.queue(c.queueId);
		assert.deepEqual([after.active, after.waiting, after.capacity], [2, 2, 2]);
	});

	it('capacity 0 is either refused or admits nobody', async () => {
		const c = await s.makeConcert({ capacity: 5 });
		const r = await s.api('PATCH', `/api/admin/queues/${c.queueId}`, { admin: true, body: { capacity: 0 } });
		const t = await s.join('zero', c.concertId);
		if (r.status === 200) assert.equal(t.status, 'WAITING');
		else assert.equal(r.json.code, 'INVALID_REQUEST', told(r));
	});

	it('a paused queue admits nobody, not even into an empty room, and goes on in order', async () => {
		const c = await s.makeConcert({ capacity: 2 });
		await s.patchQueue(c.queueId, { paused: true });
		const line = [];
		for (let i = 0; i < 4; i++) line.push(await s.join(`p${i}`, c.concertId));
		await new Promise((resolve) => setTimeout(resolve, 300));
		assert.equal(await states(line), 'WWWW');
		assert.equal((await s.queue(c.queueId)).paused, true);
		await s.patchQueue(c.queueId, { capacity: 3 });
		await new Promise((resolve) => setTimeout(resolve, 300));
		assert.equal(await states(line), 'WWWW', 'more capacity is no end of the pause');
		await s.patchQueue(c.queueId, { paused: false });
		await eventually('three are in', async () => (await states(line)) === 'AAAW');
	});

	it('a queue with a rate admits at that pace, in order', async () => {
		const rate = 20;
		const c = await s.makeConcert({ capacity: 1000, ratePerSecond: rate });
		const began = Date.now();
		const line = [];
		for (let i = 0; i < 40; i++) line.push(await s.join(`r${i}`, c.concertId));
		for (;;) {
			const seen = await statesFromTheEnd(line);
			const seconds = (Date.now() - began) / 1000;
			const admitted = [...seen].filter((x) => x === 'A').length;
			assert.match(seen, /^A*W*$/, 'in order');
			assert.ok(admitted <= rate * seconds + rate / 2 + 2, `${admitted} admitted within ${seconds} s at ${rate} a second`);
			if (admitted === 40) break;
			assert.ok(seconds < 5, `only ${admitted} of 40 admitted within ${seconds} s at ${rate} a second`);
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		const q = await s.patchQueue(c.queueId, { ratePerSecond: 0 });
		assert.equal(q.ratePerSecond, 0);
		const free = await many(30, 10, (i) => s.join(`free${i}`, c.concertId));
		assert.ok(free.every((t) => t.status === 'ACTIVE'), 'with rate 0 there is no limit');
	});
});

describe('a place that times out', () => {
	const s = serverHere({ args: ['--active-seconds', '1', '--queue-capacity', '2'] });

	it('ends at expiresAt, and the next are admitted within a second, in order', async () => {
		const line = [];
		for (let i = 0; i < 5; i++) line.push(await s.join(`t${i}`));
		assert.deepEqual(line.map((t) => t.status[0]).join(''), 'AAWWW');
		const ends = Date.parse(line[0].expiresAt);
		assert.ok(ends - Date.parse(line[0].issuedAt) === 1000, 'exactly a second after it began');
		const t0 = await eventually('t0 times out', async () => {
			const now = await s.check(line[0].token);
			return now.status === 'EXPIRED' && now;
		}, 1500, 5);
		assert.equal(t0.reason, 'TIMED_OUT');
		assert.ok(Date.now() >= ends, `not before its end: ${Date.now()} against ${ends}`);
		assert.ok(Date.now() - ends < 300, `at once, not when a sweeper comes: ${Date.now() - ends} ms late`);
		const t2 = await eventually('t2 is admitted', async () => {
			const now = await s.check(line[2].token);
			return now.status === 'ACTIVE' && now;
		});
		assert.ok(Date.parse(t2.expiresAt) - ends <= 2000, `admitted within a second: ${t2.expiresAt}`);
		await eventually('t4 is admitted at last', async () => (await s.check(line[4].token)).status !== 'WAITING', 3000);
		const renewed = await s.join('t0');
		assert.equal(renewed.number, 6, 'a new ticket at the back');
		assert.notEqual(renewed.token, line[0].token);
	});

	it('its token still opens the wallet', async () => {
		const t = await s.join('rich');
		await eventually('it times out', async () => (await s.check(t.token)).status === 'EXPIRED', 6000);
		assert.deepEqual(await s.charge(t, 1000), { userId: t.userId, balance: 1000 });
		await s.ok(204, 'DELETE', '/api/token', { token: t.token });
		assert.equal((await s.check(t.token)).reason, 'TIMED_OUT', 'leaving after the end changes no reason');
	});
});
