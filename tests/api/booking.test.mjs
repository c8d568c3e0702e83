// Concerts, dates, seats and holds.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INSTANT, eventually, many, serverHere, show, sleep, told, vetReservation } from './harness.mjs';

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('concerts', () => {
	const s = serverHere();

	it('lists what the catalogue has, without a token', async () => {
		assert.deepEqual(await s.ok(200, 'GET', '/api/concerts'), { concerts: [] }, 'an empty store has none');
		const a = await s.makeConcert({ title: '봄의 제전 “Le Sacre”', salesOpenAt: '2026-01-02T12:00:00+09:00' });
		const b = await s.makeConcert({ title: 'B' });
		const { concerts } = await s.ok(200, 'GET', '/api/concerts');
		assert.deepEqual(concerts.map((c) => c.concertId).sort((x, y) => x - y), [a.concertId, b.concertId].sort((x, y) => x - y));
		const one = await s.ok(200, 'GET', `/api/concerts/${a.concertId}`);
		assert.deepEqual(one, concerts.find((c) => c.concertId === a.concertId), 'one is as in the list');
		assert.deepEqual(Object.keys(one).sort(), ['artist', 'concertId', 'queueId', 'salesOpenAt', 'title', 'venue']);
		assert.deepEqual([one.title, one.artist, one.venue, one.queueId], ['봄의 제전 “Le Sacre”', 'An artist', 'A venue', a.queueId]);
		assert.equal(Date.parse(one.salesOpenAt), Date.parse('2026-01-02T03:00:00Z'));
		assert.match(one.salesOpenAt, INSTANT, 'in UTC');
		const open = await s.ok(200, 'GET', `/api/concerts/${b.concertId}`);
		assert.ok('salesOpenAt' in open, 'salesOpenAt is there also when none was given');
	});

	it('says CONCERT_NOT_FOUND for another', () => s.no('CONCERT_NOT_FOUND', 'GET', '/api/concerts/999'));
});

describe('dates', () => {
	const s = serverHere();

	it('soonest first, only what can be booked; all=true has the rest', async () => {
		const c = await s.makeConcert({
			shows: [
				{ startsAt: '2099-03-01T19:00:00+09:00' },
				{ startsAt: '2098-03-01T02:00:00+09:00', seats: [{ section: 'R', from: 1, to: 3, price: 100 }] },
				{ startsAt: '2020-03-01T19:00:00+09:00' },
				{ startsAt: '2099-03-01T14:00:00+09:00' },
				{ startsAt: '2098-05-01T19:00:00+09:00', seats: [{ section: 'R', from: 7, to: 8, price: 0 }] },
			],
		});
		const path = `/api/booking/${c.concertId}/list/time`;
		const t = await s.buyer(c);
		const all = await s.ok(200, 'GET', `${path}?all=true`, { token: t.token });
		assert.equal(all.concertId, c.concertId);
		assert.deepEqual(
			all.dates.map((d) => [d.date, d.showId, d.totalSeats, d.availableSeats]),
			[
				['2020-03-01', c.showIds[2], 50, 50],
				['2098-03-01', c.showIds[1], 3, 3],
				['2098-05-01', c.showIds[4], 2, 2],
				['2099-03-01', c.showIds[3], 50, 50],
				['2099-03-01', c.showIds[0], 50, 50],
			],
		);
		for (const d of all.dates) assert.match(d.startsAt, INSTANT);
		assert.equal(Date.parse(all.dates[1].startsAt), Date.parse('2098-02-28T17:00:00Z'), 'the date is the local one, startsAt the instant');
		const some = await s.ok(200, 'GET', path, { token: t.token });
		assert.deepEqual(some.dates, all.dates.slice(1), 'without the show that has begun');

		const r = await s.hold(t, c, { date: '2098-05-01', seatNumbers: [7, 8] });
		assert.equal(r.totalPrice, 0);
		const sold = await s.ok(200, 'GET', path, { token: t.token });
		assert.deepEqual(sold.dates.map((d) => d.showId), [c.showIds[1], c.showIds[3], c.showIds[0]], 'without the show that has no free seat');
		const still = await s.ok(200, 'GET', `${path}?all=true`, { token: t.token });
		assert.deepEqual(still.dates.find((d) => d.showId === c.showIds[4]).availableSeats, 0);
		await s.cancel(t, r);
		assert.equal((await s.ok(200, 'GET', path, { token: t.token })).dates.length, 4, 'and it is back when the seats are');
		assert.deepEqual(await s.ok(200, 'GET', `${path}?all=false`, { token: t.token }), await s.ok(200, 'GET', path, { token: t.token }));
	});

	it('a show that has begun can’t be booked', async () => {
		const soon = new Date(Date.now() + 1200);
		const c = await s.makeConcert({ shows: [{ startsAt: soon.toISOString() }, {}] });
		const t = await s.buyer(c);
		const r = await s.hold(t, c, { showId: c.showIds[0], seatNumber: 1 });
		await s.cancel(t, r);
		await sleep(soon.getTime() - Date.now() + 5);
		await s.noHold('SHOW_NOT_FOUND', t, c, { showId: c.showIds[0], seatNumber: 1 });
		const { dates } = await s.ok(200, 'GET', `/api/booking/${c.concertId}/list/time`, { token: t.token });
		assert.deepEqual(dates.map((d) => d.showId), [c.showIds[1]]);
	});
});

