// Concerts and shows that an organiser looks at and changes after they exist. At the end of each describe the store is audited.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, serverHere, told } from './harness.mjs';

const SHOW = ['showId', 'concertId', 'date', 'startsAt', 'closed', 'version', 'totalSeats', 'available', 'held', 'sold', 'revenue', 'sections'].sort();
const SECTION = ['section', 'totalSeats', 'available', 'held', 'sold', 'revenue', 'lowestPrice', 'highestPrice'].sort();
const SEATS = [
	{ section: 'A', from: 1, to: 6, price: 1000 },
	{ section: 'B', from: 11, to: 13, price: 500 },
	{ section: 'A', from: 20, to: 21, price: 2000 },
];

const organiser = (s) => ({
	concert: (id) => s.ok(200, 'GET', `/api/admin/concerts/${id}`, { admin: true }),
	show: (id) => s.ok(200, 'GET', `/api/admin/shows/${id}`, { admin: true }),
	patchConcert: (id, body) => s.ok(200, 'PATCH', `/api/admin/concerts/${id}`, { admin: true, body }),
	patchShow: (id, body) => s.ok(200, 'PATCH', `/api/admin/shows/${id}`, { admin: true, body }),
	noShow: (code, id, body) => s.no(code, 'PATCH', `/api/admin/shows/${id}`, { admin: true, body }),
	noConcert: (code, id, body) => s.no(code, 'PATCH', `/api/admin/concerts/${id}`, { admin: true, body }),
	lastEntry: async () => (await s.ok(200, 'GET', '/api/admin/audit-log?limit=1', { admin: true })).entries[0],
});

describe('looking at a concert and a show', () => {
	const s = serverHere();
	const o = organiser(s);

	it('sections add up, and the map has a letter for each seat', async () => {
		const c = await s.makeConcert({ shows: [{ seats: SEATS }, { startsAt: '2099-12-23T19:00:00+09:00' }] });
		const t = await s.buyer(c, 10000);
		await s.hold(t, c, { seatNumbers: [2, 11] });
		await s.pay(t, await s.hold(t, c, { seatNumber: 20 }));
		const concert = await o.concert(c.concertId);
		assert.deepEqual([concert.title, concert.artist, concert.venue, concert.queueId, concert.salesOpenAt], ['A concert', 'An artist', 'A venue', c.queueId, null]);
		assert.deepEqual(concert.shows.map((x) => x.showId), [c.showIds[1], c.showIds[0]], 'soonest first');
		const seen = concert.shows[1];
		assert.deepEqual(Object.keys(seen).sort(), SHOW);
		assert.deepEqual([seen.totalSeats, seen.available, seen.held, seen.sold, seen.revenue, seen.closed, seen.date], [11, 8, 2, 1, 2000, false, '2099-12-24']);
		for (const x of seen.sections) assert.deepEqual(Object.keys(x).sort(), SECTION);
		assert.deepEqual(seen.sections[0], { section: 'A', totalSeats: 8, available: 6, held: 1, sold: 1, revenue: 2000, lowestPrice: 1000, highestPrice: 2000 });
		assert.deepEqual(seen.sections[1], { section: 'B', totalSeats: 3, available: 2, held: 1, sold: 0, revenue: 0, lowestPrice: 500, highestPrice: 500 });
		const map = await o.show(c.showId);
		const a = map.sections[0];
		assert.deepEqual([a.numbers, a.states, a.priceRuns], [[[1, 6], [20, 21]], 'AHAAAASA', [[6, 1000], [2, 2000]]]);
		assert.deepEqual([map.sections[1].numbers, map.sections[1].states], [[[11, 13]], 'HAA']);
		assert.equal(map.version, seen.version);
	});

	it('the map is told again only when it has changed', async () => {
		const c = await s.makeConcert({ shows: [{ seats: SEATS }] });
		const target = `/api/admin/shows/${c.showId}`;
		const first = await s.api('GET', target, { admin: true });
		const again = await s.api('GET', target, { admin: true, headers: { 'if-none-match': first.headers.etag } });
		assert.equal(again.status, 304);
		await s.hold(await s.buyer(c), c, { seatNumber: 1 });
		const changed = await s.api('GET', target, { admin: true, headers: { 'if-none-match': first.headers.etag } });
		assert.equal(changed.status, 200);
	});

	it('a hall of 100,000 seats is a short answer', async () => {
		const c = await s.makeConcert({ shows: [{ seats: [{ section: 'S', from: 1, to: 100000, price: 1 }] }] });
		const r = await s.api('GET', `/api/admin/shows/${c.showId}`, { admin: true });
		assert.equal(r.json.sections[0].states.length, 100000);
		assert.ok(r.bytes.length < 101000);
	});

	it('what there is none of is 404, and who has no key is refused', async () => {
		const c = await s.makeConcert();
		await s.no('CONCERT_NOT_FOUND', 'GET', '/api/admin/concerts/999999', { admin: true });
		await s.no('SHOW_NOT_FOUND', 'GET', '/api/admin/shows/999999', { admin: true });
		await o.noConcert('CONCERT_NOT_FOUND', 999999, { title: 'x' });
		await o.noShow('SHOW_NOT_FOUND', 999999, { closed: true });
		await s.no('NOT_FOUND', 'GET', '/api/admin/shows/x', { admin: true });
		for (const [method, path] of [
			['GET', `/api/admin/concerts/${c.concertId}`],
			['PATCH', `/api/admin/concerts/${c.concertId}`],
			['GET', `/api/admin/shows/${c.showId}`],
			['PATCH', `/api/admin/shows/${c.showId}`],
		]) {
			await s.no('TOKEN_REQUIRED', method, path, { body: { title: 'x', closed: true } });
			await s.no('TOKEN_INVALID', method, path, { admin: 'wrong', body: { title: 'x', closed: true } });
		}
	});
});

