// The organiser's routes, and the server's own: catalogue, queues, statistics, audit log, sales file, OpenAPI, documentation, health.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { CODES, eventually, INSTANT, serverHere, show, told } from './harness.mjs';

describe('the admin key', () => {
	const s = serverHere();

	it('opens every admin route, nothing else does', async () => {
		const c = await s.makeConcert();
		const t = await s.join('nobody');
		const routes = [
			['POST', '/api/admin/catalogue', { queues: [], concerts: [] }],
			['GET', '/api/admin/queues'],
			['PATCH', '/api/admin/queues/1', { paused: false }],
			['GET', '/api/admin/stats'],
			['GET', `/api/admin/concerts/${c.concertId}/sales.csv`],
			['GET', '/api/admin/audit-log'],
		];
		for (const [method, path, body] of routes) {
			await s.no('TOKEN_REQUIRED', method, path, { body });
			for (const admin of ['wrong', t.token, `${s.adminKey}x`, s.adminKey.slice(0, -1), s.adminKey.toUpperCase(), ` ${s.adminKey}x`]) await s.no('TOKEN_INVALID', method, path, { admin, body });
			const r = await s.api(method, path, { admin: true, body });
			assert.ok(r.status < 300, `with the key${told(r)}`);
		}
		for (const path of ['/api/check', `/api/${t.userId}`]) await s.no('TOKEN_INVALID', 'GET', path, { admin: true });
	});
});