describe('seats', () => {
	const s = serverHere();

	it('of a show, by date and by showId, with section, price and status', async () => {
		const c = await s.makeConcert({
			shows: [{ seats: [{ section: 'VIP', from: 1, to: 2, price: 150000 }, { section: 'R', from: 10, to: 12, price: 90000 }] }],
		});
		const t = await s.buyer(c, 1000000);
		const map = await s.ok(200, 'GET', `/api/booking/${c.concertId}/list/seats?date=${c.date}`, { token: t.token });
		assert.deepEqual([map.concertId, map.showId, map.date], [c.concertId, c.showId, c.date]);
		assert.ok(Number.isSafeInteger(map.version), 'version is a number');
		assert.deepEqual(map.availableSeats, [1, 2, 10, 11, 12]);
		assert.deepEqual(map.seats, [
			{ seatNumber: 1, section: 'VIP', price: 150000, status: 'AVAILABLE' },
			{ seatNumber: 2, section: 'VIP', price: 150000, status: 'AVAILABLE' },
			{ seatNumber: 10, section: 'R', price: 90000, status: 'AVAILABLE' },
			{ seatNumber: 11, section: 'R', price: 90000, status: 'AVAILABLE' },
			{ seatNumber: 12, section: 'R', price: 90000, status: 'AVAILABLE' },
		]);
		assert.deepEqual(await s.seats(t, c), map, 'by showId the same');

		const held = await s.hold(t, c, { seatNumbers: [2, 11] });
		const after = await s.seats(t, c);
		assert.ok(after.version > map.version, `version grows: ${map.version}, ${after.version}`);
		assert.deepEqual(after.availableSeats, [1, 10, 12]);
		assert.deepEqual(after.seats.map((x) => x.status), ['AVAILABLE', 'HELD', 'AVAILABLE', 'HELD', 'AVAILABLE']);
		await s.pay(t, held);
		const b = await s.buyer(c);
		const sold = await s.seats(b, c);
		assert.ok(sold.version > after.version, 'version grows with a payment');
		assert.deepEqual(sold.availableSeats, [1, 10, 12]);
		assert.deepEqual(sold.seats.map((x) => x.status), ['AVAILABLE', 'SOLD', 'AVAILABLE', 'SOLD', 'AVAILABLE']);
		const second = await s.hold(b, c, { seatNumber: 1 });
		const v = (await s.seats(b, c)).version;
		await s.cancel(b, second);
		assert.ok((await s.seats(b, c)).version > v, 'version grows when a hold is given up');
	});

	it('of a show without seats in the catalogue are 1 to 50', async () => {
		const doc = { concerts: [{ title: 'T', artist: 'A', venue: 'V', shows: [{ startsAt: '2099-01-01T19:00:00+09:00' }] }] };
		const r = await s.api('POST', '/api/admin/catalogue', { admin: true, body: doc });
		assert.equal(r.status, 201, `a show without seats${told(r)}`);
		const t = await s.join(s.name(), r.json.concertIds[0]);
		const map = await s.ok(200, 'GET', `/api/booking/${r.json.concertIds[0]}/list/seats?date=2099-01-01`, { token: t.token });
		assert.deepEqual(map.availableSeats, numbers(1, 50));
	});

	it('carry an ETag that changes exactly when they do', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		const path = `/api/booking/${c.concertId}/list/seats?showId=${c.showId}`;
		const first = await s.api('GET', path, { token: t.token });
		const etag = first.headers.etag;
		assert.match(etag ?? '', /^(W\/)?"[^"]+"$/, `an ETag in quotes${told(first)}`);
		assert.equal((await s.api('GET', path, { token: t.token })).headers.etag, etag, 'the same while nothing changes');
		const get = (value) => s.api('GET', path, { token: t.token, headers: { 'if-none-match': value } });
		for (const value of [etag, `"other", ${etag}`, '*']) {
			const same = await get(value);
			assert.equal(same.status, 304, `If-None-Match: ${value}${told(same)}`);
			assert.equal(same.text, '', '304 has no body');
			assert.equal(same.headers.etag, etag, '304 repeats the ETag');
		}
		for (const value of ['"other"', 'nonsense', '']) assert.equal((await get(value)).status, 200, `If-None-Match: ${value}`);
		await s.hold(t, c, { seatNumber: 5 });
		const changed = await get(etag);
		assert.equal(changed.status, 200, `after a hold${told(changed)}`);
		assert.notEqual(changed.headers.etag, etag);
	});

	it('have their statuses alone, a letter each, with the same version', async () => {
		const c = await s.makeConcert();
		const payer = await s.buyer(c, 1000000);
		await s.pay(payer, await s.hold(payer, c, { seatNumber: 2 }));
		const t = await s.buyer(c);
		await s.hold(t, c, { seatNumber: 5 });
		const map = await s.seats(t, c);
		const path = `/api/booking/${c.concertId}/list/statuses?showId=${c.showId}`;
		const brief = await s.api('GET', path, { token: t.token });
		assert.deepEqual(brief.json, { concertId: c.concertId, showId: c.showId, date: c.date, startsAt: map.startsAt, version: map.version, closed: false, statuses: map.seats.map((x) => x.status[0]).join('') });
		assert.match(brief.json.statuses, /^ASAAHA{45}$/);
		assert.equal((await s.api('GET', path, { token: t.token, headers: { 'if-none-match': brief.headers.etag } })).status, 304);
		await s.hold(t, c, { seatNumber: 6 });
		assert.match((await s.api('GET', path, { token: t.token, headers: { 'if-none-match': brief.headers.etag } })).json.statuses, /^ASAAHHA{44}$/);
		await s.no('SHOW_NOT_FOUND', 'GET', path.replace(/\d+$/, '99999'), { token: t.token });
		await s.no('TOKEN_REQUIRED', 'GET', path);
	});

	it('an unknown date or show is SHOW_NOT_FOUND, also another concert’s show', async () => {
		const [c, d] = [await s.makeConcert(), await s.makeConcert()];
		const t = await s.buyer(c);
		for (const query of ['date=2099-12-25', 'showId=99999', `showId=${d.showId}`])
			await s.no('SHOW_NOT_FOUND', 'GET', `/api/booking/${c.concertId}/list/seats?${query}`, { token: t.token });
		await s.noHold('SHOW_NOT_FOUND', t, c, { date: '2099-12-25', seatNumber: 1 });
		await s.noHold('SHOW_NOT_FOUND', t, c, { showId: d.showId, seatNumber: 1 });
	});

	it('a date with two shows is AMBIGUOUS_DATE, a showId tells them apart', async () => {
		const c = await s.makeConcert({ shows: [{ startsAt: '2099-12-24T14:00:00+09:00' }, { startsAt: '2099-12-24T19:00:00+09:00' }] });
		const t = await s.buyer(c);
		await s.no('AMBIGUOUS_DATE', 'GET', `/api/booking/${c.concertId}/list/seats?date=2099-12-24`, { token: t.token });
		await s.noHold('AMBIGUOUS_DATE', t, c, { date: '2099-12-24', seatNumber: 1 });
		for (const showId of c.showIds) {
			const r = await s.hold(t, c, { showId, seatNumber: 1 });
			assert.equal(r.showId, showId);
			assert.equal(r.date, '2099-12-24');
		}
		assert.deepEqual((await s.seats(t, c, c.showIds[0])).availableSeats, numbers(2, 50));
	});

	it('a date means what has not begun, to hold and to look at; where all has, it can still be looked at', async () => {
		const hour = new Date().getUTCHours(); // where it is noon now, so that both are on one date
		const zone = `${hour > 12 ? '-' : '+'}${String(Math.abs(12 - hour)).padStart(2, '0')}:00`;
		const at = (minutes) => new Date(Date.now() + (12 - hour) * 3600_000 + minutes * 60_000).toISOString().replace('Z', zone);
		const c = await s.makeConcert({ shows: [{ startsAt: at(-5) }, { startsAt: at(30) }] });
		const date = at(0).slice(0, 10);
		const t = await s.buyer(c);
		const path = `/api/booking/${c.concertId}/list/seats?date=${date}`;
		assert.equal((await s.hold(t, c, { date, seatNumber: 1 })).showId, c.showIds[1]);
		assert.equal((await s.ok(200, 'GET', path, { token: t.token })).showId, c.showIds[1]);
		await s.ok(200, 'PATCH', `/api/admin/shows/${c.showIds[1]}`, { admin: true, body: { startsAt: at(-4) } });
		await s.noHold('SHOW_NOT_FOUND', t, c, { date, seatNumber: 2 });
		await s.no('AMBIGUOUS_DATE', 'GET', path, { token: t.token });
	});
});

