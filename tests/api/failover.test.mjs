// The primary is lost with its disk, and a synchronous standby takes over, time after time: nothing that was answered with success is lost,
// nothing happens twice, and service comes back by itself.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cluster } from './cluster.mjs';
import { eventually, sleep, told } from './harness.mjs';
import { Postgres, Proxy } from './pg.mjs';

const ROUNDS = 10;
// A commit is answered when a standby has it on its disk; without one, nothing is.
const SETTINGS = ['synchronous_standby_names=*', 'synchronous_commit=on', 'wal_receiver_status_interval=1s', 'wal_retrieve_retry_interval=200ms', 'min_wal_size=4MB', 'wal_keep_size=32MB'];

describe('a synchronous standby takes over', () => {
	let primary = new Postgres(SETTINGS);
	let standby = new Postgres(SETTINGS);
	let between = new Proxy(); // of the primary and its standby
	let cluster;

	before(async () => {
		await primary.make();
		await between.start(primary.port);
		await standby.follow(primary, { by: between.url });
		const url = `postgresql://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres?target_session_attrs=read-write`;
		cluster = new Cluster([url, url, url]);
		await cluster.start();
	}, { timeout: 120000 });
	after(async () => {
		try {
			await cluster?.end();
		} finally {
			await between.end();
			await primary.remove();
			await standby.remove();
		}
	}, { timeout: 120000 });

	it(`${ROUNDS} times, under load`, { timeout: 300000 }, async () => {
		const c = await cluster.sale(5000);
		for (let round = 0; round < ROUNDS; round++) {
			const state = cluster.load(c, `round${round}`);
			await sleep(300 + Math.random() * 600);
			if (round % 2) {
				between.set('lost'); // what is committed from here on is on the disk that is lost, and there alone
				await sleep(50 + Math.random() * 200);
			}
			await primary.destroy();
			await between.end();
			await standby.promote();
			// The new primary answers no commit before it has a standby of its own: that is when the database is back.
			const next = new Postgres(SETTINGS);
			const { port } = primary;
			[primary, standby] = [standby, next];
			between = await new Proxy().start(primary.port);
			await standby.follow(primary, { port, by: between.url });
			await cluster.working(state, Date.now());
			await state.stop();
			await cluster.verify(state);
			cluster.audit();
		}
	});

	// The commit is on the primary's disk and not on the standby's, so a failover would lose it. It may be answered only once the standby has it.
	for (const [how, sql] of [
		['cancelled', 'SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = \'SyncRep\''],
		['cut off with its session', 'SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = \'SyncRep\''],
	])
		it(`a commit whose wait for the standby is ${how} is not answered`, { timeout: 60000 }, async () => {
			const c = await cluster.sale(10);
			const [s, other] = cluster.all;
			const t = await s.buyer(c);
			await cluster.seen(other, t.token);
			let answer;
			standby.signal('SIGSTOP');
			try {
				const charging = s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 700 }, key: 'frozen' }).then((r) => (answer = r));
				await primary.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'", 't');
				assert.notEqual(await primary.sql(sql), '0');
				await primary.until(`SELECT balance FROM jari.users WHERE user_id = ${t.userId}`, '700'); // it can be seen
				await sleep(1000);
				assert.notEqual(answer?.status, 200, 'no success before the standby has it');
				// nor is it told by being asked again with its key, here or elsewhere
				await charging;
				assert.equal(answer.status, 503, told(answer));
				for (const at of [s, other]) {
					const again = await at.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 700 }, key: 'frozen' });
					assert.equal(again.status, 503, told(again));
				}
				assert.match((await s.no('STORE_UNAVAILABLE', 'GET', '/readyz')).detail, /does not answer/);
			} finally {
				standby.signal('SIGCONT');
			}
			const r = await eventually('it is answered', async () => {
				const now = await s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 700 }, key: 'frozen' });
				return now.status === 200 && now;
			}, 5000);
			assert.equal(r.json.balance, 700, told(r));
			await eventually('ready', async () => (await s.api('GET', '/readyz')).status === 200, 5000);
			cluster.audit();
		});
});
