// `jari copy`: an organiser outgrows the embedded store and moves to PostgreSQL, and back. What clients see is the same on both sides.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { binary, cleanEnv, eventually, jari, Server, show, tempFolder, told } from './harness.mjs';
import { Postgres } from './pg.mjs';

const PRICE = 30000;

// A `jari copy` that must be refused: its status, and one clear line on standard error.
function refused(status, from, to, words) {
	const r = jari(['copy', '--from', from, '--to', to]);
	const say = `jari copy --from ${from} --to ${to}\n  status: ${r.status}\n  stdout: ${r.stdout}\n  stderr: ${r.stderr}`;
	assert.equal(r.status, status, say);
	assert.equal(r.stdout, '', say);
	const lines = r.stderr.split('\n').filter((line) => line !== '' && !/^\d{4}-\d\d-\d\dT\S+ (debug|info) /.test(line));
	assert.ok(lines.length === (status === 2 ? 2 : 1) && lines[0].length < 300, `one clear line\n  ${say}`);
	assert.match(lines[0], words, say);
}

function copies(from, to) {
	const r = jari(['copy', '--from', from, '--to', to]);
	assert.equal(r.status, 0, `jari copy --from ${from} --to ${to}\n  stdout: ${r.stdout}\n  stderr: ${r.stderr}`);
	assert.match(r.stdout, /every row was read again and is the same, and all \d+ checks of the audit hold/);
	return r.stdout;
}

// A life in a store: somebody for every state that a ticket, a hold and a seat can have.
class Life {
	constructor(s) {
		this.s = s;
	}

	async restart(holdSeconds) {
		this.s.args = ['--hold-seconds', String(holdSeconds), '--active-seconds', '900'];
		await this.s.restart();
	}

	async live() {
		const { s } = this;
		await this.restart(1);
		this.c = await s.makeConcert({ capacity: 4, title: '이사 "\\', shows: [{ seats: [{ section: 'A\\B', from: 1, to: 30, price: PRICE }] }] });
		this.other = await s.makeConcert({ capacity: 1, ratePerSecond: 50, salesOpenAt: '2099-01-01T00:00:00Z' });
		[this.payer, this.holder, this.canceller, this.leaver] = await this.people(['payer', 'holder', 'canceller', "leaver's 이름"]);
		[this.admitted, this.gone, this.first, this.second] = await this.people(['admitted', 'gone', 'first', 'second']); // one gets the payer's place
		this.lapsed = await s.hold(this.holder, this.c, { seatNumber: 1 });
		await eventually('the hold lapses', async () => (await s.reservation(this.holder, this.lapsed)).status === 'EXPIRED', 5000);
		await this.restart(600);
		await this.spend();
		await s.ok(204, 'DELETE', '/api/token', { token: this.gone.token });
		await s.patchQueue(this.c.queueId, { paused: true });
		await s.ok(204, 'DELETE', '/api/token', { token: this.leaver.token });
		await this.restart(20);
		this.soon = await s.hold(this.holder, this.c, { seatNumber: 9 }, { key: 'soon' });
	}

	async people(names) {
		const out = [];
		for (const name of names) out.push(await this.s.join(name, this.c.concertId));
		return out;
	}

	async spend() {
		const { s, c } = this;
		await s.charge(this.payer, 100000, { key: 'charge-1' });
		await s.charge(this.holder, 70000);
		const r = await s.hold(this.payer, c, { seatNumbers: [2, 3] }, { key: 'hold-1' });
		this.paid = await s.pay(this.payer, r, {}, { key: 'pay-1' });
		this.held = await s.hold(this.holder, c, { bestAvailable: { count: 2 } });
		await s.cancel(this.canceller, await s.hold(this.canceller, c, { seatNumber: 20 }));
	}

	get all() {
		return [this.payer, this.holder, this.canceller, this.leaver, this.admitted, this.gone, this.first, this.second];
	}

