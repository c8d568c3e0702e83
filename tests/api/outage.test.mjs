// The way to the database is cut, the database is turned read-only, becomes a standby, or asks to try again: three servers under it, each behind a
// network of its own that the test can break. Nothing that was answered with success is lost, nothing happens twice, whoever asks is answered in
// bounded time, /readyz says what is going on, and service comes back by itself within five seconds.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cluster } from './cluster.mjs';
import { eventually, sleep, told } from './harness.mjs';
import { Postgres, Proxy } from './pg.mjs';

const CUTS = 30;
const BACK_MS = 5000; // service is back this long after the database
const ANSWER_MS = 20000; // and nobody ever waits longer for an answer

// What fails does so with this share of statements: written to by the test, read by the triggers.
const TRIGGERS = `CREATE SCHEMA test; CREATE TABLE test.fail (share float8, state text); INSERT INTO test.fail VALUES (0, '40001');
CREATE FUNCTION test.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF random() < (SELECT share FROM test.fail) THEN
		RAISE EXCEPTION 'the test says no' USING ERRCODE = (SELECT CASE WHEN state <> 'both' THEN state WHEN random() < 0.5 THEN '40001' ELSE '40P01' END FROM test.fail);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER test_fails AFTER INSERT ON jari.batch FOR EACH STATEMENT EXECUTE FUNCTION test.fail();
CREATE TRIGGER test_fails AFTER INSERT ON jari.ledger FOR EACH STATEMENT EXECUTE FUNCTION test.fail();`;

