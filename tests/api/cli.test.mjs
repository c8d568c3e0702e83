// The command line: options, exit statuses, keys, audit, backup, import, and how the server ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { ADMIN_KEY, binary, cleanEnv, eventually, jari, many, newAgent, parseReplies, ROOT, serverHere, Server, show, sleep, tempFolder, told } from './harness.mjs';

// A `jari` that must fail at once, with this status and one clear line.
function fails(status, args, words, options = {}) {
	const r = jari(args, { timeout: 15000, env: { JARI_ADMIN_KEY: ADMIN_KEY, ...options.env }, ...options });
	const say = `jari ${args.join(' ')}\n  status: ${r.status} (signal ${r.signal})\n  stdout: ${r.stdout}\n  stderr: ${r.stderr}`;
	assert.equal(r.status, status, `expected status ${status}\n  ${say}`);
	assert.equal(r.stdout, '', `nothing on standard output\n  ${say}`);
	// What the log says on the way (where a key comes from) is no complaint.
	const lines = r.stderr.split('\n').filter((line) => line !== '' && !/^\d{4}-\d\d-\d\dT\S+ (debug|info) /.test(line));
	assert.ok(lines.length >= 1 && lines.length <= 2, `one clear line, and at most one on what to do\n  ${say}`);
	assert.ok(lines.every((line) => line.length < 400), `no novel\n  ${say}`);
	assert.match(lines.join('\n'), words, say);
	assert.ok(!/Sanitizer|runtime error/.test(r.stderr), say);
	return r;
}

describe('options', () => {
	const dir = tempFolder();
	const store = ['--store', `sqlite:${path.join(dir, 'options.db')}`];
	const serve = ['serve', '--listen', '127.0.0.1:0', ...store];

	it('--help names every command and option of the contract', () => {
		const r = jari(['--help']);
		assert.equal(r.status, 0);
		for (const word of ['serve', 'import', 'audit', 'backup', '--version', '--listen', '--store', '--demo', '--hold-seconds', '--active-seconds', '--queue-capacity', '--seats-per-user', '--admin-key-file', '--threads', 'JARI_HOLD_SECONDS', 'JARI_ADMIN_KEY'])
			assert.ok(r.stdout.includes(word), `--help says ${word}\n${r.stdout}`);
		for (const command of ['serve', 'import', 'audit', 'backup']) {
			const one = jari([command, '--help']);
			assert.equal(one.status, 0, `${command} --help`);
			assert.ok(one.stdout.includes('--store'), `${command} --help says --store\n${one.stdout}`);
		}
	});

	it('what is closed stays free of what else is opened', { timeout: 60000 }, async () => {
		const free = net.createServer();
		await new Promise((resolve) => free.listen(0, '127.0.0.1', resolve));
		const { port } = free.address();
		await new Promise((resolve) => free.close(resolve));
		for (const [i, which] of ['2>&-', '>&-', '0<&- >&- 2>&-'].entries()) {
			const file = path.join(dir, `closed${i}.db`);
			const closed = ['sh', '-c', `exec "$@" ${which}`, 'sh', binary()];
			const child = spawn(closed[0], [...closed.slice(1), 'serve', '--listen', `127.0.0.1:${port}`, '--store', `sqlite:${file}`], {
				env: cleanEnv({ JARI_ADMIN_KEY: ADMIN_KEY }),
				stdio: 'ignore',
			});
			const ended = new Promise((resolve) => child.once('exit', (status) => resolve(status)));
			try {
				await eventually('it answers', () => fetch(`http://127.0.0.1:${port}/healthz`).then((r) => r.ok, () => false), 20000);
			} finally {
				child.kill('SIGTERM');
			}
			assert.equal(await ended, 0, which);
			assert.equal(fs.readFileSync(`${file}-lock`, 'utf8'), '', `${which}: the log is not in the lock file`);
			const version = jari(['--version'], { launch: closed.slice(0, 4) });
			assert.equal(version.status, which === '2>&-' ? 0 : 1, `${which}: what can't be written is told`);
		}
	});

	it('--version is one line', () => {
		const r = jari(['--version']);
		assert.equal(r.status, 0);
		assert.match(r.stdout, /^jari \d+\.\d+\.\d+\S*\n$/);
	});

	it('what is wrong on the command line is status 2', () => {
		fails(2, [], /jari|command/i);
		fails(2, ['nonsense'], /nonsense/);
		fails(2, [...serve, '--no-such-option'], /no-such-option/);
		fails(2, [...serve, '--no-such-option=5'], /no-such-option/);
		fails(2, [...serve, 'extra'], /extra/);
		fails(2, [...serve, '--hold-seconds'], /hold-seconds/);
		for (const value of ['0', '-1', 'x', '1.5', '1e3', '5s', ' 5', '', '99999999999999999999']) fails(2, [...serve, '--hold-seconds', value], /hold-seconds/);
		for (const option of ['active-seconds', 'queue-capacity', 'seats-per-user', 'threads']) fails(2, [...serve, `--${option}`, 'many'], new RegExp(option));
		for (const listen of ['127.0.0.1', ':x', '127.0.0.1:99999', '127.0.0.1:-1', 'no.such.name.invalid:80', '']) fails(2, ['serve', ...store, '--listen', listen], /listen/);
		fails(2, ['import', ...store], /FILE|file/);
		fails(2, ['backup', ...store], /DEST|file|dest/i);
		assert.ok(!fs.existsSync(path.join(dir, 'options.db')), 'no store was made');
	});

	it('so is an environment variable that is wrong, and it is named', () => {
		fails(2, serve, /JARI_HOLD_SECONDS/, { env: { JARI_HOLD_SECONDS: 'soon' } });
	});

	it('an address that others can reach needs --open-accounts', async () => {
		const r = jari(['serve', '--listen', '0.0.0.0:0', ...store], { timeout: 10000, env: { JARI_ADMIN_KEY: ADMIN_KEY } });
		assert.ok([1, 2].includes(r.status), `refused: ${show(r)}`);
		assert.match(r.stderr, /open-accounts/);
		const child = spawn(binary(), ['serve', '--listen', '0.0.0.0:0', ...store, '--open-accounts'], { env: cleanEnv({ JARI_ADMIN_KEY: ADMIN_KEY }), stdio: ['ignore', 'pipe', 'ignore'] });
		try {
			let out = '';
			child.stdout.on('data', (text) => (out += text));
			await eventually('it listens with --open-accounts', async () => /^listening on http:\/\/0\.0\.0\.0:\d+\n/.test(out), 15000);
		} finally {
			const ended = new Promise((resolve) => child.on('close', resolve));
			child.kill('SIGTERM');
			assert.equal(await ended, 0);
		}
	});

	after(() => fs.rmSync(dir, { recursive: true, force: true }));
});