describe('admission', () => {
	const s = serverHere();

	it('who waits is NOT_ADMITTED with status and position, at every door', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		await s.buyer(c);
		await s.join('w1', c.concertId);
		const t = await s.join('w2', c.concertId);
		const doors = [
			['GET', `/api/booking/${c.concertId}/list/time`],
			['GET', `/api/booking/${c.concertId}/list/seats?date=${c.date}`],
			['POST', `/api/booking/${c.concertId}/seat`, { date: c.date, seatNumber: 1 }],
		];
		for (const [method, path, body] of doors) {
			const p = await s.no('NOT_ADMITTED', method, path, { token: t.token, body });
			assert.deepEqual([p.ticketStatus, p.position], ['WAITING', 2], `${method} ${path}`);
			assert.match(p.reply.headers['retry-after'], /^\d+$/);
		}
		await s.ok(204, 'DELETE', '/api/token', { token: t.token });
		for (const [method, path, body] of doors) {
			const p = await s.no('NOT_ADMITTED', method, path, { token: t.token, body });
			assert.deepEqual([p.ticketStatus, p.position], ['EXPIRED', 0], `${method} ${path}`);
			assert.equal(p.reply.headers['retry-after'], undefined, 'no Retry-After for who does not wait');
		}
	});

	it('the ticket of another queue is WRONG_QUEUE, waiting or not; the concert’s existence comes first', async () => {
		const [c, d] = [await s.makeConcert({ capacity: 1 }), await s.makeConcert()];
		const active = await s.buyer(c);
		const waiting = await s.join('waits', c.concertId);
		for (const t of [active, waiting]) {
			await s.no('WRONG_QUEUE', 'GET', `/api/booking/${d.concertId}/list/time`, { token: t.token });
			await s.no('WRONG_QUEUE', 'GET', `/api/booking/${d.concertId}/list/seats?date=${d.date}`, { token: t.token });
			await s.noHold('WRONG_QUEUE', t, d, { seatNumber: 1 });
			await s.no('CONCERT_NOT_FOUND', 'GET', '/api/booking/999/list/time', { token: t.token });
			await s.no('CONCERT_NOT_FOUND', 'GET', '/api/booking/999/list/seats?date=2099-12-24', { token: t.token });
			await s.no('CONCERT_NOT_FOUND', 'POST', '/api/booking/999/seat', { token: t.token, body: { date: '2099-12-24', seatNumber: 1 } });
			await s.noHold('SHOW_NOT_FOUND', t, d, { date: '2099-12-31', seatNumber: 1 });
			await s.noHold('SEAT_NOT_FOUND', t, d, { seatNumber: 51 });
		}
	});

	it('two concerts of one queue share a ticket', async () => {
		const c = await s.makeConcert();
		const name = (await s.queue(c.queueId)).name;
		const doc = { concerts: [{ title: 'T', artist: 'A', venue: 'V', queue: name, shows: [{ startsAt: '2099-12-24T19:00:00+09:00', seats: [{ section: 'S', from: 1, to: 2, price: 1 }] }] }] };
		const ids = await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: doc });
		const t = await s.buyer(c);
		const d = { concertId: ids.concertIds[0], showId: ids.showIds[0] };
		assert.equal((await s.hold(t, d, { seatNumber: 1 })).concertId, d.concertId);
		assert.equal((await s.join(t.username, d.concertId, 200)).token, t.token);
	});

	it('before salesOpenAt dates and seats can be seen, not held', async () => {
		const c = await s.makeConcert({ salesOpenAt: '2099-01-01T00:00:00Z' });
		const t = await s.buyer(c);
		assert.equal((await s.ok(200, 'GET', `/api/booking/${c.concertId}/list/time`, { token: t.token })).dates.length, 1);
		assert.equal((await s.seats(t, c)).availableSeats.length, 50);
		for (const what of [{ seatNumber: 1 }, { seatNumbers: [1, 2] }, { bestAvailable: { count: 2 } }]) {
			const p = await s.noHold('SALES_NOT_OPEN', t, c, what);
			assert.equal(Date.parse(p.salesOpenAt), Date.parse('2099-01-01T00:00:00Z'));
		}
		await s.noHold('SEAT_NOT_FOUND', t, c, { seatNumber: 51 });
		assert.equal((await s.seats(t, c)).availableSeats.length, 50);
	});

	it('sales open at salesOpenAt', async () => {
		const at = new Date(Date.now() + 600);
		const c = await s.makeConcert({ salesOpenAt: at.toISOString() });
		const t = await s.buyer(c);
		await s.noHold('SALES_NOT_OPEN', t, c, { seatNumber: 1 });
		await sleep(at.getTime() - Date.now() + 5);
		await s.hold(t, c, { seatNumber: 1 });
	});
});