	// Everything that clients and the organiser can see, as server `s` shows it. How long to wait is an estimate, and no part of it.
	async seenAt(s) {
		const tell = async (target, options) => (await s.ok(200, 'GET', target, options));
		const people = [];
		for (const t of this.all) {
			const { etaSeconds, retryAfterSeconds, ...ticket } = await s.check(t.token);
			const mine = (what) => tell(`/api/${t.userId}${what}`, { token: t.token });
			people.push({ ticket, wallet: await mine(''), histories: await mine('/histories'), reservations: await mine('/reservations') });
		}
		const csv = await s.api('GET', `/api/admin/concerts/${this.c.concertId}/sales.csv`, { admin: true });
		assert.equal(csv.status, 200, told(csv));
		return {
			people,
			sales: csv.text,
			seats: await s.seats(this.holder, this.c),
			concerts: await tell('/api/concerts'),
			dates: await tell(`/api/booking/${this.c.concertId}/list/time?all=true`, { token: this.holder.token }),
			queues: await tell('/api/admin/queues', { admin: true }),
			stats: await tell('/api/admin/stats', { admin: true }),
			log: await tell('/api/admin/audit-log', { admin: true }),
		};
	}

	// The same request with the same key gives the first answer, and has no second effect.
	async replays(s) {
		const again = async (target, token, key, body, status, expected) => {
			const r = await s.api('POST', target, { token, key, body });
			assert.equal(r.status, status, told(r));
			assert.equal(r.headers['idempotent-replayed'], 'true', told(r));
			if (expected) assert.deepEqual(r.json, expected);
		};
		const booking = `/api/booking/${this.c.concertId}/seat`;
		await again(`/api/${this.payer.userId}/charge`, this.payer.token, 'charge-1', { amount: 100000 }, 200, { userId: this.payer.userId, balance: 100000 });
		await again(`/api/${this.paid.reservationId}/payment`, this.payer.token, 'pay-1', {}, 200, this.paid);
		await again(booking, this.payer.token, 'hold-1', { showId: this.c.showId, seatNumbers: [2, 3] }, 201);
		await again(booking, this.holder.token, 'soon', { showId: this.c.showId, seatNumber: 9 }, 201, this.soon);
		await s.no('IDEMPOTENCY_KEY_REUSED', 'POST', `/api/${this.payer.userId}/charge`, { token: this.payer.token, key: 'charge-1', body: { amount: 1 } });
	}

	// Life goes on where it was: holds lapse when they are due, the line moves in its order, ids and numbers continue.
	async goesOn(s) {
		assert.equal(Date.parse((await s.reservation(this.holder, this.soon)).heldUntil), Date.parse(this.soon.heldUntil));
		await eventually('the hold lapses', async () => (await s.reservation(this.holder, this.soon)).status === 'EXPIRED', 25000, 100);
		assert.ok(Date.now() >= Date.parse(this.soon.heldUntil), 'and not before it is due');
		assert.equal(await s.seat(this.holder, this.c, 9), 'AVAILABLE');
		const next = await s.join('newcomer', this.c.concertId);
		assert.equal(next.number, this.second.number + 1);
		assert.equal(next.ahead, 2, 'behind the two who wait');
		assert.ok(next.userId > this.second.userId);
		const again = await s.hold(this.canceller, this.c, { seatNumber: 9 });
		assert.ok(again.reservationId > this.soon.reservationId);
		const paid = await s.pay(this.holder, this.held);
		assert.ok(paid.paymentId > this.paid.paymentId);
		assert.equal(paid.balance, 70000 - 2 * PRICE);
		await s.patchQueue(this.c.queueId, { paused: false });
		await eventually('the first in line is admitted', async () => (await s.check(this.first.token)).status === 'ACTIVE', 2000);
		const more = await s.makeConcert({ queue: 'new house', capacity: 5 });
		assert.deepEqual([more.queueId, more.concertId, more.showId], [this.other.queueId, this.other.concertId, this.other.showId].map((id) => id + 1));
		s.audit();
	}
}

