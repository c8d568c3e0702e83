// Dates and times for an organiser who is in another zone than the venue, and over a change to daylight saving.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ADMIN_KEY, serverHere } from '../api/harness.mjs';
import { browserHere, DESK } from './browser.mjs';

describe('an organiser', () => {
	const server = serverHere();
	const browser = browserHere();
	const enter = async (view, timezoneId, more = {}) => {
		const page = await browser.open(`${server.address}/admin${view}`, { size: DESK, timezoneId, ...more });
		await page.locator('#key').fill(ADMIN_KEY);
		await page.locator('form button[type=submit]').click();
		await page.locator('main:not(.signin) h1').first().waitFor();
		return page;
	};
	const matinee = async (title) => {
		const body = {
			concerts: [
				{
					title,
					artist: 'x',
					venue: 'Seoul',
					salesOpenAt: '2099-01-10T20:00:00+09:00',
					shows: [{ startsAt: '2099-03-11T14:00:00+09:00', seats: [{ section: 'A', from: 1, to: 5, price: 1000 }] }],
				},
			],
		};
		const ids = await server.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body });
		return { concertId: ids.concertIds[0], showId: ids.showIds[0] };
	};

	it('in New York gives a date in summer and one in winter, each as the clocks go there on that day', async () => {
		const page = await enter('#/add', 'America/New_York');
		await page.locator('#title').fill('Seasons');
		await page.locator('#artist').fill('x');
		await page.locator('#venue').fill('New York');
		await page.locator('#date-0').fill('2099-07-10T19:00');
		await page.locator('#date-0-hint', { hasText: 'UTC-04:00' }).waitFor();
		await page.getByRole('button', { name: 'Another date' }).click();
		await page.locator('#date-1').fill('2099-12-10T19:00');
		await page.locator('#date-1-hint', { hasText: 'UTC-05:00' }).waitFor();
		await page.locator('#salesOpenAt').fill('2099-06-01T12:00');
		await page.getByRole('button', { name: 'Add the concert' }).click();
		await page
			.getByText(/^Added:/)
			.first()
			.waitFor();
		const { concerts } = await server.ok(200, 'GET', '/api/concerts');
		const made = await server.ok(200, 'GET', `/api/admin/concerts/${concerts.at(-1).concertId}`, { admin: true });
		assert.equal(made.salesOpenAt, '2099-06-01T16:00:00Z');
		assert.deepEqual(
			made.shows.map((show) => [show.date, show.startsAt]),
			[
				['2099-07-10', '2099-07-10T23:00:00Z'],
				['2099-12-10', '2099-12-11T00:00:00Z'],
			],
		);
	});

	it('in Los Angeles reads day, weekday and time of one zone, which is named, and the venue’s date beside it', async () => {
		const { concertId, showId } = await matinee('Matinee');
		const page = await enter('#/shows', 'America/Los_Angeles');
		const row = page.locator(`.showrow[href="#/show/${showId}"]`);
		await row.waitFor();
		const reads = async (where) => {
			const said = (await where.innerText()).replace(/\s+/g, ' ');
			assert.match(said, /March 10, 2099/);
			assert.match(said, /Tuesday/);
			assert.match(said, /10:00 PM PDT/);
			assert.match(said, /At the venue: March 11, 2099/);
			assert.doesNotMatch(said, /Wednesday/);
		};
		await reads(row);
		assert.match(await page.locator(`#concert-${concertId} ~ p`).last().innerText(), /Jan 10, 2099.*3:00 AM PST/);
		await row.click();
		await page.locator('#starts').waitFor();
		await reads(page.locator('main header'));
		assert.equal(await page.locator('#starts').inputValue(), '2099-03-10T22:00');
		assert.match(await page.locator('#offset option:checked').innerText(), /America\/Los_Angeles/);
		assert.equal(await page.getByText('Time zone of the venue').count(), 0, 'it is not the venue’s');
		await page.goto(`${server.address}/admin#/concert/${concertId}`);
		await page.locator('#salesOpenAt').waitFor();
		await reads(page.locator('section li').first());
		assert.equal(await page.locator('#salesOpenAt').inputValue(), '2099-01-10T03:00');
		assert.match(await page.locator('#offset option:checked').innerText(), /America\/Los_Angeles/);
		assert.equal(await page.getByText('Time zone of the venue').count(), 0, 'it is not the venue’s');
	});

	it('is told under which date a changed show is sold, before it is changed', async () => {
		const { showId } = await matinee('Moved');
		const page = await enter(`#/show/${showId}`, 'America/Los_Angeles');
		await page.locator('#starts-hint', { hasText: 'At the venue it is March 11, 2099' }).waitFor();
		await page.locator('#offset').selectOption('+09:00');
		await page.locator('#starts-hint').waitFor({ state: 'detached' });
		assert.equal(await page.locator('#starts').inputValue(), '2099-03-11T14:00');
		await page.locator('#starts').fill('2099-03-11T15:00');
		await page.getByRole('button', { name: 'Change …' }).click();
		await page.locator('dialog', { hasText: /The show begins Mar 10, 2099.*11:00 PM PDT/ }).waitFor();
		await page.locator('dialog', { hasText: 'Buyers find it under March 11, 2099' }).waitFor();
		await page.locator('dialog .button.main').click();
		await page.locator('dialog').waitFor({ state: 'detached' });
		const hall = await server.ok(200, 'GET', `/api/admin/shows/${showId}`, { admin: true });
		assert.deepEqual([hall.date, hall.startsAt], ['2099-03-11', '2099-03-11T06:00:00Z']);
	});

	it('in Seoul sees no hint where there is no other date', async () => {
		const { showId } = await matinee('Here');
		const page = await enter(`#/show/${showId}`, 'Asia/Seoul', { locale: 'ko-KR' });
		await page.locator('#starts').waitFor();
		assert.equal(await page.locator('#starts-hint').count(), 0);
		assert.match(await page.locator('main header').innerText(), /2099년 3월 11일 수요일 오후 2:00 GMT\+9/);
		assert.doesNotMatch(await page.locator('main header').innerText(), /공연장 날짜/);
	});
});
