// What is shown of seats is what holds: prices that the organiser changes while people look, sections of several prices, what is offered instead, and how
// many seats are asked for.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, serverHere } from '../api/harness.mjs';
import { atSeats, browserHere, button, catalogues, heading, like, moduleOf, noBarriers, PHONE, press, text } from './browser.mjs';

const asList = (page) => page.getByText(catalogues.en['seats.list'], { exact: true }).click();
const patch = (server, concert, body) => server.ok(200, 'PATCH', `/api/admin/shows/${concert.showId}`, { admin: true, body });
const legend = async (page) => (await page.locator('.legend').innerText()).replace(/\s+/g, ' ');

describe('prices that change while one looks', () => {
	const server = serverHere();
	const browser = browserHere();
	const shows = [{ seats: [{ section: 'VIP', from: 1, to: 10, price: 50000 }] }];

	it('are shown, at every place, as they are for the seats that are free', async () => {
		const concert = await server.makeConcert({ shows });
		const early = await server.buyer(concert, 100000);
		await server.pay(early, await server.hold(early, concert, { seatNumber: 1 }));
		const page = await atSeats(browser, server, concert, 'Looker');
		assert.match(await legend(page), /₩50,000/);
		await asList(page);
		await page.locator('.seat-button', { hasText: /^2\s/ }).click();
		await page.evaluate(() => {
			document.querySelector('.seats').mine = true;
		});
		await patch(server, concert, { prices: [{ section: 'VIP', price: 90000 }] });
		await eventually('the new price', async () => /₩90,000/.test(await legend(page)), 9000, 100);
		assert.doesNotMatch(await legend(page), /50,000/, 'the first seat is sold at the old price, which is no offer');
		assert.match(await page.locator('summary').innerText(), /₩90,000/);
		assert.match(await page.locator('.best select').last().innerText(), /VIP · ₩90,000/);
		assert.match(await page.locator('.tray .sum').innerText(), /₩90,000/);
		await page.locator('.seat-button', { hasText: /^3\s/ }).click();
		assert.match(await page.locator('.tray .sum').innerText(), /₩180,000/);
		assert.ok(await page.evaluate(() => document.querySelector('.seats').mine), 'it is the same page');
		await page.context().close();
	});

	it('are seen also where a seat was taken at the same moment, and with no more than a few questions', async () => {
		const concert = await server.makeConcert({ shows });
		const page = await atSeats(browser, server, concert, 'Mover');
		await page.waitForResponse('**/list/statuses*');
		await patch(server, concert, { startsAt: '2099-12-31T21:00:00+09:00', prices: [{ section: 'VIP', price: 70000 }] });
		await server.hold(await server.buyer(concert), concert, { seatNumber: 5 });
		await eventually('the new price', async () => /₩70,000/.test(await legend(page)), 9000, 100);
		await page.getByText(/December 31, 2099.*9:00/).waitFor();
		const whole = page.asked.filter((request) => request.url().includes('/list/seats?')).length;
		assert.ok(whole <= 3, `${whole} times all seats`);
		await page.context().close();
	});

	it('and that the show is no longer sold, until it is again', async () => {
		const concert = await server.makeConcert({ shows });
		const page = await atSeats(browser, server, concert, 'Closed out');
		await patch(server, concert, { closed: true });
		await page.locator('[data-code=SALES_CLOSED]').waitFor();
		assert.equal(await page.locator('.best .button').getAttribute('aria-disabled'), 'true');
		await noBarriers(page, 'closed');
		await patch(server, concert, { closed: false });
		await page.locator('[data-code=SALES_CLOSED]').waitFor({ state: 'detached' });
		await press(page, button(page, 'seats.bestGo.other'));
		await heading(page, 'pay.title').waitFor();
		await page.context().close();
	});

	it('of one section may be several: then it is told from what to what', async () => {
		const seats = [
			{ section: 'A', from: 1, to: 5, price: 50000 },
			{ section: 'A', from: 6, to: 10, price: 80000 },
		];
		const concert = await server.makeConcert({ shows: [{ seats }] });
		const page = await atSeats(browser, server, concert, 'Several');
		assert.match(await legend(page), /A ₩50,000 – ₩80,000/);
		await page.context().close();
	});

	it('of what is offered instead are named where they are others', async () => {
		const seats = [
			{ section: 'A', from: 1, to: 2, price: 50000 },
			{ section: 'B', from: 3, to: 10, price: 500000 },
		];
		for (const language of ['en', 'ko']) {
			const concert = await server.makeConcert({ shows: [{ seats }] });
			const page = await atSeats(browser, server, concert, `Dear ${language}`, { language });
			await page.route('**/list/statuses*', (route) => route.abort());
			await page.getByText(catalogues[language]['seats.list'], { exact: true }).click();
			await page.locator('.seat-button', { hasText: /^1\s/ }).click();
			await server.hold(await server.buyer(concert), concert, { seatNumbers: [1, 2] });
			// The page does not know of it: for it only the one that is asked for is taken.
			await page.route('**/seat', async (route) => {
				const response = await route.fetch();
				await route.fulfill({ response, json: { ...(await response.json()), conflicts: [1, 2] } });
			});
			await press(page, button(page, 'seats.hold'));
			const told = await page.locator('[data-code=SEAT_TAKEN]').innerText();
			assert.match(told, /₩1,000,000/);
			assert.match(told, /₩100,000/);
			await noBarriers(page, 'another price');
			await page.context().close();
		}
	});
});

