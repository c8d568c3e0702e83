// Where the focus is after what had it is gone, and that it is seen; that what is told is told where one looks.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ADMIN_KEY, eventually, serverHere } from '../api/harness.mjs';
import { browserHere, button, catalogues, DESK, heading, noBarriers, press, takePlace } from './browser.mjs';

const SMALL = { width: 360, height: 740 };
const small = { size: SMALL, hasTouch: true, isMobile: true };

async function atSeats(browser, server, concert, name, settings) {
	const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, settings);
	page.touch = Boolean(settings.hasTouch);
	await takePlace(page, name);
	await press(page, page.locator('.date').first());
	await page.locator('canvas').waitFor();
	return page;
}

const asList = (page) => page.getByText(catalogues[page.language]['seats.list'], { exact: true }).click();
const seat = (page, n) => page.locator('.seat-button', { hasText: new RegExp(`^${n}\\s`) });

// Waits until the focus is on what has this text or id.
const focusOn = (page, what) =>
	eventually(
		`the focus is on ${what}`,
		() =>
			page.evaluate((wanted) => {
				const { activeElement: at } = document;
				return at !== document.body && (at.id === wanted || at.textContent.includes(wanted));
			}, what),
		3000,
	);

// As somebody does who sees it: a view that has just come gives its title the focus, a frame later.
async function byKeyboard(page, what) {
	await what.waitFor();
	await page.evaluate(
		() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(seen, 20)))),
	);
	await what.focus();
	await page.keyboard.press('Enter');
}

describe('a refused hold', () => {
	const server = serverHere();
	const browser = browserHere();

	// All of it is on the screen, and nothing lies over it.
	const seen = (page, what) =>
		page.locator(what).evaluate((e) => {
			const { left, top, right, bottom } = e.getBoundingClientRect();
			const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
			return top >= 0 && bottom <= innerHeight && e.contains(at);
		});
	const choose = { list: 'by the list', map: 'by the map' };
	for (const [view, name] of Object.entries(choose))
		it(`is told on a small phone where the button is, ${name}`, async () => {
			for (const language of ['en', 'ko']) {
				const concert = await server.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 200, price: 50000 }] }] });
				const page = await atSeats(browser, server, concert, `Small ${view} ${language}`, { ...small, language });
				if (view === 'list') {
					await asList(page);
					for (const n of [1, 2, 3, 4, 5]) await seat(page, n).tap();
					await seat(page, 50).scrollIntoViewIfNeeded();
				} else {
					await page.getByRole('listbox').focus();
					for (let i = 0; i < 5; i++) {
						await page.keyboard.press('Space');
						await page.keyboard.press('ArrowRight');
					}
					await page.locator('.legend').evaluate((e) => e.scrollIntoView({ block: 'center' }));
				}
				await button(page, 'seats.hold').tap();
				await page.locator('[data-code=LIMIT_EXCEEDED]').waitFor();
				await eventually('the message is seen', () => seen(page, '.notice:has([data-code])'), 2000);
				assert.ok(await seen(page, '.tray .main'), 'and so is the button');
				await noBarriers(page, `a refused hold, ${view}`);
				await page.context().close();
			}
		});

	it('of the best seats is told where one looks as well', async () => {
		const concert = await server.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 2, price: 50000 }] }] });
		const page = await atSeats(browser, server, concert, 'Best', small);
		await page.route('**/seat', (route) =>
			route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ code: 'LIMIT_EXCEEDED' }) }),
		);
		await page.locator('.best .button').tap();
		await page.locator('[data-code=LIMIT_EXCEEDED]').waitFor();
		await eventually('the message is seen', () => seen(page, '.notice:has([data-code])'), 2000);
	});
});