describe('stores that are none', () => {
	const dir = tempFolder();
	const serve = (store) => ['serve', '--listen', '127.0.0.1:0', '--store', store];

	it('a missing folder, a folder, a text, another’s database, an unknown kind', () => {
		fails(1, serve(`sqlite:${dir}/missing/jari.db`), /missing/);
		fails(1, serve(`sqlite:${dir}`), /./);
		const text = path.join(dir, 'text.db');
		const words = 'this is no database, it is a letter to somebody\n'.repeat(100);
		fs.writeFileSync(text, words);
		fails(1, serve(`sqlite:${text}`), /text\.db/);
		assert.equal(fs.readFileSync(text, 'utf8'), words, 'the letter is as it was');
		fails(1, ['audit', '--store', `sqlite:${text}`], /text\.db/);
		assert.deepEqual(fs.readdirSync(dir).filter((name) => /^text\.db-(wal|shm|journal)$/.test(name)), [], 'and no half a database lies beside it');
		const r = jari(serve('mongodb://x'), { env: { JARI_ADMIN_KEY: ADMIN_KEY }, timeout: 10000 });
		assert.ok([1, 2].includes(r.status) && /store|mongodb/.test(r.stderr), show(r));
	});

	it('one in memory is, and the log says that it goes with the server', async () => {
		const s = await new Server({ store: 'memory:' }).start();
		await s.join('somebody');
		await s.stop();
		assert.match(s.log, / warn store_in_memory lasts="[^"]*until this server ends/);
		assert.doesNotMatch((await new Server().start().then(async (kept) => (await kept.end(), kept))).log, /store_in_memory/);
	});

	it('audit, backup and import of a store that is not there', () => {
		const none = `sqlite:${path.join(dir, 'none.db')}`;
		fails(1, ['audit', '--store', none], /none\.db/);
		fails(1, ['backup', path.join(dir, 'copy.db'), '--store', none], /none\.db/);
		assert.ok(!fs.existsSync(path.join(dir, 'none.db')), 'no store was made by looking for it');
		assert.ok(!fs.existsSync(path.join(dir, 'copy.db')));
	});

	after(() => fs.rmSync(dir, { recursive: true, force: true }));
});