describe('the nearest free seats', async () => {
	const { planOf, nearestFree, pricesOf } = await moduleOf('shared/seatmap/geometry.ts');
	const seat = (seatNumber, section, price, status = 'AVAILABLE') => ({ seatNumber, section, price, status });

	it('are of the same price first, also in another section', () => {
		const seats = [
			seat(1, 'A', 5, 'SOLD'),
			seat(2, 'A', 50),
			seat(3, 'A', 5),
			...[4, 5, 6].map((n) => seat(n, 'B', 9)),
			...[7, 8].map((n) => seat(n, 'C', 5)),
		];
		const plan = planOf(seats);
		const near = nearestFree(plan, seats, 0, 7).map((i) => seats[i]);
		assert.deepEqual(
			near.map((s) => s.section + s.price),
			['A5', 'C5', 'C5', 'A50', 'B9', 'B9', 'B9'],
		);
	});

	it('and what a section costs is what its free ones do', () => {
		const seats = [seat(1, 'A', 5, 'SOLD'), seat(2, 'A', 7), seat(3, 'A', 9), seat(4, 'B', 3, 'SOLD')];
		const { sections } = planOf(seats);
		assert.deepEqual(pricesOf(sections[0], seats), [7, 9]);
		assert.deepEqual(pricesOf(sections[1], seats), [3, 3]);
	});
});

describe('the best available', () => {
	const server = serverHere();
	const one = serverHere({ args: ['--seats-per-user', '1'] });
	const browser = browserHere();

	it('are as many as there are', async () => {
		const seats = [
			{ section: 'A', from: 1, to: 1, price: 50000 },
			{ section: 'B', from: 2, to: 9, price: 40000 },
		];
		const concert = await server.makeConcert({ shows: [{ seats }] });
		const page = await atSeats(browser, server, concert, 'Single', { size: PHONE });
		await page.locator('.best select').last().selectOption('A');
		assert.equal(await page.locator('.best select').first().inputValue(), '1');
		const sent = page.waitForRequest((request) => request.url().endsWith('/seat'));
		await press(page, button(page, 'seats.bestGo.one'));
		assert.deepEqual((await sent).postDataJSON().bestAvailable, { count: 1, section: 'A' });
		await heading(page, 'pay.title').waitFor();
		await page.goBack();
		await page.locator('canvas').waitFor();
		await page.locator('.best select').last().selectOption('A');
		const none = page.locator('.best .button');
		await eventually('none is left', async () => (await none.innerText()) === catalogues.en['dates.soldOut'], 5000);
		assert.equal(await none.getAttribute('aria-disabled'), 'true');
		await page.context().close();
	});

	it('are as many as one person may have, once the server has said how many', async () => {
		const concert = await one.makeConcert();
		const page = await atSeats(browser, one, concert, 'Limited');
		await press(page, button(page, 'seats.bestGo.other'));
		await page.getByText(like('en', 'seats.limit.one')).waitFor();
		await noBarriers(page, 'the limit');
		await press(page, button(page, 'seats.bestGo.one'));
		await heading(page, 'pay.title').waitFor();
		await page.context().close();
	});

	it('are held once, whatever becomes of the answer', async () => {
		const concert = await server.makeConcert();
		const page = await atSeats(browser, server, concert, 'Twice');
		await page.route('**/seat', async (route) => {
			await route.fetch();
			await route.abort('connectionreset');
		});
		await press(page, button(page, 'seats.bestGo.other'));
		await page.locator('[data-code=NO_ANSWER]').waitFor();
		await page.unroute('**/seat');
		await page.waitForResponse('**/list/statuses*');
		assert.equal(await text(page, 'seats.wentAway').count(), 0);
		await press(page, button(page, 'do.retry').first());
		await heading(page, 'pay.title').waitFor();
		const { userId, places } = await page.evaluate(() => JSON.parse(localStorage.getItem('jari.me')));
		const { reservations } = await server.ok(200, 'GET', `/api/${userId}/reservations`, { token: places[0].token });
		assert.equal(reservations.length, 1);
		await page.context().close();
	});
});

describe('a sale that is opened earlier', () => {
	const server = serverHere();
	const browser = browserHere();

	it('is seen by who waits for it, with the concert’s new title', { timeout: 60000 }, async () => {
		const concert = await server.makeConcert({ salesOpenAt: '2098-01-01T00:00:00Z' });
		const page = await atSeats(browser, server, concert, 'Waiter');
		await page.getByText(/^Sales open in/).waitFor();
		const body = { salesOpenAt: null, title: 'Another title' };
		await server.ok(200, 'PATCH', `/api/admin/concerts/${concert.concertId}`, { admin: true, body });
		await page.getByText(/^Sales open in/).waitFor({ state: 'detached', timeout: 26_000 });
		await page.locator('.concert-title', { hasText: 'Another title' }).waitFor();
		await press(page, button(page, 'seats.bestGo.other'));
		await heading(page, 'pay.title').waitFor();
		await page.context().close();
	});
});
