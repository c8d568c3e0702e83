// Hostile and broken input: it is refused, it changes nothing, and the server goes on.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { serverHere, show, told, vetRaw } from './harness.mjs';

describe('bad input', () => {
	const s = serverHere();
	let c, t, r;

	before(async () => {
		c = await s.makeConcert();
		t = await s.buyer(c, 123456);
		r = await s.hold(t, c, { seatNumber: 1 });
	});

	// Everything that a request of this user could have changed.
	async function state() {
		const [queues, wallet, histories, reservations, map, ticket, concerts, log] = await Promise.all([
			s.ok(200, 'GET', '/api/admin/queues', { admin: true }),
			s.ok(200, 'GET', `/api/${t.userId}`, { token: t.token }),
			s.ok(200, 'GET', `/api/${t.userId}/histories`, { token: t.token }),
			s.ok(200, 'GET', `/api/${t.userId}/reservations`, { token: t.token }),
			s.seats(t, c),
			s.check(t.token),
			s.ok(200, 'GET', '/api/concerts'),
			s.ok(200, 'GET', '/api/admin/audit-log', { admin: true }),
		]);
		delete ticket.retryAfterSeconds;
		return JSON.stringify({ queues, wallet, histories, reservations, map, ticket, concerts, log });
	}

	// Runs `ask` and looks that nothing has changed.
	async function harmless(what, ask) {
		const was = await state();
		await ask();
		assert.equal(await state(), was, `${what}: something has changed`);
	}

	const routes = () => ({
		charge: ['POST', `/api/${t.userId}/charge`, { token: t.token }],
		chargeByPatch: ['PATCH', `/api/${t.userId}/charge`, { token: t.token }],
		hold: ['POST', `/api/booking/${c.concertId}/seat`, { token: t.token }],
		payment: ['POST', `/api/${r.reservationId}/payment`, { token: t.token }],
		getToken: ['POST', '/api/getToken', {}],
		catalogue: ['POST', '/api/admin/catalogue', { admin: true }],
		queue: ['PATCH', '/api/admin/queues/1', { admin: true }],
	});

	async function refused(route, bodies, code = 'INVALID_REQUEST') {
		const [method, path, options] = routes()[route];
		await harmless(route, async () => {
			for (const raw of bodies) {
				const reply = await s.api(method, path, { ...options, raw });
				assert.equal(reply.json?.code, code, `${route} with ${show(raw.toString('latin1'), 200)}${told(reply)}`);
			}
		});
		await s.ok(200, 'GET', '/healthz');
	}

	const deep = (n, open, close) => open.repeat(n) + close.repeat(n);
	const notJson = [
		'{', '}', '[', '{}}', '{}{}', '{} x', '{"a"}', '{"a":}', '{"a":1,}', '{,}', "{'a':1}", '{a:1}', '{"a":1 "b":2}', '{"a":tru}', '{"a":True}',
		'{"a":"x}', '{"a":"\\x"}', '{"a":"\\u12"}', '{"a":"line\nfeed"}', '{"a":1}//c', '/*c*/{}', '{"a":NaN}', '{"a":Infinity}', '{"a":-}', '{"a":+1}',
		'{"a":01}', '{"a":.5}', '{"a":1.}', '{"a":0x10}', '{"a":1e}', '{"a":1_000}', '\u0000', '{}\u0000', '{\u0000}', '{"a":"\u0000"}', '<xml/>', 'a=1', 'undefined',
	];
	const notObject = ['[]', '[{}]', '"text"', '5', 'null', 'true', '""'];

	for (const route of ['charge', 'chargeByPatch', 'hold', 'payment', 'getToken', 'catalogue', 'queue']) {
		it(`${route}: what is no JSON`, () => refused(route, notJson));
		it(`${route}: JSON that is no object`, () => refused(route, notObject));
		it(`${route}: a member given twice, also deep inside or by an escape`, () => refused(route, ['{"a":1,"a":1}', '{"x":{"a":1,"a":2}}', '{"x":[{"a":1,"a":2}]}', '{"a":1,"\\u0061":2}', '{"":1,"":2}']));
		it(`${route}: nested too deep`, () => refused(route, [deep(30000, '[', ']'), `{"a":${deep(20000, '[', ']')}}`, '{"a":'.repeat(10000) + '1' + '}'.repeat(10000), '['.repeat(60000), '{"a":'.repeat(12000), '[{"a":'.repeat(9000)]));
		it(`${route}: broken UTF-8`, () =>
			refused(route, [[0xff], [0xfe, 0xff], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0x80], [0xe2, 0x82], [0xf0, 0x9f, 0x8e]].map((bytes) => Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]))));
		it(`${route}: UTF-16 and UTF-32`, () => refused(route, [Buffer.from('{"a":1}', 'utf16le'), Buffer.from('\ufeff{"a":1}', 'utf16le'), Buffer.from([0, 0, 0, 0x7b, 0, 0, 0, 0x7d])]));
		it(`${route}: lone surrogates`, () => refused(route, ['"\\ud800"', '"\\udc00"', '"\\ud800x"', '"\\ud800\\u0041"', '"\\udc00\\ud800"', '"\\ud83c"', '"\\ud800\\ud800"'].map((x) => `{"a":${x}}`)));
	}

	it('amounts that are no integer in range', async () => {
		const amounts = [
			'1.0', '1.5', '1e3', '1E0', '1e-3', '10e-1', '-0', '-0.0', '0', '0.0', '-1', '"5"', '"1"', '" 1"', '"0x5"', 'true', 'false', 'null', '[]', '[1]', '{}', '{"amount":1}',
			'1000000001', '2147483648', '4294967297', '9007199254740993', '9223372036854775807', '9223372036854775808', '18446744073709551615', '18446744073709551617',
			'-9223372036854775808', '-9223372036854775809', '1' + '0'.repeat(100), '1e400', '-1e400', '1e-400', '0.' + '0'.repeat(400) + '1', '9'.repeat(5000),
		].map((x) => `{"amount":${x}}`);
		await refused('charge', amounts);
		await refused('charge', ['{"amount":1,"amount":2}', '{"amount":1,"amount":1}', '{"amount":1,"\\u0061mount":2}', '{"Amount":1}', '{"amount ":1}', '{"\\u0000amount":1}', '{"amount":1,"a\\u0000":1}', '', ' ', '\n']);
	});

	it('what is no number at all for a payment', async () => {
		await refused('payment', ['-1', '1.0', '5e4', '"50000"', 'true', '[]', '-0', '9223372036854775808', '50000.0', '18446744073709601616'].map((x) => `{"amount":${x}}`));
	});

	it('seats, dates and shows of every wrong kind', async () => {
		const where = `"showId":${c.showId}`;
		await refused('hold', [
			...['0', '-1', '1.0', '1e0', '-0', '"2"', 'true', 'null', '[2]', '{}', '9223372036854775808', '18446744073709551618'].map((x) => `{${where},"seatNumber":${x}}`),
			...['[]', '[0]', '[-1]', '[2,2]', '[2.0]', '["2"]', '[null]', '[[2]]', '[2,9223372036854775808]', '{}', '2', '"2"', 'true'].map((x) => `{${where},"seatNumbers":${x}}`),
			...['{}', '[]', '1', '"1"', 'true', '{"count":0}', '{"count":-1}', '{"count":1.0}', '{"count":"1"}', '{"count":null}', '{"count":1,"section":1}', '{"count":1,"section":["A"]}', '{"count":1,"count":2}', '{"count":9223372036854775808}', '{"section":"A"}'].map((x) => `{${where},"bestAvailable":${x}}`),
			...['"2099-12-32"', '"2099-13-01"', '"2099-00-10"', '"2099-02-29"', '"2099-1-1"', '"99-12-24"', '""', '"tomorrow"', '"2099-12-24 "', '" 2099-12-24"', '"2099/12/24"', '"2099-12-24T00:00:00Z"', '"٢٠٩٩-12-24"', '20991224', '[]', '{}', 'true', '"-099-12-24"', '"2099-12-24\\u0000"'].map((x) => `{"date":${x},"seatNumber":2}`),
			...['0', '-1', '"1"', '1.0', '1e0', 'true', '[]', '9223372036854775808'].map((x) => `{"showId":${x},"seatNumber":2}`),
			`{${where},"date":"${c.date}","seatNumber":2}`,
			'{"seatNumber":2}',
			`{${where}}`,
			`{${where},"seatNumber":2,"seatNumbers":[3]}`,
			`{${where},"seatNumber":2,"bestAvailable":{"count":1}}`,
		]);
		await harmless('a list of enormous length', async () => {
			const list = Array.from({ length: 9000 }, (_, i) => i + 2);
			const reply = await s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, body: { showId: c.showId, seatNumbers: list } });
			assert.ok([400, 404, 409].includes(reply.status), told(reply));
			for (const n of [51, 1000000, 9007199254740991]) await s.noHold('SEAT_NOT_FOUND', t, c, { seatNumber: n });
			const most = await s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, raw: `{"showId":${c.showId},"seatNumber":9223372036854775807}` });
			assert.ok([400, 404].includes(most.status), told(most));
			const count = await s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, body: { showId: c.showId, bestAvailable: { count: 2000000000 } } });
			assert.ok([400, 409].includes(count.status), told(count));
		});
	});

	it('usernames with broken or forbidden characters', async () => {
		await refused('getToken', [
			...['"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"a\\udfffb"', '"\\u001f"', '"\\u007f"', '"\\u0080"', '"\\u009f"', '"\\n"', '"\\r\\n"', '""', '5', 'null', '[]'].map((x) => `{"username":${x}}`),
			`{"username":"${'x'.repeat(65)}"}`,
			`{"username":"${'x'.repeat(60000)}"}`,
			'{"username":"a","username":"b"}',
			Buffer.from([...Buffer.from('{"username":"'), 0xc3, 0x28, ...Buffer.from('"}')]),
		]);
	});

	it('changes of a queue of every wrong kind', async () => {
		await refused('queue', [
			...['-1', '1.0', '1e2', '"5"', 'true', '[]', '-0', '9223372036854775808'].map((x) => `{"capacity":${x}}`),
			...['-1', '1.5', '"5"', 'true', '9223372036854775808'].map((x) => `{"ratePerSecond":${x}}`),
			...['1', '0', '"true"', '[]', '{}'].map((x) => `{"paused":${x}}`),
			'{"capacity":50,"paused":"no"}',
			'{"capacity":50,"ratePerSecond":-1}',
		]);
	});

	it('unknown members are ignored whatever they hold', async () => {
		for (const extra of ['1.5', '1e3', '1e-5', '"\\ud83c\\udfab"', '[[[[[1]]]]]', '{"a":{"b":{"c":null}}}', 'null', 'true', '""'])
			await s.ok(200, 'POST', `/api/${t.userId}/charge`, { token: t.token, raw: `{"amount":1,"extra":${extra}}` });
		await s.ok(200, 'POST', `/api/${t.userId}/charge`, { token: t.token, raw: ' \t\r\n{ "amount" : 1 }\n\n ' });
	});

	it('path ids that are no positive 64-bit integer are 404', async () => {
		await harmless('bad ids', async () => {
			for (const id of ['0', '-1', '01', '00', '+1', '1.5', '1e0', '0x1', 'abc', '1a', '-', '%20', '%201', '1%20', '1%00', '%EF%BC%91', '9223372036854775808', '18446744073709551617', '1'.repeat(300), "1'--", '1;2', '1,2', 'null', 'NaN', '..', '%2e', '%2F'])
				for (const [method, path, options] of [
					['GET', `/api/concerts/${id}`, {}],
					['GET', `/api/booking/${id}/list/time`, { token: t.token }],
					['GET', `/api/booking/${id}/list/seats?date=${c.date}`, { token: t.token }],
					['POST', `/api/booking/${id}/seat`, { token: t.token, body: { date: c.date, seatNumber: 2 } }],
					['GET', `/api/reservations/${id}`, { token: t.token }],
					['DELETE', `/api/reservations/${id}`, { token: t.token }],
					['GET', `/api/${id}`, { token: t.token }],
					['GET', `/api/${id}/histories`, { token: t.token }],
					['GET', `/api/${id}/reservations`, { token: t.token }],
					['POST', `/api/${id}/charge`, { token: t.token, body: { amount: 1 } }],
					['POST', `/api/${id}/payment`, { token: t.token, body: {} }],
					['PATCH', `/api/admin/queues/${id}`, { admin: true, body: { capacity: 7 } }],
					['GET', `/api/admin/concerts/${id}/sales.csv`, { admin: true }],
				]) {
					const reply = await s.api(method, path, options);
					// A NUL is no path at all.
					assert.ok(reply.status === 404 || (id.includes('%00') && reply.status === 400), `${method} ${path}: expected 404${told(reply)}`);
				}
		});
		const most = '9223372036854775807';
		for (const [code, method, path, options] of [
			['CONCERT_NOT_FOUND', 'GET', `/api/concerts/${most}`, {}],
			['CONCERT_NOT_FOUND', 'GET', `/api/booking/${most}/list/time`, { token: t.token }],
			['RESERVATION_NOT_FOUND', 'GET', `/api/reservations/${most}`, { token: t.token }],
			['USER_NOT_FOUND', 'GET', `/api/${most}`, { token: t.token }],
			['RESERVATION_NOT_FOUND', 'POST', `/api/${most}/payment`, { token: t.token, body: {} }],
			['CONCERT_NOT_FOUND', 'GET', `/api/admin/concerts/${most}/sales.csv`, { admin: true }],
		])
			await s.no(code, method, path, options);
	});

	it('what others have added to the link of a page is not looked at', async () => {
		for (const query of ['?utm_campaign=50%off', '?q=%C7%D1', '?a=1&a=2', `?${Array.from({ length: 40 }, (_, i) => `p${i}=`).join('&')}`])
			for (const page of ['/', '/admin', '/admin/live', '/docs']) {
				const reply = await s.api('GET', page + query);
				assert.equal(reply.status, 200, `${page}${query}${told(reply)}`);
				assert.match(reply.headers['content-type'], /^text\/html/);
			}
	});

	it('query values that are none are 400', async () => {
		const seats = `/api/booking/${c.concertId}/list/seats`;
		for (const query of ['', '?', '?date=', '?date=x', '?date=2099-02-30', '?date=20991224', '?date=2099-12-24T00:00:00Z', '?date=%32099-12-2', '?date=2099-12-24%00', '?showId=', '?showId=0', '?showId=-1', '?showId=x', '?showId=1.0', '?showId=9223372036854775808', `?date=${c.date}&showId=${c.showId}`, '?Date=2099-12-24', '?date=%zz', '?date=%', '?date=%2']) {
			const reply = await s.api('GET', seats + query, { token: t.token });
			assert.equal(reply.json?.code, 'INVALID_REQUEST', `seats${query}${told(reply)}`);
		}
		for (const query of ['all=maybe', 'all=2', 'all=']) {
			const reply = await s.api('GET', `/api/booking/${c.concertId}/list/time?${query}`, { token: t.token });
			assert.equal(reply.json?.code, 'INVALID_REQUEST', `time?${query}${told(reply)}`);
		}
		await s.ok(200, 'GET', `${seats}?date=%32099%2D12-24`, { token: t.token });
	});
});

