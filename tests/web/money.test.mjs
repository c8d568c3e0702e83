// Paying and charging when answers get lost, and countdowns on a phone whose clock is wrong.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, serverHere } from '../api/harness.mjs';
import { browserHere, button, catalogues, heading, moduleOf, noBarriers, press, takePlace, text } from './browser.mjs';

// Somebody who holds the two best seats and is about to pay.
async function atPayment(browser, server, name, settings) {
	const concert = await server.makeConcert();
	const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, settings);
	await takePlace(page, name);
	await press(page, page.locator('.date').first());
	await press(page, button(page, 'seats.bestGo.other'));
	await heading(page, 'pay.title').waitFor();
	const person = await page.evaluate(() => JSON.parse(localStorage.getItem('jari.me')));
	return { page, concert, ticket: { userId: person.userId, token: person.places[0].token } };
}

// Lets a request through to the server and loses its answer.
const swallow = (page, pattern, keys) =>
	page.route(pattern, async (route) => {
		keys.push(route.request().headers()['idempotency-key']);
		await route.fetch();
		await route.abort('connectionreset');
	});

describe('a lost answer', () => {
	const server = serverHere();
	const browser = browserHere();

	it('to a payment: asking again, also after a reload, pays once', async () => {
		const { page, ticket } = await atPayment(browser, server, 'Payer');
		await press(page, button(page, 'pay.chargeMissing'));
		await page.locator('[data-code=INSUFFICIENT_BALANCE]').waitFor({ state: 'detached' });
		const charged = await server.balance(ticket);
		const keys = [];
		await swallow(page, '**/payment', keys);
		// As if the server had not booked it either, as far as the page can see.
		await page.route('**/api/reservations/*', async (route) => {
			const response = await route.fetch();
			await route.fulfill({ response, json: { ...(await response.json()), status: 'HELD', paidAt: null } });
		});
		await press(page, button(page, 'pay.go'));
		await page.locator('[data-code=NO_ANSWER]').waitFor();
		await noBarriers(page, 'unsure');
		await page.reload();
		await heading(page, 'pay.title').waitFor();
		await page.unroute('**/payment');
		await page.route('**/api/*', async (route) => {
			const response = await route.fetch();
			const body = await response.json();
			await route.fulfill({ response, json: 'balance' in body ? { ...body, balance: charged } : body });
		});
		await page.reload();
		const answer = page.waitForResponse('**/payment');
		await press(page, button(page, 'pay.go'));
		assert.equal((await answer).headers()['idempotent-replayed'], 'true');
		await heading(page, 'done.title').waitFor();
		assert.equal(new Set([...keys, (await answer).request().headers()['idempotency-key']]).size, 1, 'one key for all');
		assert.ok(keys.length >= 2, 'it was tried more than once');
		const { histories } = await server.ok(200, 'GET', `/api/${ticket.userId}/histories`, { token: ticket.token });
		assert.equal(histories.filter((h) => h.type === 'PAYMENT').length, 1);
		await page.context().close();
	});

	it('to a charge: it is said, kept over a reload, and charged once', async () => {
		const { page, ticket } = await atPayment(browser, server, 'Charger');
		await page.goto(`${server.address}/#/wallet`);
		const keys = [];
		await swallow(page, '**/charge', keys);
		await press(page, page.getByRole('button', { name: '₩50,000' }));
		await press(page, button(page, 'wallet.chargeGo'));
		await text(page, 'wallet.pending').waitFor();
		await page.unroute('**/charge');
		await page.reload();
		await text(page, 'wallet.pending').waitFor();
		await noBarriers(page, 'a charge without an answer');
		await press(page, button(page, 'pay.again'));
		await text(page, 'wallet.charged').last().waitFor();
		await text(page, 'wallet.pending').waitFor({ state: 'detached' });
		assert.equal(await server.balance(ticket), 50000);
		assert.equal(new Set(keys).size, 1);
		await page.context().close();
	});

	it('a wallet that would be too full says so', async () => {
		const { page } = await atPayment(browser, server, 'Rich');
		await page.route('**/charge', (route) =>
			route.fulfill({
				status: 409,
				contentType: 'application/problem+json',
				body: JSON.stringify({ code: 'BALANCE_LIMIT', status: 409 }),
			}),
		);
		await page.goto(`${server.address}/#/wallet`);
		await page.locator('#amount').fill('0');
		await page.keyboard.press('Enter');
		await page.getByText(catalogues.en['wallet.amountWrong']).waitFor();
		await page.locator('#amount').fill('1000000000');
		await page.keyboard.press('Enter');
		await page.locator('[data-code=BALANCE_LIMIT]').waitFor();
		await page.context().close();
	});
});

describe('a clock that is wrong', () => {
	const server = serverHere();
	const browser = browserHere();

	it('does not change how long seats are held', async () => {
		const { page } = await atPayment(browser, server, 'Traveller', {
			before: (page) =>
				page.addInitScript(() => {
					const now = Date.now;
					Date.now = () => now() + 5 * 3600_000;
				}),
		});
		const shown = await page.locator('.countdown').innerText();
		assert.match(shown, /^(5:00|4:5\d)$/);
		await eventually('it runs', async () => (await page.locator('.countdown').innerText()) !== shown, 3000);
		await page.context().close();
	});

	it('is found out from a few answers', async () => {
		const { ServerClock } = await moduleOf('shared/clock.ts');
		let local = 1000;
		const clock = new ServerClock(
			() => local,
			() => 42,
		);
		assert.equal(clock.now(), 42);
		const server = Date.parse('2026-12-24T10:00:00.700Z'); // when the local clock says 1000
		const date = (at) => new Date(Math.floor((server + at - 1000) / 1000) * 1000).toUTCString();
		for (const step of [0, 330, 610, 150, 470]) {
			local += step;
			clock.observe(date(local), local - 15, local + 15);
		}
		const wrong = clock.now() - (server + local - 1000);
		assert.ok(wrong >= 0 && wrong < 400, `it is ${wrong} ms ahead`);
		clock.observe('nonsense', local, local);
		clock.observe(null, local, local);
		assert.equal(clock.now() - (server + local - 1000), wrong);
		// The device has slept for an hour, and its monotonic clock with it.
		const later = server + 3600_000;
		clock.observe(new Date(Math.floor(later / 1000) * 1000).toUTCString(), local - 15, local + 15);
		assert.ok(Math.abs(clock.now() - later) <= 1100);
	});
});
