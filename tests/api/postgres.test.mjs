// Three servers on one PostgreSQL: what one commits the others show, seats and the line are one, and what dies takes nothing with it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster } from './cluster.mjs';
import { eventually, jari, many, newAgent, show, sleep, told, vetTicket } from './harness.mjs';
import { Postgres } from './pg.mjs';

describe('three servers on one PostgreSQL', () => {
	const pg = new Postgres();
	let cluster;
	let all = [];

	before(async () => {
		await pg.make();
		cluster = new Cluster([pg.url, pg.url, pg.url]);
		all = cluster.all;
		await cluster.start();
	}, { timeout: 120000 });
	after(async () => {
		try {
			await cluster?.end();
		} finally {
			await pg.remove();
		}
	}, { timeout: 120000 });

	const any = () => cluster.any();
	const seen = (...args) => cluster.seen(...args);
	const concert = (options) => cluster.concert(options);

	it('what one commits the others show within a second', { timeout: 60000 }, async () => {
		const [a, b, c] = all;
		const k = await concert({ capacity: 2 });
		const other = await concert({ capacity: 2 });
		const t = await a.buyer(k, 60000, 'traveller');
		const atB = await seen(b, t.token);
		assert.deepEqual([atB.username, atB.userId, atB.number, atB.status], ['traveller', t.userId, t.number, 'ACTIVE']);
		const again = await a.join('traveller', other.concertId); // the user is an old one, the ticket is new
		assert.equal((await seen(c, again.token)).username, 'traveller');
		await eventually('the money is shown', async () => (await b.balance(t)) === 60000);
		const r = await b.hold(t, k, { seatNumber: 7 });
		await eventually('the hold is shown', async () => (await a.seat(t, k, 7)) === 'HELD');
		await seen(c, t.token);
		assert.equal((await c.pay(t, r)).amount, r.totalPrice);
		await eventually('the sale is shown', async () => (await a.check(t.token)).status === 'EXPIRED');
		await eventually('the balance is shown', async () => (await b.balance(again)) === 60000 - r.totalPrice);
		await c.patchQueue(k.queueId, { capacity: 9 });
		await eventually('the capacity is shown', async () => (await a.queue(k.queueId)).capacity === 9);
	});

	it('a token is good at every server at once', { timeout: 60000 }, async () => {
		const k = await concert({ capacity: 5 });
		let longest = 0;
		await many(60, 4, async (i) => {
			const t = await all[i % 3].join(`straight${i}`, k.concertId);
			const began = Date.now();
			const r = await all[(i + 1) % 3].api('GET', '/api/check', { token: t.token });
			assert.equal(r.status, 200, told(r));
			assert.equal(vetTicket(r.json).number, t.number);
			longest = Math.max(longest, Date.now() - began);
			const h = await all[(i + 2) % 3].api('GET', `/api/${t.userId}/histories`, { token: t.token });
			assert.equal(h.status, 200, told(h));
		});
		assert.ok(longest < 1000, `a request waited ${longest} ms for its ticket`);
		// What nobody has issued is refused, and not waited for without end; a client that goes away meanwhile does no harm.
		const began = Date.now();
		await all[0].no('TOKEN_INVALID', 'GET', '/api/check', { token: '123e4567-e89b-42d3-a456-426614174000' });
		assert.ok(Date.now() - began < 500, 'a token of no queue is refused at once');
	});

	it('who asks for a place at several servers at once has one, and is told of it by each', { timeout: 60000 }, async () => {
		const k = await concert({ capacity: 1000 });
		await many(60, 2, async (i) => {
			const ask = (s) => s.api('POST', '/api/getToken', { body: { username: `everywhere${i}`, concertId: k.concertId } });
			const replies = i % 2 ? await Promise.all(all.map(ask)) : [await ask(all[0]), await ask(all[1]), await ask(all[2])];
			assert.deepEqual(replies.map((r) => r.status).sort(), [200, 200, 201], replies.map(told).join(''));
			assert.equal(new Set(replies.map((r) => vetTicket(r.json).token)).size, 1);
		});
	});

	it('the place that is told is never too far in front, and does not grow', { timeout: 60000 }, async () => {
		const k = await concert({ capacity: 1 });
		await many(100, 20, (i) => all[0].join(`early${i}`, k.concertId));
		const places = await Promise.all(all.slice(1).map(async (s, i) => {
			const t = await s.join(`late${i}`, k.concertId);
			const seen = [t.ahead];
			for (const until = Date.now() + 1500; Date.now() < until; await sleep(10)) seen.push((await s.check(t.token)).ahead);
			return { t, seen };
		}));
		for (const { t, seen } of places) assert.deepEqual([...new Set(seen)], [t.number - 2], `number ${t.number}: told ${show(seen)}`);
	});

	it('also of a request that asks before it sends its body, whoever has made the token', { timeout: 60000 }, async () => {
		const k = await concert({ capacity: 5 });
		const charge = (token, userId) => [
			`POST /api/${userId}/charge HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n`,
			'{"amount":100}',
		];
		const answered = async (server, token, userId, status) => {
			const { text, replies } = await server.raw(charge(token, userId));
			assert.match(text, /^HTTP\/1\.1 100 /);
			assert.equal(replies[0]?.status, status, text);
		};
		for (let i = 0; i < 30; i++) {
			const t = await all[i % 3].join(`asking${i}`, k.concertId);
			await answered(all[(i + 1) % 3], t.token, t.userId, 200);
			await eventually('the charge is shown', async () => (await all[i % 3].balance(t)) === 100);
		}
		// The number of a token, masked, lies beside its version (docs/decisions/0002-sealed-tokens.md): the next number's claim, with another's seal.
		const t = await all[0].join('forger', k.concertId);
		const half = BigInt(`0x${t.token.replaceAll('-', '').slice(0, 16)}`);
		const claim = ((half >> 16n << 12n) | (half & 0xfffn)) ^ BigInt(t.number ^ (t.number + 1));
		const forged = ((claim >> 12n << 16n) | 0x4000n | (claim & 0xfffn)).toString(16).padStart(16, '0');
		const token = `${forged.slice(0, 8)}-${forged.slice(8, 12)}-${forged.slice(12)}-${t.token.slice(19)}`;
		for (const s of all) await answered(s, token, t.userId, 401);
	});

	it('what an organiser changes at one is the rule at all of them at once, and is shown within a second', { timeout: 60000 }, async () => {
		const [a, b, c] = all;
		const admin = (s, method, path, body) => s.ok(200, method, `/api/admin/${path}`, { admin: true, body });
		const k = await concert({ shows: [{}, {}] });
		const t = await a.buyer(k, 200000, 'patched');
		await seen(b, t.token);
		const held = await b.hold(t, k, { seatNumber: 1 });
		await admin(a, 'PATCH', `shows/${k.showId}`, { closed: true });
		await b.noHold('SALES_CLOSED', t, k, { seatNumber: 2 });
		await admin(c, 'PATCH', `shows/${k.showId}`, { closed: false, prices: [{ section: 'A', price: 123 }], startsAt: '2099-12-30T19:00:00+09:00' });
		const again = await b.hold(t, k, { date: '2099-12-30', seatNumber: 2 });
		assert.equal(again.totalPrice, 123);
		assert.equal((await a.pay(t, held)).amount, 50000, 'the price of the hold');
		await Promise.all([admin(a, 'PATCH', `concerts/${k.concertId}`, { title: 'Both' }), admin(b, 'PATCH', `concerts/${k.concertId}`, { venue: 'of them' })]);
		for (const s of all) {
			await eventually('the changes are shown', async () => {
				const seenConcert = await admin(s, 'GET', `concerts/${k.concertId}`);
				const moved = seenConcert.shows[1];
				return seenConcert.title === 'Both' && seenConcert.venue === 'of them' && moved.showId === k.showId && moved.date === '2099-12-30' && moved.sold === 1 && moved.held === 1;
			});
		}
		await sleep(1300);
		for (const s of all) {
			const series = await admin(s, 'GET', `series?showId=${k.showId}&queueId=${k.queueId}`);
			assert.deepEqual([series.shows[0].sold.at(-1), series.queues[0].joined.at(-1)], [1, 1], 'the time series are of the whole sale');
		}
	});

	it('the line is one: numbers without gaps, admission in their order', { timeout: 120000 }, async () => {
		const PEOPLE = 150;
		const k = await concert({ capacity: 10 });
		const admitted = [];
		const tickets = await many(PEOPLE, 60, (i) => all[i % 3].join(`liner${i}`, k.concertId));
		assert.deepEqual(tickets.map((t) => t.number).sort((x, y) => x - y), Array.from({ length: PEOPLE }, (_, i) => i + 1), 'numbers without gaps');
		await many(PEOPLE, PEOPLE, async (i) => {
			let t = tickets[i];
			const s = any();
			await seen(s, t.token, 1500);
			while (t.status === 'WAITING') {
				await sleep(150);
				t = await s.check(tickets[i].token);
			}
			assert.equal(t.status, 'ACTIVE', show(t));
			admitted.push([t.number, Date.parse(t.expiresAt)]);
			await sleep(50);
			assert.equal((await any().api('DELETE', '/api/token', { token: t.token })).status, 204);
		});
		admitted.sort((x, y) => x[0] - y[0]);
		for (let i = 1; i < admitted.length; i++) assert.ok(admitted[i][1] >= admitted[i - 1][1], `number ${admitted[i][0]} was admitted before number ${admitted[i - 1][0]}`);
		all[0].audit();
	});

	// Tries for seats until one is bought or all are sold, at one server.
	async function buy(s, c, i, agent, owner) {
		const t = vetTicket(await s.ok(201, 'POST', '/api/getToken', { body: { username: `racer-${c.concertId}-${i}`, concertId: c.concertId }, agent }));
		for (;;) {
			const map = await s.ok(200, 'GET', `/api/booking/${c.concertId}/list/seats?showId=${c.showId}`, { token: t.token, agent });
			const free = map.availableSeats;
			if (free.length === 0) return undefined;
			const held = await s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, agent, body: { showId: c.showId, seatNumber: free[Math.floor(Math.random() * free.length)] } });
			if (held.status === 409) {
				assert.equal(held.json.code, 'SEAT_TAKEN', told(held));
				await sleep(20);
				continue;
			}
			assert.equal(held.status, 201, told(held));
			await s.charge(t, held.json.totalPrice, { agent });
			await s.pay(t, held.json, {}, { agent });
			for (const seat of held.json.seatNumbers) {
				assert.ok(!owner.has(seat), `seat ${seat} was sold twice`);
				owner.set(seat, t.userId);
			}
			return t;
		}
	}

	it('the race for the seats of one show: no seat twice', { timeout: 120000 }, async () => {
		const c = await concert({ capacity: 1000, shows: [{ seats: [{ section: 'A', from: 1, to: 40, price: 1000 }] }] });
		const owner = new Map();
		const agents = all.map(() => newAgent(40));
		await many(90, 90, (i) => buy(all[i % 3], c, i, agents[i % 3], owner));
		agents.forEach((agent) => agent.destroy());
		assert.equal(owner.size, 40, 'all seats are sold');
		for (const s of all)
			await eventually('every server shows the sales', async () => {
				const { shows } = await s.ok(200, 'GET', '/api/admin/stats', { admin: true });
				const row = shows.find((x) => x.showId === c.showId);
				return row.sold === 40 && row.held === 0 && row.revenue === 40000;
			});
		all[1].audit();
	});

	it('holds made at all of them at once are soon shown whole at each, whoever looked meanwhile', { timeout: 120000 }, async () => {
		const ROUNDS = 40;
		const c = await concert({ capacity: 10, shows: [{ seats: [{ section: 'A', from: 1, to: 3 * ROUNDS, price: 1000 }] }] });
		const buyers = [];
		for (const [i, s] of all.entries()) buyers.push(await s.buyer(c, 0, `holder${i}`));
		for (const s of all) for (const t of buyers) await seen(s, t.token);
		const seats = (s, t) => s.ok(200, 'GET', `/api/booking/${c.concertId}/list/seats?showId=${c.showId}`, { token: t.token });
		for (let round = 0; round < ROUNDS; round++) {
			const held = [];
			let looking = true;
			const lookers = all.map(async (s, i) => {
				let before = { version: 0 };
				while (looking) {
					const map = await seats(s, buyers[i]);
					assert.ok(map.version >= before.version, 'a version never goes back at a server');
					if (map.version === before.version) assert.deepEqual(map, before, 'a version is one state of the seats');
					before = map;
				}
			});
			try {
				await Promise.all(
					all.map(async (s, i) => {
						held[i] = await s.hold(buyers[i], c, { seatNumber: 3 * round + i + 1 });
					}),
				);
				for (const [i, s] of all.entries())
					await eventually(`round ${round}: all three holds are shown`, async () => (await seats(s, buyers[i])).availableSeats.length === 3 * ROUNDS - 3, 2000);
			} finally {
				looking = false;
				await Promise.all(lookers);
			}
			for (const [i, s] of all.entries()) assert.equal((await s.api('DELETE', `/api/reservations/${held[i].reservationId}`, { token: buyers[i].token })).status, 204);
		}
	});

	it('who asks at one server is silent at none', { timeout: 120000 }, async () => {
		const two = new Cluster([pg.url, pg.url], ['--waiting-idle', '4']);
		const k = await concert({ capacity: 1 });
		await cluster.stop(); // they wait for 120 s, and would call nobody silent
		try {
			await two.start();
			const [a, b] = two.all;
			await a.join('heard-in', k.concertId);
			const first = await a.join('heard-first', k.concertId), second = await b.join('heard-second', k.concertId);
			assert.deepEqual([first.status, second.status], ['WAITING', 'WAITING']);
			await seen(b, first.token);
			const end = Date.now() + 12000;
			while (Date.now() < end) {
				assert.equal((await a.check(first.token)).ahead, 0);
				assert.equal((await b.check(second.token)).ahead, 1, 'the first still counts at the other server');
				await sleep(500);
			}
			const until = Date.now() + 15000; // the first falls silent
			while ((await b.check(second.token)).ahead !== 0) {
				assert.ok(Date.now() < until, 'who asks nowhere is passed over');
				await sleep(500);
			}
		} finally {
			await two.end();
			await cluster.start();
		}
	});

	it('several that begin at once with --demo load it once, and all of them start', { timeout: 120000 }, async () => {
		await pg.sql('CREATE DATABASE demo');
		const url = pg.urlOf('demo');
		assert.equal(jari(['migrate', '--store', url]).status, 0);
		// Each has looked and found nothing before the first has ended.
		await pg.sql(`CREATE FUNCTION jari.take_long() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN new; END';
			CREATE TRIGGER take_long BEFORE INSERT ON jari.concert FOR EACH STATEMENT EXECUTE FUNCTION jari.take_long()`, 'demo');
		const demo = new Cluster([url, url, url], ['--demo']);
		try {
			await Promise.all(demo.all.map((s) => s.start()));
			assert.equal(await pg.sql("SELECT count(*) FROM jari.queue WHERE name <> 'main'", 'demo'), '1');
			assert.equal(demo.all.filter((s) => s.log.includes('demo_loaded')).length, 1);
			const [first, ...others] = await Promise.all(demo.all.map(async (s) => (await s.ok(200, 'GET', '/api/concerts')).concerts.map((c) => c.title)));
			assert.ok(first.length > 0);
			for (const titles of others) assert.deepEqual(titles, first);
		} finally {
			await demo.end();
		}
	});

	it('one server is killed under load and the others go on', { timeout: 120000 }, async () => {
		const state = cluster.load(await cluster.sale(), 'kill');
		await sleep(700);
		await all[2].kill9();
		const killed = Date.now();
		await eventually('the others go on', () => state.fail || (state.last[0] > killed && state.last[1] > killed), 5000);
		await sleep(500);
		await all[2].start();
		await cluster.working(state, killed);
		await state.stop();
		await cluster.verify(state);
		cluster.audit();
	});

	it('the database is stopped at once under load: service comes back by itself within 5 seconds', { timeout: 120000 }, async () => {
		const c = await cluster.sale();
		const state = cluster.load(c, 'stop', { bare: true });
		await sleep(700);
		await pg.stop('SIGQUIT');
		await sleep(300);
		await pg.start();
		await cluster.working(state, Date.now());
		const t = await all[0].join('after-the-stop', c.concertId);
		await seen(all[1], t.token, 2000);
		await state.stop();
		await cluster.verify(state);
		for (const s of all) assert.ok(s.running());
		cluster.audit();
	});
});
