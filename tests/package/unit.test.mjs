// packaging/jari.service: systemd takes it, it leaves little open, and Jari does all of its work within it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { newCertificate } from '../api/certificates.mjs';
import { cleanEnv, eventually, jari, releaseBinary, ROOT, Server, tempFolder } from '../api/harness.mjs';
import { Postgres } from '../api/pg.mjs';

const UNIT = path.join(ROOT, 'packaging/jari.service');
const SANDBOX = path.join(ROOT, 'tests/package/sandbox.py');
const PYTHON = '/usr/bin/python3'; // Debian's, for which Debian's python3-seccomp is
const EXPOSURE_MAX = 2.0;
const text = fs.readFileSync(UNIT, 'utf8');

function run(command, args, options = {}) {
	const r = spawnSync(command, args, { encoding: 'utf8', timeout: 60000, env: cleanEnv({ SYSTEMD_LOG_LEVEL: 'warning' }), ...options });
	assert.equal(r.error, undefined, `${command} is there (script/bootstrap)`);
	return { ...r, said: `${command} ${args.join(' ')}\n  status: ${r.status} (signal ${r.signal})\n  stdout: ${r.stdout}\n  stderr: ${r.stderr}` };
}

function value(name) {
	const found = [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))];
	assert.equal(found.length, 1, `${name}= stands in the unit once`);
	return found[0][1];
}

function limit(name) {
	const found = new RegExp(`^#define ${name} (\\d+)`, 'm').exec(fs.readFileSync(path.join(ROOT, 'src/base/limits.h'), 'utf8'));
	assert.ok(found, `limits.h has ${name}`);
	return Number(found[1]);
}

function exposure(unit) {
	const dir = tempFolder();
	const file = path.join(dir, 'jari.service');
	fs.writeFileSync(file, unit);
	const r = run('systemd-analyze', ['security', '--offline=true', '--no-pager', file], { env: cleanEnv({ SYSTEMD_LOG_LEVEL: 'warning', LC_ALL: 'C.UTF-8' }) });
	fs.rmSync(dir, { recursive: true });
	const level = /Overall exposure level for jari\.service: ([0-9.]+)/.exec(r.stdout);
	assert.ok(level, `it says how exposed the unit is\n  ${r.said}`);
	return Number(level[1]);
}

describe('jari.service', () => {
	it('leaves at most 2.0 open to systemd-analyze security', () => {
		assert.ok(exposure(text) <= EXPOSURE_MAX, `exposure ${exposure(text)}`);
		// And the figure means something: without the filter of system calls it is higher.
		assert.ok(exposure(text.replace(/^SystemCallFilter=.*\n/gm, '')) > exposure(text));
	});

	it('is a unit as systemd-analyze verify wants it', () => {
		const dir = tempFolder();
		const file = path.join(dir, 'jari.service');
		// The program and the page are looked for where the package puts them, which is not here.
		fs.writeFileSync(file, text.replace('/usr/bin/jari', releaseBinary()).replace(/^Documentation=.*\n/m, ''));
		const r = run('systemd-analyze', ['verify', '--recursive-errors=no', file]);
		fs.rmSync(dir, { recursive: true });
		assert.equal(r.status, 0, r.said);
		assert.ok(!r.stderr.includes('jari.service'), `without a word about it\n  ${r.said}`);
	});

	it('waits long enough for the end, and ends with the signal that means it', () => {
		assert.equal(value('KillSignal'), 'SIGTERM');
		assert.ok(Number(value('TimeoutStopSec')) >= limit('JARI_STOP_SECONDS'));
		assert.equal(value('Type'), 'notify', 'so that Jari can ask for more time (cli/notify.h)');
		assert.ok(Number(value('TasksMax')) > limit('JARI_THREADS_MAX') + 16);
	});

	// What systemd is told, by one who stands for it: Node has no sockets of this kind.
	it('hears when it is ready, and how long the end may take', () => {
		const dir = tempFolder();
		const manager = `
import os, signal, socket, subprocess, sys
name = os.path.join(sys.argv[1], "notify")
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(name)
s.settimeout(20)
p = subprocess.Popen(sys.argv[2:], env=dict(os.environ, NOTIFY_SOCKET=name), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
try:
    print(s.recv(1000))
    print(p.stdout.readline()[:24])  # it was written before: whoever was told can connect
    p.send_signal(signal.SIGTERM)
    print(s.recv(1000))
    print(p.wait(20))
finally:
    p.kill()
`;
		const r = run(PYTHON, ['-c', manager, dir, releaseBinary(), 'serve', '--listen', '127.0.0.1:0', '--drain-seconds', '2', '--store', `sqlite:${dir}/jari.db`]);
		fs.rmSync(dir, { recursive: true });
		assert.equal(r.stdout, `b'READY=1'\nb'listening on http://127.'\nb'STOPPING=1\\nEXTEND_TIMEOUT_USEC=${(2 + limit('JARI_STOP_SECONDS')) * 1e6}'\n0\n`, r.said);
	});

	it('names options that there are', () => {
		const set = [...text.matchAll(/^Environment=(\w+)=(.*)$/gm)].map((m) => [m[1], m[2]]);
		const help = jari(['serve', '--help'], { bin: releaseBinary() }).stdout;
		assert.ok(set.length > 0);
		for (const [name] of set) assert.ok(help.includes(name), `${name} is an environment variable of jari serve`);
		assert.equal(value('ExecStart'), '/usr/bin/jari serve');
	});
});