describe('two servers', () => {
	const s = serverHere();

	it('a port in use is status 1, and the first server goes on', async () => {
		fails(1, ['serve', '--listen', `127.0.0.1:${s.port}`, '--store', `sqlite:${s.dir}/other.db`], new RegExp(String(s.port)));
		await s.ok(200, 'GET', '/healthz');
	});

	it('a store that another server has open is status 1, and so is an import into it', async () => {
		const t = await s.join('first');
		fails(1, ['serve', '--listen', '127.0.0.1:0', '--store', s.store], /jari\.db/);
		const file = path.join(s.dir, 'more.json');
		fs.writeFileSync(file, JSON.stringify({ queues: [{ name: 'imported', capacity: 1 }], concerts: [] }));
		fails(1, ['import', file, '--store', s.store], /jari\.db/);
		assert.equal((await s.check(t.token)).status, 'ACTIVE');
		assert.equal((await s.ok(200, 'GET', '/api/admin/queues', { admin: true })).queues.length, 1);
	});
});

describe('options in the environment', () => {
	const s = serverHere({ env: { JARI_HOLD_SECONDS: '42', JARI_ACTIVE_SECONDS: '77', JARI_QUEUE_CAPACITY: '3', JARI_SEATS_PER_USER: '1', JARI_THREADS: '3' } });

	it('are as on the command line', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		assert.equal(Date.parse(t.expiresAt) - Date.parse(t.issuedAt), 77000);
		const r = await s.hold(t, c, { seatNumber: 1 });
		assert.equal(Date.parse(r.heldUntil) - Date.parse(r.createdAt), 42000);
		await s.noHold('LIMIT_EXCEEDED', t, c, { seatNumber: 2 });
		assert.equal((await s.queue(1)).capacity, 3);
	});

	it('--queue-capacity is for a new store only', async () => {
		s.env.JARI_QUEUE_CAPACITY = '9';
		await s.restart();
		assert.equal((await s.queue(1)).capacity, 3);
	});
});

describe('--demo', () => {
	const s = serverHere({ args: ['--demo'] });

	it('fills an empty store once, and something can be bought', async () => {
		const { concerts } = await s.ok(200, 'GET', '/api/concerts');
		assert.ok(concerts.length > 0);
		await s.restart();
		assert.deepEqual((await s.ok(200, 'GET', '/api/concerts')).concerts, concerts, 'not twice');
		let bought = 0;
		for (const c of concerts) {
			const t = await s.join(s.name('demo'), c.concertId);
			if (t.status !== 'ACTIVE') continue;
			const { dates } = await s.ok(200, 'GET', `/api/booking/${c.concertId}/list/time`, { token: t.token });
			if (dates.length === 0) continue;
			const r = await s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, body: { showId: dates[0].showId, bestAvailable: { count: 1 } } });
			if (r.json?.code === 'SALES_NOT_OPEN') continue;
			assert.equal(r.status, 201, told(r));
			if (r.json.totalPrice) await s.charge(t, r.json.totalPrice);
			await s.pay(t, r.json);
			bought += 1;
		}
		assert.ok(bought > 0, 'one concert of the demo can be booked');
	});
});

describe('--demo on a store that has queues', () => {
	const s = serverHere();

	it('adds nothing, and starts', async () => {
		const { queues } = JSON.parse(fs.readFileSync(path.join(ROOT, 'src/cli/demo/catalogue.json'), 'utf8'));
		await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: { queues: queues.slice(0, 1), concerts: [] } });
		s.args = ['--demo'];
		await s.restart();
		assert.deepEqual((await s.ok(200, 'GET', '/api/concerts')).concerts, []);
	});
});

