// Every error code reached by a real request, which of two errors wins, and the limits of the transport.
//
// Not reached here: RATE_LIMITED (no limit is configured by default), OVERLOADED (needs more requests in the inbox than a test can
// have under way), STORE_UNAVAILABLE (needs a disk that fails), STOPPING (needs a server that stops). The tests of the parts behind them do that.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CODES, serverHere, show, sleep, told, vetRaw } from './harness.mjs';

const NOT_REACHED = ['RATE_LIMITED', 'OVERLOADED', 'STORE_UNAVAILABLE', 'STOPPING'];
const NO_TOKEN = '00000000-0000-4000-8000-000000000000';

// Every path of the contract with its methods.
const ROUTES = {
	'/api/getToken': ['POST'],
	'/api/check': ['GET'],
	'/api/token': ['DELETE'],
	'/api/concerts': ['GET'],
	'/api/concerts/1': ['GET'],
	'/api/booking/1/list/time': ['GET'],
	'/api/booking/1/list/seats': ['GET'],
	'/api/booking/1/seat': ['POST'],
	'/api/reservations/1': ['GET', 'DELETE'],
	'/api/1/reservations': ['GET'],
	'/api/1/charge': ['POST', 'PATCH'],
	'/api/1': ['GET'],
	'/api/1/histories': ['GET'],
	'/api/1/payment': ['POST'],
	'/api/admin/catalogue': ['POST'],
	'/api/admin/queues': ['GET'],
	'/api/admin/queues/1': ['PATCH'],
	'/api/admin/stats': ['GET'],
	'/api/admin/series': ['GET'],
	'/api/admin/concerts/1': ['GET', 'PATCH'],
	'/api/admin/shows/1': ['GET', 'PATCH'],
	'/api/admin/concerts/1/sales.csv': ['GET'],
	'/api/admin/audit-log': ['GET'],
	'/healthz': ['GET'],
	'/readyz': ['GET'],
	'/metrics': ['GET'],
	'/openapi.json': ['GET'],
	'/docs': ['GET'],
};

