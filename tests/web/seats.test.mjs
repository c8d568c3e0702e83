// Choosing and holding seats: two who want the same one, what changes while one looks, halls of thousands, what the rules refuse.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, serverHere } from '../api/harness.mjs';
import {
	atSeats,
	browserHere,
	button,
	catalogues,
	DESK,
	heading,
	like,
	link,
	moduleOf,
	noBarriers,
	PHONE,
	press,
	pressSeat,
	text,
} from './browser.mjs';

describe('the seat map', () => {
	const server = serverHere();
	const browser = browserHere();

	it('two who want one seat: the second is told, and offered the nearest', async () => {
		const concert = await server.makeConcert();
		const [a, b] = await Promise.all(['First', 'Second'].map((name) => atSeats(browser, server, concert, name, { size: PHONE })));
		// The second must not see it coming.
		await b.route('**/list/statuses*', (route) => route.abort());
		await pressSeat(a, 12);
		await pressSeat(b, 12);
		await press(a, button(a, 'seats.hold'));
		await heading(a, 'pay.title').waitFor();
		await press(b, button(b, 'seats.hold'));
		await b.locator('[data-code=SEAT_TAKEN]').waitFor();
		await noBarriers(b, 'taken');
		const offer = button(b, 'seats.takenUse');
		assert.match(await offer.innerText(), /\b1[13]\b/);
		await press(b, offer);
		await b.unroute('**/list/statuses*');
		await press(b, button(b, 'seats.hold'));
		await heading(b, 'pay.title').waitFor();
		await Promise.all([a, b].map((page) => page.context().close()));
	});

	it('follows what others do, asks by version, and draws nothing anew that stays', async () => {
		const concert = await server.makeConcert();
		const page = await atSeats(browser, server, concert, 'Watcher');
		await pressSeat(page, 30);
		await page.waitForResponse('**/list/statuses*');
		await page.locator('.tray .sum strong', { hasText: like('en', 'seats.sum.one') }).waitFor();
		const statuses = [];
		page.on('response', (response) => /\/list\/(seats|statuses)/.test(response.url()) && statuses.push(response.status()));
		await page.evaluate(() => {
			document.querySelector('canvas').mine = true;
		});
		await eventually('nothing new is not sent again', () => statuses.length >= 2, 9000, 50);
		assert.deepEqual([...new Set(statuses)], [304]);
		const other = await server.buyer(concert);
		await server.hold(other, concert, { seatNumbers: [29, 30] });
		await text(page, 'seats.wentAway').waitFor();
		await text(page, 'seats.noneChosen').waitFor();
		assert.ok(await page.evaluate(() => document.querySelector('canvas').mine), 'it is the same map');
		assert.equal(
			await page.evaluate(() => document.querySelector('canvas').drawn.seats.find((s) => s.seatNumber === 29).status),
			'HELD',
		);
		await page.context().close();
	});

	it('the best seats in one step', async () => {
		const concert = await server.makeConcert();
		const page = await atSeats(browser, server, concert, 'Best');
		await press(page, button(page, 'seats.bestGo.other'));
		await heading(page, 'pay.title').waitFor();
		assert.match(await page.locator('.seat-numbers').innerText(), /^\d+, \d+$/);
		await page.context().close();
	});

	it('more than one person may have is refused, with where to look', async () => {
		const concert = await server.makeConcert();
		const page = await atSeats(browser, server, concert, 'Greedy');
		for (const number of [1, 2, 3, 4, 5]) await pressSeat(page, number);
		await press(page, button(page, 'seats.hold'));
		await page.locator('[data-code=LIMIT_EXCEEDED]').waitFor();
		await noBarriers(page, 'too many');
		await press(page, link(page, 'do.toMine'));
		await heading(page, 'mine.title').waitFor();
		await page.context().close();
	});

	it('before the sale seats can be looked at, and a countdown runs', async () => {
		const concert = await server.makeConcert({ salesOpenAt: new Date(Date.now() + 3600_000).toISOString() });
		const page = await atSeats(browser, server, concert, 'Early');
		await page.getByText(/^Sales open in (1:00:00|59:\d\d)$/).waitFor();
		await pressSeat(page, 3);
		assert.equal(await button(page, 'seats.hold').getAttribute('aria-disabled'), 'true');
		await noBarriers(page, 'before the sale');
		await page.context().close();
	});

	it('who presses as sales open is not refused because the page was early by a moment', async () => {
		const salesOpenAt = new Date(Date.now() - 1000).toISOString();
		const concert = await server.makeConcert({ salesOpenAt });
		const page = await atSeats(browser, server, concert, 'First in');
		await pressSeat(page, 3);
		const answers = [];
		page.on('response', (response) => response.url().endsWith('/seat') && answers.push(response.status()));
		const json = { code: 'SALES_NOT_OPEN', status: 403, title: 'Sales have not opened', salesOpenAt };
		let early = 2;
		await page.route('**/api/booking/*/seat', (route) => (early-- > 0 ? route.fulfill({ status: 403, json }) : route.continue()));
		await press(page, button(page, 'seats.hold'));
		await heading(page, 'pay.title').waitFor();
		assert.deepEqual(answers, [403, 403, 201]);
		await page.context().close();
	});

	it('a sale that was put off is counted down to anew', async () => {
		const concert = await server.makeConcert();
		const page = await atSeats(browser, server, concert, 'Too soon');
		await pressSeat(page, 3);
		const body = { salesOpenAt: new Date(Date.now() + 3600_000).toISOString() };
		await server.ok(200, 'PATCH', `/api/admin/concerts/${concert.concertId}`, { admin: true, body });
		await press(page, button(page, 'seats.hold'));
		await page.locator('[data-code=SALES_NOT_OPEN]').waitFor();
		await page.getByText(/^Sales open in (1:00:00|59:\d\d)$/).waitFor();
		assert.equal(await button(page, 'seats.hold').getAttribute('aria-disabled'), 'true');
		await noBarriers(page, 'put off');
		await page.context().close();
	});

	it('a hold that lapses goes back to the map', async () => {
		const concert = await server.makeConcert();
		const page = await atSeats(browser, server, concert, 'Late');
		// As the server would say it minutes later; the countdown runs by that. A page knows the server's time only to a part of a second and would
		// rather be early, so here it is: when the countdown is over, the hold still stands for a moment.
		const asked = [];
		await page.route('**/api/reservations/*', async (route) => {
			const response = await route.fetch();
			const reservation = await response.json();
			const over = Date.parse(reservation.createdAt) + 2500;
			asked.push(Date.now() - over);
			await route.fulfill({
				response,
				json: {
					...reservation,
					heldUntil: new Date(over).toISOString(),
					status: Date.now() > over + 1500 ? 'EXPIRED' : reservation.status,
				},
			});
		});
		await pressSeat(page, 7);
		await press(page, button(page, 'seats.hold'));
		await heading(page, 'pay.expired').waitFor();
		assert.ok(asked.length < 8, `asks again, but with pauses: after ${asked} ms`);
		await noBarriers(page, 'lapsed');
		await press(page, link(page, 'pay.toMap'));
		await heading(page, 'seats.title').waitFor();
		await page.context().close();
	});
});