describe('the catalogue', () => {
	const s = serverHere();

	const good = () => ({
		queues: [{ name: s.name('q'), capacity: 10, ratePerSecond: 5 }],
		concerts: [
			{ title: 'One', artist: 'A', venue: 'V', shows: [{ startsAt: '2099-12-24T19:00:00+09:00', seats: [{ section: 'S', from: 1, to: 10, price: 1000 }] }] },
			{
				title: 'Two',
				artist: 'B',
				venue: 'W',
				salesOpenAt: '2026-01-01T00:00:00Z',
				shows: [
					{ startsAt: '2099-12-25T19:00:00+09:00', seats: [{ section: 'S', from: 1, to: 10, price: 1000 }, { section: 'T', from: 11, to: 20, price: 500 }] },
					{ startsAt: '2099-12-26T19:00:00Z', seats: [{ section: 'S', from: 1, to: 1, price: 0 }] },
				],
			},
		],
	});
	const things = async () => show([await s.ok(200, 'GET', '/api/admin/queues', { admin: true }), await s.ok(200, 'GET', '/api/concerts'), await s.ok(200, 'GET', '/api/admin/audit-log', { admin: true })], 1e9);

	it('adds everything, and gives the ids in the document’s order', async () => {
		const doc = good();
		doc.queues.push({ name: s.name('q'), capacity: 3 });
		doc.concerts[0].queue = doc.queues[1].name;
		doc.concerts[1].queue = doc.queues[0].name;
		const ids = await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: doc });
		assert.deepEqual(Object.keys(ids).sort(), ['concertIds', 'queueIds', 'showIds']);
		assert.deepEqual([ids.queueIds.length, ids.concertIds.length, ids.showIds.length], [2, 2, 3]);
		for (const [i, name] of doc.queues.map((q) => q.name).entries()) {
			const q = await s.queue(ids.queueIds[i]);
			assert.equal(q.name, name);
		}
		assert.equal((await s.queue(ids.queueIds[0])).ratePerSecond, 5);
		assert.equal((await s.queue(ids.queueIds[1])).ratePerSecond, 0, 'no rate is 0');
		const concerts = await Promise.all(ids.concertIds.map((id) => s.ok(200, 'GET', `/api/concerts/${id}`)));
		assert.deepEqual(concerts.map((x) => [x.title, x.queueId]), [['One', ids.queueIds[1]], ['Two', ids.queueIds[0]]]);
		const t = await s.join('looks', ids.concertIds[1]);
		const { dates } = await s.ok(200, 'GET', `/api/booking/${ids.concertIds[1]}/list/time`, { token: t.token });
		assert.deepEqual(dates.map((d) => [d.showId, d.date, d.totalSeats]), [[ids.showIds[1], '2099-12-25', 20], [ids.showIds[2], '2099-12-26', 1]]);
	});

	it('a concert without queue is in the default queue; a queue may be there already', async () => {
		const doc = good();
		doc.concerts[1].queue = doc.queues[0].name;
		const one = await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: doc });
		assert.equal((await s.ok(200, 'GET', `/api/concerts/${one.concertIds[0]}`)).queueId, 1);
		const more = { concerts: [{ ...good().concerts[0], queue: doc.queues[0].name }, { ...good().concerts[0], queue: 'main' }] };
		const two = await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: more });
		assert.deepEqual(two.queueIds, []);
		assert.equal((await s.ok(200, 'GET', `/api/concerts/${two.concertIds[0]}`)).queueId, one.queueIds[0]);
		assert.equal((await s.ok(200, 'GET', `/api/concerts/${two.concertIds[1]}`)).queueId, 1);
	});

	it('takes prices from 0 to 1,000,000,000 and a show of 100,000 seats', async () => {
		const doc = good();
		doc.concerts[1].shows[0].seats = [{ section: 'S', from: 1, to: 99999, price: 1000000000 }, { section: 'T', from: 100000, to: 100000, price: 0 }];
		const ids = await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: doc });
		const t = await s.join('hall', ids.concertIds[1]);
		const map = await s.ok(200, 'GET', `/api/booking/${ids.concertIds[1]}/list/seats?showId=${ids.showIds[1]}`, { token: t.token });
		assert.equal(map.availableSeats.length, 100000);
		const r = await s.hold(t, { concertId: ids.concertIds[1], showId: ids.showIds[1] }, { seatNumbers: [99998, 99999, 100000] });
		assert.equal(r.totalPrice, 2000000000);
	});

	// Each makes one mistake in a good document; the answer must name the place.
	const mistakes = {
		'queues is no list': [(d) => (d.queues = {}), /queues/],
		'a queue is no object': [(d) => (d.queues[0] = 5), /queues\[0\]/],
		'a queue without a name': [(d) => delete d.queues[0].name, /queues\[0\].*name/],
		'a queue with an empty name': [(d) => (d.queues[0].name = ''), /queues\[0\].*name/],
		'a queue with a number for a name': [(d) => (d.queues[0].name = 5), /queues\[0\].*name/],
		'a queue name with a control character': [(d) => (d.queues[0].name = 'a\nb'), /queues\[0\].*name/],
		'a queue without a capacity': [(d) => delete d.queues[0].capacity, /queues\[0\].*capacity/],
		'a negative capacity': [(d) => (d.queues[0].capacity = -1), /queues\[0\].*capacity/],
		'a capacity in digits': [(d) => (d.queues[0].capacity = '5'), /queues\[0\].*capacity/],
		'half a capacity': [(d) => (d.queues[0].capacity = 1.5), /queues\[0\].*capacity/],
		'a negative rate': [(d) => (d.queues[0].ratePerSecond = -1), /queues\[0\].*ratePerSecond/],
		'a queue named twice': [(d) => d.queues.push({ ...d.queues[0] }), /queues\[1\].*name/],
		'a queue named as one that is there': [(d) => d.queues.push({ name: 'main', capacity: 5 }), /queues\[1\].*name/],
		'concerts is no list': [(d) => (d.concerts = 'x'), /concerts/],
		'a concert is no object': [(d) => (d.concerts[1] = null), /concerts\[1\]/],
		'a concert without a title': [(d) => delete d.concerts[1].title, /concerts\[1\].*title/],
		'an empty title': [(d) => (d.concerts[1].title = ''), /concerts\[1\].*title/],
		'a number for a title': [(d) => (d.concerts[0].title = 1), /concerts\[0\].*title/],
		'a concert without an artist': [(d) => delete d.concerts[1].artist, /concerts\[1\].*artist/],
		'a concert without a venue': [(d) => delete d.concerts[1].venue, /concerts\[1\].*venue/],
		'a queue that is not there': [(d) => (d.concerts[1].queue = 'no such queue'), /concerts\[1\].*queue/],
		'a number for a queue': [(d) => (d.concerts[1].queue = 1), /concerts\[1\].*queue/],
		'salesOpenAt is a date': [(d) => (d.concerts[1].salesOpenAt = '2026-01-01'), /concerts\[1\].*salesOpenAt/],
		'salesOpenAt is a number': [(d) => (d.concerts[1].salesOpenAt = 1767225600), /concerts\[1\].*salesOpenAt/],
		'a concert without shows': [(d) => delete d.concerts[1].shows, /concerts\[1\].*shows/],
		'shows is no list': [(d) => (d.concerts[1].shows = {}), /concerts\[1\].*shows/],
		'a show is no object': [(d) => (d.concerts[1].shows[1] = []), /concerts\[1\].*shows\[1\]/],
		'a show without startsAt': [(d) => delete d.concerts[1].shows[1].startsAt, /concerts\[1\].*shows\[1\].*startsAt/],
		'startsAt without an offset': [(d) => (d.concerts[1].shows[1].startsAt = '2099-12-24T19:00:00'), /concerts\[1\].*shows\[1\].*startsAt/],
		'startsAt in month 13': [(d) => (d.concerts[1].shows[1].startsAt = '2099-13-24T19:00:00Z'), /concerts\[1\].*shows\[1\].*startsAt/],
		'startsAt on February 30': [(d) => (d.concerts[1].shows[1].startsAt = '2099-02-30T19:00:00Z'), /concerts\[1\].*shows\[1\].*startsAt/],
		'startsAt at 25 o’clock': [(d) => (d.concerts[1].shows[1].startsAt = '2099-12-24T25:00:00Z'), /concerts\[1\].*shows\[1\].*startsAt/],
		'startsAt with an odd offset': [(d) => (d.concerts[1].shows[1].startsAt = '2099-12-24T19:00:00+99:00'), /concerts\[1\].*shows\[1\].*startsAt/],
		'startsAt is null': [(d) => (d.concerts[1].shows[1].startsAt = null), /concerts\[1\].*shows\[1\].*startsAt/],
		'seats is no list': [(d) => (d.concerts[1].shows[1].seats = 5), /concerts\[1\].*shows\[1\].*seats/],
		'seats are a number': [(d) => (d.concerts[1].shows[0].seats[1] = 5), /concerts\[1\].*shows\[0\].*seats\[1\]/],
		'a section missing': [(d) => delete d.concerts[1].shows[0].seats[1].section, /seats\[1\].*section/],
		'an empty section': [(d) => (d.concerts[1].shows[0].seats[1].section = ''), /seats\[1\].*section/],
		'from is 0': [(d) => (d.concerts[1].shows[1].seats[0].from = 0), /seats\[0\].*from/],
		'from is negative': [(d) => (d.concerts[1].shows[1].seats[0].from = -5), /seats\[0\].*from/],
		'from is missing': [(d) => delete d.concerts[1].shows[1].seats[0].from, /seats\[0\].*from/],
		'to is below from': [(d) => (d.concerts[1].shows[0].seats[1].to = 10), /seats\[1\].*(to|from)/],
		'to is missing': [(d) => delete d.concerts[1].shows[0].seats[1].to, /seats\[1\].*to/],
		'a price missing': [(d) => delete d.concerts[1].shows[0].seats[1].price, /seats\[1\].*price/],
		'a negative price': [(d) => (d.concerts[1].shows[0].seats[1].price = -1), /seats\[1\].*price/],
		'a price past the limit': [(d) => (d.concerts[1].shows[0].seats[1].price = 1000000001), /seats\[1\].*price/],
		'a price with a fraction': [(d) => (d.concerts[1].shows[0].seats[1].price = 9.99), /seats\[1\].*price/],
		'a price in digits': [(d) => (d.concerts[1].shows[0].seats[1].price = '500'), /seats\[1\].*price/],
		'a seat twice': [(d) => (d.concerts[1].shows[0].seats[1].from = 10), /concerts\[1\].*shows\[0\].*seats/],
		'a seat twice, ranges out of order': [(d) => d.concerts[1].shows[0].seats.push({ section: 'U', from: 5, to: 5, price: 1 }), /concerts\[1\].*shows\[0\].*seats/],
		'100,001 seats': [(d) => (d.concerts[1].shows[1].seats[0].to = 100001), /concerts\[1\].*shows\[1\]/],
		'100,001 seats in two ranges': [(d) => (d.concerts[1].shows[1].seats = [{ section: 'A', from: 1, to: 100000, price: 1 }, { section: 'B', from: 100001, to: 100001, price: 1 }]), /concerts\[1\].*shows\[1\]/],
		'seats without end': [(d) => (d.concerts[1].shows[1].seats[0].to = Number.MAX_SAFE_INTEGER), /concerts\[1\].*shows\[1\]/],
	};
	for (const [what, [spoil, where]] of Object.entries(mistakes))
		it(`all or nothing: ${what}`, async () => {
			const doc = good();
			spoil(doc);
			const was = await things();
			const p = await s.no('INVALID_REQUEST', 'POST', '/api/admin/catalogue', { admin: true, body: doc });
			assert.match(p.detail, where, 'detail says where');
			assert.equal(await things(), was, 'nothing was added');
		});

	const told_bounds = {
		'no capacity': [(d) => (d.queues[0].capacity = 0), '"queues[0].capacity" must be an integer from 1 to 10000000.'],
		'a negative capacity': [(d) => (d.queues[0].capacity = -1), '"queues[0].capacity" must be an integer from 1 to 10000000.'],
		'half a capacity': [(d) => (d.queues[0].capacity = 1.5), '"queues[0].capacity" must be an integer.'],
		'a capacity past the limit': [(d) => (d.queues[0].capacity = 10000001), '"queues[0].capacity" must be an integer from 1 to 10000000.'],
		'a negative rate': [(d) => (d.queues[0].ratePerSecond = -1), '"queues[0].ratePerSecond" must be an integer from 0 to 1000000.'],
		'a rate past the limit': [(d) => (d.queues[0].ratePerSecond = 1000001), '"queues[0].ratePerSecond" must be an integer from 0 to 1000000.'],
		'a long name': [(d) => (d.queues[0].name = 'x'.repeat(65)), '"queues[0].name" must be 1 to 64 characters without control characters.'],
		'a long title': [(d) => (d.concerts[0].title = 'x'.repeat(201)), '"concerts[0].title" must be 1 to 200 characters without control characters.'],
		'a seat below 1': [(d) => (d.concerts[1].shows[0].seats[0].from = -5), '"concerts[1].shows[0].seats[0].from" must be an integer from 1 to 1000000000.'],
		'an end before its beginning': [(d) => (d.concerts[1].shows[0].seats[1].to = 10), '"concerts[1].shows[0].seats[1].to" must be an integer from 11 to 1000000000.'],
		'a price below 0': [(d) => (d.concerts[1].shows[0].seats[1].price = -1), '"concerts[1].shows[0].seats[1].price" must be an integer from 0 to 1000000000.'],
		'a price past the limit': [(d) => (d.concerts[1].shows[0].seats[1].price = 1000000001), '"concerts[1].shows[0].seats[1].price" must be an integer from 0 to 1000000000.'],
		'a price past the limit for all': [(d) => (d.concerts[0].shows[0].price = 1000000001), '"concerts[0].shows[0].price" must be an integer from 0 to 1000000000.'],
		'too many seats': [(d) => (d.concerts[1].shows[1].seats[0].to = 100001), '"concerts[1].shows[1].seats[0].to" gives the show more than 100000 seats.'],
		'a seat twice': [(d) => (d.concerts[1].shows[0].seats[1].from = 10), '"concerts[1].shows[0].seats" names seat 10 twice.'],
	};
	for (const [what, [spoil, detail]] of Object.entries(told_bounds))
		it(`what would be right is told: ${what}`, async () => {
			const doc = good();
			spoil(doc);
			assert.equal((await s.no('INVALID_REQUEST', 'POST', '/api/admin/catalogue', { admin: true, body: doc })).detail, detail);
		});

	it('an empty one, also without a body, makes nothing', async () => {
		for (const body of [undefined, {}])
			assert.deepEqual(await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body }), { queueIds: [], concertIds: [], showIds: [] });
	});

	it('ranges at the end of 64 bits', async () => {
		const was = await things();
		for (const [from, to] of [['9223372036854775807', '9223372036854775807'], ['1', '9223372036854775807'], ['-9223372036854775808', '9223372036854775807'], ['9223372036854775806', '9223372036854775807']]) {
			const raw = `{"concerts":[{"title":"T","artist":"A","venue":"V","shows":[{"startsAt":"2099-12-24T19:00:00Z","seats":[{"section":"S","from":${from},"to":${to},"price":1}]}]}]}`;
			const r = await s.api('POST', '/api/admin/catalogue', { admin: true, raw });
			assert.equal(r.json?.code, 'INVALID_REQUEST', `${from} to ${to}${told(r)}`);
		}
		assert.equal(await things(), was);
	});

	it('two documents at once with one queue name: one is taken', async () => {
		const name = s.name('race');
		const replies = await Promise.all(Array.from({ length: 20 }, () => s.api('POST', '/api/admin/catalogue', { admin: true, body: { queues: [{ name, capacity: 1 }], concerts: [] } })));
		assert.equal(replies.filter((r) => r.status === 201).length, 1, 'one 201');
		assert.equal(replies.filter((r) => r.json.code === 'INVALID_REQUEST').length, 19);
	});
});

