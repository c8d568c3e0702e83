// What the pages say: the same in both languages, something for every code; and that names are shown as they are, whatever is in them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { CODES, ROOT, serverHere } from '../api/harness.mjs';
import {
	browserHere,
	button,
	catalogues,
	DESK,
	heading,
	link,
	moduleOf,
	noBarriers,
	PHONE,
	press,
	takePlace,
} from './browser.mjs';

const { en, ko } = catalogues;
const pieces = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

describe('the catalogues', () => {
	it('have the same keys, and each text takes the same values', () => {
		assert.deepEqual(Object.keys(ko), Object.keys(en));
		for (const key of Object.keys(en)) {
			assert.ok(en[key].trim() && ko[key].trim(), key);
			assert.deepEqual(pieces(ko[key]), pieces(en[key]), key);
		}
	});

	it('have a sentence for every code of the API', async () => {
		const known = (await moduleOf('shared/api.ts')).CODES;
		assert.deepEqual([...known].sort(), Object.keys(CODES).sort());
		for (const code of [...known, 'NO_ANSWER', 'GATEWAY', 'UNKNOWN'])
			for (const catalogue of [en, ko]) assert.match(catalogue[`error.${code}`] ?? '', /^.{12,}\.$/, code);
		const errors = Object.keys(en).filter((key) => key.startsWith('error.'));
		assert.equal(errors.length, known.length + 3, 'and for no other');
	});

	it('are where the texts are: none is in the code', () => {
		const files = fs.readdirSync(path.join(ROOT, 'web'), { recursive: true }).filter((file) => file.endsWith('.tsx'));
		for (const file of files) {
			const source = fs.readFileSync(path.join(ROOT, 'web', file), 'utf8');
			assert.doesNotMatch(source.replaceAll('한국어', '').replace(/\/\^?\[?.*원.*\//g, ''), /[가-힣]/, file);
			// A word between tags, or as what is read aloud.
			assert.doesNotMatch(source, />\s*[A-Za-z]{2,}[^<>{}=;()]*<\//, file);
			assert.doesNotMatch(source, /(aria-label|title|placeholder|alt)="[^"]/, file);
		}
	});

	it('have nothing that nobody says', () => {
		const files = fs
			.readdirSync(path.join(ROOT, 'web'), { recursive: true })
			.filter((file) => /\.tsx?$/.test(file) && !/i18n\/(en|ko)/.test(file));
		const source = files.map((file) => fs.readFileSync(path.join(ROOT, 'web', file), 'utf8')).join('\n');
		const said = (key) => {
			const base = key.replace(/\.(one|other)$/, '');
			return source.includes(`'${base}'`) || source.includes(`\`${base.replace(/[^.]+$/, '')}\${`);
		};
		assert.deepEqual(
			Object.keys(en).filter((key) => !said(key)),
			[],
		);
	});
});

describe('the size of the buyers’ page', () => {
	const server = serverHere();

	it('is at most 60 kB of compressed script', async () => {
		const html = (await server.api('GET', '/')).text;
		const scripts = [...html.matchAll(/"\.\/(assets\/[^"]+\.js)"/g)].map((m) => m[1]);
		assert.ok(scripts.length > 0);
		let bytes = 0;
		for (const script of scripts)
			bytes += (await server.api('GET', `/${script}`, { headers: { 'accept-encoding': 'gzip' } })).bytes.length;
		assert.ok(bytes <= 60_000, `${bytes} bytes`);
	});
});

describe('hostile names', () => {
	const server = serverHere();
	const browser = browserHere();
	const names = {
		markup: '<script>alert(1)</script><img src=x onerror=alert(2)>',
		emoji: '👩‍👩‍👧‍👦🎉'.repeat(6),
		'right to left': '\u202Eשלום \u2066עולם',
		long: 'W'.repeat(64),
	};
	for (const [kind, name] of Object.entries(names))
		it(`${kind}: shown as they are, everywhere`, async () => {
			const title = `${name} ${kind}`;
			const doc = {
				queues: [{ name: kind, capacity: 5 }],
				concerts: [
					{
						title,
						artist: name,
						venue: name,
						queue: kind,
						shows: [{ startsAt: '2099-12-24T19:30:00+09:00', seats: [{ section: name, from: 1, to: 20, price: 1000 }] }],
					},
				],
			};
			const { concertIds } = await server.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: doc });
			const page = await browser.open(server.address, { size: kind === 'markup' ? DESK : PHONE });
			page.on('dialog', (dialog) => page.wrong.push(`a dialog: ${dialog.message()}`));
			const whole = async (what) => {
				assert.ok((await page.locator('body').innerText()).includes(what), `shows ${what}`);
				const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				assert.ok(wide <= 0, `the page is ${wide} px too wide`);
			};
			await page.locator('.concert').first().waitFor();
			await whole(name);
			await page.goto(`${server.address}/#/concert/${concertIds[0]}`);
			await takePlace(page, name);
			await heading(page, 'dates.title').waitFor();
			await press(page, page.locator('.date').first());
			await page.locator('canvas').waitFor();
			await whole(name);
			await noBarriers(page, kind);
			await press(page, page.getByText(en['seats.list'], { exact: true }));
			await whole(name);
			await press(page, button(page, 'seats.bestGo.other'));
			await heading(page, 'pay.title').waitFor();
			await whole(name);
			await press(page, link(page, 'nav.wallet'));
			await page.locator('.balance').waitFor();
			await whole(name);
			await press(page, link(page, 'nav.seats'));
			await page.locator('.mine').waitFor();
			await whole(title);
			await page.goto(`${server.address}/#/concert/${concertIds[0]}`);
			assert.equal(await page.locator('script:not([src])').count(), 0);
			await page.context().close();
		});
});
