// The documents name what there is: files, tests in them, and places in one another.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../api/harness.mjs';

const under = (folder) =>
	fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
		const file = path.posix.join(folder, entry.name);
		return entry.isDirectory() ? under(file) : file.endsWith('.md') ? [file] : [];
	});
const DOCUMENTS = [...fs.readdirSync(ROOT).filter((name) => name.endsWith('.md')), ...under('docs'), ...under('tests'), ...under('bench')];
const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const prose = (text) => text.replace(/^```[\s\S]*?^```$/gm, '');

// What a heading is called in a link: lower case, without punctuation, hyphens for spaces.
const anchors = (text) =>
	[...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, words]) =>
		words
			.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
			.toLowerCase()
			.replace(/[^\p{L}\p{N}\- _]/gu, '')
			.replace(/ /g, '-'),
	);

describe('documents', () => {
	it('link to what is there', () => {
		const wrong = [];
		for (const file of DOCUMENTS)
			for (const [, to] of prose(read(file)).matchAll(/\]\(([^)\s]+)\)/g)) {
				if (/^[a-z]+:/.test(to)) continue;
				const [place, anchor] = to.split('#');
				const target = place === '' ? file : path.posix.join(path.posix.dirname(file), place);
				if (!fs.existsSync(path.join(ROOT, target))) wrong.push(`${file}: ${to} is not there`);
				else if (anchor && !anchors(read(target)).includes(anchor)) wrong.push(`${file}: ${to}: there is no such heading`);
			}
		assert.deepEqual(wrong, []);
	});

	it('SECURITY.md names files, and tests in them, that there are', () => {
		const wrong = [];
		let named = 0;
		for (const [, file, , test] of prose(read('SECURITY.md')).matchAll(/`((?:src|tests|script|packaging|docs)\/[\w./-]+|meson\.build|package-lock\.json)`( \(`(\w+)`\))?/g)) {
			named += 1;
			if (!fs.existsSync(path.join(ROOT, file))) wrong.push(`${file} is not there`);
			else if (test && !read(file).includes(test)) wrong.push(`${file} has no ${test}`);
		}
		assert.ok(named > 30, `${named} files are named`);
		assert.deepEqual(wrong, []);
	});
});
