// Money of which nobody knows whether it was taken: for how long it may be asked for again, whose it is, and what is said of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serverHere, sleep } from '../api/harness.mjs';
import { browserHere, button, catalogues, heading, noBarriers, press, takePlace, text } from './browser.mjs';

const HOUR = 3600_000;
const at = (server, concert) => `${server.address}/#/concert/${concert.concertId}`;

async function inside(browser, server, name, settings) {
	const concert = await server.makeConcert();
	const page = await browser.open(at(server, concert), settings);
	await takePlace(page, name);
	await heading(page, 'dates.title').waitFor();
	const person = await page.evaluate(() => JSON.parse(localStorage.getItem('jari.me')));
	return { page, concert, person, ticket: { userId: person.userId, token: person.places[0].token } };
}

async function atPayment(browser, server, name, settings) {
	const all = await inside(browser, server, name, settings);
	await press(all.page, all.page.locator('.date').first());
	await press(all.page, button(all.page, 'seats.bestGo.other'));
	await heading(all.page, 'pay.title').waitFor();
	return all;
}

const leave = (page, name, value) => page.evaluate(([n, v]) => localStorage.setItem(n, JSON.stringify(v)), [name, value]);
const left = (page) =>
	page.evaluate(() => Object.keys(localStorage).filter((name) => name === 'jari.charge' || name.startsWith('jari.pay.')));
const sum = (page, won) => page.locator('.balance', { hasText: won });

const swallow = (page, pattern) =>
	page.route(pattern, async (route) => {
		await route.fetch();
		await route.abort('connectionreset');
	});
const refuse = (page, pattern, status, code) =>
	page.route(pattern, (route) =>
		route.fulfill({
			status,
			headers: { 'content-type': 'application/problem+json', 'retry-after': '0' },
			body: JSON.stringify({ code, status, title: 'x', type: 'about:blank', detail: 'x' }),
		}),
	);