describe('a hall of thousands', () => {
	const server = serverHere();
	const browser = browserHere();
	const sections = [
		{ section: 'Floor', from: 1, to: 600, price: 198000 },
		{ section: 'R 101', from: 601, to: 1300, price: 165000 },
		{ section: 'R 102', from: 1301, to: 2000, price: 165000 },
		{ section: 'S 201', from: 2001, to: 3500, price: 143000 },
		{ section: 'S 202', from: 3501, to: 5000, price: 143000 },
	];

	it('is moved without stutter, and a tap comes nearer before it chooses', async () => {
		const concert = await server.makeConcert({ shows: [{ seats: sections }] });
		const page = await atSeats(browser, server, concert, 'Arena', { size: PHONE, reduced: false });
		const frame = await page.evaluate(async () => {
			const { drawn } = document.querySelector('canvas');
			const next = () => new Promise((resolve) => requestAnimationFrame(resolve));
			drawn.drawn = drawn.drawing = 0;
			for (let i = 0; i < 60; i++) {
				drawn.zoom(i < 30 ? 1.04 : 1 / 1.04);
				await next();
			}
			const mean = drawn.drawing / drawn.drawn;
			drawn.showWhole();
			await next();
			return { mean, frames: drawn.drawn };
		});
		assert.ok(frame.frames >= 50, `${frame.frames} frames`);
		// Without a graphics card, and beside another test; on a phone it is a part of that.
		assert.ok(frame.mean < 25, `a frame takes ${frame.mean.toFixed(1)} ms`);
		await pressSeat(page, 1500);
		assert.equal(await page.locator('.tray .sum strong').count(), 0, 'the first tap only comes nearer');
		await pressSeat(page, 1500);
		await page.locator('.tray .sum strong', { hasText: like('en', 'seats.sum.one') }).waitFor();
		assert.match(await page.locator('.tray .sum').innerText(), /Seat 1500$/);
		await page.context().close();
	});

	it('has a list of the same seats', async () => {
		const concert = await server.makeConcert({ shows: [{ seats: sections }] });
		const page = await atSeats(browser, server, concert, 'List', { size: DESK });
		await page.getByText(catalogues.en['seats.list'], { exact: true }).click();
		await page.locator('summary', { hasText: 'R 102' }).click();
		await page.getByRole('button', { name: 'Seat 1301, R 102, ₩165,000, free' }).click();
		assert.equal(await page.getByRole('button', { name: /^Seat 1301,.*chosen$/ }).getAttribute('aria-pressed'), 'true');
		await noBarriers(page, 'the list of a large hall');
		await page.context().close();
	});
});

