// More than 200 people race for 50 seats, through the whole journey. Afterwards everything must add up.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { many, newAgent, serverHere, show, sleep, told } from './harness.mjs';

const PEOPLE = 240;
const CAPACITY = 40;
const HOLD_MS = 2000;

describe('the race for 50 seats', () => {
	const s = serverHere({ args: ['--hold-seconds', String(HOLD_MS / 1000), '--active-seconds', '120'] });

	it('every seat has one owner, the money adds up, nobody jumps the line', { timeout: 120000 }, async () => {
		const agent = newAgent(128);
		const c = await s.makeConcert({ capacity: CAPACITY, shows: [{ seats: [{ section: 'VIP', from: 1, to: 10, price: 120000 }, { section: 'R', from: 11, to: 50, price: 70000 }] }] });
		const owner = new Map(); // seat number: the user who was told PAID
		const charged = new Map(); // user: what was charged
		const spent = new Map();
		const admitted = []; // number and expiresAt of who was seen ACTIVE
		const counts = { paid: 0, left: 0, lapsed: 0, taken: 0, poor: 0 };
		let mostActive = 0;
		const watch = setInterval(async () => {
			const q = await s.queue(c.queueId).catch(() => undefined);
			if (q) mostActive = Math.max(mostActive, q.active);
		}, 200);

		async function person(i) {
			const random = (n) => Math.floor(Math.random() * n);
			let t = await s.join(`racer${i}`, c.concertId, 201, { agent });
			charged.set(t.userId, 0);
			spent.set(t.userId, 0);
			const ask = (method, path, body) => s.api(method, path, { token: t.token, body, agent });
			let last = t.ahead;
			while (t.status === 'WAITING') {
				if (i % 20 === 7 && t.ahead > 20) {
					counts.left += 1;
					await ask('DELETE', '/api/token');
					return t;
				}
				await sleep(Math.min(t.retryAfterSeconds * 1000, 100));
				const r = await ask('GET', '/api/check');
				assert.equal(r.status, 200, told(r));
				t = r.json;
				if (t.status === 'WAITING') {
					assert.ok(t.ahead <= last, `the place only gets better: ${last}, then ${t.ahead}`);
					last = t.ahead;
				}
			}
			assert.equal(t.status, 'ACTIVE', `admitted: ${show(t)}`);
			admitted.push([t.number, Date.parse(t.expiresAt)]);
			const lapses = i % 10 === 3;
			for (;;) {
				const map = (await ask('GET', `/api/booking/${c.concertId}/list/seats?showId=${c.showId}`)).json;
				if (!map.seats.some((x) => x.status !== 'SOLD')) break;
				if (map.availableSeats.length === 0) {
					await sleep(150);
					continue;
				}
				const pick = [
					{ seatNumber: map.availableSeats[random(map.availableSeats.length)] },
					{ seatNumbers: [...new Set([0, 1].map(() => map.availableSeats[random(map.availableSeats.length)]))] },
					{ bestAvailable: { count: 1 + random(2) } },
					{ bestAvailable: { count: 1, section: 'R' } },
				][random(4)];
				const held = await ask('POST', `/api/booking/${c.concertId}/seat`, { showId: c.showId, ...pick });
				if (held.status !== 201) {
					assert.equal(held.json.code, 'SEAT_TAKEN', told(held));
					counts.taken += 1;
					continue;
				}
				const r = held.json;
				if (lapses) {
					await sleep(Date.parse(r.heldUntil) - Date.now() + 2);
					const after = await ask('POST', `/api/${r.reservationId}/payment`, {});
					assert.equal(after.json.code, 'HOLD_EXPIRED', told(after));
					counts.lapsed += 1;
					break;
				}
				const money = i % 3 === 0 ? r.totalPrice : r.totalPrice + 1 + random(100000);
				if (i % 4 === 1) {
					const poor = await ask('POST', `/api/${r.reservationId}/payment`, {});
					if (poor.json.code === 'HOLD_EXPIRED') continue;
					assert.equal(poor.json.code, 'INSUFFICIENT_BALANCE', told(poor));
					counts.poor += 1;
				}
				const charge = await s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: money }, key: `c${i}-${r.reservationId}`, agent });
				assert.equal(charge.status, 200, told(charge));
				charged.set(t.userId, charged.get(t.userId) + money);
				const paid = await s.api('POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {}, key: `p${i}`, agent });
				if (paid.json.code === 'HOLD_EXPIRED') continue; // too slow, the money stays in the wallet
				assert.equal(paid.status, 200, told(paid));
				assert.equal(paid.json.amount, r.totalPrice);
				spent.set(t.userId, spent.get(t.userId) + r.totalPrice);
				for (const seat of paid.json.seatNumbers) {
					assert.ok(!owner.has(seat), `seat ${seat} was sold to ${owner.get(seat)} and to ${t.userId}`);
					owner.set(seat, t.userId);
				}
				counts.paid += 1;
				return t;
			}
			await ask('DELETE', '/api/token');
			counts.left += 1;
			return t;
		}

		const people = await many(PEOPLE, PEOPLE, person);
		clearInterval(watch);

		assert.equal(owner.size, 50, `all 50 seats are sold: ${show(counts)}`);
		assert.ok(counts.paid > 20 && counts.lapsed > 0 && counts.left > 0, `all sorts of ends: ${show(counts)}`);
		assert.ok(mostActive <= CAPACITY, `never more active than ${CAPACITY}: ${mostActive}`);
		admitted.sort((a, b) => a[0] - b[0]);
		for (let i = 1; i < admitted.length; i++)
			assert.ok(admitted[i][1] >= admitted[i - 1][1], `number ${admitted[i][0]} was admitted before number ${admitted[i - 1][0]}`);
		assert.deepEqual(people.map((t) => t.number).sort((a, b) => a - b), Array.from({ length: PEOPLE }, (_, i) => i + 1), 'numbers without gaps');

		let [balances, charges, payments] = [0, 0, 0];
		for (const t of people) {
			const balance = await s.balance(t);
			assert.equal(balance, charged.get(t.userId) - spent.get(t.userId), `the wallet of ${t.username}`);
			const mine = (await s.ok(200, 'GET', `/api/${t.userId}/reservations?limit=100`, { token: t.token })).reservations.filter((r) => r.status === 'PAID');
			for (const r of mine) for (const seat of r.seatNumbers) assert.equal(owner.get(seat), t.userId, `seat ${seat}`);
			balances += balance;
			charges += charged.get(t.userId);
			payments += spent.get(t.userId);
		}
		assert.equal(balances, charges - payments);
		const last = await s.join('the-last', c.concertId);
		assert.equal(last.status, 'ACTIVE', `the room is empty again: ${show(last)}`);
		const map = await s.seats(last, c);
		assert.ok(map.seats.every((x) => x.status === 'SOLD'), show(map));
		assert.equal(payments, map.seats.reduce((sum, x) => sum + x.price, 0), 'the revenue is the price of all seats');
		const stats = await s.ok(200, 'GET', '/api/admin/stats', { admin: true });
		const row = stats.shows.find((x) => x.showId === c.showId);
		assert.deepEqual([row.sold, row.held, row.available, row.revenue], [50, 0, 0, payments]);
		s.audit();
		agent.destroy();
	});
});
