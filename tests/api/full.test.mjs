// The disk under the real server has no room left: changes are refused with 503, everything can be read, /readyz says why; and when there is room
// again it goes on by itself, with nothing lost and nothing done twice.
//
// The disk is a small file system of the test's own, mounted where nobody else sees it; and, so that this is tested where mounting is not possible
// too, a limit on the size of the server's files, which needs no right at all.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually, jari, Server, show, sleep, tempFolder, told } from './harness.mjs';

const SIZE_KB = 6144;
const BACK_MS = 20000; // it tries ten times a second; a busy machine may take its time
const TRIES = 20000; // changes for which the log has room at most

// A tmpfs in a mount namespace that lives as long as the process that holds it.
class SmallDisk {
	static holder(dir, how) {
		return new Promise((resolve) => {
			const script = `mount -t tmpfs -o size=${SIZE_KB}k,mode=755 jari "$0" && echo mounted && exec cat`;
			const child = spawn('unshare', [...how, 'sh', '-c', script, dir], { stdio: ['pipe', 'pipe', 'pipe'] });
			let said = '';
			child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
			child.stdout.setEncoding('utf8').on('data', () => resolve({ child, how }));
			child.on('error', (e) => resolve({ why: e.message }));
			child.on('close', () => resolve({ why: said.trim() }));
		});
	}

	// Why not, when it can't be had.
	async make() {
		this.dir = tempFolder();
		let why = '';
		for (const how of [['--mount'], ['--user', '--map-root-user', '--mount']]) {
			this.held = await SmallDisk.holder(this.dir, how);
			if (this.held.child) break;
			why += `unshare ${how.join(' ')}: ${this.held.why}; `;
		}
		if (!this.held.child) return why;
		const { child, how } = this.held;
		this.launch = ['nsenter', `--target=${child.pid}`, '--mount', ...(how.length > 1 ? ['--user', '--preserve-credentials'] : [])];
		this.seen = `/proc/${child.pid}/root${this.dir}`;
		return undefined;
	}

	// In small pieces at the end, so that no block is left.
	fill() {
		const file = fs.openSync(path.join(this.seen, 'ballast'), 'a');
		for (let size = 65536; size >= 1; ) {
			try {
				fs.writeSync(file, Buffer.alloc(size, 'x'));
			} catch (e) {
				assert.equal(e.code, 'ENOSPC');
				size = Math.floor(size / 2);
			}
		}
		fs.closeSync(file);
	}

	makeRoom() {
		fs.unlinkSync(path.join(this.seen, 'ballast'));
	}

	end() {
		this.held.child?.stdin.end();
	}
}

// The server's files may not grow, as for a user whose quota is used up.
class SizeLimit {
	async make() {
		this.dir = tempFolder();
		this.launch = [];
		return undefined;
	}

	limit(bytes) {
		const r = spawnSync('prlimit', ['--pid', String(this.server.child.pid), `--fsize=${bytes}:unlimited`], { encoding: 'utf8' });
		assert.equal(r.status, 0, `prlimit: ${r.error ?? r.stderr}`);
	}

	fill() {
		const size = (suffix) => fs.statSync(path.join(this.dir, `jari.db${suffix}`)).size;
		this.limit(Math.max(size(''), size('-wal')));
	}

	makeRoom() {
		this.limit('unlimited');
	}

	end() {}
}

