// pg.mjs: a PostgreSQL server of a test's own: in a temporary folder, on a free port of the loopback address, ended with the test.
// PostgreSQL refuses to run as root, so there it runs as the user postgres.
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

export class Postgres {
	get url() {
		return this.urlOf('postgres');
	}

	async make() {
		this.bin = programs();
		this.port = await freePort();
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'jari-pg-'));
		this.as = {};
		if (process.getuid() === 0) {
			const id = (what) => Number(spawnSync('id', [what, 'postgres'], { encoding: 'utf8' }).stdout);
			this.as = { uid: id('-u'), gid: id('-g') };
			fs.chownSync(this.dir, this.as.uid, this.as.gid);
		}
		const made = spawnSync(`${this.bin}/initdb`, ['-D', `${this.dir}/data`, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], { ...this.as, cwd: this.dir, encoding: 'utf8' });
		assert.equal(made.status, 0, `initdb: ${made.stderr}`);
		return this.start();
	}

	// Ready when connections are taken.
	async start() {
		const settings = [`unix_socket_directories=${this.dir}`, 'shared_buffers=64MB', 'autovacuum=off', 'max_connections=60'];
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
		for (let i = 0; i < 300; i++) {
			if (spawnSync(`${this.bin}/pg_isready`, ['-q', '-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres']).status === 0) return this;
			assert.ok(running.has(child), `PostgreSQL ended: ${fs.readFileSync(`${this.dir}/log`, 'utf8').slice(-2000)}`);
			await sleep(50);
		}
		return assert.fail('PostgreSQL was not ready within 15 s');
	}

	// What SQL gives, a row a line, its columns between bars.
	sql(text, database = 'postgres') {
		const r = spawnSync(`${this.bin}/psql`, [...this.#session(database), '-c', text], { encoding: 'utf8', timeout: 30000 });
		assert.equal(r.status, 0, `${text}: ${r.stderr}`);
		return r.stdout.trim();
	}

	// Runs SQL in a session that stays, with what that has locked, until the function that this gives is called.
	async stay(text, database = 'postgres') {
		const child = spawn(`${this.bin}/psql`, this.#session(database), { stdio: ['pipe', 'pipe', 'inherit'] });
		running.add(child);
		const ended = new Promise((resolve) => child.on('close', resolve));
		const done = new Promise((resolve) => child.stdout.setEncoding('utf8').on('data', (said) => said.includes('it is done') && resolve()));
		child.stdin.write(`${text};\nSELECT 'it is done';\n`);
		await done;
		return async () => {
			child.stdin.end();
			await ended;
			running.delete(child);
		};
	}

	#session(database) {
		return ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres', '-d', database];
	}

	urlOf(database) {
		return `postgresql://postgres@127.0.0.1:${this.port}/${database}`;
	}

	// SIGQUIT: at once, as in a crash; SIGINT: connections are ended, then all is written.
	async stop(signal = 'SIGINT') {
		this.child.kill(signal);
		await this.ended;
	}

	async remove() {
		if (running.has(this.child)) await this.stop();
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}
