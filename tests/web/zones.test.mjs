// When a show begins, for readers in other zones than the venue's: day, weekday and time are of one zone, and the venue's day is told where it is another.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serverHere } from '../api/harness.mjs';
import { browserHere, button, DESK, heading, like, moduleOf, noBarriers, PHONE, press, takePlace } from './browser.mjs';

// In the morning in Korea, in the evening of the day before in New York.
const startsAt = '2099-12-24T10:00:00+09:00';
const show = { date: '2099-12-24', startsAt: '2099-12-24T01:00:00Z' };
const narrow = (text) => text.replace(/\s+/g, ' ');

describe('when a show begins', async () => {
	const { Format } = await moduleOf('shared/format.ts');

	it('is told by the reader’s clock, and the venue’s day where it is another', () => {
		const there = new Format('en-US', 'America/New_York').begins(show);
		assert.deepEqual(
			{ ...there, time: narrow(there.time) },
			{ day: 'December 23, 2099', weekday: 'Wednesday', time: '8:00 PM EST', venue: 'December 24, 2099' },
		);
		const here = new Format('ko-KR', 'Asia/Seoul').begins(show);
		assert.deepEqual([here.day, here.weekday, here.venue], ['2099년 12월 24일', '목요일', null]);
		assert.match(here.time, /10:00 GMT\+9$/);
	});

	it('also a day ahead, and at midnight', () => {
		const late = { date: '2026-03-07', startsAt: '2026-03-08T04:30:00Z' };
		const seoul = new Format('en-US', 'Asia/Seoul').begins(late);
		assert.deepEqual([seoul.day, seoul.weekday, seoul.venue], ['March 8, 2026', 'Sunday', 'March 7, 2026']);
		const midnight = new Format('en-US', 'Asia/Seoul').begins({ date: '2026-03-08', startsAt: '2026-03-07T15:00:00Z' });
		assert.deepEqual([midnight.day, midnight.venue], ['March 8, 2026', null]);
		const before = new Format('en-US', 'Asia/Seoul').begins({ date: '2026-03-08', startsAt: '2026-03-07T14:59:59Z' });
		assert.deepEqual([before.day, before.venue], ['March 7, 2026', 'March 8, 2026']);
	});
});

describe('a reader in New York', () => {
	const server = serverHere();
	const browser = browserHere();

	for (const [language, size] of [
		['en', DESK],
		['ko', PHONE],
	])
		it(`is told one instant, everywhere: ${language}`, async () => {
			const concert = await server.makeConcert({ shows: [{ startsAt }] });
			const settings = { size, language, timezoneId: 'America/New_York' };
			const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, settings);
			const right = async (where) => {
				const told = narrow(await where.innerText());
				assert.match(told, language === 'en' ? /December 23, 2099.*8:00 PM EST/ : /2099년 12월 23일.*오후 8:00/);
				assert.match(told, language === 'en' ? /\(at the venue: December 24, 2099\)/ : /\(공연장 날짜: 2099년 12월 24일\)/);
				assert.doesNotMatch(told, /Thursday|목요일/);
			};
			await takePlace(page, `Reader ${language}`);
			await page.locator('.date').first().waitFor();
			await right(page.locator('.date').first());
			await noBarriers(page, 'dates elsewhere');
			await press(page, page.locator('.date').first());
			await page.locator('canvas').waitFor();
			await right(page.locator('section.seats > p.soft'));
			await press(page, button(page, 'seats.bestGo.other'));
			await heading(page, 'pay.title').waitFor();
			await right(page.locator('.facts'));
			await press(page, button(page, 'pay.chargeMissing'));
			await page.locator('[data-code=INSUFFICIENT_BALANCE]').waitFor({ state: 'detached' });
			await press(page, button(page, 'pay.go'));
			await heading(page, 'done.title').waitFor();
			await right(page.locator('.facts'));
			await press(page, page.locator('main').getByRole('link', { name: like(language, 'do.toMine') }));
			await page.locator('.mine').waitFor();
			await right(page.locator('.mine'));
			await page.context().close();
		});

	it('is told no venue’s day where it is the same', async () => {
		const concert = await server.makeConcert({ shows: [{ startsAt: '2099-12-24T22:00:00+09:00' }] });
		const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, { timezoneId: 'America/New_York' });
		await takePlace(page, 'Same day');
		await page.locator('.date', { hasText: 'December 24, 2099' }).waitFor();
		assert.equal(await page.locator('.venue-date').count(), 0);
		await page.context().close();
	});
});
