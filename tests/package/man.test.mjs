// jari(1): it is made from the table of options; what reads manual pages has nothing against it, and it says what --help says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { cleanEnv, jari, releaseBinary, ROOT } from '../api/harness.mjs';

const PAGE = path.join(path.dirname(releaseBinary()), 'jari.1');
const bin = releaseBinary();
const run = (command, args) => spawnSync(command, args, { encoding: 'utf8', timeout: 60000, env: cleanEnv({ LC_ALL: 'C.UTF-8', MANWIDTH: '200', MANPAGER: 'cat' }) });

// As one reads it, in one line.
const shown = run('man', ['-l', '--no-hyphenation', PAGE]).stdout.replace(/.\x08/g, '').replace(/\s+/g, ' ');
const flat = (text) => text.replace(/\s+/g, ' ').trim();

describe('jari(1)', () => {
	it('has nothing wrong for mandoc and for man', () => {
		const lint = run('mandoc', ['-Tlint', '-Wstyle', PAGE]);
		// mandoc's own index of pages is of no interest: it may never have been made.
		const said = (lint.stdout + lint.stderr).split('\n').filter((line) => line !== '' && !line.includes('outdated mandoc.db'));
		assert.deepEqual(said, []);
		const man = run('man', ['-l', '--warnings', PAGE]);
		assert.equal(man.status, 0);
		assert.equal(man.stderr, '');
	});

	it('says of each command and option what --help says', () => {
		const all = jari(['--help'], { bin }).stdout;
		const commands = [...all.matchAll(/^ {2}jari ([a-z]+) /gm)].map((m) => m[1]).filter((name) => name !== 'bench');
		assert.ok(commands.length >= 6, all);
		const missing = [];
		const expect = (words) => shown.includes(flat(words)) || missing.push(flat(words));
		for (const command of commands) {
			const help = jari([command, '--help'], { bin }).stdout;
			const [before, options] = help.split(/\nOptions:\n/);
			for (const paragraph of before.split('\n\n').slice(1)) expect(paragraph);
			const [list, , ...rest] = options.split('\n\n');
			let entries = 0;
			// "  --name VALUE   explanation …" over some lines, then "[facts, JARI_NAME]".
			for (const [, name, words, facts] of list.matchAll(/^ {2}(--\S+(?: \S+)?)\s+([^[]+)\[([^\]]+)\]$/gm)) {
				entries += 1;
				expect(name);
				expect(words);
				for (const fact of facts.split(', ')) expect(fact);
			}
			assert.ok(entries >= 1 && entries === (list.match(/^ {2}--/gm) ?? []).length, `every option of ${command} was looked at\n${help}`);
			for (const example of rest.join('\n').matchAll(/^ {2}(jari .*)$/gm)) expect(example[1]);
		}
		for (const [, name] of jari(['bench', '--help'], { bin }).stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)) expect(name);
		assert.deepEqual(missing, [], `the page says all of it\n${shown}`);
	});

	it('has the date of the last release', () => {
		const [, day, month, year] = /^ -- .*, (\d+) (\w+) (\d+) /m.exec(fs.readFileSync(path.join(ROOT, 'packaging/debian/changelog'), 'utf8'));
		assert.match(fs.readFileSync(PAGE, 'utf8'), new RegExp(`^\\.Dd ${month}\\w* ${day}, ${year}$`, 'm'));
	});
});