describe('queues, statistics, the audit log', () => {
	const s = serverHere({ args: ['--queue-capacity', '77'] });

	it('the default queue is 1, main, with the capacity of --queue-capacity', async () => {
		const { queues } = await s.ok(200, 'GET', '/api/admin/queues', { admin: true });
		assert.deepEqual(queues, [{ queueId: 1, name: 'main', capacity: 77, ratePerSecond: 0, paused: false, waiting: 0, active: 0, admitted: 0, lastNumber: 0 }]);
	});

	it('PATCH changes what it names and gives the queue', async () => {
		const was = await s.queue(1);
		for (const body of [{}, undefined, { colour: 'blue' }]) {
			const r = await s.api('PATCH', '/api/admin/queues/1', { admin: true, body });
			assert.ok(r.status === 200 || r.json.code === 'INVALID_REQUEST', `nothing named${told(r)}`);
			assert.deepEqual(await s.queue(1), was, 'nothing named, nothing changed');
		}
		assert.deepEqual(await s.patchQueue(1, { capacity: 5 }), { ...was, capacity: 5 });
		assert.deepEqual(await s.patchQueue(1, { ratePerSecond: 9 }), { ...was, capacity: 5, ratePerSecond: 9 });
		assert.deepEqual(await s.patchQueue(1, { paused: true }), { ...was, capacity: 5, ratePerSecond: 9, paused: true });
		assert.deepEqual(await s.patchQueue(1, { capacity: 77, ratePerSecond: 0, paused: false }), was);
		assert.deepEqual(await s.queue(1), was);
		await s.no('NOT_FOUND', 'PATCH', '/api/admin/queues/404404', { admin: true, body: { capacity: 5 } });
	});

	it('statistics count', async () => {
		const c = await s.makeConcert({ capacity: 3 });
		const [a, b] = [await s.buyer(c, 200000), await s.buyer(c)];
		const waiting = [await s.buyer(c), await s.join('w1', c.concertId), await s.join('w2', c.concertId)];
		await s.pay(a, await s.hold(a, c, { seatNumbers: [1, 2] }));
		await s.hold(b, c, { seatNumbers: [3, 4, 5] });
		await eventually('w1 is in', async () => (await s.check(waiting[1].token)).status === 'ACTIVE');
		const stats = await s.ok(200, 'GET', '/api/admin/stats', { admin: true });
		assert.deepEqual(Object.keys(stats).sort(), ['queues', 'shows']);
		const q = stats.queues.find((x) => x.queueId === c.queueId);
		assert.deepEqual([q?.waiting, q?.active], [1, 3], `the queue: ${show(q)}`);
		const w = stats.shows.find((x) => x.showId === c.showId);
		assert.deepEqual([w?.available, w?.held, w?.sold, w?.revenue, w?.closed], [45, 3, 2, 100000, false], `the show: ${show(w)}`);
		await s.ok(200, 'PATCH', `/api/admin/shows/${c.showId}`, { admin: true, body: { closed: true } });
		const after = await s.ok(200, 'GET', '/api/admin/stats', { admin: true });
		assert.equal(after.shows.find((x) => x.showId === c.showId)?.closed, true);
	});

	it('every change is in the audit log, newest first; what was refused is not; no key is', async () => {
		const page = (query = '') => s.ok(200, 'GET', `/api/admin/audit-log${query}`, { admin: true });
		const was = (await page('?limit=100')).entries.length;
		await s.patchQueue(1, { capacity: 60 });
		await s.makeConcert();
		await s.no('INVALID_REQUEST', 'PATCH', '/api/admin/queues/1', { admin: true, body: { capacity: -1 } });
		await s.no('TOKEN_INVALID', 'PATCH', '/api/admin/queues/1', { admin: 'wrong', body: { capacity: 1 } });
		await s.no('INVALID_REQUEST', 'POST', '/api/admin/catalogue', { admin: true, body: { queues: [{}], concerts: [] } });
		const all = await page('?limit=100');
		assert.equal(all.entries.length, was + 2, `two more: ${show(all)}`);
		assert.ok(JSON.stringify(all.entries[1]).includes('60'), `what was changed: ${show(all.entries[1])}`);
		for (const e of all.entries) assert.ok(Object.values(e).some((v) => INSTANT.test(String(v))), `when: ${show(e)}`);
		assert.ok(!JSON.stringify(all).includes(s.adminKey), 'the key is not told');
		const ids = all.entries.map((e) => JSON.stringify(e));
		const seen = [];
		for (let before; ; ) {
			const part = await page(`?limit=2${before ? `&before=${before}` : ''}`);
			seen.push(...part.entries.map((e) => JSON.stringify(e)));
			before = part.nextBefore;
			if (before === null) break;
			assert.equal(part.entries.length, 2);
			assert.ok(seen.length <= ids.length, 'the pages end');
		}
		assert.deepEqual(seen, ids, 'pages have everything once');
		for (const query of ['limit=0', 'limit=101', 'before=0', 'before=x']) await s.no('INVALID_REQUEST', 'GET', `/api/admin/audit-log?${query}`, { admin: true });
	});
});

