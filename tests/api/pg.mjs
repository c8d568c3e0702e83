// pg.mjs: a PostgreSQL server of a test's own: in a temporary folder, on a free port of the loopback address, ended with the test.
// PostgreSQL refuses to run as root, so there it runs as the user postgres. And a proxy, as a network that can be cut.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { sleep } from './harness.mjs';

function programs() {
	const base = '/usr/lib/postgresql';
	const versions = fs.existsSync(base) ? fs.readdirSync(base).filter((v) => fs.existsSync(`${base}/${v}/bin/postgres`)) : [];
	assert.ok(versions.length > 0, 'PostgreSQL is installed (script/bootstrap)');
	return `${base}/${versions.sort((a, b) => Number(a) - Number(b)).at(-1)}/bin`;
}

function freePort() {
	return new Promise((resolve, reject) => {
		const server = net.createServer();
		server.on('error', reject);
		server.listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

const running = new Set();
process.on('exit', () => {
	for (const child of running) child.kill('SIGQUIT');
});

// What a killed server leaves behind outside of its folder: a System V segment, named in its lock file.
function forgetMemory(dir) {
	const file = `${dir}/data/postmaster.pid`;
	const id = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n')[6]?.trim().split(/\s+/)[1] : undefined;
	if (id) spawnSync('ipcrm', ['-m', id]);
}

export class Postgres {
	// `settings`: lines of "name=value".
	constructor(settings = []) {
		this.settings = settings;
		this.sessions = new Set();
	}

	get url() {
		return this.urlOf('postgres');
	}

	async #place(port) {
		this.bin = programs();
		this.port = port ?? (await freePort());
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'jari-pg-'));
		this.as = {};
		if (process.getuid() === 0) {
			const id = (what) => Number(spawnSync('id', [what, 'postgres'], { encoding: 'utf8' }).stdout);
			this.as = { uid: id('-u'), gid: id('-g') };
			fs.chownSync(this.dir, this.as.uid, this.as.gid);
		}
	}

	// Not with spawnSync: the test's clients are to go on meanwhile.
	#run(program, args) {
		return new Promise((resolve, reject) => {
			const child = spawn(`${this.bin}/${program}`, args, { ...this.as, cwd: this.dir, stdio: ['ignore', 'ignore', 'pipe'] });
			let said = '';
			child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
			child.on('error', reject);
			child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`${program} ended with status ${status}: ${said}`))));
		});
	}

	async make() {
		await this.#place();
		await this.#run('initdb', ['-D', `${this.dir}/data`, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N', '--wal-segsize=1']);
		return this.start();
	}

	// A standby of another server, taking in what that does when this returns; `by`: the way to it.
	async follow(primary, { port, by = primary.url } = {}) {
		await this.#place(port);
		await this.#run('pg_basebackup', ['-d', by, '-D', `${this.dir}/data`, '-R', '-X', 'stream', '-c', 'fast', '--no-sync', '--no-manifest']);
		await this.start();
		await primary.until("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'", '1');
		return this;
	}

	// Ready when connections are taken.
	async start() {
		const settings = [`unix_socket_directories=${this.dir}`, 'shared_buffers=64MB', 'autovacuum=off', 'max_connections=60', 'dynamic_shared_memory_type=mmap', ...this.settings];
		const args = ['-D', `${this.dir}/data`, '-p', String(this.port), '-h', '127.0.0.1', ...settings.flatMap((s) => ['-c', s])];
		const log = fs.openSync(`${this.dir}/log`, 'a');
		const child = spawn(`${this.bin}/postgres`, args, { ...this.as, cwd: this.dir, stdio: ['ignore', log, log] });
		fs.closeSync(log);
		running.add(child);
		this.child = child;
		this.ended = new Promise((resolve) => {
			child.on('close', () => {
				running.delete(child);
				resolve();
			});
		});
		for (const end = Date.now() + 15000; Date.now() < end; await sleep(50)) {
			if (await this.#run('pg_isready', ['-q', '-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres']).then(() => true, () => false)) return this;
			assert.ok(running.has(child), `PostgreSQL ended: ${fs.readFileSync(`${this.dir}/log`, 'utf8').slice(-2000)}`);
		}
		return assert.fail('PostgreSQL was not ready within 15 s');
	}

	urlOf(database) {
		return `postgresql://postgres@127.0.0.1:${this.port}/${database}`;
	}

	running() {
		return running.has(this.child);
	}

	// SIGQUIT: at once, as in a crash; SIGINT: connections are ended, then all is written.
	async stop(signal = 'SIGINT') {
		this.child.kill(signal);
		await this.ended;
	}

	// The processes of this server, itself the first.
	processes() {
		const { pid } = this.child;
		return [pid, ...fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)];
	}

	signal(signal) {
		for (const pid of this.processes()) process.kill(pid, signal);
	}

	// As if the machine were gone, and its disk with it. Stopped first, so that none outlives another by a moment in which it could answer.
	async destroy() {
		this.signal('SIGSTOP');
		this.signal('SIGKILL');
		await this.ended;
		forgetMemory(this.dir);
		fs.rmSync(this.dir, { recursive: true, force: true });
	}

	async remove() {
		for (const child of this.sessions) child.kill('SIGKILL'); // those that a failed test has left
		if (!this.dir || !fs.existsSync(this.dir)) return;
		if (this.child && running.has(this.child)) await this.stop('SIGQUIT');
		forgetMemory(this.dir);
		fs.rmSync(this.dir, { recursive: true, force: true });
	}

	// A session of psql: `say` sends, `end` gives what it has answered, a row a line, its columns between bars. Errors are an end.
	session(database = 'postgres') {
		const env = { ...process.env, PGOPTIONS: '-c default_transaction_read_only=off -c synchronous_commit=local' };
		const child = spawn(`${this.bin}/psql`, ['-XAtq', '-v', 'ON_ERROR_STOP=1', this.urlOf(database)], { env, cwd: this.dir, stdio: ['pipe', 'pipe', 'pipe'], ...this.as });
		running.add(child);
		this.sessions.add(child);
		let out = '';
		let wrong = '';
		child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
		child.stderr.setEncoding('utf8').on('data', (text) => (wrong += text));
		child.stdin.on('error', () => {}); // it has ended: `end` tells why
		const ended = new Promise((resolve) => child.on('close', (status) => {
			running.delete(child);
			this.sessions.delete(child);
			resolve(status);
		}));
		return {
			say: (sql) => child.stdin.write(`${sql}\n`),
			// Until it has answered with this text.
			heard: async (text) => {
				for (const until = Date.now() + 10000; !out.includes(text); await sleep(20)) assert.ok(Date.now() < until && child.exitCode === null, `psql: ${out}${wrong}`);
			},
			end: async () => {
				child.stdin.end();
				assert.equal(await ended, 0, `psql: ${wrong}`);
				return out.trim();
			},
		};
	}

	sql(text, database = 'postgres') {
		const session = this.session(database);
		session.say(text);
		return session.end();
	}

	// Asks until this is the answer.
	async until(text, answer, ms = 10000) {
		let last;
		for (const end = Date.now() + ms; Date.now() < end; await sleep(30)) if ((last = await this.sql(text).catch((e) => e.message)) === answer) return;
		assert.fail(`${text}: not ${answer} within ${ms} ms, but ${last}`);
	}

	promote() {
		return this.sql('SELECT pg_promote()');
	}
}

