// kill -9 at a random moment, thirty times and more, under load. What was acknowledged is there; what was not has happened wholly or not
// at all, and asking again with the same key has one effect.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newAgent, serverHere, show, sleep, told } from './harness.mjs';

const ROUNDS = 32;
const WORKERS = 20;

describe('power cuts', () => {
	const s = serverHere();

	it(`${ROUNDS} rounds of kill -9 under load lose nothing that was acknowledged`, { timeout: 300000 }, async () => {
		const c = await s.makeConcert({ capacity: 1000000, shows: [{ seats: [{ section: 'A', from: 1, to: 20000, price: 1000 }] }] });
		const users = []; // everything that is known of each
		const numbers = new Set();
		let cut = false; // the server is being killed: an error is no failure
		let agent;
		let unknown = 0;
		let asked = 0;

		// Sends; undefined when the connection was cut before an answer came.
		async function send(op) {
			asked += 1;
			try {
				return await s.api(op.method, op.path, { token: op.token?.(), body: op.body, key: op.key, agent });
			} catch (e) {
				if (!cut || e.code === 'ERR_ASSERTION') throw e;
				return undefined;
			}
		}

		// What one user may do next, and what it means when it has succeeded.
		function nextOp(u) {
			const n = ++u.ops;
			const token = () => u.ticket.token;
			if (!u.ticket)
				return {
					what: 'join', method: 'POST', path: '/api/getToken', body: { username: u.name, concertId: c.concertId },
					done: (r) => {
						assert.ok(r.status === 201 || r.status === 200, told(r));
						u.ticket = r.json;
						u.tickets.push(r.json);
						numbers.add(r.json.number);
					},
				};
			const held = u.reservations.find((x) => x.status === 'HELD');
			const roll = Math.random();
			if (held && u.balance >= held.totalPrice && roll < 0.6)
				return {
					what: 'payment', method: 'POST', path: `/api/${held.reservationId}/payment`, token, body: {}, key: `pay-${n}`,
					effect: -held.totalPrice,
					done: (r) => {
						assert.equal(r.status, 200, told(r));
						held.status = 'PAID';
						u.balance -= held.totalPrice;
						assert.equal(r.json.balance, u.balance, `the balance in the answer${told(r)}`);
						if (held.ticket === u.ticket.number) u.ticket = undefined; // it has ended; the next step takes a new place
					},
				};
			if (!held && u.seats < 4 && roll < 0.7)
				return {
					what: 'hold', method: 'POST', path: `/api/booking/${c.concertId}/seat`, token, body: { showId: c.showId, bestAvailable: { count: 1 } }, key: `hold-${n}`,
					done: (r) => {
						assert.equal(r.status, 201, told(r));
						u.seats += 1;
						u.reservations.push({ ...r.json, ticket: u.ticket.number });
					},
				};
			const amount = 1 + Math.floor(Math.random() * 3000);
			return {
				what: 'charge', method: 'POST', path: `/api/${u.ticket.userId}/charge`, token, body: { amount }, key: `charge-${n}`,
				effect: amount,
				done: (r) => {
					assert.equal(r.status, 200, told(r));
					u.balance += amount;
					assert.equal(r.json.balance, u.balance, `the balance in the answer${told(r)}`);
				},
			};
		}

		async function worker(round, w) {
			while (!cut) {
				const u = { name: `r${round}-w${w}-${users.length}`, ops: 0, balance: 0, seats: 0, reservations: [], tickets: [], pending: undefined };
				users.push(u);
				for (let i = 0; i < 14 && !cut; i++) {
					const op = nextOp(u);
					const r = await send(op);
					if (r === undefined) {
						u.pending = op;
						unknown += 1;
						return;
					}
					op.done(r);
				}
			}
		}

		async function verify(u) {
			const t = u.tickets.at(-1);
			for (const known of u.tickets) {
				const r = await s.api('GET', '/api/check', { token: known.token });
				assert.equal(r.json?.number, known.number, `an acknowledged token is good and has its number${told(r)}`);
			}
			if (t) {
				const balance = await s.balance(t);
				const may = [u.balance, ...(u.pending?.effect ? [u.balance + u.pending.effect] : [])];
				assert.ok(may.includes(balance), `the balance of ${u.name} is ${balance}, it may be ${may}; under way: ${show(u.pending)}`);
				for (const x of u.reservations) {
					const now = await s.reservation(t, x);
					const alike = u.pending?.what === 'payment' && u.pending.path.includes(`/${x.reservationId}/`) ? ['HELD', 'PAID'] : [x.status];
					assert.ok(alike.includes(now.status), `reservation ${x.reservationId} was told ${x.status}, now ${now.status}`);
					assert.deepEqual(now.seatNumbers, x.seatNumbers);
				}
			}
			// Asked again with its key, what was cut off happens once.
			const op = u.pending;
			if (!op) return;
			u.pending = undefined;
			const token = t?.token;
			const again = await s.api(op.method, op.path, { token, body: op.body, key: op.key });
			op.done(again);
			const third = await s.api(op.method, op.path, { token, body: op.body, key: op.key });
			if (op.key) {
				assert.ok(third.bytes.equals(again.bytes), `the same answer again${told(third)}`);
				assert.equal(third.headers['idempotent-replayed'], 'true', told(third));
			} else assert.equal(third.json.token, again.json.token, 'the same place again');
			const last = u.tickets.at(-1);
			assert.equal(await s.balance(last), u.balance, `one effect of ${op.what} for ${u.name}`);
			const list = (await s.ok(200, 'GET', `/api/${last.userId}/reservations?limit=100`, { token: last.token })).reservations;
			assert.deepEqual(list.map((x) => [x.reservationId, x.status]).sort(), u.reservations.map((x) => [x.reservationId, x.status]).sort(), `one effect of ${op.what} for ${u.name}`);
		}

		for (let round = 0; round < ROUNDS; round++) {
			const first = users.length;
			cut = false;
			agent = newAgent(WORKERS);
			const working = Promise.all(Array.from({ length: WORKERS }, (_, w) => worker(round, w)));
			working.catch(() => {});
			await Promise.race([sleep(60 + Math.random() * 500), working]);
			cut = true;
			await s.kill9();
			agent.destroy();
			await working;
			s.audit();
			await s.start();
			const fresh = users.slice(first);
			const old = users.slice(0, first).sort(() => Math.random() - 0.5).slice(0, 20);
			for (let i = 0; i < fresh.length; i += 10) await Promise.all(fresh.slice(i, i + 10).map(verify));
			await Promise.all(old.map(verify));
		}

		for (let i = 0; i < users.length; i += 20) await Promise.all(users.slice(i, i + 20).map(verify));
		const q = await s.queue(c.queueId);
		assert.equal(numbers.size, q.lastNumber, 'every number that was issued is known to somebody');
		assert.equal(Math.max(...numbers), q.lastNumber, 'without gaps');
		assert.ok(unknown > ROUNDS, `requests were cut off: ${unknown} of ${asked}`);
		const seats = users.flatMap((u) => u.reservations.flatMap((x) => x.seatNumbers));
		assert.equal(new Set(seats).size, seats.length, 'no seat twice');
		s.audit();
	});
});