describe('a charge without an answer', () => {
	const server = serverHere();
	const browser = browserHere();

	it('that is older than the server remembers is not sent again: it is said that nobody knows', async () => {
		const { page, ticket } = await inside(browser, server, 'Long ago');
		const pending = { userId: ticket.userId, amount: 50000, key: 'an-old-key' };
		for (const when of [Date.now() - 23.5 * HOUR, undefined]) {
			await leave(page, 'jari.charge', { ...pending, at: when });
			await page.goto(`${server.address}/#/wallet`);
			await page.reload();
			await text(page, 'wallet.pendingOld').waitFor();
			await noBarriers(page, 'too old to ask');
			assert.equal(await button(page, 'pay.again').count(), 0);
			// Who charges as much now means it, and it goes by a key of its own.
			await page.locator('#amount').fill('50,000');
			const sent = page.waitForRequest('**/charge');
			await press(page, button(page, 'wallet.chargeGo'));
			assert.notEqual((await sent).headers()['idempotency-key'], 'an-old-key');
			await text(page, 'wallet.charged').last().waitFor();
		}
		await leave(page, 'jari.charge', { ...pending, at: Date.now() - 24 * HOUR });
		await page.reload();
		await press(page, button(page, 'wallet.looked'));
		await text(page, 'wallet.pendingOld').waitFor({ state: 'detached' });
		assert.deepEqual(await left(page), []);
		assert.equal(await server.balance(ticket), 100000);
		await page.context().close();
	});

	it('that is a day younger is asked for again by its key', async () => {
		const { page, ticket } = await inside(browser, server, 'Just now');
		await leave(page, 'jari.charge', { userId: ticket.userId, amount: 70000, key: 'a-young-key', at: Date.now() - 22 * HOUR });
		await page.goto(`${server.address}/#/wallet`);
		await page.reload();
		const sent = page.waitForRequest('**/charge');
		await press(page, button(page, 'pay.again'));
		assert.equal((await sent).headers()['idempotency-key'], 'a-young-key');
		await text(page, 'wallet.charged').last().waitFor();
		await page.context().close();
	});

	it('shows the balance of now, not that of when it was charged', async () => {
		const { page, ticket } = await inside(browser, server, 'Meanwhile');
		await page.goto(`${server.address}/#/wallet`);
		await swallow(page, '**/charge');
		await page.locator('#amount').fill('50000');
		await press(page, button(page, 'wallet.chargeGo'));
		await text(page, 'wallet.pending').waitFor();
		await page.unroute('**/charge');
		await server.ok(200, 'POST', `/api/${ticket.userId}/charge`, { token: ticket.token, body: { amount: 1000 } });
		await press(page, button(page, 'pay.again'));
		await sum(page, '₩51,000').waitFor();
		await page.context().close();
	});

	it('is nobody else’s: neither shown, nor sent, nor left behind', async () => {
		const { page, ticket } = await inside(browser, server, 'Who was here');
		const old = { userId: ticket.userId, amount: 50000, key: 'of-who-was-here', at: Date.now() };
		await leave(page, 'jari.charge', old);
		await leave(page, 'jari.pay.7', old);
		await page.reload();
		await heading(page, 'dates.title').waitFor();
		assert.equal((await left(page)).length, 2, 'a reload leaves one’s own');
		await server.ok(204, 'DELETE', '/api/token', { token: ticket.token });
		await page.evaluate(() =>
			localStorage.setItem('jari.me', JSON.stringify({ ...JSON.parse(localStorage['jari.me']), places: [] })),
		);
		await page.reload();
		await press(page, button(page, 'join.change'));
		await page.locator('#name').waitFor();
		assert.deepEqual(await left(page), [], 'who is forgotten leaves nothing');
		// From a browser that an older page was in, with somebody else's left in it.
		await leave(page, 'jari.charge', old);
		await leave(page, 'jari.pay.7', 'a-bare-key');
		await takePlace(page, 'Who comes now');
		await heading(page, 'dates.title').waitFor();
		await page.goto(`${server.address}/#/wallet`);
		await sum(page, '₩0').waitFor();
		assert.equal(await text(page, 'wallet.pending').count(), 0);
		assert.deepEqual(await left(page), []);
		await page.context().close();
	});

	it('of somebody else’s is gone when one comes with another sign-in', async () => {
		const { page, ticket } = await inside(browser, server, 'Signed in before');
		await leave(page, 'jari.charge', { userId: ticket.userId, amount: 50000, key: 'of-the-other', at: Date.now() });
		await page.reload();
		await heading(page, 'dates.title').waitFor();
		const claims = Buffer.from(JSON.stringify({ sub: 'somebody-else' })).toString('base64url');
		await page.evaluate((token) => {
			location.hash = `#token=${token}`;
		}, `e30.${claims}.x`);
		await heading(page, 'home.title').waitFor();
		assert.deepEqual(await left(page), []);
		await page.context().close();
	});
});