describe('moving from SQLite to PostgreSQL', () => {
	const pg = new Postgres();
	const old = new Server({ args: ['--hold-seconds', '1'] });
	const life = new Life(old);
	let before1;
	let there;
	const serverAt = (store) => new Server({ store, args: ['--token-key-file', `${old.file}.token-key`, '--admin-key-file', `${old.file}.admin-key`] });

	before(async () => {
		await pg.make();
		await old.start();
		await life.live();
		before1 = await life.seenAt(old);
		fs.writeFileSync(`${old.file}.admin-key`, old.adminKey, { mode: 0o600 });
	}, { timeout: 120000 });
	after(async () => {
		try {
			if (there) await there.end();
			await old.end();
		} finally {
			await pg.remove();
		}
	}, { timeout: 60000 });

	it('a store that a server has open stays where it is', async () => {
		refused(1, old.store, pg.url, /another jari serve has .*jari\.db open: stop it/);
		await old.ok(200, 'GET', '/healthz');
		await old.stop();
	});

	it('all of it moves: tokens, places, holds, money, history, the log', { timeout: 60000 }, async () => {
		const said = copies(old.store, pg.url);
		assert.match(said, new RegExp(`^copied ${old.store} to postgresql://\\S+/postgres: \\d+ rows in `), said);
		assert.match(said, /\n {2}queues +3\n {2}users +8 {3}balances 110000\n {2}tickets +8 {3}2 waiting, 3 active, 3 ended\n/, said);
		assert.match(said, /\n {2}reservations +5 {3}2 held, 1 paid, 1 expired, 1 cancelled; prices \d+\n/, said);
		assert.match(said, /\n {2}seats +80 {3}75 free, 3 held, 2 sold; prices \d+\n {2}ledger entries +3 {3}2 charges, 1 payments; amounts 230000\n/, said);
		assert.match(said, /\n {2}idempotency keys +4\n {2}audit log lines +3\n/, said);
		assert.ok(said.includes(`the keys are no part of it; serve it with --admin-key-file ${old.file}.admin-key --token-key-file ${old.file}.token-key\n`), said);
		there = serverAt(pg.url);
		await there.start();
		assert.deepEqual(await life.seenAt(there), before1);
		await life.replays(there);
		assert.deepEqual(await life.seenAt(there), before1, 'replays have no effect');
	});

	it('and back, into a file', { timeout: 60000 }, async () => {
		refused(1, pg.url, `sqlite:${old.dir}/back.db`, /another jari has postgresql:\S+ open: stop it, or choose another --from/);
		await there.stop();
		copies(pg.url, `sqlite:${old.dir}/back.db`);
		const back = serverAt(`sqlite:${old.dir}/back.db`);
		await back.start();
		try {
			assert.deepEqual(await life.seenAt(back), before1);
			await life.replays(back);
		} finally {
			await back.stop();
		}
		await there.start();
	});

	it('life goes on in the new house', { timeout: 60000 }, () => life.goesOn(there));

	it('the old store is as it was', async () => {
		await old.start();
		assert.equal((await old.check(life.first.token)).number, life.first.number);
		await old.stop();
	});
});

// A store with a row of every sort that matters here, closed.
async function someStore() {
	const s = new Server();
	await s.start();
	const c = await s.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 400, price: 100 }] }] });
	const t = await s.buyer(c, 5000);
	await s.pay(t, await s.hold(t, c, { seatNumber: 1 }));
	await s.stop();
	return s;
}

// Makes a database server and some store before the tests of a suite, and takes both away after them.
function around(pg, take) {
	let some;
	before(async () => {
		await pg.make();
		some = await someStore();
		take(some);
	}, { timeout: 60000 });
	after(async () => {
		await pg.remove();
		fs.rmSync(some.dir, { recursive: true, force: true });
	});
}

