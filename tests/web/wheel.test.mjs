// The wheel over the map: it moves the page as long as all seats are in view, and zooms when it is asked to, or when one is nearer already.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, serverHere } from '../api/harness.mjs';
import { browserHere, button, DESK, takePlace } from './browser.mjs';

describe('the wheel', () => {
	const server = serverHere();
	const browser = browserHere();

	it('upwards and downwards moves the page over the whole map, and zooms with Ctrl or when one is nearer', async () => {
		const concert = await server.makeConcert();
		const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, { size: DESK });
		await takePlace(page, 'Wheel');
		await page.locator('.date').first().click();
		const map = page.locator('canvas');
		await map.waitFor();
		const whole = () => map.evaluate((canvas) => canvas.classList.contains('whole'));
		const scrolled = () => page.evaluate(() => scrollY);
		await page.evaluate(() => scrollTo(0, 300));
		const box = await map.boundingBox();
		await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
		const before = await scrolled();
		await page.mouse.wheel(0, -120);
		await eventually('the page moves up', async () => (await scrolled()) < before, 2000);
		assert.ok(await whole(), 'and the map stays whole');
		await page.mouse.wheel(0, 60);
		await page.keyboard.down('Control');
		await page.mouse.wheel(0, -120);
		await page.keyboard.up('Control');
		await eventually('it zooms with Ctrl', async () => !(await whole()), 2000);
		await button(page, 'seats.whole').click();
		await eventually('all is shown again', whole, 2000);
		await button(page, 'seats.nearer').click();
		await page.mouse.move(box.x + box.width / 2, (await map.boundingBox()).y + 100);
		const at = await scrolled();
		const back = async () => (await whole()) || page.mouse.wheel(0, 120).then(() => false);
		await eventually('when one is nearer it zooms back', back, 3000, 100);
		assert.equal(await scrolled(), at);
	});
});