describe('three servers and an unreliable database', () => {
	const pg = new Postgres(['min_wal_size=4MB']);
	const proxies = [new Proxy(), new Proxy(), new Proxy()];
	let cluster;
	let all = [];

	before(async () => {
		await pg.make();
		for (const proxy of proxies) await proxy.start(pg.port);
		cluster = new Cluster(proxies.map((proxy) => proxy.url), [], pg.url);
		all = cluster.all;
		await cluster.start();
		await pg.sql(TRIGGERS);
	}, { timeout: 120000 });
	after(async () => {
		try {
			for (const proxy of proxies) proxy.set('open');
			await cluster?.end();
		} finally {
			for (const proxy of proxies) await proxy.end();
			await pg.remove();
		}
	}, { timeout: 120000 });

	// What a test has broken and, having failed, not mended, must not fail the next.
	afterEach(async () => {
		if (!pg.running()) await pg.start();
		network('open');
		await pg.sql('UPDATE test.fail SET share = 0; ALTER ROLE postgres RESET default_transaction_isolation');
		for (const s of all) await ready(s, 20000);
	});

	const network = (mode) => proxies.forEach((proxy) => proxy.set(mode));
	const reset = () => proxies.forEach((proxy) => proxy.reset());

	// Why a server is not ready, in words, within the time.
	const unready = (s, words, ms = 4000) => eventually(`/readyz says ${words}`, async () => {
		const r = await s.api('GET', '/readyz', { timeout: 10000 });
		assert.ok(r.status === 200 || r.json.code === 'STORE_UNAVAILABLE', told(r));
		return r.status === 503 && words.test(r.json.detail);
	}, ms);
	const ready = (s, ms = BACK_MS) => eventually('/readyz says yes', async () => (await s.api('GET', '/readyz', { timeout: 10000 })).status === 200, ms);

	// The state of a test: a concert, somebody with a place and money at each server, and what they may look at.
	async function people(money = 5000) {
		const c = await cluster.sale(50);
		const buyers = [];
		for (const s of all) buyers.push(await s.buyer(c, money, s.name(`out-${c.concertId}-${s.port}`)));
		return { c, buyers };
	}

	// While nothing can be written: changes are refused with 503, in time, and what is in memory is shown at once.
	async function refuses({ c, buyers }, { reads }) {
		await Promise.all(all.map(async (s, i) => {
			const t = buyers[i];
			const began = Date.now();
			const r = await s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 10 }, key: 'refused', timeout: ANSWER_MS });
			assert.equal(r.json.code, 'STORE_UNAVAILABLE', told(r));
			assert.ok(Date.now() - began < ANSWER_MS, 'in bounded time');
			const looked = Date.now();
			assert.equal((await s.check(t.token)).status, 'ACTIVE');
			assert.equal(await s.balance(t), 5000);
			await s.ok(200, 'GET', '/api/concerts');
			assert.equal(await s.seat(t, c, 1), 'AVAILABLE');
			await s.ok(200, 'GET', '/healthz');
			assert.ok(Date.now() - looked < 1000, 'what is in memory is shown at once');
			const history = await s.api('GET', `/api/${t.userId}/histories`, { token: t.token, timeout: ANSWER_MS });
			if (reads) assert.deepEqual([history.status, history.json.histories?.length], [200, 1], told(history));
			else assert.equal(history.json.code, 'STORE_UNAVAILABLE', told(history));
		}));
	}

	// Afterwards: what was refused has not happened; asked again it happens, once.
	async function accepts({ buyers }) {
		await Promise.all(all.map(async (s, i) => {
			const t = buyers[i];
			await ready(s);
			assert.equal(await s.balance(t), 5000);
			await s.charge(t, 10, { key: 'refused' });
			assert.equal((await s.charge(t, 10, { key: 'refused' })).balance, 5010);
			const past = () => s.api('GET', `/api/${t.userId}/histories`, { token: t.token });
			await eventually('the store is read again', async () => (await past()).status === 200, BACK_MS);
			assert.equal((await past()).json.histories.length, 2);
		}));
		cluster.audit();
	}

	it(`the network is cut in the middle of commits, ${CUTS} times`, { timeout: 240000 }, async () => {
		const state = cluster.load(await cluster.sale(5000), 'cut', { workers: 9, bare: true });
		const lost = () => all.some((s) => /commit_resolved.*has happened/.test(s.log));
		for (let i = 0; i < CUTS || (!lost() && i < 10 * CUTS); i++) { // until an answer was lost to a commit that had happened
			await sleep(100 + Math.random() * 200);
			const proxy = proxies[i % 3];
			proxy.set(Math.random() < 0.6 ? 'mute' : 'deaf');
			await sleep(5 + Math.random() * 60);
			proxy.set('open');
			proxy.reset();
		}
		await cluster.working(state, Date.now(), BACK_MS);
		await state.stop();
		assert.ok(lost(), 'answers to commits were lost that had happened');
		await cluster.verify(state);
		cluster.audit();
	});

	it('packets vanish for a while: 503 in bounded time, and back by itself', { timeout: 240000 }, async () => {
		const state = cluster.load(await cluster.sale(5000), 'vanish', { workers: 9 });
		for (const mode of ['late', 'lost', 'late', 'lost']) {
			await sleep(500);
			network(mode);
			await Promise.all(all.map((s) => unready(s, /does not answer/)));
			await sleep(3000 + Math.random() * 5000);
			network('open');
			await cluster.working(state, Date.now(), BACK_MS);
			await Promise.all(all.map((s) => ready(s)));
		}
		await state.stop();
		assert.ok(state.refused > 0, 'somebody was refused');
		assert.ok(state.longest < ANSWER_MS, `the longest wait for an answer took ${state.longest} ms`);
		await cluster.verify(state);
		cluster.audit();
	});

	it('nobody can be reached: changes are refused, what is in memory is shown', { timeout: 60000 }, async () => {
		const p = await people();
		network('refuse');
		reset();
		await Promise.all(all.map((s) => unready(s, /cannot be reached/)));
		await refuses(p, { reads: false });
		network('open');
		await accepts(p);
	});

	it('packets vanish: changes are refused, what is in memory is shown', { timeout: 90000 }, async () => {
		const p = await people();
		network('lost');
		await Promise.all(all.map((s) => unready(s, /does not answer/)));
		await refuses(p, { reads: false });
		network('open');
		await accepts(p);
	});

	it('the database is set read-only', { timeout: 60000 }, async () => {
		const p = await people();
		await pg.sql('ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()');
		await Promise.all(all.map((s) => unready(s, /only be read/)));
		reset(); // reading goes on by new connections too
		await refuses(p, { reads: true });
		await pg.sql('ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf()');
		await accepts(p);
	});

	it('the database comes back as a standby, is promoted, and everything is read anew', { timeout: 90000 }, async () => {
		const p = await people();
		await pg.stop();
		await Promise.all(all.map((s) => unready(s, /cannot be reached/)));
		fs.writeFileSync(`${pg.dir}/data/standby.signal`, '');
		await pg.start();
		await Promise.all(all.map((s) => unready(s, /only be read/)));
		await refuses(p, { reads: false });
		network('refuse');
		reset();
		await pg.promote();
		const other = pg.session();
		other.say("BEGIN; LOCK TABLE jari.seat; SELECT 'locked';"); // which nothing else reads just now
		await other.heard('locked');
		network('open');
		await Promise.all(all.map((s) => unready(s, /read anew/, BACK_MS)));
		other.say('COMMIT;');
		await other.end();
		await accepts(p);
		for (const s of all) assert.match(s.log, /store_read_anew/);
	});

	it('a share of the statements fails with 40001 or 40P01: everything succeeds', { timeout: 120000 }, async () => {
		const c = await cluster.sale(5000);
		await pg.sql("UPDATE test.fail SET share = 0.15, state = 'both'");
		const marks = all.map((s) => s.log.length);
		const state = cluster.load(c, 'share', { workers: 9, bare: true });
		await sleep(3000);
		await state.stop();
		await pg.sql('UPDATE test.fail SET share = 0');
		const logs = all.map((s, i) => s.log.slice(marks[i]));
		for (const log of logs) assert.ok(log.includes('(40001)') && log.includes('(40P01)'), 'both have come');
		assert.deepEqual([state.refused, state.broken], [0, 0], 'nobody was refused');
		await cluster.verify(state);
		cluster.audit();
	});

	for (const failure of ['40001', '40P01'])
		it(`every statement fails with ${failure}: 503 after eight tries, nothing has changed`, { timeout: 60000 }, async () => {
			const p = await people();
			await pg.sql(`UPDATE test.fail SET share = 2, state = '${failure}'`);
			const marks = all.map((s) => s.log.length);
			await refuses(p, { reads: true });
			const logs = all.map((s, i) => s.log.slice(marks[i]));
			for (const log of logs) {
				const [batch] = log.split(/batch failed/);
				assert.equal(batch.split(`the test says no (${failure})`).length - 1, 8, `eight tries: ${batch}`);
			}
			await pg.sql('UPDATE test.fail SET share = 0');
			await accepts(p);
		});

	it('a deadlock with another session: the batch gives way, and succeeds', { timeout: 60000 }, async () => {
		const { c, buyers: [t] } = await people();
		const [s] = all;
		const mark = s.log.length;
		const other = pg.session();
		other.say(`SET deadlock_timeout = '20s'; BEGIN; SELECT show_id FROM jari.show WHERE show_id = ${c.showId} FOR UPDATE; SELECT 'first';`);
		await other.heard('first');
		const holding = s.hold(t, c, { seatNumber: 7 });
		await pg.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'jari' AND wait_event_type = 'Lock'", 't');
		other.say(`SELECT queue_id FROM jari.queue WHERE queue_id = ${c.queueId} FOR UPDATE; SELECT 'second'; COMMIT;`);
		await other.end();
		assert.deepEqual((await holding).seatNumbers, [7]);
		assert.match(s.log.slice(mark), /\(40P01\)/);
		cluster.audit();
	});

	it('real serialization failures, between three servers', { timeout: 120000 }, async () => {
		await pg.sql("ALTER ROLE postgres SET default_transaction_isolation = 'serializable'");
		reset(); // the new connections have it
		const marks = all.map((s) => s.log.length);
		const state = cluster.load(await cluster.sale(5000), 'serial', { workers: 9, bare: true });
		await sleep(3000);
		await state.stop();
		await pg.sql('ALTER ROLE postgres RESET default_transaction_isolation');
		reset();
		assert.ok(all.some((s, i) => s.log.slice(marks[i]).includes('(40001)')), 'some have come');
		await cluster.verify(state);
		cluster.audit();
	});
});