describe('the focus of a buyer', () => {
	const server = serverHere();
	const browser = browserHere();

	it('is never behind the tray', async () => {
		const concert = await server.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 60, price: 50000 }] }] });
		const page = await atSeats(browser, server, concert, 'Tabs', small);
		await asList(page);
		await seat(page, 1).click();
		await seat(page, 1).focus();
		const hidden = [];
		for (let i = 2; i <= 54; i++) {
			await page.keyboard.press('Tab');
			const [at, bottom, tray] = await page.evaluate(() => [
				document.activeElement.textContent,
				document.activeElement.getBoundingClientRect().bottom,
				document.querySelector('.tray').getBoundingClientRect().top,
			]);
			if (bottom > tray) hidden.push(at);
		}
		assert.deepEqual(hidden, []);
	});

	it('goes on from what is gone: clearing, another seat instead, sending again', async () => {
		const concert = await server.makeConcert();
		const page = await atSeats(browser, server, concert, 'Seats', { size: DESK });
		await page.getByRole('listbox').focus();
		await page.keyboard.press('Space');
		await byKeyboard(page, button(page, 'seats.clear'));
		await eventually('the focus is on the map', () =>
			page.evaluate(() => document.activeElement.getAttribute('role') === 'listbox'),
		);
		await asList(page);
		await seat(page, 11).click();
		await byKeyboard(page, button(page, 'seats.clear'));
		await focusOn(page, 'Seat 11');
		await page.route('**/list/statuses*', (route) => route.abort());
		await seat(page, 12).click();
		await server.hold(await server.buyer(concert), concert, { seatNumbers: [12] });
		await byKeyboard(page, button(page, 'seats.hold'));
		await page.locator('[data-code=SEAT_TAKEN]').waitFor();
		await byKeyboard(page, button(page, 'seats.takenUse'));
		await focusOn(page, catalogues.en['seats.hold']);
		await page.route('**/seat', (route) =>
			route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ code: 'OVERLOADED' }) }),
		);
		await byKeyboard(page, button(page, 'seats.hold'));
		await page.locator('[data-code=OVERLOADED]').waitFor();
		await page.unroute('**/seat');
		await page.route('**/seat', () => {}); // no answer comes
		await byKeyboard(page, button(page, 'do.retry'));
		await page.locator('[data-code=OVERLOADED]').waitFor({ state: 'detached' });
		await focusOn(page, catalogues.en['seats.holding']);
	});

	it('is on the first of the seats that came last, when there are no more to be shown', async () => {
		const concert = await server.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 70, price: 50000 }] }] });
		const page = await atSeats(browser, server, concert, 'More', { size: DESK });
		await asList(page);
		await byKeyboard(page, button(page, 'seats.more'));
		await focusOn(page, 'Seat 61');
	});

	it('goes on from what is gone: keeping the seats, charging, another name', async () => {
		const concert = await server.makeConcert();
		const page = await atSeats(browser, server, concert, 'Pays', { size: DESK });
		await asList(page);
		await seat(page, 1).click();
		await button(page, 'seats.hold').click();
		await heading(page, 'pay.title').waitFor();
		await byKeyboard(page, button(page, 'pay.giveBack'));
		await focusOn(page, catalogues.en['pay.giveBackNo']);
		await page.keyboard.press('Enter');
		await focusOn(page, catalogues.en['pay.giveBack']);
		await byKeyboard(page, button(page, 'pay.chargeMissing'));
		await page.locator('[data-code=INSUFFICIENT_BALANCE]').waitFor({ state: 'detached' });
		await focusOn(page, 'Pay ₩50,000');
		await page.locator('[data-said]', { hasText: '₩50,000 was charged.' }).waitFor({ state: 'attached' });
		const other = await server.makeConcert();
		await page.goto(`${server.address}/#/concert/${other.concertId}`);
		await byKeyboard(page, button(page, 'join.change'));
		await focusOn(page, 'name');
	});
});

describe('the focus of an organiser', () => {
	const server = serverHere();
	const browser = browserHere();
	const enter = async (view) => {
		const page = await browser.open(`${server.address}/admin${view}`, { size: DESK });
		await page.locator('#key').fill(ADMIN_KEY);
		await page.locator('form button[type=submit]').click();
		await page.locator('main:not(.signin) h1').first().waitFor();
		return page;
	};

	it('is back on the button when a question is left', async () => {
		const concert = await server.makeConcert();
		for (const [view, names] of [
			['#/queues/1', ['Pause …']],
			[`#/show/${concert.showId}`, ['Close the sale …']],
		]) {
			const page = await enter(view);
			for (const name of names)
				for (const key of ['Escape', 'Enter']) {
					await byKeyboard(page, page.getByRole('button', { name }));
					await page.locator('dialog').waitFor();
					await focusOn(page, 'Cancel');
					await page.keyboard.press(key);
					await page.locator('dialog').waitFor({ state: 'detached' });
					await focusOn(page, name);
				}
		}
	});

	it('is on a field that is left when a date or a section is taken away', async () => {
		const page = await enter('#/add');
		for (const [more, gone, field] of [
			['Another date', 'Remove date 2', 'date-0'],
			['Another section', 'Remove section 2', 'section-0'],
		]) {
			await page.getByRole('button', { name: more }).click();
			await byKeyboard(page, page.getByRole('button', { name: gone }));
			await focusOn(page, field);
		}
	});

	it('is on the title when a concert was added, and when another is to be', async () => {
		const page = await enter('#/add');
		for (const [id, value] of Object.entries({ title: 'Added', artist: 'a', venue: 'v', 'date-0': '2099-07-10T19:00' }))
			await page.locator(`#${id}`).fill(value);
		await byKeyboard(page, page.getByRole('button', { name: 'Add the concert' }));
		const another = page.getByRole('button', { name: 'Add another' });
		await another.waitFor();
		await eventually('the focus is on the title', () => page.evaluate(() => document.activeElement.tagName === 'H1'));
		await byKeyboard(page, another);
		await page.locator('#title').waitFor();
		await eventually('the focus is on the title', () => page.evaluate(() => document.activeElement.tagName === 'H1'));
	});

	it('is in the log when its end was reached, and when it came at last', async () => {
		for (let i = 1; i <= 30; i++) await server.patchQueue(1, { capacity: i });
		const page = await enter('#/log');
		await page.locator('tbody tr').nth(24).waitFor();
		await byKeyboard(page, page.getByRole('button', { name: 'Older changes' }));
		await eventually('the focus is on the first of the older ones', () =>
			page.evaluate(() => document.activeElement === document.querySelectorAll('tbody tr')[25]),
		);
		await page.route('**/api/admin/audit-log*', (route) => route.abort());
		await byKeyboard(page, page.getByRole('button', { name: 'Look again' }));
		const retry = page.getByRole('button', { name: 'Try again' });
		await retry.waitFor();
		await page.unroute('**/api/admin/audit-log*');
		await byKeyboard(page, retry);
		await retry.waitFor({ state: 'detached' });
		await focusOn(page, 'Look again');
	});
});