describe('changing a concert', () => {
	const s = serverHere();
	const o = organiser(s);

	it('buyers see it at once, the audit log says what was changed', async () => {
		const c = await s.makeConcert();
		const changed = await o.patchConcert(c.concertId, { title: '새 "이름" \\', venue: 'Elsewhere' });
		assert.deepEqual(Object.keys(changed).sort(), ['artist', 'concertId', 'queueId', 'salesOpenAt', 'title', 'venue']);
		assert.deepEqual(await s.ok(200, 'GET', `/api/concerts/${c.concertId}`), changed);
		assert.deepEqual([changed.title, changed.artist, changed.venue], ['새 "이름" \\', 'An artist', 'Elsewhere']);
		const entry = await o.lastEntry();
		assert.deepEqual([entry.actor, entry.action, entry.target], ['admin', 'PATCH_CONCERT', `concert ${c.concertId}`]);
		assert.deepEqual(entry.detail, { title: { from: 'A concert', to: '새 "이름" \\' }, venue: { from: 'A venue', to: 'Elsewhere' } });
	});

	it('sales open earlier and later; holds that are alive may be paid', async () => {
		const c = await s.makeConcert({ salesOpenAt: '2098-01-01T00:00:00Z' });
		const t = await s.buyer(c, 100000);
		await s.noHold('SALES_NOT_OPEN', t, c, { seatNumber: 1 });
		await o.patchConcert(c.concertId, { salesOpenAt: '2026-01-01T00:00:00Z' });
		const r = await s.hold(t, c, { seatNumber: 1 });
		await o.patchConcert(c.concertId, { salesOpenAt: '2098-01-01T00:00:00+09:00' });
		const no = await s.noHold('SALES_NOT_OPEN', t, c, { seatNumber: 2 });
		assert.equal(no.salesOpenAt, '2097-12-31T15:00:00Z');
		await s.pay(t, r);
		assert.equal((await o.patchConcert(c.concertId, { salesOpenAt: null })).salesOpenAt, null, 'no opening any more: open');
		assert.deepEqual((await o.lastEntry()).detail, { salesOpenAt: { from: '2097-12-31T15:00:00Z', to: null } });
		await s.hold(await s.buyer(c), c, { seatNumber: 2 });
	});

	it('refuses what cannot be, and changes nothing then', async () => {
		const c = await s.makeConcert();
		const before = await s.ok(200, 'GET', `/api/concerts/${c.concertId}`);
		for (const [body, words] of [
			[{}, /title/],
			[{ title: null }, /title/],
			[{ title: '' }, /title/],
			[{ title: 'x'.repeat(201) }, /title/],
			[{ artist: 'a\nb' }, /artist/],
			[{ venue: 5 }, /venue/],
			[{ salesOpenAt: 'soon' }, /salesOpenAt/],
			[{ salesOpenAt: '1960-01-01T00:00:00Z' }, /salesOpenAt/],
			[{ title: 'fine', venue: '' }, /venue/],
		]) {
			const no = await o.noConcert('INVALID_REQUEST', c.concertId, body);
			assert.match(no.detail, words);
		}
		await s.no('UNSUPPORTED_MEDIA_TYPE', 'PATCH', `/api/admin/concerts/${c.concertId}`, { admin: true, raw: '{}', type: 'text/plain' });
		assert.deepEqual(await s.ok(200, 'GET', `/api/concerts/${c.concertId}`), before);
		assert.notEqual((await o.lastEntry()).action, 'PATCH_CONCERT');
		await o.patchConcert(c.concertId, { title: 'x'.repeat(200), other: 'is ignored' });
	});
});