// A way to a server that can be broken.
//   open:   everything passes.
//   late:   nothing passes; what was sent comes when it is open again, also what belongs to a connection that was given up meanwhile.
//   lost:   nothing passes, and what was sent is gone; the server is not told of the end of a connection that fell in this time.
//   mute:   requests arrive, answers do not.
//   deaf:   requests do not arrive.
//   refuse: no new connections.
export class Proxy {
	async start(to) {
		this.to = to;
		this.mode = 'open';
		this.pairs = new Set();
		this.server = net.createServer((client) => this.#join(client));
		await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
		this.port = this.server.address().port;
		return this;
	}

	get url() {
		return `postgresql://postgres@127.0.0.1:${this.port}/postgres?sslmode=disable&gssencmode=disable`;
	}

	#join(client) {
		if (this.mode === 'refuse') {
			client.resetAndDestroy();
			return;
		}
		const pair = { client, server: undefined, toServer: [], toClient: [], cut: {}, clientGone: false };
		this.pairs.add(pair);
		client.on('error', () => {});
		client.on('data', (part) => this.#pass(pair, 'toServer', part, 'mute'));
		client.on('close', () => {
			pair.clientGone = true;
			if (this.mode === 'open' || this.mode === 'mute' || this.mode === 'deaf') this.#close(pair);
			else if (this.mode === 'lost') pair.server?.pause();
		});
		if (this.mode !== 'late' && this.mode !== 'lost') this.#connect(pair);
	}

	#connect(pair) {
		pair.server = net.connect(this.to, '127.0.0.1');
		pair.server.on('error', () => {});
		pair.server.on('data', (part) => this.#pass(pair, 'toClient', part, 'deaf'));
		pair.server.on('close', () => {
			if (this.mode !== 'late' && this.mode !== 'lost') this.#close(pair);
		});
	}

	#pass(pair, way, part, alsoIn) {
		const end = way === 'toServer' ? pair.server : pair.client;
		const passes = this.mode === 'open' || this.mode === alsoIn;
		if (this.mode === 'late') pair[way].push(part);
		else if (passes && !pair.cut[way]) end?.write(part);
		else pair.cut[way] = true; // as in TCP, nothing comes after what is missing
	}

	#close(pair) {
		pair.client.destroy();
		pair.server?.destroy();
		this.pairs.delete(pair);
	}

	set(mode) {
		this.mode = mode;
		if (mode !== 'open') return;
		for (const pair of [...this.pairs]) {
			if (!pair.server && !pair.clientGone) this.#connect(pair);
			for (const part of pair.toServer.splice(0)) pair.server?.write(part);
			for (const part of pair.toClient.splice(0)) pair.client.write(part);
			if (pair.clientGone && !pair.server) this.pairs.delete(pair);
			else if (pair.clientGone && !pair.server.isPaused()) pair.server.end();
			else if (pair.server?.destroyed) this.#close(pair);
		}
	}

	// The network says so, at last: every connection is reset.
	reset() {
		for (const pair of [...this.pairs]) {
			pair.client.resetAndDestroy();
			pair.server?.resetAndDestroy();
			this.pairs.delete(pair);
		}
	}

	async end() {
		if (!this.server) return;
		for (const pair of this.pairs) this.#close(pair);
		await new Promise((resolve) => this.server.close(resolve));
	}
}
