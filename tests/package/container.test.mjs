// The Containerfile, read and not built: an engine for containers is no part of what a test may ask for. It installs the package that deb.test.mjs
// looks at, and its check of health is run here as it stands.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { jari, releaseBinary, ROOT, serverHere } from '../api/harness.mjs';

const text = fs.readFileSync(path.join(ROOT, 'Containerfile'), 'utf8').replace(/^#.*\n/gm, '').replace(/\\\n\s*/g, '');
const last = text.slice(text.lastIndexOf('\nFROM '));
const of = (word) => [...last.matchAll(new RegExp(`^${word} (.*)$`, 'gm'))].map((m) => m[1]);

describe('the container', () => {
	const s = serverHere();

	it('is Debian twice, runs as nobody special, keeps its store in a volume, and ends gently', () => {
		assert.deepEqual([...text.matchAll(/^FROM (\S+)/gm)].map((m) => m[1]), ['debian:12', 'debian:12-slim']);
		assert.match(last, /install .*\/package\/jari_\*\.deb/);
		const [user] = of('USER');
		assert.ok(Number(user) > 0, 'a number, which an orchestrator can tell from root');
		assert.ok(last.includes(`--uid ${user} `));
		assert.deepEqual(of('VOLUME'), ['/var/lib/jari']);
		assert.deepEqual(of('STOPSIGNAL'), ['SIGTERM']);
		assert.deepEqual([of('ENTRYPOINT'), of('CMD').filter((words) => words.startsWith('["serve'))], [['["jari"]'], ['["serve"]']]);
	});

	it('sets options that there are, and opens no accounts by itself', () => {
		const set = of('ENV').flatMap((words) => words.split(' ').map((pair) => pair.split('=')));
		const help = jari(['serve', '--help'], { bin: releaseBinary() }).stdout;
		assert.ok(set.length >= 2);
		for (const [name] of set) assert.ok(help.includes(name), name);
		const r = jari(['serve'], { bin: releaseBinary(), cwd: s.dir, env: Object.fromEntries(set.map(([name, value]) => [name, value])) });
		assert.equal(r.status, 2, r.stderr);
		assert.match(r.stderr, /open-accounts/);
	});

	it('knows health from its absence', async () => {
		const [check] = of('HEALTHCHECK');
		const command = JSON.parse(check.slice(check.indexOf('CMD ') + 4));
		const run = (port) =>
			new Promise((resolve) => {
				const words = command.map((word) => word.replace('/8080', `/${port}`));
				spawn(words[0], words.slice(1), { stdio: 'ignore', timeout: 10000 }).on('close', resolve);
			});
		assert.equal(await run(s.port), 0);
		const free = await new Promise((resolve) => {
			const server = net.createServer().listen(0, '127.0.0.1', () => {
				const { port } = server.address();
				server.close(() => resolve(port));
			});
		});
		assert.notEqual(await run(free), 0, 'where nobody listens');
		// One that answers, and is not well.
		const ill = net.createServer((socket) => socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'));
		await new Promise((resolve) => ill.listen(0, '127.0.0.1', resolve));
		assert.notEqual(await run(ill.address().port), 0, 'where the answer is 503');
		ill.close();
	});
});
