// The walk through the API in README.md works as it stands there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { cleanEnv, ROOT, serverHere } from './harness.mjs';

describe('README.md', () => {
	const s = serverHere({ args: ['--demo'] });

	it('the walk runs, and ends with a paid seat', async () => {
		const text = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
		const walks = [...text.matchAll(/<!-- walk -->([\s\S]*?)<!-- \/walk -->/g)].map((m) => m[1]);
		assert.ok(walks.length > 0, 'README.md has a walk between <!-- walk --> and <!-- /walk -->');
		const script = walks.flatMap((walk) => [...walk.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((m) => m[1])).join('\n');
		assert.ok(script.includes('curl'), `the walk asks the server something:\n${script}`);
		const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: s.dir, env: cleanEnv({ JARI: s.address, JARI_ADMIN_KEY: s.adminKey }), stdio: ['ignore', 'pipe', 'pipe'], timeout: 60000 });
		let [out, err] = ['', ''];
		child.stdout.setEncoding('utf8').on('data', (part) => (out += part));
		child.stderr.setEncoding('utf8').on('data', (part) => (err += part));
		const status = await new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
		assert.equal(status, 0, `the walk succeeds\n  stdout: ${out}\n  stderr: ${err}`);
		assert.match(out, /PAID/, `the seat is paid\n  stdout: ${out}\n  stderr: ${err}`);
	});

	it('README.ko.md has the same commands, pictures and links', () => {
		const of = (name) => {
			const text = fs.readFileSync(path.join(ROOT, name), 'utf8');
			return {
				headings: text.match(/^#+ /gm),
				commands: text.match(/^```[a-z]*\n[\s\S]*?^```$/gm).slice(1), // the first one is explained in the language
				first: text.match(/^script\/\w+/gm),
				links: [...text.matchAll(/\]\(([^)]+)\)/g)].map((m) => m[1]).filter((to) => !to.startsWith('README')),
				rows: text.match(/^\|/gm).length,
			};
		};
		assert.deepEqual(of('README.ko.md'), of('README.md'));
	});
});