describe('keys and what is kept secret', () => {
	const s = serverHere({ adminKey: '' });

	it('without a key one is made, in a file that only its owner can read; its place is logged, the key is not', async () => {
		const files = fs.readdirSync(s.dir).filter((name) => /key/.test(name));
		assert.ok(files.length >= 1, `a key file: ${fs.readdirSync(s.dir)}`);
		for (const name of files) assert.equal(fs.statSync(path.join(s.dir, name)).mode & 0o777, 0o600, `${name} is its owner’s alone`);
		const file = files.find((name) => /admin/.test(name));
		assert.ok(file, `the admin key’s file: ${files}`);
		const key = fs.readFileSync(path.join(s.dir, file), 'utf8').trim();
		assert.ok(key.length >= 16, 'long enough');
		await eventually('the log says where the key is', async () => s.log.includes(path.join(s.dir, file)));
		await s.ok(200, 'GET', '/api/admin/queues', { admin: key });
		await s.no('TOKEN_INVALID', 'GET', '/api/admin/queues', { admin: `${key}x` });
		await s.restart();
		await s.ok(200, 'GET', '/api/admin/queues', { admin: key });
		for (const name of files) {
			const secret = fs.readFileSync(path.join(s.dir, name), 'utf8').trim();
			assert.ok(!s.log.includes(secret) && !s.out.includes(secret), `${name} is not in the logs`);
		}
	});

	it('--admin-key-file: the key in it opens; a missing or empty file is refused', async () => {
		const file = path.join(s.dir, 'my-key');
		fs.writeFileSync(file, 'my-own-key-0123456789\n', { mode: 0o600 });
		const other = new Server({ adminKey: '', args: ['--admin-key-file', file] });
		await other.start();
		try {
			await other.ok(200, 'GET', '/api/admin/queues', { admin: 'my-own-key-0123456789' });
		} finally {
			await other.end();
		}
		const serve = ['serve', '--listen', '127.0.0.1:0', '--store', `sqlite:${s.dir}/never.db`, '--admin-key-file'];
		const env = { JARI_ADMIN_KEY: '' };
		fails(1, [...serve, path.join(s.dir, 'missing-key')], /missing-key/, { env });
		fs.writeFileSync(path.join(s.dir, 'empty-key'), '');
		fails(1, [...serve, path.join(s.dir, 'empty-key')], /empty-key/, { env });
	});

	it('a token is neither in the logs nor in the store', async () => {
		const tickets = await many(20, 5, (i) => s.join(`secret${i}`));
		for (const t of tickets) {
			await s.charge(t, 10, { key: `key-of-${t.username}` });
			await s.no('INVALID_REQUEST', 'POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 0 } });
			await s.no('USER_NOT_FOUND', 'GET', `/api/404404?token=${t.token}`, { token: t.token });
		}
		const look = (when) => {
			for (const name of fs.readdirSync(s.dir)) {
				const bytes = fs.readFileSync(path.join(s.dir, name));
				for (const t of tickets) {
					const plain = t.token.replaceAll('-', '');
					for (const [what, needle] of [['text', Buffer.from(t.token)], ['digits', Buffer.from(plain)], ['capitals', Buffer.from(t.token.toUpperCase())], ['bytes', Buffer.from(plain, 'hex')]])
						assert.ok(!bytes.includes(needle), `${when}: the token of ${t.username} is in ${name} as ${what}`);
				}
			}
			for (const t of tickets) assert.ok(!s.log.includes(t.token) && !s.log.includes(t.token.slice(0, 18)), `${when}: a token is in the log`);
		};
		assert.ok(fs.readdirSync(s.dir).includes('jari.db'));
		look('while it runs');
		await s.restart();
		look('after a restart');
		assert.equal((await s.check(tickets[0].token)).number, tickets[0].number, 'the token is good after a restart');
	});
});

describe('audit', () => {
	const s = serverHere();

	it('is 0 on a good store, with a line for each check, while the server runs and after', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 987654321);
		await s.pay(t, await s.hold(t, c, { seatNumber: 1 }));
		const b = await s.buyer(c, 123454321);
		await s.hold(b, c, { seatNumber: 2 });
		const r = s.audit();
		for (const name of ['I1', 'I2', 'I3', 'I5', 'I6']) assert.match(r.stdout, new RegExp(`\\b${name}\\b`), `a line for ${name}\n${r.stdout}`);
		await s.stop();
		s.audit();
		await s.start();
	});

	it('is 1 on a store in which one amount was changed', async () => {
		await s.stop();
		// A balance stands in the file as a big-endian number. Each of its places is spoilt on a copy of its own.
		const file = fs.readFileSync(s.file);
		const needle = Buffer.alloc(4);
		needle.writeUInt32BE(123454321);
		const places = [];
		for (let at = file.indexOf(needle); at >= 0; at = file.indexOf(needle, at + 1)) places.push(at);
		assert.ok(places.length >= 2, `a balance and its entry are in the file: ${places}`);
		let caught = 0;
		for (const [i, at] of places.entries()) {
			const copy = path.join(s.dir, `spoilt-${i}.db`);
			const bytes = Buffer.from(file);
			bytes[at + 3] ^= 1;
			fs.writeFileSync(copy, bytes);
			const r = jari(['audit', '--store', `sqlite:${copy}`]);
			assert.ok([0, 1].includes(r.status), show(r));
			if (r.status === 1) {
				caught += 1;
				assert.match(r.stdout + r.stderr, /I3/, `says which: ${show(r)}`);
			}
		}
		assert.ok(caught >= 2, `${caught} of ${places.length} changes were noticed`);
		await s.start();
	});
});