// A program that runs the release binary within the unit's rules.
function sandboxed(dir) {
	const file = path.join(dir, 'jari-in-sandbox');
	fs.writeFileSync(file, `#!/bin/sh\nexec ${PYTHON} '${SANDBOX}' '${UNIT}' '${releaseBinary()}' "$@"\n`, { mode: 0o755 });
	return file;
}

// Everybody's way through Jari, once.
async function sale(s) {
	const c = await s.makeConcert({ capacity: 3 });
	const a = await s.buyer(c, 1_000_000);
	const b = await s.buyer(c, 1_000_000);
	const held = await s.hold(a, c, { seatNumber: 7 }, { key: 'hold-7' });
	await s.noHold('SEAT_TAKEN', b, c, { seatNumber: 7 });
	await s.pay(a, held);
	await s.cancel(b, await s.hold(b, c, { bestAvailable: { count: 2 } }));
	await s.seats(b, c);
	await s.patchQueue(c.queueId, { capacity: 5, paused: true });
	await s.ok(200, 'GET', `/api/${a.userId}/histories`, { token: a.token });
	assert.equal((await s.reservation(a, held)).status, 'PAID');
	for (const target of ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs', '/', '/admin'])
		assert.equal((await s.api('GET', target)).status, 200, target);
	for (const target of ['/api/admin/stats', '/api/admin/series', '/api/admin/audit-log', `/api/admin/concerts/${c.concertId}/sales.csv`])
		assert.equal((await s.api('GET', target, { admin: true })).status, 200, target);
	const { text: stream } = await s.raw(`GET /api/check/events HTTP/1.1\r\nHost: jari\r\nAuthorization: Bearer ${b.token}\r\n\r\n`, { until: 9, wait: 700 });
	assert.match(stream, /event: ticket/);
	return { a, held };
}

describe('within the unit’s rules', () => {
	const dir = tempFolder();
	const bin = sandboxed(dir);
	const postgres = new Postgres();
	before(() => postgres.make(), { timeout: 60000 });
	after(async () => {
		await postgres.remove();
		fs.rmSync(dir, { recursive: true, force: true });
	});

	it('forbidden is forbidden', () => {
		const python = (code) => run(PYTHON, [SANDBOX, UNIT, PYTHON, '-c', code]);
		const works = python('import socket; socket.socket(); socket.socket(socket.AF_UNIX); print("fine")');
		assert.equal(works.stdout, 'fine\n', works.said);
		for (const [what, code] of [
			['a raw socket', 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'],
			['memory that is written and run', 'import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)'],
			['namespaces', 'import ctypes, os; r = ctypes.CDLL(None, use_errno=True).unshare(0x10000000); os._exit(0 if r == 0 else 1)'],
		])
			assert.equal(python(code).status, 1, `${what}: ${python(code).said}`);
		for (const [what, code] of [
			['another user', 'import os; os.setuid(os.getuid())'],
			['a mount', 'import ctypes; ctypes.CDLL(None).mount(b"none", b"/tmp", b"tmpfs", 0, None)'],
			['another’s memory', 'import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)'],
		])
			assert.equal(python(code).signal, 'SIGSYS', `${what}: ${python(code).said}`);
	});

	it('a whole sale, a kill, a restart, a backup and an audit, with SQLite', async () => {
		const s = await new Server({ bin }).start();
		const { a, held } = await sale(s);
		await s.kill9();
		await s.start();
		assert.equal((await s.reservation(a, held)).status, 'PAID');
		const backup = jari(['backup', path.join(s.dir, 'copy.db'), '--store', s.store], { bin });
		assert.equal(backup.status, 0, backup.stderr);
		await s.end(); // with an audit
	});

	it('TLS, and a new certificate at SIGHUP', async () => {
		const pair = newCertificate(dir, 'first');
		const s = await new Server({ bin, ca: pair.pem, args: ['--tls-cert', pair.cert, '--tls-key', pair.key] }).start();
		const c = await s.makeConcert();
		const a = await s.buyer(c, 1_000_000);
		await s.pay(a, await s.hold(a, c, { seatNumber: 7 }));
		const said = s.log.length;
		s.child.kill('SIGHUP');
		await eventually('the files are read again', () => s.log.slice(said).includes('info tls_certificate'), 10000);
		assert.equal((await s.api('GET', '/readyz')).status, 200);
		await s.end();
	});

	it('keys that it makes by itself', async () => {
		const s = await new Server({ bin, adminKey: null }).start();
		assert.equal(fs.statSync(`${s.file}.admin-key`).mode & 0o777, 0o600);
		await s.ok(200, 'GET', '/api/admin/queues', { admin: fs.readFileSync(`${s.file}.admin-key`, 'utf8').trim() });
		await s.end();
	});

	it('a whole sale with PostgreSQL, found by its name', async () => {
		const keys = { JARI_ADMIN_KEY: 'an-admin-key-for-tests-0123456789abcdef', JARI_TOKEN_KEY: '0123456789abcdef'.repeat(4) };
		const s = await new Server({ bin, store: postgres.url.replace('127.0.0.1', 'localhost'), env: keys }).start();
		await sale(s);
		await s.end();
	});
});