// RFC 4180, strictly.
function parseCsv(text) {
	const rows = [];
	let row = [];
	let i = 0;
	while (i < text.length) {
		let field = '';
		if (text[i] === '"') {
			for (i++; ; i++) {
				assert.ok(i < text.length, 'a quoted field ends');
				if (text[i] !== '"') field += text[i];
				else if (text[i + 1] === '"') field += text[i++];
				else break;
			}
			i++;
		} else
			while (i < text.length && text[i] !== ',' && text[i] !== '\r' && text[i] !== '\n') {
				assert.notEqual(text[i], '"', 'no quote inside a field without quotes');
				field += text[i++];
			}
		row.push(field);
		if (text[i] === ',') i++;
		else {
			assert.equal(text.slice(i, i + 2), '\r\n', `a line ends with CRLF, here: ${show(text.slice(Math.max(0, i - 60), i + 10))}`);
			i += 2;
			rows.push(row);
			row = [];
		}
	}
	assert.deepEqual(row, [], 'the last line ends too');
	return rows;
}

describe('the sales file', () => {
	const s = serverHere();

	it('has every reservation, whatever the names are', async () => {
		const hostile = ['plain', 'comma, name', 'a "quoted" name', '"', '""', "=cmd|' /C calc'!A0", '+1+1', '-1', '@SUM(A1)', '김서연', '🎫,"x"', ' leading', 'trailing ', "'; DROP TABLE users;--"];
		const c = await s.makeConcert();
		const want = [];
		for (const [i, name] of hostile.entries()) {
			const t = await s.buyer(c, 50000, name);
			const r = await s.hold(t, c, { seatNumber: i + 1 });
			if (i % 3 === 0) await s.pay(t, r);
			if (i % 3 === 1) await s.cancel(t, r);
			want.push({ id: String(r.reservationId), name, seat: String(i + 1), status: ['PAID', 'CANCELLED', 'HELD'][i % 3] });
		}
		const other = await s.makeConcert();
		await s.hold(await s.buyer(other), other, { seatNumbers: [1, 2] });
		const r = await s.api('GET', `/api/admin/concerts/${c.concertId}/sales.csv`, { admin: true });
		assert.equal(r.status, 200, told(r));
		assert.match(r.headers['content-type'], /^text\/csv/);
		const [header, ...rows] = parseCsv(r.text);
		assert.equal(new Set(header).size, header.length, `columns have names of their own: ${header}`);
		assert.ok(header.every((name) => name !== ''), `columns have names: ${header}`);
		assert.equal(rows.length, want.length, `every reservation of the concert, no other: ${show(r.text, 3000)}`);
		for (const [i, row] of rows.entries()) {
			assert.equal(row.length, header.length, `as many fields as columns: ${show(row)}`);
			const { id, name, status } = want[i];
			assert.ok(row.includes(id), `the reservation ${id} in its order: ${show(row)}`);
			assert.ok(row.includes(status), `${status}: ${show(row)}`);
			// A spreadsheet must not take a name for a formula: a mark before it is allowed.
			assert.ok(row.some((x) => x === name || x === `'${name}`), `the name ${name}: ${show(row)}`);
		}
		const empty = await s.makeConcert();
		const none = await s.api('GET', `/api/admin/concerts/${empty.concertId}/sales.csv`, { admin: true });
		assert.deepEqual(parseCsv(none.text), [header], 'only the header line where nothing was sold');
		await s.no('CONCERT_NOT_FOUND', 'GET', '/api/admin/concerts/404404/sales.csv', { admin: true });
	});

	it('has thousands of lines', async () => {
		const c = await s.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 3000, price: 10 }] }] });
		const ids = [];
		for (let i = 0; i < 25; i++)
			ids.push(...(await Promise.all(Array.from({ length: 100 }, async (_, k) => {
				const t = await s.join(`m${i}-${k}`, c.concertId);
				if (t.status !== 'ACTIVE') await eventually('admitted', async () => (await s.check(t.token)).status === 'ACTIVE');
				const r = await s.hold(t, c, { seatNumber: i * 100 + k + 1 });
				await s.ok(204, 'DELETE', '/api/token', { token: t.token });
				return r.reservationId;
			}))));
		const r = await s.api('GET', `/api/admin/concerts/${c.concertId}/sales.csv`, { admin: true });
		const [header, ...rows] = parseCsv(r.text);
		const column = header.findIndex((name) => /reservation/i.test(name));
		assert.ok(column >= 0, `a column of the reservation: ${header}`);
		assert.deepEqual(rows.map((row) => Number(row[column])), ids.sort((a, b) => a - b));
	});
});

