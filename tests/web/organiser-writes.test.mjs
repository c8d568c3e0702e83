// What becomes of an organiser's changes whose answer is lost, of figures that come no more, and of files that are chosen and saved.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { ADMIN_KEY, eventually, serverHere } from '../api/harness.mjs';
import { browserHere, DESK } from './browser.mjs';

async function enter(browser, server, view, options = {}) {
	const page = await browser.open(`${server.address}/admin${view}`, { size: DESK, ...options });
	await page.locator('#key').fill(ADMIN_KEY);
	await page.locator('form button[type=submit]').click();
	await page.locator('main:not(.signin)').first().waitFor();
	return page;
}

const told = (page, words) => page.getByText(words, { exact: false }).first().waitFor();
const called = async (server, title) =>
	(await server.ok(200, 'GET', '/api/concerts')).concerts.filter((concert) => concert.title === title).length;

const away = (route) =>
	route.fulfill({
		status: 503,
		contentType: 'application/problem+json',
		body: JSON.stringify({ status: 503, code: 'STORE_UNAVAILABLE', title: 'x', detail: 'The store is away.' }),
	});

describe('a catalogue whose answer is lost', () => {
	const server = serverHere();
	const browser = browserHere();
	const fill = async (page, title) => {
		for (const [id, value] of Object.entries({ title, artist: 'a', venue: 'v', 'date-0': '2099-07-10T19:00' }))
			await page.locator(`#${id}`).fill(value);
	};
	const add = (page) => page.getByRole('button', { name: 'Add the concert' });

	it('that was added is found again, and is not added twice', async () => {
		const page = await enter(browser, server, '#/add');
		await fill(page, 'Once');
		let held = false;
		await page.route('**/api/admin/catalogue', async (route) => {
			held = true;
			await route.fetch();
			await route.abort();
		});
		await page.route('**/api/admin/stats', async (route) => {
			while (held) await new Promise((done) => setTimeout(done, 50));
			await route.continue();
		});
		await add(page).click();
		await told(page, 'it is not known whether anything was added');
		assert.equal(await page.getByText('goes on by itself', { exact: false }).count(), 0, 'never worded as a read');
		await page.locator('button[type=submit]').click({ force: true }); // a press of somebody who does not wait
		held = false;
		await told(page, 'The answer was lost, but it was added.');
		await told(page, 'Added: concerts 1, shows 1');
		assert.equal(await called(server, 'Once'), 1);
	});

	it('that was not added is told so, with what is there, and may be sent again', async () => {
		await server.makeConcert({ title: 'Another' });
		const page = await enter(browser, server, '#/add');
		await fill(page, 'Lost');
		await page.route('**/api/admin/catalogue', (route) => route.abort());
		await add(page).click();
		await told(page, 'it is not known whether anything was added');
		await told(page, 'It was not added');
		await page.locator('.notice li', { hasText: 'Another' }).waitFor();
		await page.unroute('**/api/admin/catalogue');
		await add(page).click();
		await told(page, 'Added: concerts 1, shows 1');
		assert.equal(await called(server, 'Lost'), 1);
	});

	it('that was added late is found before it is sent again', async () => {
		const page = await enter(browser, server, '#/add');
		await fill(page, 'Late');
		let body;
		await page.route('**/api/admin/catalogue', (route) => {
			body = route.request().postDataJSON();
			return route.abort();
		});
		await add(page).click();
		await told(page, 'It was not added');
		await server.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body });
		await page.unroute('**/api/admin/catalogue');
		await add(page).click();
		await told(page, 'The answer was lost, but it was added.');
		assert.equal(await called(server, 'Late'), 1);
	});

	it('and any other change: the page says that it is not known whether it was done', async () => {
		const page = await enter(browser, server, '#/queues/1');
		await page.locator('#capacity').fill('123');
		await page.getByRole('button', { name: 'Change …' }).click();
		await page.route('**/api/admin/queues/1', async (route) => {
			await route.fetch();
			await route.abort();
		});
		await page.locator('dialog .button.main').click();
		await page.locator('dialog', { hasText: 'it is not known whether this was done' }).waitFor();
		assert.equal(await page.locator('dialog', { hasText: 'by itself' }).count(), 0);
	});

	it('what is filled in stays while another view is looked at', async () => {
		const page = await enter(browser, server, '#/add');
		await fill(page, 'Half a form');
		await page.getByRole('link', { name: 'Changes' }).click();
		await page.getByRole('heading', { name: 'Changes' }).waitFor();
		await page.getByRole('link', { name: 'Add a concert' }).click();
		await page.locator('#title').waitFor();
		assert.equal(await page.locator('#title').inputValue(), 'Half a form');
	});
});