describe('changing a show', () => {
	const s = serverHere({ args: ['--hold-seconds', '2'] });
	const o = organiser(s);

	it('a closed show takes no new holds, and keeps those it has', async () => {
		const c = await s.makeConcert({ shows: [{}, { startsAt: '2099-12-25T19:00:00+09:00' }] });
		const t = await s.buyer(c, 100000);
		const r = await s.hold(t, c, { seatNumber: 1 });
		const before = await s.seats(t, c);
		const closed = await o.patchShow(c.showId, { closed: true });
		assert.deepEqual(Object.keys(closed).sort(), [...SHOW, 'repriced', 'pricesKept'].sort());
		assert.deepEqual([closed.closed, closed.repriced, closed.pricesKept], [true, 0, 0]);
		const after = await s.seats(t, c);
		assert.ok(after.version > before.version, 'the version tells of it');
		assert.deepEqual([before.closed, after.closed], [false, true]);
		const no = await s.noHold('SALES_CLOSED', t, c, { seatNumber: 2 });
		assert.equal(no.status, 403);
		await s.noHold('SALES_CLOSED', t, c, { date: '2099-12-24', bestAvailable: { count: 1 } });
		const times = `/api/booking/${c.concertId}/list/time`;
		assert.deepEqual((await s.ok(200, 'GET', times, { token: t.token })).dates.map((d) => d.showId), [c.showIds[1]]);
		const all = (await s.ok(200, 'GET', `${times}?all=true`, { token: t.token })).dates;
		assert.deepEqual(all.map((d) => [d.showId, d.closed]), [[c.showIds[0], true], [c.showIds[1], false]]);
		await s.pay(t, r);
		assert.deepEqual((await o.lastEntry()).detail, { closed: { from: false, to: true } });
		await o.patchShow(c.showId, { closed: false });
		await s.hold(await s.buyer(c), c, { seatNumber: 2 });
	});

	it('a moved show is found on its new date, also in reservations made before', async () => {
		const c = await s.makeConcert({ shows: [{}, { startsAt: '2099-12-26T19:00:00+09:00' }] });
		const t = await s.buyer(c, 100000);
		const r = await s.hold(t, c, { seatNumber: 1 });
		const moved = await o.patchShow(c.showId, { startsAt: '2099-12-28T00:30:00+09:00' });
		assert.deepEqual([moved.date, moved.startsAt], ['2099-12-28', '2099-12-27T15:30:00Z'], 'the date is that of the venue');
		const { dates } = await s.ok(200, 'GET', `/api/booking/${c.concertId}/list/time`, { token: t.token });
		assert.deepEqual(dates.map((d) => [d.showId, d.date]), [[c.showIds[1], '2099-12-26'], [c.showId, '2099-12-28']], 'and it stands in its new place');
		await s.noHold('SHOW_NOT_FOUND', t, c, { date: '2099-12-24', seatNumber: 2 });
		await s.hold(t, c, { date: '2099-12-28', seatNumber: 2 });
		await s.pay(t, r);
		const now = await s.reservation(t, r);
		assert.deepEqual([r.startsAt, now.date, now.startsAt], ['2099-12-24T10:00:00Z', '2099-12-28', '2099-12-27T15:30:00Z']);
		assert.match((await s.api('GET', `/api/admin/concerts/${c.concertId}/sales.csv`, { admin: true })).text, /2099-12-28/);
		assert.deepEqual((await o.lastEntry()).detail, { startsAt: { from: '2099-12-24T10:00:00Z', to: '2099-12-27T15:30:00Z' } });
	});

	it('free seats cost what they are set to; held and sold ones keep their price', async () => {
		const c = await s.makeConcert({ shows: [{ seats: SEATS }] });
		const t = await s.buyer(c, 100000);
		const held = await s.hold(t, c, { seatNumbers: [1, 11] });
		const u = await s.buyer(c, 100000);
		const sold = await s.hold(u, c, { seatNumber: 2 });
		await s.pay(u, sold);
		const changed = await o.patchShow(c.showId, { prices: [{ section: 'A', price: 3000 }] });
		assert.deepEqual([changed.repriced, changed.pricesKept], [6, 1]);
		const map = await o.show(c.showId);
		assert.deepEqual(map.sections[0].priceRuns, [[2, 1000], [6, 3000]]);
		assert.deepEqual(map.sections[1].priceRuns, [[3, 500]]);
		assert.equal((await s.pay(t, held)).amount, 1500);
		assert.equal((await s.hold(await s.buyer(c), c, { seatNumber: 3 })).totalPrice, 3000);
		assert.deepEqual((await o.lastEntry()).detail, { prices: [{ section: 'A', price: 3000 }], repriced: 6, pricesKept: 1 });
		assert.equal((await o.show(c.showId)).revenue, 2500, 'revenue is what was paid');
	});

	it('who looks again and again sees each change at once, in both forms', async () => {
		const c = await s.makeConcert({ capacity: 10, shows: [{ seats: [{ section: 'A', from: 1, to: 3, price: 1000 }] }] });
		const t = await s.buyer(c);
		const look = async () => {
			const forms = [];
			for (const what of ['seats', 'seats', 'statuses', 'statuses'])
				forms.push(await s.api('GET', `/api/booking/${c.concertId}/list/${what}?showId=${c.showId}`, { token: t.token }));
			forms.forEach((r) => assert.equal(r.status, 200, told(r)));
			assert.deepEqual(forms[1].json, forms[0].json);
			assert.equal(forms[1].headers.etag, forms[0].headers.etag);
			assert.deepEqual(forms[3].json, forms[2].json);
			assert.notEqual(forms[2].headers.etag, forms[0].headers.etag);
			const { version, closed, startsAt, seats } = forms[0].json;
			assert.deepEqual([forms[2].json.version, forms[2].json.closed, forms[2].json.startsAt], [version, closed, startsAt]);
			assert.equal(forms[2].json.statuses, seats.map((x) => x.status[0]).join(''));
			return { version, closed, startsAt, statuses: forms[2].json.statuses, prices: seats.map((x) => x.price) };
		};
		const first = await look();
		await o.patchShow(c.showId, { closed: true });
		const closed = await look();
		assert.deepEqual(closed, { ...first, version: closed.version, closed: true });
		await o.patchShow(c.showId, { closed: false, prices: [{ section: 'A', price: 2000 }] });
		const dearer = await look();
		assert.deepEqual(dearer, { ...first, version: dearer.version, prices: [2000, 2000, 2000] });
		const held = await s.hold(t, c, { seatNumber: 2 });
		assert.equal((await look()).statuses, 'AHA');
		await s.cancel(t, held);
		const freed = await look();
		assert.deepEqual(freed, { ...dearer, version: freed.version });
		assert.ok(first.version < closed.version && closed.version < dearer.version && dearer.version < freed.version);
	});

	it('a hold that has lapsed keeps no price', async () => {
		const c = await s.makeConcert({ shows: [{ seats: SEATS }] });
		await s.hold(await s.buyer(c), c, { seatNumber: 1 });
		assert.equal((await o.patchShow(c.showId, { prices: [{ section: 'A', price: 1 }] })).pricesKept, 1);
		await eventually('the hold has lapsed', async () => (await o.show(c.showId)).held === 0, 5000);
		const changed = await o.patchShow(c.showId, { prices: [{ section: 'A', price: 2 }] });
		assert.deepEqual([changed.repriced, changed.pricesKept], [8, 0]);
	});

	it('refuses what cannot be, and changes nothing then', async () => {
		const c = await s.makeConcert({ shows: [{ seats: SEATS }] });
		const before = await o.show(c.showId);
		const price = (section, p) => ({ section, price: p });
		for (const [body, words] of [
			[{}, /startsAt/],
			[{ closed: 'yes' }, /closed/],
			[{ startsAt: '2099-12-24' }, /startsAt/],
			[{ startsAt: 5 }, /startsAt/],
			[{ prices: {} }, /prices/],
			[{ prices: [] }, /prices/],
			[{ prices: [5] }, /prices\[0\]/],
			[{ prices: [{ section: 'A' }] }, /prices\[0\].price/],
			[{ prices: [price('A', -1)] }, /^"prices\[0\].price" must be an integer from 0 to 1000000000\.$/],
			[{ prices: [price('A', 1.5)] }, /^"prices\[0\].price" must be an integer\.$/],
			[{ prices: [price('A', 1000000001)] }, /^"prices\[0\].price" must be an integer from 0 to 1000000000\.$/],
			[{ prices: [price('A', 1), price('', 1)] }, /prices\[1\].section/],
			[{ prices: [price('A', 1), price('Z', 1)] }, /prices\[1\].section/],
			[{ prices: [price('A', 1), price('A', 2)] }, /prices\[1\].section/],
			[{ prices: Array.from({ length: 101 }, (_, i) => price(`s${i}`, 1)) }, /prices/],
			[{ closed: true, prices: [price('Z', 1)] }, /prices\[0\].section/],
		]) {
			const no = await o.noShow('INVALID_REQUEST', c.showId, body);
			assert.match(no.detail, words);
		}
		assert.deepEqual(await o.show(c.showId), before);
		assert.notEqual((await o.lastEntry()).target, `show ${c.showId}`);
	});

	it('everything that was changed is there after a restart', async () => {
		const c = await s.makeConcert({ shows: [{ seats: SEATS }] });
		await o.patchConcert(c.concertId, { title: 'Kept' });
		await o.patchShow(c.showId, { closed: true, startsAt: '2099-11-11T19:00:00+09:00', prices: [{ section: 'B', price: 7 }] });
		const [concert, show] = [await o.concert(c.concertId), await o.show(c.showId)];
		await s.restart();
		assert.deepEqual(await o.concert(c.concertId), concert);
		assert.deepEqual(await o.show(c.showId), show);
		assert.equal(show.sections[1].priceRuns[0][1], 7);
	});
});