describe('backup', () => {
	const s = serverHere();

	it('copies a running server’s store, and a server runs on the copy', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 70000);
		const r = await s.hold(t, c, { seatNumber: 9 });
		const waiting = await s.join('waits-not', c.concertId);
		let on = true;
		const load = (async () => {
			for (let i = 0; on; i++) await s.join(`load${i}`);
		})();
		const dir = tempFolder();
		const dest = path.join(dir, 'copy.db');
		const b = jari(['backup', dest, '--store', s.store]);
		on = false;
		await load;
		assert.equal(b.status, 0, show(b));
		const size = fs.statSync(dest).size;
		fails(1, ['backup', dest, '--store', s.store], /copy\.db/);
		assert.equal(fs.statSync(dest).size, size, 'a file that is there is not overwritten');
		fails(1, ['backup', path.join(dir, 'missing', 'x.db'), '--store', s.store], /missing/);
		await s.charge(t, 1);

		// The key of the tokens lies beside the store and belongs to the backup.
		for (const name of fs.readdirSync(s.dir)) if (name.endsWith('.token-key')) fs.copyFileSync(path.join(s.dir, name), `${dest}.token-key`);
		const copy = new Server({ dir, store: `sqlite:${dest}` });
		copy.audit();
		await copy.start();
		try {
			assert.equal(await copy.balance(t), 70000, 'as it was when it was copied');
			assert.deepEqual(await copy.reservation(t, r), r);
			assert.equal((await copy.pay(t, r)).balance, 20000);
			assert.equal((await copy.check(waiting.token)).number, waiting.number);
		} finally {
			await copy.end();
		}
		assert.equal(await s.balance(t), 70001, 'the original knows nothing of it');
	});
});

describe('import', () => {
	const s = serverHere();
	const doc = { queues: [{ name: 'imported', capacity: 5 }], concerts: [{ title: 'Imported', artist: 'A', venue: 'V', queue: 'imported', shows: [{ startsAt: '2099-12-24T19:00:00+09:00', seats: [{ section: 'S', from: 1, to: 3, price: 10 }] }] }] };

	it('takes the same document, all of it or nothing', async () => {
		await s.stop();
		const file = path.join(s.dir, 'catalogue.json');
		const put = (text) => fs.writeFileSync(file, text);
		put(JSON.stringify(doc));
		const r = jari(['import', file, '--store', s.store]);
		assert.equal(r.status, 0, show(r));
		fails(1, ['import', file, '--store', s.store], /queues\[0\]/);
		put(JSON.stringify({ concerts: [doc.concerts[0], { ...doc.concerts[0], title: '' }] }));
		fails(1, ['import', file, '--store', s.store], /concerts\[1\]/);
		put('{"concerts":[}');
		fails(1, ['import', file, '--store', s.store], /catalogue\.json/);
		put('');
		fails(1, ['import', file, '--store', s.store], /catalogue\.json/);
		fails(1, ['import', path.join(s.dir, 'nowhere.json'), '--store', s.store], /nowhere\.json/);
		s.audit();
		await s.start();
		const { concerts } = await s.ok(200, 'GET', '/api/concerts');
		assert.deepEqual(concerts.map((c) => c.title), ['Imported']);
		const { queues } = await s.ok(200, 'GET', '/api/admin/queues', { admin: true });
		assert.deepEqual(queues.map((q) => [q.name, q.capacity]), [['main', 100], ['imported', 5]]);
		const log = await s.ok(200, 'GET', '/api/admin/audit-log', { admin: true });
		assert.equal(log.entries.length, 1, `the import is in the audit log, the refused ones are not: ${show(log)}`);
	});

	it('makes a new store where there is none', () => {
		const dir = tempFolder();
		const file = path.join(dir, 'c.json');
		fs.writeFileSync(file, JSON.stringify(doc));
		const store = `sqlite:${path.join(dir, 'new.db')}`;
		assert.equal(jari(['import', file, '--store', store]).status, 0);
		assert.equal(jari(['audit', '--store', store]).status, 0);
		fs.rmSync(dir, { recursive: true, force: true });
	});
});