describe('files', () => {
	const server = serverHere();
	const browser = browserHere();

	it('a catalogue that was corrected can be chosen again', async () => {
		const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jari-file-'));
		const file = path.join(folder, 'catalogue.json');
		const write = (price) =>
			fs.writeFileSync(
				file,
				JSON.stringify({
					concerts: [
						{
							title: 'Filed',
							artist: 'a',
							venue: 'v',
							shows: [{ startsAt: '2099-04-10T19:00:00+09:00', seats: [{ section: 'A', from: 1, to: 5, price }] }],
						},
					],
				}),
			);
		try {
			const page = await enter(browser, server, '#/add');
			await page.getByText('File', { exact: true }).click();
			// As a person does it: choosing what is chosen already is no change to the browser.
			const choose = () => page.locator('#file').setInputFiles(file);
			write(-1);
			await choose();
			await page.getByRole('button', { name: 'Add all of it' }).click();
			await told(page, 'Nothing was added');
			assert.equal(await page.locator('#file').evaluate((input) => input.files.length), 0, 'the field is empty again');
			write(50000);
			await choose();
			await page.getByRole('button', { name: 'Add all of it' }).click();
			await told(page, 'Added: concerts 1');
		} finally {
			fs.rmSync(folder, { recursive: true });
		}
	});

	it('the sales begin with the mark by which a spreadsheet reads them as UTF-8', async () => {
		const concert = await server.makeConcert();
		await server.hold(await server.buyer(concert, 0, '홍길동'), concert, { seatNumbers: [1] });
		const page = await enter(browser, server, '#/shows');
		const [file] = await Promise.all([
			page.waitForEvent('download'),
			page
				.getByRole('button', { name: /as CSV/ })
				.last()
				.click(),
		]);
		const bytes = fs.readFileSync(await file.path());
		assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
		assert.match(bytes.toString('utf8'), /^\ufeffreservationId,[\s\S]*홍길동/);
		const plain = await server.api('GET', `/api/admin/concerts/${concert.concertId}/sales.csv`, { admin: true });
		assert.ok(plain.text.startsWith('reservationId,'), 'programs get the names alone');
	});
});

describe('figures that come no more', () => {
	const server = serverHere();
	const browser = browserHere();

	it('are told to be old, and how old, in every view and on the wall', async () => {
		const concert = await server.makeConcert();
		for (const view of [
			'#/queues',
			'#/shows',
			`#/show/${concert.showId}`,
			`#/concert/${concert.concertId}`,
			'#/server',
			'/live',
		]) {
			const page = await enter(browser, server, view);
			const shown = { '#/server': '.plot canvas', '/live': '.walltop' }[view] ?? 'main .card';
			await page.locator(shown).first().waitFor();
			await page.clock.install();
			await page.route('**/api/**', away);
			await eventually(
				`${view} says so`,
				async () => {
					await page.clock.runFor(4000);
					return /The figures are \d+ (second|minute)s? old/.test(await page.locator('.away').allInnerTexts().then(String));
				},
				15000,
			);
			assert.match(String(await page.locator('.away').allInnerTexts()), /could not be had/);
			await page.unroute('**/api/**');
			await eventually(
				`${view} goes on`,
				async () => {
					await page.clock.runFor(4000);
					return (await page.locator('.away').count()) === 0;
				},
				15000,
			);
			await page.context().close();
		}
	});
});