describe('descriptions and health', () => {
	const s = serverHere();
	let doc;

	before(async () => {
		doc = await s.ok(200, 'GET', '/openapi.json');
	});

	it('openapi.json is OpenAPI 3.1 and lists every route', () => {
		assert.match(doc.openapi, /^3\.1\.\d+$/);
		assert.ok(doc.info.title && doc.info.version);
		const want = [
			'post /api/getToken', 'get /api/check', 'delete /api/token', 'get /api/concerts', 'get /api/concerts/{concertId}',
			'get /api/booking/{concertId}/list/time', 'get /api/booking/{concertId}/list/seats', 'post /api/booking/{concertId}/seat',
			'get /api/reservations/{reservationId}', 'delete /api/reservations/{reservationId}', 'get /api/{userId}/reservations',
			'post /api/{userId}/charge', 'patch /api/{userId}/charge', 'get /api/{userId}', 'get /api/{userId}/histories', 'post /api/{reservationId}/payment',
			'post /api/admin/catalogue', 'get /api/admin/queues', 'patch /api/admin/queues/{queueId}', 'get /api/admin/stats',
			'get /api/admin/concerts/{concertId}/sales.csv', 'get /api/admin/audit-log',
			'get /healthz', 'get /readyz', 'get /metrics', 'get /openapi.json', 'get /docs',
		];
		const have = new Set(Object.entries(doc.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`)));
		assert.deepEqual(want.filter((route) => !have.has(route)), [], 'routes that are not described');
	});

	it('it describes parameters and answers, and every reference leads somewhere', () => {
		for (const [path, item] of Object.entries(doc.paths))
			for (const [method, op] of Object.entries(item)) {
				if (!['get', 'post', 'put', 'patch', 'delete', 'head', 'options'].includes(method)) continue;
				const say = `${method} ${path}`;
				assert.ok(Object.keys(op.responses ?? {}).length > 0, `${say} has responses`);
				const named = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
				const given = [...(op.parameters ?? []), ...(item.parameters ?? [])].map((p) => (p.$ref ? p.$ref.slice(1).split('/').slice(1).reduce((at, key) => at[key], doc) : p));
				for (const name of named) assert.ok(given.some((p) => p.in === 'path' && p.name === name && p.required === true), `${say} describes ${name}`);
				if (path.startsWith('/api/admin')) assert.ok(op.security ?? doc.security, `${say} needs a key`);
			}
		const walk = (node, at) => {
			if (Array.isArray(node)) node.forEach((x, i) => walk(x, `${at}/${i}`));
			else if (node && typeof node === 'object') {
				if (typeof node.$ref === 'string') {
					assert.ok(node.$ref.startsWith('#/'), `${at}: a reference within the document`);
					const target = node.$ref.slice(2).split('/').reduce((x, key) => x?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], doc);
					assert.ok(target !== undefined, `${at}: ${node.$ref} leads somewhere`);
				}
				for (const [key, value] of Object.entries(node)) walk(value, `${at}/${key}`);
			}
		};
		walk(doc, '#');
	});

	it('it names every error code', () => {
		const text = JSON.stringify(doc);
		assert.deepEqual(Object.keys(CODES).filter((code) => !text.includes(`"${code}"`) && !text.includes(code)), []);
	});

	it('operation ids are unique', () => {
		const ids = Object.values(doc.paths).flatMap((item) => Object.values(item).map((op) => op?.operationId)).filter(Boolean);
		assert.equal(new Set(ids).size, ids.length);
	});

	it('/docs loads, with everything that it refers to', async () => {
		let at = '/docs';
		let page = await s.api('GET', at);
		for (let i = 0; i < 3 && page.status >= 300 && page.status < 400; i++) {
			at = new URL(page.headers.location, `http://x${at}`).pathname;
			page = await s.api('GET', at);
		}
		assert.equal(page.status, 200, told(page));
		assert.match(page.headers['content-type'], /^text\/html/);
		const files = [...page.text.matchAll(/(?:src|href)="([^"#]+)"/g)].map((m) => m[1]);
		assert.ok(files.length >= 2, `styles and scripts: ${files}`);
		for (const file of files) {
			if (file.startsWith('data:')) continue;
			const url = new URL(file, `${s.address}${at}`);
			assert.equal(url.origin, s.address, `${file} comes from this server`);
			const r = await s.api('GET', url.pathname + url.search);
			assert.equal(r.status, 200, `${file}${told(r)}`);
			assert.ok(r.bytes.length > 0);
			if (file.endsWith('.js')) assert.match(r.headers['content-type'], /javascript/);
			if (file.endsWith('.css')) assert.match(r.headers['content-type'], /^text\/css/);
		}
		assert.ok(!/https?:\/\/(?!www\.w3\.org)/.test(page.text), 'nothing from elsewhere');
	});

	it('healthz and readyz say yes', async () => {
		for (const path of ['/healthz', '/readyz']) assert.equal((await s.api('GET', path)).status, 200, path);
	});

	it('metrics are Prometheus text, and count', async () => {
		const read = async () => {
			const r = await s.api('GET', '/metrics');
			assert.equal(r.status, 200, told(r));
			assert.match(r.headers['content-type'], /^text\/plain/);
			const values = new Map();
			const types = new Map();
			for (const line of r.text.split('\n')) {
				if (line === '') continue;
				const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
				if (type) {
					assert.ok(!types.has(type[1]), `one TYPE for ${type[1]}`);
					types.set(type[1], type[2]);
					continue;
				}
				if (/^# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .+$/.test(line)) continue;
				const m = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.eE+-]+|NaN|[+-]Inf)$/.exec(line);
				assert.ok(m, `a line of metrics: ${line}`);
				assert.ok(!values.has(m[1] + (m[2] ?? '')), `once only: ${line}`);
				values.set(m[1] + (m[2] ?? ''), Number(m[3]));
				const family = [m[1], m[1].replace(/_(bucket|sum|count)$/, '')].find((name) => types.has(name));
				assert.ok(family, `a TYPE before ${m[1]}`);
			}
			assert.ok(r.text.endsWith('\n'), 'the last line ends');
			return values;
		};
		const before = await read();
		assert.ok([...before.keys()].every((name) => /^(jari|process)_/.test(name)), `names of our own: ${[...before.keys()].slice(0, 5)}`);
		for (let i = 0; i < 5; i++) await s.join(`m${i}`);
		const after = await read();
		const grown = [...after].filter(([name, value]) => value - (before.get(name) ?? 0) === 5).map(([name]) => name);
		assert.ok(grown.length > 0, 'five more of something');
	});
});