function fullDisk(title, disk, { mayBeMissing }) {
	describe(title, () => {
		let s;
		let missing;
		before(async () => {
			missing = await disk.make();
			if (missing) return;
			s = new Server({ dir: disk.dir, launch: disk.launch });
			disk.server = s;
			await s.start();
		}, { timeout: 60000 });
		after(async () => {
			try {
				if (s) await s.end();
			} finally {
				disk.end();
			}
		}, { timeout: 60000 });

		const readyz = () => s.api('GET', '/readyz');
		const refused = async (method, target, options) => {
			const p = await s.no('STORE_UNAVAILABLE', method, target, options);
			assert.match(p.reply.headers['retry-after'] ?? '', /^\d+$/, told(p.reply));
		};

		// Fills the disk, and asks for changes until none is taken any more. The balance afterwards, and the key that was refused.
		async function useUp(t, balance, round) {
			disk.fill();
			for (let i = 0; i < TRIES; i++) {
				const key = `round-${round}-${i}`;
				const r = await s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1 }, key });
				if (r.status === 200) {
					balance += 1;
					assert.equal(r.json.balance, balance, told(r));
					continue;
				}
				assert.equal(r.json.code, 'STORE_UNAVAILABLE', told(r));
				await sleep(500);
				if ((await readyz()).status === 503) return { balance, key };
			}
			return assert.fail('the disk does not get full');
		}

		it('changes are refused, all is read, and it goes on by itself', { timeout: 240000 }, async (t) => {
			if (missing) {
				assert.ok(mayBeMissing);
				t.diagnostic(`NOT RUN: no file system can be mounted here (${missing})`);
				t.skip(`no file system can be mounted here: ${missing}`);
				return;
			}
			const c = await s.makeConcert();
			const a = await s.buyer(c, 100000);
			const b = await s.buyer(c, 100000);
			const held = await s.hold(a, c, { seatNumbers: [1, 2] });
			let balance = 100000;
			for (let round = 0; round < 3; round++) {
				const full = await useUp(a, balance, round);
				balance = full.balance;

				await refused('POST', `/api/${a.userId}/charge`, { token: a.token, body: { amount: 1 }, key: full.key });
				await refused('POST', '/api/getToken', { body: { username: `late-${round}`, concertId: c.concertId } });
				await refused('POST', `/api/booking/${c.concertId}/seat`, { token: b.token, body: { showId: c.showId, seatNumbers: [3] } });
				await refused('POST', `/api/${held.reservationId}/payment`, { token: a.token, body: {} });
				await refused('DELETE', `/api/reservations/${held.reservationId}`, { token: a.token });
				await refused('PATCH', `/api/admin/queues/${c.queueId}`, { admin: true, body: { capacity: 900 - round } });

				for (let i = 0; i < 10; i++) {
					const r = await readyz();
					assert.equal(r.status, 503, told(r));
					assert.match(r.json.detail, /no room left/, told(r));
					await sleep(50);
				}
				await s.ok(200, 'GET', '/healthz');
				assert.equal((await s.check(a.token)).status, 'ACTIVE');
				assert.equal(await s.balance(a), balance);
				assert.equal(await s.balance(b), 100000);
				await s.ok(200, 'GET', '/api/concerts');
				assert.equal(await s.seat(b, c, 1), 'HELD');
				assert.equal(await s.seat(b, c, 3), 'AVAILABLE');
				assert.equal((await s.reservation(a, held)).status, 'HELD');
				assert.ok((await s.ok(200, 'GET', `/api/${a.userId}/histories`, { token: a.token })).histories.length > 0);
				assert.equal((await s.api('GET', '/metrics')).status, 200);

				disk.makeRoom();
				await eventually('/readyz says yes, and nobody has asked for a change', async () => (await readyz()).status === 200, BACK_MS);
				assert.equal((await s.charge(a, 1, { key: full.key })).balance, balance + 1, 'what was refused has not happened');
				assert.equal((await s.charge(a, 1, { key: full.key })).balance, balance + 1, 'and happens once');
				balance += 1;
				assert.equal(await s.balance(a), balance);
				s.audit();
			}
			assert.equal((await s.pay(a, held)).balance, balance - held.totalPrice);
			assert.ok(s.log.split('\n').filter((line) => / error /.test(line)).length < 300, `it does not fill the log: ${show(s.log, 4000)}`);
		});

		it('killed on a full disk and started again on it, it loses nothing', { timeout: 120000 }, async (t) => {
			if (missing) {
				t.skip(`no file system can be mounted here: ${missing}`);
				return;
			}
			const c = await s.makeConcert();
			const a = await s.buyer(c, 5000);
			const { balance } = await useUp(a, 5000, 'killed');
			await s.kill9();
			if (disk instanceof SmallDisk) {
				await s.start();
				assert.equal(await s.balance(a), balance);
				assert.equal((await s.check(a.token)).status, 'ACTIVE');
				disk.makeRoom();
			} else {
				await s.start(); // a new process, without the limit
			}
			assert.equal(await s.balance(a), balance);
			await eventually('/readyz says yes', async () => (await readyz()).status === 200, BACK_MS);
			assert.equal((await s.charge(a, 1)).balance, balance + 1);
			s.audit();
		});

		if (disk instanceof SmallDisk)
			it('stopped in order, it needs a little room to start, and says so', { timeout: 60000 }, async (t) => {
				if (missing) {
					t.skip(`no file system can be mounted here: ${missing}`);
					return;
				}
				await s.stop();
				disk.fill();
				const r = jari(['serve', '--listen', '127.0.0.1:0', '--store', s.store], { launch: disk.launch, timeout: 20000 });
				assert.equal(r.status, 1, show(r));
				assert.match(r.stderr, /there is no room left on the disk of .*jari\.db/);
				disk.makeRoom();
				await s.start();
				s.audit();
			});
	});
}

fullDisk('a file system without room', new SmallDisk(), { mayBeMissing: true });
fullDisk('a limit on the size of files', new SizeLimit(), { mayBeMissing: false });