describe('every code', () => {
	const s = serverHere({ args: ['--hold-seconds', '2'] });
	const seen = new Set();
	const no = async (code, ...ask) => {
		const p = await s.no(code, ...ask);
		seen.add(p.code);
		return p;
	};

	it('400 INVALID_REQUEST', () => no('INVALID_REQUEST', 'POST', '/api/getToken', { body: {} }));
	it('401 TOKEN_REQUIRED', () => no('TOKEN_REQUIRED', 'GET', '/api/check'));
	it('401 TOKEN_INVALID', () => no('TOKEN_INVALID', 'GET', '/api/check', { token: NO_TOKEN }));
	it('404 NOT_FOUND', () => no('NOT_FOUND', 'GET', '/api/nothing/here/at/all'));
	it('404 CONCERT_NOT_FOUND', () => no('CONCERT_NOT_FOUND', 'GET', '/api/concerts/404404'));
	it('405 METHOD_NOT_ALLOWED', () => no('METHOD_NOT_ALLOWED', 'PUT', '/api/check'));
	it('413 BODY_TOO_LARGE', () => no('BODY_TOO_LARGE', 'POST', '/api/getToken', { raw: Buffer.alloc(65537, 0x20) }));
	it('415 UNSUPPORTED_MEDIA_TYPE', () => no('UNSUPPORTED_MEDIA_TYPE', 'POST', '/api/getToken', { body: { username: 'x' }, type: 'text/plain' }));
	it('431 HEADERS_TOO_LARGE', async () => {
		const { replies } = await s.raw(`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100000)}\r\n\r\n`);
		assert.equal(replies[0]?.status, 431, show(replies));
		seen.add(vetRaw(replies[0]).json.code);
	});
	it('501 NOT_IMPLEMENTED', async () => {
		const { replies } = await s.raw('POST /api/getToken HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: br, chunked\r\n\r\n0\r\n\r\n');
		assert.equal(replies[0]?.status, 501, show(replies));
		seen.add(vetRaw(replies[0]).json.code);
	});
	it('those of users and reservations', async () => {
		const t = await s.join('e1');
		await no('USER_NOT_FOUND', 'GET', '/api/404404', { token: t.token });
		await no('RESERVATION_NOT_FOUND', 'GET', '/api/reservations/404404', { token: t.token });
		for (let i = 0; i < 1000; i += 100) await Promise.all(Array.from({ length: 100 }, () => s.charge(t, 1000000000)));
		await no('BALANCE_LIMIT', 'POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1 } });
		await s.charge(await s.join('e2'), 5, { key: 'k' });
		const e2 = await s.join('e2', undefined, 200);
		await no('IDEMPOTENCY_KEY_REUSED', 'POST', `/api/${e2.userId}/charge`, { token: e2.token, body: { amount: 6 }, key: 'k' });
	});
	it('those of booking and payment', async () => {
		const c = await s.makeConcert({ capacity: 2, shows: [{ startsAt: '2099-01-01T12:00:00Z' }, { startsAt: '2099-01-01T19:00:00Z' }] });
		const later = await s.makeConcert({ salesOpenAt: '2098-01-01T00:00:00Z' });
		const t = await s.buyer(c);
		const b = await s.buyer(c);
		const w = await s.join('waits', c.concertId);
		const seat = `/api/booking/${c.concertId}/seat`;
		const showId = c.showId;
		const p = await no('NOT_ADMITTED', 'POST', seat, { token: w.token, body: { showId, seatNumber: 1 } });
		assert.deepEqual([p.ticketStatus, p.position], ['WAITING', 1]);
		await no('WRONG_QUEUE', 'POST', `/api/booking/${later.concertId}/seat`, { token: t.token, body: { showId: later.showId, seatNumber: 1 } });
		const early = await s.buyer(later);
		await no('SALES_NOT_OPEN', 'POST', `/api/booking/${later.concertId}/seat`, { token: early.token, body: { showId: later.showId, seatNumber: 1 } });
		const closed = await s.makeConcert();
		await s.ok(200, 'PATCH', `/api/admin/shows/${closed.showId}`, { admin: true, body: { closed: true } });
		const late = await s.buyer(closed);
		await no('SALES_CLOSED', 'POST', `/api/booking/${closed.concertId}/seat`, { token: late.token, body: { showId: closed.showId, seatNumber: 1 } });
		await no('SHOW_NOT_FOUND', 'POST', seat, { token: t.token, body: { showId: 404404, seatNumber: 1 } });
		await no('SEAT_NOT_FOUND', 'POST', seat, { token: t.token, body: { showId, seatNumber: 404 } });
		await no('AMBIGUOUS_DATE', 'POST', seat, { token: t.token, body: { date: '2099-01-01', seatNumber: 1 } });
		const r = await s.hold(t, c, { seatNumber: 1 });
		await no('SEAT_TAKEN', 'POST', seat, { token: b.token, body: { showId, seatNumber: 1 } });
		await no('ALREADY_YOURS', 'POST', seat, { token: t.token, body: { showId, seatNumber: 1 } });
		await no('LIMIT_EXCEEDED', 'POST', seat, { token: t.token, body: { showId, seatNumbers: [2, 3, 4, 5] } });
		await no('AMOUNT_MISMATCH', 'POST', `/api/${r.reservationId}/payment`, { token: t.token, body: { amount: 1 } });
		await no('INSUFFICIENT_BALANCE', 'POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {} });
		const gone = await s.hold(t, c, { seatNumber: 2 });
		await s.cancel(t, gone);
		await no('NOT_HELD', 'POST', `/api/${gone.reservationId}/payment`, { token: t.token, body: {} });
		const lapses = await s.hold(b, c, { seatNumber: 3 });
		await s.charge(t, 50000);
		await s.pay(t, r);
		await no('ALREADY_PAID', 'POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {} });
		await sleep(Date.parse(lapses.heldUntil) - Date.now() + 1);
		await no('HOLD_EXPIRED', 'POST', `/api/${lapses.reservationId}/payment`, { token: b.token, body: {} });
	});
	it('were all seen', () => {
		const missing = Object.keys(CODES).filter((code) => !seen.has(code) && !NOT_REACHED.includes(code));
		assert.deepEqual(missing, [], 'codes without a request that reaches them');
	});
});

describe('tokens', () => {
	const s = serverHere();

	it('go in as Bearer, or bare', async () => {
		const t = await s.join('forms');
		for (const authorization of [`Bearer ${t.token}`, `bearer ${t.token}`, `BEARER ${t.token}`, t.token]) {
			const r = await s.api('GET', '/api/check', { headers: { authorization } });
			assert.equal(r.json?.number, t.number, `Authorization: ${authorization}${told(r)}`);
		}
		for (const authorization of ['', 'Bearer', 'Bearer ', `Basic ${t.token}`, `Bearer ${t.token}x`, `Bearer x${t.token}`, `Bearer ${t.token} ${t.token}`, `Bearer Bearer ${t.token}`, `Bearer ${t.token.replaceAll('-', '')}`, `Bearer {${t.token}}`, `Bearer ${s.adminKey}`, `Token ${t.token}`]) {
			const r = await s.api('GET', '/api/check', { headers: { authorization } });
			assert.equal(r.status, 401, `Authorization: ${authorization}${told(r)}`);
		}
		for (const path of ['/api/check?token=', '/api/check?access_token=']) await s.no('TOKEN_REQUIRED', 'GET', path + t.token);
	});

	it('with any one digit changed are invalid', async () => {
		const t = await s.join('digits');
		for (let i = 0; i < t.token.length; i++) {
			if (t.token[i] === '-') continue;
			for (const by of [1, 8, 15]) {
				const digit = (parseInt(t.token[i], 16) ^ by).toString(16);
				await s.no('TOKEN_INVALID', 'GET', '/api/check', { token: t.token.slice(0, i) + digit + t.token.slice(i + 1) });
			}
		}
		for (const token of [NO_TOKEN, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'ffffffff-ffff-4fff-bfff-ffffffffffff', 'x', 'null', 'undefined']) await s.no('TOKEN_INVALID', 'GET', '/api/check', { token });
		for (let i = 0; i < 300; i++) {
			const hex = Array.from({ length: 32 }, () => Math.floor(Math.random() * 16).toString(16)).join('');
			await s.no('TOKEN_INVALID', 'GET', '/api/check', { token: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}` });
		}
	});

	it('two Authorization headers are never taken as the second', async () => {
		const [a, b] = [await s.join('one'), await s.join('two')];
		const { replies } = await s.raw(`GET /api/check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${a.token}\r\nAuthorization: Bearer ${b.token}\r\n\r\n`);
		const r = vetRaw(replies[0]);
		assert.ok(r.status === 400 || r.status === 401 || r.json.token === a.token, show(r));
	});
});

describe('which error wins', () => {
	const s = serverHere();
	const big = Buffer.alloc(70000, 0x20);

	it('transport limits, route, method, token, body, existence, admission, state, money', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const [t, w] = [await s.buyer(c), await s.join('w', c.concertId)];
		const seat = `/api/booking/${c.concertId}/seat`;
		const table = [
			// what applies, who wins
			['too large and no route', 'BODY_TOO_LARGE', 'POST', '/nowhere', { raw: big }],
			['too large and wrong method', 'BODY_TOO_LARGE', 'PUT', '/api/getToken', { raw: big }],
			['too large and no token', 'BODY_TOO_LARGE', 'POST', '/api/1/charge', { raw: big }],
			['too large and wrong type', 'BODY_TOO_LARGE', 'POST', '/api/getToken', { raw: big, type: 'text/plain' }],
			['no route and no token', 'NOT_FOUND', 'GET', '/api/admin/nowhere'],
			['no route and any method', 'NOT_FOUND', 'BREW', '/nowhere'],
			['wrong method and no token', 'METHOD_NOT_ALLOWED', 'GET', seat],
			['wrong method and wrong token', 'METHOD_NOT_ALLOWED', 'PUT', '/api/check', { token: NO_TOKEN }],
			['wrong method and broken body', 'METHOD_NOT_ALLOWED', 'PUT', '/api/getToken', { raw: '{' }],
			['wrong method and no admin key', 'METHOD_NOT_ALLOWED', 'GET', '/api/admin/catalogue'],
			['no token and broken body', 'TOKEN_REQUIRED', 'POST', '/api/1/charge', { raw: '{' }],
			['no token and wrong type', 'TOKEN_REQUIRED', 'POST', '/api/1/charge', { raw: '{}', type: 'text/plain' }],
			['wrong token and broken body', 'TOKEN_INVALID', 'POST', '/api/1/charge', { token: NO_TOKEN, raw: '{' }],
			['wrong token and no such concert', 'TOKEN_INVALID', 'POST', '/api/booking/404404/seat', { token: NO_TOKEN, body: { date: c.date, seatNumber: 1 } }],
			['no token and bad query', 'TOKEN_REQUIRED', 'GET', '/api/1/histories?limit=0'],
			['no admin key and bad query', 'TOKEN_REQUIRED', 'GET', '/api/admin/audit-log?limit=0'],
			['no admin key and broken body', 'TOKEN_REQUIRED', 'POST', '/api/admin/catalogue', { raw: '{' }],
			['wrong type and broken body', 'UNSUPPORTED_MEDIA_TYPE', 'POST', '/api/getToken', { raw: '{', type: 'text/plain' }],
			['wrong type and no such concert', 'UNSUPPORTED_MEDIA_TYPE', 'POST', '/api/booking/404404/seat', { token: t.token, raw: '{}', type: 'text/plain' }],
			['bad body and no such concert', 'INVALID_REQUEST', 'POST', '/api/booking/404404/seat', { token: t.token, body: { date: c.date } }],
			['bad body and no such user', 'INVALID_REQUEST', 'POST', '/api/404404/charge', { token: t.token, body: { amount: 0 } }],
			['bad body and no such reservation', 'INVALID_REQUEST', 'POST', '/api/404404/payment', { token: t.token, body: { amount: '1' } }],
			['bad query and no such concert', 'INVALID_REQUEST', 'GET', '/api/booking/404404/list/seats?date=tomorrow', { token: t.token }],
			['bad query and no such user', 'INVALID_REQUEST', 'GET', '/api/404404/histories?limit=0', { token: t.token }],
			['bad query and not admitted', 'INVALID_REQUEST', 'GET', `/api/booking/${c.concertId}/list/seats`, { token: w.token }],
			['bad key and no such user', 'INVALID_REQUEST', 'POST', '/api/404404/charge', { token: t.token, body: { amount: 1 }, key: 'a b' }],
			['no such concert and not admitted', 'CONCERT_NOT_FOUND', 'GET', '/api/booking/404404/list/time', { token: w.token }],
			['no such show and not admitted', 'SHOW_NOT_FOUND', 'POST', seat, { token: w.token, body: { date: '2098-01-01', seatNumber: 1 } }],
			['no such seat and not admitted', 'SEAT_NOT_FOUND', 'POST', seat, { token: w.token, body: { date: c.date, seatNumber: 51 } }],
			['no such section and not admitted', 'SEAT_NOT_FOUND', 'POST', seat, { token: w.token, body: { date: c.date, bestAvailable: { count: 1, section: 'Z' } } }],
		];
		for (const [what, code, method, path, options] of table) {
			const r = await s.api(method, path, options);
			assert.equal(r.json?.code, code, `${what}: expected ${code}${told(r)}`);
		}
		await s.hold(t, c, { seatNumber: 1 });
		await s.noHold('NOT_ADMITTED', w, c, { seatNumber: 1 });
	});
});

describe('routes and methods', () => {
	const s = serverHere();

	it('what is no route is 404 NOT_FOUND, with and without a token', async () => {
		const t = await s.join('lost');
		for (const path of ['/api', '/api/', '/nowhere', '/api/getToken/', '/api/getToken/x', '/API/concerts', '/api/Concerts', '/api/concerts/', '//api/concerts', '/api//concerts', '/api/concerts/1/', '/api/concerts/1/x', '/api/booking/1', '/api/booking/1/list', '/api/1/nothing', '/api/1/2/3', '/api/admin', '/api/admin/', '/api/admin/queues/1/x', '/healthz/', '/openapi', '/.env', '/..', '/api/../healthz/x', '/favicon.ico/x', '/docs/none.js', '/docs/../healthz', '/docs/..%2f..%2fetc%2fpasswd'])
			for (const token of [undefined, t.token]) {
				const r = await s.api('GET', path, { token });
				assert.equal(r.json?.code, 'NOT_FOUND', `GET ${path}${told(r)}`);
			}
	});

	for (const [path, methods] of Object.entries(ROUTES))
		it(`${path} has ${methods.join(', ')}; the rest is 405 with Allow, also without a token`, async () => {
			for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'BREW']) {
				if (methods.includes(method)) continue;
				const r = await s.api(method, path);
				assert.equal(r.json?.code, 'METHOD_NOT_ALLOWED', `expected 405${told(r)}`);
				const allow = r.headers.allow.split(/\s*,\s*/);
				assert.deepEqual(allow.filter((m) => !['HEAD', 'OPTIONS'].includes(m)).sort(), [...methods].sort(), `Allow lists what the path has${told(r)}`);
				if (allow.includes('HEAD')) assert.ok(methods.includes('GET'), `HEAD goes with GET${told(r)}`);
			}
			for (const method of methods) {
				const r = await s.api(method, path);
				assert.notEqual(r.status, 405, `${method} is there${told(r)}`);
				if (path.startsWith('/api/') && !['/api/getToken', '/api/concerts', '/api/concerts/1'].includes(path)) assert.equal(r.json?.code, 'TOKEN_REQUIRED', `needs a token${told(r)}`);
			}
		});

	it('HEAD and OPTIONS are as Allow says', async () => {
		for (const path of ['/api/concerts', '/healthz', '/openapi.json', '/metrics', '/docs']) {
			const allow = (await s.api('PUT', path)).headers.allow.split(/\s*,\s*/);
			const [get, head, options] = [await s.api('GET', path), await s.api('HEAD', path), await s.api('OPTIONS', path)];
			if (allow.includes('HEAD')) {
				assert.equal(head.status, get.status, `HEAD as GET${told(head)}`);
				assert.equal(head.text, '', 'HEAD has no body');
				assert.equal(head.headers['content-type'], get.headers['content-type']);
				if (path !== '/metrics' && head.headers['content-length'] !== undefined) assert.equal(head.headers['content-length'], String(get.bytes.length), `the length of the body that GET has${told(head)}`);
			} else assert.equal(head.status, 405, told(head));
			if (allow.includes('OPTIONS')) {
				assert.ok([200, 204].includes(options.status), `OPTIONS${told(options)}`);
				assert.deepEqual(options.headers.allow?.split(/\s*,\s*/).sort(), [...allow].sort(), 'OPTIONS says the same Allow');
			} else assert.equal(options.status, 405, told(options));
		}
	});

	it('HEAD after HEAD on one connection keeps the answers apart', async () => {
		const { text } = await s.raw('HEAD /api/concerts HTTP/1.1\r\nHost: x\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', { until: 99 });
		const lines = text.split('\r\n').filter((line) => line.startsWith('HTTP/1.1 '));
		assert.equal(lines.length, 3, `three answers: ${show(text)}`);
		assert.match(lines[2], / 200 /);
		const heads = text.split(/(?=HTTP\/1\.1 )/);
		for (const head of heads.slice(0, 2)) assert.ok(head.endsWith('\r\n\r\n') && head.indexOf('\r\n\r\n') === head.length - 4, `HEAD has no body: ${show(head)}`);
	});
});

describe('media types', () => {
	const s = serverHere();

	it('application/json, with or without a charset', async () => {
		for (const type of ['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8', 'Application/JSON', 'application/json ; charset="utf-8"'])
			await s.ok(201, 'POST', '/api/getToken', { body: { username: s.name() }, type });
	});

	it('anything else, or nothing, is 415 where there is a body', async () => {
		const t = await s.join('typed');
		const joined = (await s.queue(1)).lastNumber;
		for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'application/json-patch', 'text/json', 'json', 'application/', 'application/xml', ', application/json', undefined]) {
			for (const [method, path, options] of [
				['POST', '/api/getToken', { body: { username: 'nobody' } }],
				['POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1 } }],
				['PATCH', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1 } }],
				['POST', '/api/404404/payment', { token: t.token, body: {} }],
				['POST', '/api/admin/catalogue', { admin: true, body: {} }],
				['PATCH', '/api/admin/queues/1', { admin: true, body: {} }],
			]) {
				const r = await s.api(method, path, { ...options, type: type ?? null });
				assert.equal(r.json?.code, 'UNSUPPORTED_MEDIA_TYPE', `Content-Type: ${type}${told(r)}`);
			}
		}
		assert.equal(await s.balance(t), 0);
		assert.equal((await s.queue(1)).lastNumber, joined, 'nobody joined');
	});

	it('what comes back is JSON, and says so', async () => {
		for (const [path, type] of [['/api/concerts', /^application\/json/], ['/openapi.json', /^application\/json/], ['/docs', /^text\/html/], ['/metrics', /^text\/plain/]]) {
			const r = await s.api('GET', path);
			assert.match(r.headers['content-type'] ?? '', type, path);
		}
	});
});

describe('sizes', () => {
	const s = serverHere();
	const padded = (object, size) => {
		const text = JSON.stringify({ ...object, pad: '' });
		return text.replace('"pad":""', `"pad":"${'p'.repeat(size - text.length)}"`);
	};
	const chunked = { 'transfer-encoding': 'chunked' };

	it('a body of exactly 65536 bytes is taken, in one piece and in chunks', async () => {
		for (const headers of [{}, chunked]) {
			const raw = padded({ username: s.name() }, 65536);
			assert.equal(Buffer.byteLength(raw), 65536);
			await s.ok(201, 'POST', '/api/getToken', { raw, headers });
		}
		const body = padded({ username: s.name() }, 65536);
		const pieces = ['POST /api/getToken HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'];
		for (let i = 0; i < body.length; i += 4096) pieces.push(`1000\r\n${body.slice(i, i + 4096)}\r\n`);
		pieces.push('0\r\n\r\n');
		const { replies } = await s.raw(pieces, { wait: 5000 });
		assert.equal(replies[0]?.status, 201, `sixteen chunks of 4096: ${show(replies)}`);
	});

	it('65537 bytes are 413, in one piece and in chunks, and so is much more', async () => {
		const before = (await s.queue(1)).lastNumber;
		for (const size of [65537, 70000, 131072, 2 << 20])
			for (const headers of [{}, chunked]) {
				const r = await s.api('POST', '/api/getToken', { raw: padded({ username: 'large' }, size), headers: { ...headers } });
				assert.equal(r.json?.code, 'BODY_TOO_LARGE', `${size} bytes ${show(headers)}${told(r)}`);
			}
		assert.equal((await s.queue(1)).lastNumber, before, 'nobody joined');
	});

	it('a length that is announced too large is refused before it is sent', async () => {
		const { replies } = await s.raw('POST /api/getToken HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n{');
		assert.equal(replies[0]?.status, 413, show(replies));
		vetRaw(replies[0]);
	});

	it('the limit counts bytes, not characters', async () => {
		const r = await s.api('POST', '/api/getToken', { body: { username: 'bytes', pad: '가'.repeat(22000) } });
		assert.equal(r.json?.code, 'BODY_TOO_LARGE', told(r));
		await s.ok(201, 'POST', '/api/getToken', { body: { username: 'bytes', pad: '가'.repeat(21000) } });
	});

	it('a catalogue may be 1 MiB, not more', async () => {
		for (const headers of [{}, chunked]) {
			await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, raw: padded({ queues: [{ name: s.name(), capacity: 1 }], concerts: [] }, 1 << 20), headers: { ...headers } });
			await s.no('BODY_TOO_LARGE', 'POST', '/api/admin/catalogue', { admin: true, raw: padded({ queues: [{ name: s.name(), capacity: 1 }], concerts: [] }, (1 << 20) + 1), headers: { ...headers } });
		}
		await s.no('BODY_TOO_LARGE', 'POST', '/api/admin/catalogue', { raw: Buffer.alloc((1 << 20) + 1, 0x20) });
	});

	it('headers of 8 KiB are taken: one large one, many small ones, a long query', async () => {
		for (const head of [`X-Large: ${'y'.repeat(8000)}\r\n`, Array.from({ length: 100 }, (_, i) => `X-${i}: ${'y'.repeat(70)}\r\n`).join(''), Array.from({ length: 600 }, (_, i) => `X${i}: y\r\n`).join('')]) {
			assert.ok(head.length < 8150);
			const { replies } = await s.raw(`GET /healthz HTTP/1.1\r\nHost: x\r\n${head}\r\n`);
			assert.equal(replies[0]?.status, 200, `${head.length} bytes of headers: ${show(head, 40)} ${show(replies)}`);
		}
		const t = await s.join('long');
		await s.ok(200, 'GET', `/api/check?x=${'y'.repeat(7000)}`, { token: t.token });
	});

	it('past 64 KiB they are 431, and the server goes on', async () => {
		for (const head of [`X-Large: ${'y'.repeat(66000)}\r\n`, Array.from({ length: 1000 }, (_, i) => `X-${i}: ${'y'.repeat(70)}\r\n`).join(''), `X-Huge: ${'y'.repeat(2 << 20)}\r\n`]) {
			const { replies } = await s.raw(`GET /healthz HTTP/1.1\r\nHost: x\r\n${head}\r\n`, { wait: 5000 });
			assert.equal(replies[0]?.status, 431, `${head.length} bytes of headers: ${show(replies)}`);
			vetRaw(replies[0]);
		}
		const { replies } = await s.raw(`GET /healthz?${'y'.repeat(100000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
		assert.equal(replies[0]?.status, 431, `a very long request line: ${show(replies)}`);
		const { replies: unended } = await s.raw(`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(200000)}`);
		assert.equal(unended[0]?.status, 431, `headers without an end: ${show(unended)}`);
		await s.ok(200, 'GET', '/healthz');
	});
});