describe('the end', () => {
	for (const signal of ['SIGTERM', 'SIGINT'])
		it(`${signal}: what is in flight is answered, what was answered is there, status 0`, async () => {
			const s = new Server();
			await s.start();
			try {
				const t = await s.join('flight');
				const body = '{"amount":1}';
				const request = `POST /api/${t.userId}/charge HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${t.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
				// Connections that are known to the server, each with a request on its way when the signal comes.
				const sockets = await many(60, 60, () => new Promise((resolve, reject) => {
					const socket = net.connect(s.port, '127.0.0.1', () => socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'));
					socket.setEncoding('latin1').once('data', () => resolve(socket));
					socket.on('error', reject);
				}));
				const idle = sockets.splice(50);
				const answers = sockets.map((socket) => new Promise((resolve) => {
					let text = '';
					socket.on('data', (part) => {
						text += part;
						if (parseReplies(text).length) resolve(parseReplies(text)[0]);
					});
					socket.on('close', () => resolve(undefined));
					socket.removeAllListeners('error');
					socket.on('error', () => resolve(undefined));
				}));
				for (const socket of idle) socket.on('error', () => {});
				for (const socket of sockets) socket.write(request);
				await Promise.race(answers);
				const began = Date.now();
				await s.stop(signal);
				assert.ok(Date.now() - began < 6000, `idle connections do not keep it: ${Date.now() - began} ms`);
				const replies = await Promise.all(answers);
				const statuses = replies.map((r) => r?.status ?? 'none');
				assert.deepEqual(statuses.filter((x) => x !== 200), [], 'every request that was on its way is answered');
				await s.start();
				assert.equal(await s.balance(t), 50, 'and every one that was answered has happened');
				for (const socket of [...sockets, ...idle]) socket.destroy();
			} finally {
				await s.end();
			}
		});

	it('--drain-seconds: not ready, and yet everything is served until then', async () => {
		const s = new Server({ args: ['--drain-seconds', '1'] });
		await s.start();
		try {
			const t = await s.join('lingerer');
			const kept = newAgent(1);
			assert.equal((await s.api('GET', '/readyz', { agent: kept })).status, 200);
			const began = Date.now();
			s.child.kill('SIGTERM');
			await eventually('it says that it is not ready', async () => (await s.api('GET', '/readyz')).status === 503);
			const { reply } = await s.no('STOPPING', 'GET', '/readyz');
			assert.equal(reply.headers.connection, 'close', 'no connection is kept any more');
			assert.equal((await s.api('GET', '/healthz', { agent: kept })).status, 200, 'a connection from before is served');
			assert.equal((await s.charge(t, 5)).balance, 5, 'new connections and changes too');
			kept.destroy();
			const { code } = await s.ended;
			assert.equal(code, 0);
			assert.ok(Date.now() - began >= 1000 && Date.now() - began < 5000, `${Date.now() - began} ms`);
			await s.start();
			assert.equal(await s.balance(t), 5);
			s.child.kill('SIGTERM');
			await sleep(100);
			s.child.kill('SIGTERM');
			assert.equal((await s.ended).signal, 'SIGTERM', 'a second signal ends it at once');
			await s.start();
		} finally {
			await s.end();
		}
	});

	it('a request that comes in two halves around SIGTERM is answered', async () => {
		const s = new Server();
		await s.start();
		try {
			const t = await s.join('halves');
			const body = '{"amount":7}';
			const socket = net.connect(s.port, '127.0.0.1');
			let text = '';
			socket.setEncoding('latin1').on('data', (part) => (text += part));
			socket.on('error', () => {});
			socket.write(`POST /api/${t.userId}/charge HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${t.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 4)}`);
			await sleep(100);
			const stopped = s.stop();
			await sleep(100);
			socket.write(body.slice(4));
			await stopped;
			assert.equal(parseReplies(text)[0]?.status, 200, `it was in flight: ${show(text)}`);
			socket.destroy();
			await s.start();
			assert.equal(await s.balance(t), 7);
		} finally {
			await s.end();
		}
	});

	it('standard output has the one line alone', async () => {
		const s = new Server();
		await s.start();
		await s.join('x');
		const out = () => s.out;
		assert.equal(out(), `listening on http://127.0.0.1:${s.port}\n`);
		await s.stop();
		assert.equal(out(), `listening on http://127.0.0.1:${s.port}\n`, 'to the end');
		await s.end();
	});
});