describe('holds', () => {
	const s = serverHere();

	it('one seat by date', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		const began = Date.now();
		const r = await s.hold(t, c, { date: c.date, seatNumber: 7 });
		assert.deepEqual([r.userId, r.concertId, r.showId, r.date], [t.userId, c.concertId, c.showId, c.date]);
		assert.deepEqual([r.seatNumbers, r.totalPrice, r.status], [[7], 50000, 'HELD']);
		assert.equal(Date.parse(r.heldUntil) - Date.parse(r.createdAt), 300000, 'five minutes, exactly');
		assert.ok(Math.abs(Date.parse(r.createdAt) - began) < 3000, 'made now');
		assert.deepEqual(await s.reservation(t, r), r, 'and it reads as it was told');
	});

	it('several seats, all or nothing', async () => {
		const c = await s.makeConcert();
		const [t, b] = [await s.buyer(c), await s.buyer(c)];
		const r = await s.hold(t, c, { seatNumbers: [9, 3, 5] });
		assert.deepEqual([...r.seatNumbers].sort((x, y) => x - y), [3, 5, 9]);
		assert.equal(r.totalPrice, 150000);
		const p = await s.noHold('SEAT_TAKEN', b, c, { seatNumbers: [2, 3, 4, 9] });
		assert.deepEqual([...p.conflicts].sort((x, y) => x - y), [3, 9], 'conflicts are the seats that are taken');
		const map = await s.seats(b, c);
		assert.ok(map.availableSeats.includes(2) && map.availableSeats.includes(4), 'nothing was held');
		assert.deepEqual((await s.ok(200, 'GET', `/api/${b.userId}/reservations`, { token: b.token })).reservations, [], 'no reservation was made');
		await s.noHold('SEAT_NOT_FOUND', b, c, { seatNumbers: [1, 51] });
		assert.ok((await s.seats(b, c)).availableSeats.includes(1));
	});

	it('a seat that is taken; ALREADY_YOURS, LIMIT_EXCEEDED, SEAT_TAKEN in this order', async () => {
		const c = await s.makeConcert();
		const [t, b] = [await s.buyer(c, 500000), await s.buyer(c)];
		const r = await s.hold(t, c, { seatNumbers: [1, 2, 3] });
		assert.deepEqual((await s.noHold('SEAT_TAKEN', b, c, { seatNumber: 1 })).conflicts, [1]);
		assert.equal((await s.noHold('ALREADY_YOURS', t, c, { seatNumber: 2 })).reservationId, r.reservationId);
		await s.hold(b, c, { seatNumber: 10 });
		assert.equal((await s.noHold('ALREADY_YOURS', t, c, { seatNumbers: [10, 1, 20] })).reservationId, r.reservationId, 'before LIMIT_EXCEEDED and SEAT_TAKEN');
		await s.noHold('LIMIT_EXCEEDED', t, c, { seatNumbers: [10, 11] });
		await s.noHold('LIMIT_EXCEEDED', t, c, { bestAvailable: { count: 2 } });
		await s.noHold('SEAT_TAKEN', t, c, { seatNumber: 10 });
		const r4 = await s.hold(t, c, { seatNumber: 4 });
		await s.noHold('LIMIT_EXCEEDED', t, c, { seatNumber: 5 });
		await s.cancel(t, r4);
		await s.hold(t, c, { seatNumber: 5 });
		await s.pay(t, r);
		const again = await s.join(t.username, c.concertId);
		await s.noHold('LIMIT_EXCEEDED', again, c, { seatNumber: 6 });
		assert.equal((await s.noHold('ALREADY_YOURS', again, c, { seatNumber: 1 })).reservationId, r.reservationId, 'a paid seat is yours too');
	});

	it('more than the limit in one request', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		await s.noHold('LIMIT_EXCEEDED', t, c, { seatNumbers: [1, 2, 3, 4, 5] });
		await s.hold(t, c, { seatNumbers: [1, 2, 3, 4] });
	});

	it('the limit is per show', async () => {
		const c = await s.makeConcert({ shows: [{}, { startsAt: '2099-12-25T19:00:00+09:00' }] });
		const t = await s.buyer(c);
		for (const showId of c.showIds) await s.hold(t, c, { showId, seatNumbers: [1, 2, 3, 4] });
	});

	it('best available: neighbours first, at the front; a section; too few', async () => {
		const c = await s.makeConcert({ shows: [{ seats: [{ section: 'VIP', from: 1, to: 6, price: 9 }, { section: 'R', from: 7, to: 12, price: 4 }] }] });
		const [a, b, d, e] = [await s.buyer(c), await s.buyer(c), await s.buyer(c), await s.buyer(c)];
		await s.hold(a, c, { seatNumber: 2 });
		// Free: 1, and 3 to 6 of VIP; 7 to 12 of R.
		const two = await s.hold(b, c, { bestAvailable: { count: 2 } });
		assert.deepEqual(two.seatNumbers, [3, 4], 'the first neighbours');
		assert.equal(two.totalPrice, 18);
		const three = await s.hold(d, c, { bestAvailable: { count: 3, section: 'R' } });
		assert.deepEqual(three.seatNumbers, [7, 8, 9]);
		// Free: 1, 5, 6 of VIP; 10, 11, 12 of R.
		const apart = await s.hold(e, c, { bestAvailable: { count: 3, section: 'VIP' } });
		assert.deepEqual([...apart.seatNumbers].sort((x, y) => x - y), [1, 5, 6], 'apart when there are no neighbours');
		assert.deepEqual((await s.noHold('SEAT_TAKEN', e, c, { bestAvailable: { count: 1, section: 'VIP' } })).conflicts, [], 'too few: no conflicts to name');
		const f = await s.buyer(c);
		assert.deepEqual((await s.noHold('SEAT_TAKEN', f, c, { bestAvailable: { count: 4 } })).conflicts, []);
		assert.deepEqual((await s.seats(f, c)).availableSeats, [10, 11, 12], 'nothing was held');
		await s.noHold('SEAT_NOT_FOUND', f, c, { bestAvailable: { count: 1, section: 'no such' } });
		await s.noHold('SEAT_NOT_FOUND', f, c, { bestAvailable: { count: 1, section: 'vip' } });
		assert.deepEqual((await s.hold(f, c, { bestAvailable: { count: 3 } })).seatNumbers, [10, 11, 12]);
	});

	it('best available sits together whenever a group fits, within one section', async () => {
		for (let round = 0; round < 20; round++) {
			const c = await s.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 7, price: 1 }, { section: 'B', from: 8, to: 15, price: 1 }] }] });
			const taken = new Set(Array.from({ length: 15 }, (_, i) => i + 1).filter(() => Math.random() < 0.45));
			for (let rest = [...taken]; rest.length > 0; rest = rest.slice(4)) await s.hold(await s.buyer(c), c, { seatNumbers: rest.slice(0, 4) });
			const count = 2 + (round % 3);
			const free = numbers(1, 15).filter((n) => !taken.has(n));
			const fits = free.some((n) => numbers(n, n + count - 1).every((m) => m <= 15 && !taken.has(m) && m > 7 === n > 7));
			const t = await s.buyer(c);
			if (free.length < count) {
				await s.noHold('SEAT_TAKEN', t, c, { bestAvailable: { count } });
				continue;
			}
			const got = (await s.hold(t, c, { bestAvailable: { count } })).seatNumbers.sort((x, y) => x - y);
			assert.ok(got.length === count && new Set(got).size === count && got.every((n) => free.includes(n)), `${count} of ${free}: ${got}`);
			const together = got.at(-1) - got[0] === count - 1 && got[0] > 7 === got.at(-1) > 7;
			if (fits) assert.ok(together, `${count} of the free ${free} can sit together, not ${got}`);
		}
	});

	it('seats across a gap or a section’s edge are no neighbours when there are better', async () => {
		const c = await s.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 1, price: 1 }, { section: 'A', from: 3, to: 4, price: 1 }] }] });
		const t = await s.buyer(c);
		assert.deepEqual((await s.hold(t, c, { bestAvailable: { count: 2 } })).seatNumbers, [3, 4]);
	});

	const bad = {
		'no seat named': {},
		'two ways at once': { seatNumber: 1, seatNumbers: [2] },
		'two other ways': { seatNumber: 1, bestAvailable: { count: 1 } },
		'all three': { seatNumber: 1, seatNumbers: [2], bestAvailable: { count: 1 } },
		'seat 0': { seatNumber: 0 },
		'seat -1': { seatNumber: -1 },
		'seat "1"': { seatNumber: '1' },
		'no seats in the list': { seatNumbers: [] },
		'a seat twice': { seatNumbers: [1, 2, 1] },
		'seat 0 in the list': { seatNumbers: [1, 0] },
		'a text in the list': { seatNumbers: [1, '2'] },
		'a list in the list': { seatNumbers: [[1]] },
		'a list that is a number': { seatNumbers: 1 },
		'count 0': { bestAvailable: { count: 0 } },
		'count -1': { bestAvailable: { count: -1 } },
		'count missing': { bestAvailable: { section: 'A' } },
		'count "2"': { bestAvailable: { count: '2' } },
		'section 5': { bestAvailable: { count: 1, section: 5 } },
		'bestAvailable 1': { bestAvailable: 1 },
	};
	it('refuses what names no seats in exactly one way', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		for (const [what, body] of Object.entries(bad)) {
			const r = await s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, body: { showId: c.showId, ...body } });
			assert.equal(r.json?.code, 'INVALID_REQUEST', `${what}${told(r)}`);
		}
		for (const [what, where] of Object.entries({
			'both date and showId': { date: c.date, showId: c.showId },
			neither: {},
			'a date that is none': { date: '2099-02-30' },
			'a date in another form': { date: '20991224' },
			'an instant for a date': { date: '2099-12-24T00:00:00Z' },
			'a number for a date': { date: 20991224 },
			'showId 0': { showId: 0 },
			'showId "1"': { showId: String(c.showId) },
		})) {
			const r = await s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, body: { seatNumber: 1, ...where } });
			assert.equal(r.json?.code, 'INVALID_REQUEST', `${what}${told(r)}`);
		}
		assert.equal((await s.seats(t, c)).availableSeats.length, 50, 'nothing was held');
	});

	it('50 who want one seat at once: one has it', async () => {
		const c = await s.makeConcert();
		const buyers = await many(50, 50, () => s.buyer(c));
		const replies = await many(50, 50, (i) => s.api('POST', `/api/booking/${c.concertId}/seat`, { token: buyers[i].token, body: { date: c.date, seatNumber: 33 } }));
		assert.equal(replies.filter((r) => r.status === 201).length, 1, 'one 201');
		assert.equal(replies.filter((r) => r.json.code === 'SEAT_TAKEN').length, 49, 'the rest SEAT_TAKEN');
	});

	it('one buyer who asks for many seats at once stays within the limit', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		const replies = await many(30, 30, (i) => s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, body: { date: c.date, seatNumber: i + 1 } }));
		assert.equal(replies.filter((r) => r.status === 201).length, 4, 'four seats');
		assert.equal(replies.filter((r) => r.json.code === 'LIMIT_EXCEEDED').length, 26);
		assert.equal((await s.seats(t, c)).availableSeats.length, 46);
	});

	it('can be given up: 204, free at once; a second time NOT_HELD', async () => {
		const c = await s.makeConcert();
		const [t, b] = [await s.buyer(c), await s.buyer(c)];
		const r = await s.hold(t, c, { seatNumbers: [1, 2] });
		await s.no('RESERVATION_NOT_FOUND', 'DELETE', `/api/reservations/${r.reservationId}`, { token: b.token });
		assert.equal(await s.seat(t, c, 1), 'HELD', 'another can’t give it up');
		await s.cancel(t, r);
		const rb = await s.hold(b, c, { seatNumber: 1 });
		assert.equal(rb.status, 'HELD');
		assert.equal((await s.reservation(t, r)).status, 'CANCELLED');
		await s.no('NOT_HELD', 'DELETE', `/api/reservations/${r.reservationId}`, { token: t.token });
		assert.equal(await s.seat(t, c, 1), 'HELD', 'giving up twice does not free another’s seat');
		await s.no('NOT_HELD', 'POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {} });
	});

	it('outlive the ticket: leaving keeps them', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const t = await s.buyer(c, 100000);
		const r = await s.hold(t, c, { seatNumber: 1 });
		await s.ok(204, 'DELETE', '/api/token', { token: t.token });
		const b = await s.join('b', c.concertId);
		await eventually('the next is in', async () => (await s.check(b.token)).status === 'ACTIVE');
		await s.noHold('SEAT_TAKEN', b, c, { seatNumber: 1 });
		assert.equal((await s.reservation(t, r)).status, 'HELD');
		const paid = await s.pay(t, r);
		assert.equal(paid.status, 'PAID');
		assert.equal((await s.check(t.token)).reason, 'LEFT', 'the reason stays as it was');
		assert.equal((await s.check(b.token)).status, 'ACTIVE');
		assert.equal((await s.queue(c.queueId)).active, 1, 'no slot was freed twice');
	});

	it('are listed newest first, in pages', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		const made = [];
		for (let i = 0; i < 7; i++) {
			const r = await s.hold(t, c, { seatNumber: i + 1 });
			made.unshift(r.reservationId);
			if (i < 6) await s.cancel(t, r);
		}
		const path = `/api/${t.userId}/reservations`;
		const all = await s.ok(200, 'GET', path, { token: t.token });
		assert.deepEqual(all.reservations.map((r) => r.reservationId), made);
		assert.equal(all.nextBefore, null);
		for (const r of all.reservations) vetReservation(r);
		assert.deepEqual(all.reservations[0], await s.reservation(t, all.reservations[0]));
		assert.deepEqual(all.reservations.map((r) => r.status), ['HELD', ...Array(6).fill('CANCELLED')]);
		const pages = [];
		for (let before; ; ) {
			const page = await s.ok(200, 'GET', `${path}?limit=3${before ? `&before=${before}` : ''}`, { token: t.token });
			pages.push(page.reservations.map((r) => r.reservationId));
			before = page.nextBefore;
			if (before === null) break;
			assert.ok(pages.length < 5, 'the pages end');
		}
		assert.deepEqual(pages.flat(), made);
		assert.ok(pages.every((page, i) => page.length === 3 || i >= 2), `full pages first: ${show(pages)}`);
	});
});