describe('the plan of a hall', async () => {
	const { planOf, seatAt, seatTowards, nearestFree } = await moduleOf('shared/seatmap/geometry.ts');
	const hall = (sections) =>
		sections.flatMap(([section, n, price], s) =>
			Array.from({ length: n }, (_, i) => ({
				seatNumber: sections.slice(0, s).reduce((sum, x) => sum + x[1], 0) + i + 1,
				section,
				price,
				status: 'AVAILABLE',
			})),
		);
	const halls = {
		one: hall([['A', 1, 100]]),
		fifty: hall([
			['VIP', 8, 3],
			['R', 14, 2],
			['S', 28, 1],
		]),
		thousands: hall([
			['F', 600, 9],
			['R1', 700, 7],
			['R2', 700, 7],
			['S1', 901, 5],
			['S2', 899, 5],
			['S3', 450, 5],
			['S4', 7, 5],
			['S5', 300, 5],
		]),
		many: hall(Array.from({ length: 40 }, (_, i) => [`s${i}`, 13, i % 3])),
	};
	for (const [name, seats] of Object.entries(halls))
		it(`${name}: no two seats are on one place, all are inside, each is found where it is`, () => {
			const plan = planOf(seats);
			assert.equal(plan.places.length, seats.length);
			const cells = new Map();
			plan.places.forEach((place, i) => {
				assert.ok(
					place.x >= plan.left && place.x <= plan.left + plan.width && place.y >= plan.top && place.y <= plan.top + plan.height,
				);
				assert.equal(seatAt(plan, place.x + 0.1, place.y - 0.1), i);
				const cell = `${Math.round(place.x)},${Math.round(place.y)}`;
				for (const j of cells.get(cell) ?? []) {
					const other = plan.places[j];
					assert.ok(Math.hypot(place.x - other.x, place.y - other.y) > 0.9, `seats ${i} and ${j}`);
				}
				cells.set(cell, [...(cells.get(cell) ?? []), i]);
			});
			assert.ok(
				plan.places.every((place) => place.y > plan.stage.y + plan.stage.height),
				'nobody sits on the stage',
			);
		});

	it('arrow keys lead from every seat to every other', () => {
		const plan = planOf(halls.fifty);
		const reached = new Set([0]);
		for (const from of reached)
			for (const [dx, dy] of [
				[1, 0],
				[-1, 0],
				[0, 1],
				[0, -1],
			])
				reached.add(seatTowards(plan, from, dx, dy));
		assert.equal(reached.size, halls.fifty.length);
		assert.equal(seatTowards(plan, 0, -1, 0), 0, 'at the edge it stays');
	});

	it('the nearest free seats are of the same section first', () => {
		const seats = halls.fifty.map((seat) => ({ ...seat }));
		const plan = planOf(seats);
		seats[8].status = 'SOLD';
		const near = nearestFree(plan, seats, 8, 3);
		assert.deepEqual(
			near.map((i) => seats[i].section),
			['R', 'R', 'R'],
		);
		assert.ok(near.includes(9));
		assert.deepEqual(
			nearestFree(plan, seats, 9, 1, new Set([11])).map((i) => seats[i].seatNumber !== 11),
			[true],
		);
		for (const seat of seats) seat.status = 'SOLD';
		assert.deepEqual(nearestFree(plan, seats, 8, 3), []);
	});
});
