// The pages for who reads them otherwise: with text twice as large, on narrow phones, with colours of their own.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { ADMIN_KEY, serverHere } from '../api/harness.mjs';
import { browserHere, catalogues, DESK, takePlace } from './browser.mjs';

const phone = (width) => ({ size: { width, height: 740 }, hasTouch: true, isMobile: true });
// Text twice as large, and nothing else.
const large = (page) =>
	page.addInitScript(() =>
		addEventListener('DOMContentLoaded', () => document.documentElement.style.setProperty('font-size', '200%')),
	);

async function fits(page, what) {
	const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	assert.ok(over <= 0, `${what} is ${over} pixels too wide`);
}

describe('the pages', () => {
	const server = serverHere();
	const browser = browserHere();
	let concert;
	before(async () => {
		concert = await server.makeConcert({
			title: 'Winter concert',
			shows: [
				{
					seats: [
						{ section: 'VIP 스탠딩', from: 1, to: 50, price: 165000 },
						{ section: 'Balcony, left', from: 51, to: 100, price: 99000 },
					],
				},
			],
		});
	});

	async function enter(view, settings) {
		const page = await browser.open(`${server.address}/admin${view}`, settings);
		await page.locator('#key').fill(ADMIN_KEY);
		await page.locator('form button[type=submit]').click();
		await page.locator('main:not(.signin) h1').first().waitFor();
		return page;
	}

	describe('text twice as large', () => {
		it('leaves the dates within a small phone', async () => {
			for (const language of ['en', 'ko']) {
				const settings = { ...phone(360), language, before: large };
				const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, settings);
				await takePlace(page, `Large ${language}`);
				await page.locator('.date').first().waitFor();
				await fits(page, `dates, ${language}`);
				await page.locator('.date').first().tap();
				await page.locator('canvas').waitFor();
				await fits(page, `seats, ${language}`);
			}
		});

		it('leaves the organisers’ views within a small phone, and signing out on the screen', async () => {
			for (const [width, prepare] of [
				[360, large],
				[320, undefined],
			])
				for (const language of ['en', 'ko']) {
					const page = await enter('', { ...phone(width), language, before: prepare });
					for (const view of [
						'queues',
						'shows',
						`show/${concert.showId}`,
						`concert/${concert.concertId}`,
						'add',
						'log',
						'server',
					]) {
						await page.goto(`${server.address}/admin#/${view}`);
						await page.locator('main h1').first().waitFor();
						await page.waitForTimeout(300);
						await fits(page, `${view} at ${width}, ${language}`);
						const box = await page.locator('.top .button').boundingBox();
						assert.ok(box.x >= 0 && box.x + box.width <= width, `${view} at ${width}: signing out is on the screen`);
					}
					await page.context().close();
				}
		});
	});

	describe('a narrow phone', () => {
		it('has the sections’ names in words, not in letters', async () => {
			for (const width of [320, 360, 390]) {
				const page = await enter(`#/show/${concert.showId}`, { ...phone(width), language: 'ko' });
				await page.locator('tbody th').first().waitFor();
				for (const { name, lines } of await page.locator('tbody th').evaluateAll((cells) =>
					cells.map((cell) => {
						const range = document.createRange();
						range.selectNodeContents(cell);
						return { name: cell.textContent, lines: new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size };
					}),
				))
					assert.ok(lines <= name.split(' ').length, `${name} at ${width} takes ${lines} lines`);
				await fits(page, `a show at ${width}`);
				await page.context().close();
			}
		});
	});

	describe('colours of one’s own', () => {
		// What a box is drawn with.
		const look = (page, what) =>
			page.locator(what).evaluateAll((all) =>
				all.map((e) => {
					const { backgroundColor, borderTopColor, borderTopStyle, borderTopWidth, borderBottomColor } = getComputedStyle(e);
					return [
						backgroundColor,
						borderTopWidth === '0px' ? 'none' : `${borderTopColor} ${borderTopStyle}`,
						borderBottomColor,
					].join();
				}),
			);

		it('show what is chosen, at which step one is, and what the key means', async () => {
			const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, { size: DESK, forcedColors: 'active' });
			await takePlace(page, 'Forced');
			await page.locator('.date').first().click();
			await page.locator('canvas').waitFor();
			for (const what of ['.seats .switch label', '.languages label']) {
				const [one, other] = await look(page, what);
				assert.notEqual(one, other, what);
			}
			const steps = await look(page, '.steps li .mark');
			assert.equal(new Set([steps[2], steps[3]]).size, 2, 'the present step differs from the next');
			assert.notEqual(steps[1], steps[2], 'and from the one before');
			const [free] = await look(page, '.key .free');
			assert.doesNotMatch(free, /,none,/, 'free has a border');
			await page.getByText(catalogues.en['seats.list'], { exact: true }).click();
			await page.locator('.seat-button').first().click();
			const [chosen, not] = await look(page, '.seat-button');
			assert.notEqual(chosen, not, 'a chosen seat');
		});

		it('show which view and span an organiser has chosen', async () => {
			const page = await enter('#/queues', { size: DESK, forcedColors: 'active' });
			await page.locator('.plots').waitFor();
			for (const what of ['.languages label', 'main .switch label', '.top nav a']) {
				const boxes = await look(page, what);
				const chosen = await page
					.locator(what)
					.evaluateAll((all) => all.findIndex((e) => e.matches('[aria-current], :has(:checked)')));
				assert.equal(boxes.filter((box) => box === boxes[chosen]).length, 1, what);
			}
		});
	});
});