describe('a hold that lapses', () => {
	const s = serverHere({ args: ['--hold-seconds', '1'] });

	it('is free for the next at the very instant, and reads EXPIRED', async () => {
		const c = await s.makeConcert();
		const [t, b] = [await s.buyer(c, 100000), await s.buyer(c)];
		const r = await s.hold(t, c, { seatNumber: 5 });
		assert.equal(Date.parse(r.heldUntil) - Date.parse(r.createdAt), 1000);
		const map = await s.seats(t, c);
		const end = Date.parse(r.heldUntil);
		// Until the end nobody else gets it; from then on the first who asks does.
		let last = 0;
		let got;
		while (!got) {
			const before = Date.now();
			const reply = await s.api('POST', `/api/booking/${c.concertId}/seat`, { token: b.token, body: { showId: c.showId, seatNumber: 5 } });
			if (reply.status === 201) {
				assert.ok(Date.now() >= end, `not before the end: ${Date.now()} against ${end}`);
				assert.ok(Date.parse(reply.json.createdAt) >= end, 'nor by the server’s own account');
				got = reply.json;
			} else {
				assert.equal(reply.json.code, 'SEAT_TAKEN', told(reply));
				assert.ok(before < end + 5, `asked ${before - end} ms after the end and still taken`);
				last = before;
				await sleep(end - Date.now() > 60 ? 20 : 0);
			}
		}
		assert.ok(last > 0, 'it was taken before');
		assert.equal((await s.reservation(t, r)).status, 'EXPIRED');
		await s.no('HOLD_EXPIRED', 'POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {} });
		await s.no('NOT_HELD', 'DELETE', `/api/reservations/${r.reservationId}`, { token: t.token });
		assert.equal(await s.balance(t), 100000, 'nothing was paid');
		assert.ok((await s.seats(t, c)).version > map.version);
	});

	it('reads EXPIRED at once, in the seat map and the dates too, with a new version and ETag', async () => {
		const c = await s.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 2, price: 1 }] }] });
		const t = await s.buyer(c);
		const r = await s.hold(t, c, { seatNumbers: [1, 2] });
		const path = `/api/booking/${c.concertId}/list/seats?showId=${c.showId}`;
		const held = await s.api('GET', path, { token: t.token });
		assert.deepEqual(held.json.availableSeats, []);
		await sleep(Date.parse(r.heldUntil) - Date.now() + 1);
		const [now, list, dates] = await Promise.all([
			s.api('GET', path, { token: t.token, headers: { 'if-none-match': held.headers.etag } }),
			s.ok(200, 'GET', `/api/${t.userId}/reservations`, { token: t.token }),
			s.ok(200, 'GET', `/api/booking/${c.concertId}/list/time`, { token: t.token }),
		]);
		assert.equal(now.status, 200, `the old ETag is no longer good${told(now)}`);
		assert.deepEqual(now.json.availableSeats, [1, 2]);
		assert.ok(now.json.version > held.json.version, `the version grows with the end of a hold: ${held.json.version}, ${now.json.version}`);
		assert.equal(list.reservations[0].status, 'EXPIRED');
		assert.equal(dates.dates[0]?.availableSeats, 2);
		const later = await eventually('the sweeper has been by', async () => {
			await sleep(300);
			return s.seats(t, c);
		});
		assert.ok(later.version >= now.json.version, 'the version never goes back');
		await s.hold(t, c, { seatNumbers: [1, 2] });
	});

	it('no longer counts for the limit, nor as yours', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		const r = await s.hold(t, c, { seatNumbers: [1, 2, 3, 4] });
		await s.noHold('LIMIT_EXCEEDED', t, c, { seatNumber: 5 });
		await sleep(Date.parse(r.heldUntil) - Date.now() + 1);
		const again = await s.hold(t, c, { seatNumbers: [1, 2, 3, 5] });
		assert.notEqual(again.reservationId, r.reservationId);
	});

	it('a store that stops just after a lapsed hold’s seats went to another is a good store', async () => {
		const c = await s.makeConcert();
		// Holds that lapse one shortly after the other, each taken over at once: some of it is later than the last sweep.
		const pairs = [];
		for (let i = 0; i < 16; i++) pairs.push({ t: await s.buyer(c), b: await s.buyer(c), seats: [2 * i + 1, 2 * i + 2] });
		for (const p of pairs) p.r = await s.hold(p.t, c, { seatNumbers: p.seats });
		await Promise.all(pairs.map(async (p) => {
			await sleep(Date.parse(p.r.heldUntil) - Date.now() + 1);
			p.taken = await s.hold(p.b, c, { seatNumber: p.seats[1] });
		}));
		await s.kill9();
		s.audit();
		await s.start();
		for (const p of pairs) {
			assert.equal((await s.reservation(p.t, p.r)).status, 'EXPIRED');
			assert.deepEqual((await s.reservation(p.b, p.taken)).seatNumbers, [p.seats[1]]);
		}
		assert.equal(await s.seat(pairs[0].t, c, 1), 'AVAILABLE');
	});
});

describe('--seats-per-user', () => {
	const s = serverHere({ args: ['--seats-per-user', '2'] });

	it('is the limit', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		await s.hold(t, c, { seatNumbers: [1, 2] });
		await s.noHold('LIMIT_EXCEEDED', t, c, { seatNumber: 3 });
	});
});