describe('copies that are refused', () => {
	const pg = new Postgres();
	const dir = tempFolder();
	let some;
	const file = (name) => `sqlite:${path.join(dir, name)}`;
	const database = async (name) => {
		await pg.sql(`CREATE DATABASE ${name}`);
		return pg.urlOf(name);
	};

	around(pg, (store) => (some = store));
	after(() => fs.rmSync(dir, { recursive: true, force: true }));

	it('a target that has something in it', async () => {
		const full = await database('occupied');
		copies(some.store, full);
		refused(1, some.store, full, /occupied is not empty: copy into a new store/);
		copies(some.store, file('full.db'));
		refused(1, full, file('full.db'), /full\.db is not empty: copy into a new store/);
		assert.equal(jari(['audit', '--store', full]).status, 0, 'it is as it was');
	});

	it('a source that is not there, and one store twice', async () => {
		refused(1, file('none.db'), await database('unused'), /there is no store at .*none\.db/);
		assert.deepEqual(fs.readdirSync(dir).filter((name) => name.startsWith('none')), [], 'looking for it has made nothing');
		refused(1, pg.urlOf('unused'), file('x.db'), /has no schema of jari/);
		refused(1, pg.urlOf('nowhere'), file('x.db'), /nowhere/);
		refused(1, some.store, some.store, /--from and --to are the same store/);
		fs.symlinkSync(some.file, path.join(dir, 'link.db'));
		refused(1, some.store, file('link.db'), /--from and --to are the same store/);
		const one = pg.urlOf('occupied');
		refused(1, one, `${one}?connect_timeout=9`, /another jari has .* open: stop it, or choose another --to/);
	});

	it('URLs of another kind, or none', () => {
		refused(2, 'mysql://x', file('x.db'), /--from needs sqlite:PATH/);
		refused(2, some.store, '/just/a/path', /--to needs sqlite:PATH/);
		refused(2, some.store, 'memory:', /--to: memory: ends with its server/);
		const r = jari(['copy', '--from', some.store]);
		assert.equal(r.status, 2, show(r));
		assert.match(r.stderr, /an option is missing: jari copy --from URL --to URL/);
		assert.ok(!fs.existsSync(path.join(dir, 'x.db')));
	});

	it('stores of a newer jari, on either side', async () => {
		const newer = await database('newer');
		assert.equal(jari(['migrate', '--store', newer]).status, 0);
		await pg.sql("UPDATE jari.meta SET value = 99 WHERE name = 'schema'", 'newer');
		refused(1, some.store, newer, /newer was made by a newer version of jari/);
		const bytes = fs.readFileSync(some.file);
		bytes.writeUInt32BE(99, 60); // user_version
		fs.writeFileSync(path.join(dir, 'newer.db'), bytes);
		refused(1, file('newer.db'), await database('after'), /newer\.db was made by a newer version of jari/);
		refused(1, some.store, file('newer.db'), /newer\.db was made by a newer version of jari/);
	});

	it('a target that a server has open, though it is empty', async () => {
		const url = await database('served');
		const s = new Server({ store: url, env: { JARI_TOKEN_KEY: '5e'.repeat(32) } });
		await s.start();
		refused(1, some.store, url, /another jari has .*served open: stop it, or choose another --to/);
		await s.end();
		copies(some.store, url);
	});
});

describe('a role that may do what servers may, and no more', () => {
	const pg = new Postgres();
	let some;
	around(pg, (store) => (some = store));

	it('fills a schema that its owner has made, and reads it', async () => {
		const app = pg.url.replace('postgres@', 'jari_app@');
		await pg.sql('CREATE ROLE jari_app LOGIN');
		refused(1, some.store, app, /has no schema of jari yet, and this role may not change that: run jari migrate --store URL once/);
		assert.equal(jari(['migrate', '--store', pg.url]).status, 0);
		// as docs/operations.md says
		await pg.sql(`GRANT USAGE ON SCHEMA jari TO jari_app;
			GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jari TO jari_app;
			REVOKE UPDATE, DELETE ON jari.ledger, jari.audit_log FROM jari_app;
			GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA jari TO jari_app`);
		copies(some.store, app);
		copies(app, `sqlite:${some.dir}/back.db`);
	});
});

