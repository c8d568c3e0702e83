// cluster.mjs: several servers on one PostgreSQL: starting them, people who come to all of them whatever breaks, and what must be true afterwards.
import assert from 'node:assert/strict';
import { eventually, jari, many, newAgent, Server, show, sleep, told, vetTicket } from './harness.mjs';

const TOKEN_KEY = '5e'.repeat(32);
const PATIENCE_MS = 40000; // for which a request is sent again
const PRICE = 1000;

export class Cluster {
	// A server for each of the URLs. `direct`: by which the database is looked at. A proxy of the test's own stands still while it waits for a program.
	constructor(urls, args = [], direct = urls[0]) {
		this.direct = direct;
		this.all = urls.map((store) => new Server({ store, env: { JARI_TOKEN_KEY: TOKEN_KEY }, args: ['--threads', '1', '--active-seconds', '300', ...args] }));
	}

	async start() {
		for (const s of this.all) await s.start();
	}

	async stop() {
		for (const s of this.all) await s.stop();
	}

	// Everything is ended, also when one of them does not end as it should.
	async end() {
		let wrong;
		for (const s of this.all) {
			s.store = this.direct;
			await s.end().catch((e) => (wrong ??= e));
		}
		if (wrong) throw wrong;
	}

	any() {
		return this.all[Math.floor(Math.random() * this.all.length)];
	}

	audit() {
		const r = jari(['audit', '--store', this.direct]);
		assert.equal(r.status, 0, `jari audit finds nothing wrong\n  stdout: ${r.stdout}\n  stderr: ${r.stderr}`);
	}

	// Until that server shows the ticket: another one's are shown within a second.
	seen(s, token, ms = 1000) {
		return eventually('a ticket of another server is shown', async () => {
			const r = await s.api('GET', '/api/check', { token });
			if (r.status === 401) return undefined;
			assert.equal(r.status, 200, told(r));
			return vetTicket(r.json);
		}, ms);
	}

	// A concert that every server shows.
	async concert(options) {
		const c = await this.all[0].makeConcert(options);
		for (const s of this.all)
			await eventually('the concert is shown', async () => (await s.api('GET', `/api/concerts/${c.concertId}`)).status === 200, 5000);
		return c;
	}