describe('the page of a payment', () => {
	const server = serverHere();
	const browser = browserHere();

	it('says what it does: charging is not called paying', async () => {
		const { page } = await atPayment(browser, server, 'Busy');
		await page.route('**/charge', async (route) => {
			await sleep(1500);
			await route.continue();
		});
		await press(page, button(page, 'pay.chargeMissing'));
		await page.getByRole('button', { name: catalogues.en['wallet.charging'] }).waitFor();
		assert.equal(await page.getByRole('button', { name: catalogues.en['pay.paying'] }).count(), 0);
		await page.locator('[data-code=INSUFFICIENT_BALANCE]').waitFor({ state: 'detached' });
		await page.context().close();
	});

	it('“Try again” after a refused charge charges', async () => {
		const { page, ticket } = await atPayment(browser, server, 'Again');
		await refuse(page, '**/charge', 503, 'OVERLOADED');
		await press(page, button(page, 'pay.chargeMissing'));
		await page.locator('[data-code=OVERLOADED]').waitFor();
		await page.unroute('**/charge');
		await press(page, button(page, 'do.retry'));
		await page.locator('[data-code=INSUFFICIENT_BALANCE]').waitFor({ state: 'detached' });
		assert.ok((await server.balance(ticket)) > 0);
		await page.context().close();
	});

	it('a clear refusal is told as what it is, and no answer as none; trying again pays', async () => {
		const { page } = await atPayment(browser, server, 'Clear');
		await press(page, button(page, 'pay.chargeMissing'));
		await page.locator('[data-code=INSUFFICIENT_BALANCE]').waitFor({ state: 'detached' });
		for (const [status, code] of [
			[429, 'RATE_LIMITED'],
			[503, 'OVERLOADED'],
		]) {
			await refuse(page, '**/payment', status, code);
			await press(page, button(page, 'pay.go'));
			await page.locator(`[data-code=${code}]`).waitFor();
			assert.deepEqual(await left(page), [], 'nothing is open');
			await page.unroute('**/payment');
		}
		// The store may have been lost behind the commit, and what a proxy says is not the server's word.
		for (const [status, code, then] of [
			[503, 'STORE_UNAVAILABLE', 'do.retry'],
			[502, undefined, 'pay.again'],
		]) {
			await refuse(page, '**/payment', status, code);
			await press(page, button(page, then));
			await text(page, 'pay.unsure').waitFor();
			assert.equal((await left(page)).length, 1);
			await page.unroute('**/payment');
		}
		// Refused now, which says nothing of what was sent before.
		await refuse(page, '**/payment', 503, 'OVERLOADED');
		await press(page, button(page, 'pay.again'));
		await text(page, 'pay.unsure').waitFor();
		await sleep(500);
		await text(page, 'pay.unsure').waitFor();
		await page.unroute('**/payment');
		await press(page, button(page, 'pay.again'));
		await heading(page, 'done.title').waitFor();
		assert.deepEqual(await left(page), []);
		await page.context().close();
	});

	it('charges in steps what is more than may be charged at once', async () => {
		const concert = await server.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 4, price: 1000000000 }] }] });
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Rich');
		await press(page, page.locator('.date').first());
		await press(page, button(page, 'seats.bestGo.other'));
		await heading(page, 'pay.title').waitFor();
		await press(page, page.getByRole('button', { name: 'Charge ₩1,000,000,000' }));
		await page.getByText('₩1,000,000,000 is missing in your wallet.').waitFor();
		await press(page, button(page, 'pay.chargeMissing'));
		await page.locator('[data-code=INSUFFICIENT_BALANCE]').waitFor({ state: 'detached' });
		await page.context().close();
	});

	it('an answer of a proxy’s own is not said to have changed nothing', async () => {
		const { page } = await inside(browser, server, 'Proxied');
		await page.route('**/charge', (route) => route.fulfill({ status: 504, body: '<html>Gateway Time-out</html>' }));
		await page.goto(`${server.address}/#/wallet`);
		await page.locator('#amount').fill('50000');
		await press(page, button(page, 'wallet.chargeGo'));
		await text(page, 'wallet.pending').waitFor();
		await page.context().close();
	});

	it('takes an amount as it is written, or not at all', async () => {
		const { page } = await inside(browser, server, 'Writer');
		await page.goto(`${server.address}/#/wallet`);
		for (const [written, shown] of Object.entries({
			'50,000': 'Charge ₩50,000',
			' 1 000 ': 'Charge ₩1,000',
			'₩1,234,567': 'Charge ₩1,234,567',
			'50000원': 'Charge ₩50,000',
			'50,000.00': 'Charge',
			12.5: 'Charge',
			'5,00': 'Charge',
			'1,000,000,001': 'Charge',
		})) {
			await page.locator('#amount').fill(written);
			assert.equal((await page.locator('form .whole').innerText()).trim(), shown, written);
		}
		await page.context().close();
	});
});