describe('a copy that is killed', () => {
	const pg = new Postgres();
	let some;
	around(pg, (store) => (some = store));

	// Starts a copy, waits until it hangs where `look` says, and kills it.
	async function killed(from, to, look) {
		const child = spawn(binary(), ['copy', '--from', from, '--to', to], { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
		let said = '';
		for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
		const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal)));
		try {
			await eventually('the copy is on its way', async () => (assert.equal(child.exitCode, null, said), look()), 15000);
		} finally {
			child.kill('SIGKILL');
		}
		assert.equal(await ended, 'SIGKILL', said);
	}

	it('leaves a PostgreSQL database empty, keeps servers out while it runs, and can be made again', { timeout: 60000 }, async () => {
		assert.equal(jari(['migrate', '--store', pg.url]).status, 0);
		await pg.sql(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
			CREATE TRIGGER slow BEFORE INSERT ON jari.audit_log FOR EACH ROW EXECUTE FUNCTION slow()`);
		const sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
		await killed(some.store, pg.url, async () => {
			if ((await pg.sql(sleeping)) !== '1') return false;
			const r = jari(['serve', '--listen', '127.0.0.1:0', '--store', pg.url], { env: { JARI_ADMIN_KEY: some.adminKey, JARI_TOKEN_KEY: '5e'.repeat(32) }, timeout: 15000 });
			assert.equal(r.status, 1, show(r));
			assert.match(r.stderr, /jari copy has it to itself/);
			refused(1, pg.url, `sqlite:${some.dir}/other.db`, /another jari has/);
			return true;
		});
		await pg.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
		await eventually('the server has noticed', async () => (await pg.sql(sleeping)) === '0', 5000);
		assert.equal(await pg.sql('SELECT (SELECT count(*) FROM jari.users) + (SELECT count(*) FROM jari.ledger) + (SELECT count(*) FROM jari.seat)'), '0');
		assert.equal(await pg.sql('SELECT name FROM jari.queue'), 'main');
		await pg.sql('DROP TRIGGER slow ON jari.audit_log');
		await eventually('its lock is gone', async () => (await pg.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) === '0', 5000);
		copies(some.store, pg.url);
		assert.equal(await pg.sql('SELECT count(*) FROM jari.users'), '1');
	});

	it('leaves a file empty, and can be made again', { timeout: 60000 }, async () => {
		const file = path.join(some.dir, 'killed.db');
		const other = pg.session();
		other.say("BEGIN; LOCK TABLE jari.audit_log IN ACCESS EXCLUSIVE MODE; SELECT 'it is locked';"); // the last table that is read
		await other.heard('it is locked');
		try {
			await killed(pg.url, `sqlite:${file}`, async () => (await pg.sql("SELECT count(*) FROM pg_locks WHERE relation = 'jari.audit_log'::regclass AND NOT granted")) === '1');
		} finally {
			await other.end();
		}
		const s = new Server({ dir: some.dir, store: `sqlite:${file}` });
		await s.start();
		const { concerts } = await s.ok(200, 'GET', '/api/concerts');
		await s.stop();
		assert.deepEqual(concerts, [], 'nothing of it is there');
		await eventually('the old connection is gone', async () => (await pg.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) === '0', 5000);
		copies(pg.url, `sqlite:${file}`);
		await s.start();
		assert.equal((await s.ok(200, 'GET', '/api/concerts')).concerts.length, 1);
		await s.stop();
	});
});