	// People who join, charge, hold and pay at the servers until told to end. What was not answered with success is sent again, with its key, to
	// whichever server, until it is; so in the end each has done everything exactly once (verify). `bare`: they charge once more without a key, and
	// again when that was refused: only where every commit's outcome is learned, and no server dies.
	load(c, stem, { workers = 6, bare = false } = {}) {
		const n = this.all.length;
		const state = { end: false, done: 0, last: this.all.map(() => 0), people: [], refused: 0, broken: 0, longest: 0, fail: undefined };
		const agents = this.all.map(() => newAgent(workers * 2));

		async function once(all, at, method, path, options) {
			const began = Date.now();
			try {
				return await all[at].api(method, path, { ...options, agent: agents[at], timeout: 25000 });
			} catch (e) {
				if (e.code === 'ERR_ASSERTION' || /no answer within/.test(e.message)) throw e;
				state.broken += 1;
				return undefined;
			} finally {
				state.longest = Math.max(state.longest, Date.now() - began);
			}
		}

		// `good`: the status that ends it. A token is unknown for a moment where it was not made.
		const insist = async (home, good, method, path, options) => {
			const until = Date.now() + PATIENCE_MS;
			for (let at = home; ; at = Math.floor(Math.random() * n)) {
				const r = await once(this.all, at, method, path, options);
				if (r && good.includes(r.status)) {
					state.last[at] = Date.now();
					return r.json;
				}
				if (r) assert.ok(r.status === 503 || r.status === 401, `503 until it has happened${told(r)}`);
				state.refused += r?.status === 503;
				assert.ok(Date.now() < until, `not within ${PATIENCE_MS} ms: ${method} ${path}${r ? told(r) : ''}`);
				await sleep(40);
			}
		};

		const person = async (home, i) => {
			const name = `${stem}-${home}-${i}`, seatNumber = c.sold < c.seats ? ++c.sold : undefined;
			const t = await insist(home, [200, 201], 'POST', '/api/getToken', { body: { username: name, concertId: c.concertId } });
			const ask = (good, path, key, body) => insist(home, [good], 'POST', path, { token: t.token, body, key: `${name}-${key}` });
			const p = { name, token: t.token, userId: t.userId, amount: PRICE + i, bare };
			assert.equal((await ask(200, `/api/${t.userId}/charge`, 'charge', { amount: p.amount })).balance, p.amount, name);
			if (bare) await insist(home, [200], 'POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1 } });
			if (seatNumber) {
				const r = await ask(201, `/api/booking/${c.concertId}/seat`, 'hold', { showId: c.showId, seatNumber });
				const paid = await ask(200, `/api/${r.reservationId}/payment`, 'pay', {});
				Object.assign(p, { reservationId: r.reservationId, seatNumber, price: r.totalPrice });
				assert.equal(paid.balance, p.amount + bare - p.price, name);
			}
			state.people.push(p);
			state.done += 1;
		};
		const working = Promise.all(Array.from({ length: workers }, async (_, w) => {
			for (let i = 0; !state.end; i++) await person(w % n, Math.floor(w / n) * 100000 + i);
		}));
		working.catch((e) => (state.fail = e));
		state.stop = async () => {
			state.end = true;
			await working.finally(() => agents.forEach((agent) => agent.destroy()));
			assert.equal(new Set(state.people.map((p) => p.token)).size, state.people.length, 'everybody has a token of their own');
		};
		return state;
	}

	// A concert whose seats `load` sells.
	async sale(seats = 2000) {
		const c = await this.concert({ capacity: 100000, shows: [{ seats: [{ section: 'A', from: 1, to: seats, price: PRICE }] }] });
		return Object.assign(c, { seats, sold: 0 });
	}

	// Each of the servers has answered something with success since then.
	working(state, since, ms = 5000) {
		return eventually('every server works again', () => {
			if (state.fail) throw state.fail;
			return state.last.every((at) => at > since);
		}, ms);
	}

	// What a server answers to a read. It may be told to come back later while the reads before it are slow, as anybody is: asked again.
	async read(s, target, token) {
		const reply = await eventually(`${target} is read`, async () => {
			const r = await s.api('GET', target, { token });
			return r.status !== 503 && r;
		}, 20000, 100);
		assert.equal(reply.status, 200, told(reply));
		return reply.json;
	}

	// What was answered with success is there, and once, whichever server is asked.
	async verify(state) {
		assert.ok(state.people.length > 0, 'somebody came through');
		await many(state.people.length, 10, async (i) => {
			const p = state.people[i];
			const s = this.any();
			await this.seen(s, p.token, 2000);
			const extra = p.bare ? [['CHARGE', 1]] : [];
			const left = p.amount + extra.length - (p.price ?? 0);
			await eventually(`the balance of ${p.name} is there`, async () => (await this.read(s, `/api/${p.userId}`, p.token)).balance === left, 2000);
			const { histories } = await this.read(s, `/api/${p.userId}/histories?limit=100`, p.token);
			assert.deepEqual(histories.map((h) => [h.type, h.amount]), [...(p.price ? [['PAYMENT', -p.price]] : []), ...extra, ['CHARGE', p.amount]], `${p.name}: each once: ${show(histories)}`);
			const { reservations } = await this.read(s, `/api/${p.userId}/reservations?limit=100`, p.token);
			assert.deepEqual(reservations.map((r) => [r.reservationId, r.status, r.seatNumbers]), p.price ? [[p.reservationId, 'PAID', [p.seatNumber]]] : [], p.name);
		});
	}
}