describe('bad HTTP', () => {
	const s = serverHere();
	let t;

	before(async () => {
		t = await s.join('wire');
	});

	const head = (line, ...headers) => `${[line, ...headers].join('\r\n')}\r\n\r\n`;
	const charge = (...headers) => head(`POST /api/${t.userId}/charge HTTP/1.1`, 'Host: x', `Authorization: Bearer ${t.token}`, 'Content-Type: application/json', ...headers);
	const body = '{"amount":5}';

	// The bytes must not be answered with a success, must close the connection, must change nothing.
	async function malformed(what, bytes, { statuses = [400], framed = true, closes = true } = {}) {
		const { text, closed, replies } = await s.raw(bytes, { until: 99, wait: 2500 });
		const say = `${what}\n  sent: ${show(String(bytes), 300)}\n  came: ${show(text)}`;
		if (framed) assert.ok(replies.length >= 1, `an answer${say}`);
		for (const r of replies) {
			r.asked = what;
			assert.ok(statuses.includes(r.status), `expected ${statuses}: ${say}`);
			vetRaw(r);
		}
		if (closes) assert.ok(closed, `the connection is closed: ${say}`);
		assert.equal(await s.balance(t), 0, `the wallet is untouched: ${say}`);
	}

	const lines = {
		garbage: 'hello world, how are you\r\n\r\n',
		'one word': 'GET\r\n\r\n',
		'no version': 'GET /healthz\r\nHost: x\r\n\r\n',
		'no target': 'GET  HTTP/1.1\r\nHost: x\r\n\r\n',
		'a space in the target': 'GET /health z HTTP/1.1\r\nHost: x\r\n\r\n',
		'a version that is none': 'GET /healthz HTTP/x.y\r\nHost: x\r\n\r\n',
		'another protocol': 'GET /healthz FTP/1.1\r\nHost: x\r\n\r\n',
		'version 9': 'GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n',
		'a target without a slash': 'GET healthz HTTP/1.1\r\nHost: x\r\n\r\n',
		'NUL in the target': 'GET /health\0z HTTP/1.1\r\nHost: x\r\n\r\n',
		'a control byte in the target': 'GET /health\x01z HTTP/1.1\r\nHost: x\r\n\r\n',
		'a method that is no token': 'G@T /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
		'a TLS hello': Buffer.from('16030100f8010000f40303', 'hex').toString('latin1') + '\0'.repeat(240) + '\r\n\r\n',
		'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
		'512 random bytes': Array.from({ length: 512 }, (_, i) => String.fromCharCode((i * 7919 + 13) % 256)).join('') + '\r\n\r\n',
	};
	for (const [what, bytes] of Object.entries(lines)) it(`request line: ${what}`, () => malformed(what, bytes, { framed: false }));

	it('empty lines alone do no harm', () => malformed('empty lines', '\r\n\r\n\r\n', { framed: false, closes: false }));

	const headers = {
		'without a colon': 'NoColonHere',
		'with a space before the colon': 'X-Name : value',
		'with an empty name': ': value',
		'with a space in the name': 'X Name: value',
		'with NUL in the value': 'X-Name: a\0b',
		'with a control byte in the value': 'X-Name: a\x01b',
		'with DEL in the value': 'X-Name: a\x7fb',
		'with a bare CR in the value': 'X-Name: a\rb',
		'with a control byte in the name': 'X-\x01Name: a',
		'with a name in another alphabet': 'X-N\xe9: a',
		'folded over two lines': 'X-Name: a\r\n b',
	};
	for (const [what, line] of Object.entries(headers))
		it(`a header ${what}`, () => malformed(what, head('GET /healthz HTTP/1.1', 'Host: x', line)));

	it('no Host, or two', async () => {
		await malformed('no Host', head('GET /healthz HTTP/1.1', 'X: y'));
		await malformed('two Hosts', head('GET /healthz HTTP/1.1', 'Host: x', 'Host: y'));
	});

	it('HTTP/1.0 needs no Host, and is closed after the answer', async () => {
		const { replies, closed } = await s.raw('GET /healthz HTTP/1.0\r\n\r\n', { until: 99 });
		assert.equal(replies[0]?.status, 200);
		assert.ok(closed, 'closed');
	});

	it('a body without a length is no body, and what follows is no request', async () => {
		await malformed('no length', `${charge()}${body}\r\n\r\n`);
		const { replies } = await s.raw(charge(), { until: 1 });
		assert.equal(replies[0]?.status, 400, 'an empty body lacks its member');
		assert.equal(vetRaw(replies[0]).json.code, 'INVALID_REQUEST');
	});

	it('both Content-Length and Transfer-Encoding', async () => {
		const chunks = `c\r\n${body}\r\n0\r\n\r\n`;
		await malformed('both', charge(`Content-Length: ${chunks.length}`, 'Transfer-Encoding: chunked') + chunks);
		await malformed('both, the other way round', charge('Transfer-Encoding: chunked', `Content-Length: ${body.length}`) + chunks);
		await malformed('both, to smuggle', charge('Content-Length: 4', 'Transfer-Encoding: chunked') + `0\r\n\r\n${charge(`Content-Length: ${body.length}`)}${body}`);
	});

	it('two lengths', async () => {
		await malformed('two lengths', charge('Content-Length: 12', 'Content-Length: 13') + body);
		await malformed('two lengths in one', charge('Content-Length: 12, 13') + body);
		await malformed('two lengths, one of them 0', charge('Content-Length: 0', 'Content-Length: 12') + body);
	});

	for (const length of ['-1', '+12', '12x', 'x', '0x0c', '1e1', '12.0', '1 2', '', '18446744073709551628', '9'.repeat(40)])
		it(`Content-Length: ${show(length)}`, () => malformed(length, charge(`Content-Length: ${length}`) + body, { statuses: [400, 413] }));

	for (const coding of ['gzip', 'chunked, gzip', 'gzip, chunked', 'xchunked', 'chunked, chunked', 'identity', 'chunked\x0b', '"chunked"', ''])
		it(`Transfer-Encoding: ${show(coding)}`, () => malformed(coding, charge(`Transfer-Encoding: ${coding}`) + `c\r\n${body}\r\n0\r\n\r\n`, { statuses: coding === 'gzip, chunked' ? [501] : [400] }));

	it('Transfer-Encoding twice, or with HTTP/1.0', async () => {
		await malformed('twice', charge('Transfer-Encoding: chunked', 'Transfer-Encoding: identity') + `c\r\n${body}\r\n0\r\n\r\n`);
		await malformed('1.0', charge('Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0') + `c\r\n${body}\r\n0\r\n\r\n`);
	});

	const chunks = {
		'a size that is none': `zz\r\n${body}\r\n0\r\n\r\n`,
		'a negative size': `-c\r\n${body}\r\n0\r\n\r\n`,
		'a size with 0x': `0xc\r\n${body}\r\n0\r\n\r\n`,
		'an empty size': `\r\n${body}\r\n0\r\n\r\n`,
		'a size with a space before': ` c\r\n${body}\r\n0\r\n\r\n`,
		'a size with a plus': `+c\r\n${body}\r\n0\r\n\r\n`,
		'a chunk that is longer than it says': `5\r\n${body}\r\n0\r\n\r\n`,
		'a size beyond 64 bits': `1000000000000000c\r\n${body}\r\n0\r\n\r\n`,
		'a size of 64 bits': `ffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
	};
	it('chunks: a size that wraps at 32 bits', () => malformed('wraps', charge('Transfer-Encoding: chunked') + `10000000c\r\n${body}\r\n0\r\n\r\n`, { statuses: [400, 413], framed: false, closes: false }));
	for (const [what, rest] of Object.entries(chunks)) it(`chunks: ${what}`, () => malformed(what, charge('Transfer-Encoding: chunked') + rest, { statuses: [400, 413] }));

	it('a body that never comes, or stops half way, does no harm', async () => {
		await s.raw(charge('Content-Length: 12') + '{"amo', { wait: 200 });
		await s.raw(charge('Content-Length: 12') + '{"amo', { end: true, wait: 500 });
		await s.raw(charge('Transfer-Encoding: chunked') + `c\r\n${body}\r\n`, { wait: 200 });
		await s.raw(charge('Transfer-Encoding: chunked') + 'c\r\n{"a', { end: true, wait: 500 });
		await s.raw('GET /heal', { wait: 100 });
		await s.raw('', { end: true, wait: 300 });
		assert.equal(await s.balance(t), 0);
	});

	it('percent-escapes that are none', async () => {
		for (const path of ['/api/concerts/%', '/api/concerts/%1', '/api/concerts/%zz', '/%', '/api/%u0031', '/api/concerts/%c3%28', '/%00', '/api/concerts%00', '/api/concerts?x=%', '/healthz?%zz=1', '/api/concerts/%ff']) {
			const { replies, text } = await s.raw(head(`GET ${path} HTTP/1.1`, 'Host: x'));
			assert.ok(replies.length === 1 && replies[0].status < 500, `GET ${path}: ${show(text)}`);
			if (!path.includes('?')) assert.ok([400, 404].includes(replies[0].status), `GET ${path}: ${show(text)}`);
			vetRaw(replies[0]);
		}
	});

	it('bytes over 127 in the target', async () => {
		const { replies, text } = await s.raw(head('GET /api/\xea\xb0\x80 HTTP/1.1', 'Host: x'));
		assert.ok([400, 404].includes(replies[0]?.status), show(text));
	});

	it('two requests at once on one connection are answered in order, a bad one ends it', async () => {
		const good = head('GET /api/concerts HTTP/1.1', 'Host: x');
		const { replies } = await s.raw(good + head('GET /nowhere HTTP/1.1', 'Host: x') + good, { until: 3 });
		assert.deepEqual(replies.map((r) => r.status), [200, 404, 200]);
		const mixed = await s.raw(good + head('GET /healthz HTTP/1.1', 'Host: x', 'NoColon') + good, { until: 3 });
		assert.deepEqual(mixed.replies.map((r) => r.status), [200, 400], `nothing after the bad one: ${show(mixed.text)}`);
		assert.ok(mixed.closed);
	});

	it('100 requests at once on one connection are answered in order', async () => {
		const bytes = Array.from({ length: 100 }, (_, i) => head(i % 2 ? 'GET /healthz HTTP/1.1' : `GET /nowhere/${i} HTTP/1.1`, 'Host: x')).join('');
		const { replies } = await s.raw(bytes, { until: 100, wait: 5000 });
		assert.deepEqual(replies.map((r) => r.status), Array.from({ length: 100 }, (_, i) => (i % 2 ? 200 : 404)));
	});

	it('a request that comes byte by byte is a request', async () => {
		const bytes = charge(`Content-Length: ${body.length}`).replace('/charge', '/nothing') + body;
		const pieces = [];
		for (let i = 0; i < bytes.length; i += 23) pieces.push(bytes.slice(i, i + 23));
		const { replies } = await s.raw(pieces, { wait: 5000 });
		assert.equal(replies[0]?.status, 404);
	});

	it('chunks with extensions and trailers are taken', async () => {
		const u = await s.join('chunks');
		const bytes = head(`POST /api/${u.userId}/charge HTTP/1.1`, 'Host: x', `Authorization: Bearer ${u.token}`, 'Content-Type: application/json', 'Transfer-Encoding: Chunked');
		const { replies, text } = await s.raw(`${bytes}5;name=value\r\n${body.slice(0, 5)}\r\n7\r\n${body.slice(5)}\r\n0\r\nX-Trailer: y\r\n\r\n`);
		assert.equal(replies[0]?.status, 200, show(text));
		assert.equal(await s.balance(u), 5);
	});

	it('Expect: 100-continue is served', async () => {
		const u = await s.join('expects');
		const bytes = head(`POST /api/${u.userId}/charge HTTP/1.1`, 'Host: x', `Authorization: Bearer ${u.token}`, 'Content-Type: application/json', 'Expect: 100-continue', `Content-Length: ${body.length}`);
		const { replies, text } = await s.raw([bytes, body]);
		assert.equal(replies[0]?.status, 200, show(text));
	});

	it('header names and values may be large, odd and many without harm', async () => {
		for (const line of ['X-Name:', 'X-Name:value', 'X-Name: \t value \t ', "X!#$%&'*+-.^_`|~9: v", 'X-Name: \xe9\xff', 'x-name: "quoted, string"']) {
			const { replies, text } = await s.raw(head('GET /healthz HTTP/1.1', 'Host: x', line));
			assert.equal(replies[0]?.status, 200, `${show(line)}: ${show(text)}`);
		}
	});

	it('after all of this the server is well', async () => {
		assert.ok(s.running(), 'it runs');
		await s.ok(200, 'GET', '/readyz');
		assert.equal(await s.balance(t), 0);
	});
});
