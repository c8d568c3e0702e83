// What is one's own is called so, and no longer than it is.
import { describe, it } from 'node:test';
import { serverHere } from '../api/harness.mjs';
import { browserHere, button, catalogues, heading, like, press, takePlace, text } from './browser.mjs';

describe('seats that one holds', () => {
	const server = serverHere({ args: ['--hold-seconds', '6'] });
	const browser = browserHere();

	it('are told as one’s own on the map and in the list, and as free or ended when they are', async () => {
		const concert = await server.makeConcert();
		const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`);
		await takePlace(page, 'Owner');
		await press(page, page.locator('.date').first());
		await page.locator('canvas').waitFor();
		await press(page, page.getByText(catalogues.en['seats.list'], { exact: true }));
		await press(page, page.locator('.seat-button', { hasText: /^1\s/ }));
		await press(page, button(page, 'seats.hold'));
		await heading(page, 'pay.title').waitFor();
		const pay = page.url();
		await page.goBack();
		await press(page, page.getByText(catalogues.en['seats.list'], { exact: true }));
		await page.locator('.check input').uncheck();
		await page.getByRole('button', { name: 'Seat 1, A, ₩50,000, yours already' }).waitFor();
		await page.goto(`${pay.split('#')[0]}#/seats`);
		await page.locator('.badge', { hasText: like('en', 'mine.HELD') }).waitFor();
		await text(page, 'mine.EXPIRED').waitFor({ timeout: 8000 });
		await page.context().close();
	});
});
