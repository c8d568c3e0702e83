// The whole way, from the list of concerts to the paid seats, on a phone and on a desk, in both languages, by touch, mouse and keyboard. On every
// view axe-core looks for barriers, by day and by night.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, many, serverHere } from '../api/harness.mjs';
import {
	browserHere,
	button,
	DESK,
	heading,
	like,
	link,
	noBarriers,
	PHONE,
	picture,
	press,
	pressSeat,
	takePlace,
} from './browser.mjs';

const HALL = [
	{ section: 'VIP', from: 1, to: 8, price: 165000 },
	{ section: 'R', from: 9, to: 22, price: 143000 },
	{ section: 'S', from: 23, to: 38, price: 121000 },
	{ section: 'A', from: 39, to: 50, price: 99000 },
];

async function concertOf(server, title, more = {}) {
	const doc = {
		queues: [{ name: title, capacity: 5, ...more.queue }],
		concerts: [
			{
				title,
				artist: '달그림자 밴드 (Moonshade Band)',
				venue: '은하수 소극장, 서울 (Galaxy Little Theatre, Seoul)',
				queue: title,
				shows: [
					{ startsAt: '2099-12-24T19:30:00+09:00', seats: HALL },
					{ startsAt: '2099-12-25T18:00:00+09:00', seats: HALL },
				],
			},
		],
	};
	const ids = await server.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: doc });
	return { title, queueId: ids.queueIds[0], concertId: ids.concertIds[0], showId: ids.showIds[0] };
}

describe('the whole way', () => {
	const server = serverHere();
	const browser = browserHere();

	const cases = [
		['a phone, in Korean', { size: PHONE, language: 'ko', dark: false }, '겨울, 종이 등불'],
		['a desk, in English', { size: DESK, language: 'en', dark: true }, 'Paper Lanterns in Winter'],
		['a phone, in English', { size: PHONE, language: 'en', dark: true }, 'Strings for the First Snow'],
		['a desk, in Korean', { size: DESK, language: 'ko', dark: false }, '첫눈의 현악'],
	];
	for (const [who, settings, title] of cases)
		it(`${who}`, async () => {
			const concert = await concertOf(server, title);
			const page = await browser.open(server.address, settings);
			// axe-core takes its time: one size by day, the other by night.
			const thorough = (settings.size === PHONE) !== settings.dark;
			const name = `${settings.size === PHONE ? 'phone' : 'desk'}-${settings.language}${settings.dark ? '-dark' : ''}`;
			const look = async (view) => {
				if (!thorough) return;
				await noBarriers(page, `${who}, ${view}`);
				await picture(page, `${view}-${name}`);
			};

			assert.equal(await page.getAttribute('html', 'lang'), settings.language);
			await page.locator('.concert').first().waitFor();
			await look('concerts');
			await press(page, page.getByRole('link', { name: new RegExp(title) }));
			await heading(page, 'join.title').waitFor();
			await look('join');

			await server.patchQueue(concert.queueId, { paused: true });
			await many(12, 4, () => server.join(server.name(), concert.concertId));
			await takePlace(page, settings.language === 'ko' ? `김하늘 ${title}` : `Robin, ${title}`);
			await heading(page, 'wait.title').waitFor();
			await page.locator('.ahead .huge', { hasText: /^12$/ }).waitFor();
			await look('waiting');
			await server.patchQueue(concert.queueId, { paused: false, capacity: 100 });

			await heading(page, 'dates.title').waitFor();
			await look('dates');
			await press(page, page.locator('.date').first());
			await heading(page, 'seats.title').waitFor();
			await page.locator('canvas').waitFor();
			await pressSeat(page, 12);
			await pressSeat(page, 13);
			await page.locator('.tray .sum strong', { hasText: like(page.language, 'seats.sum.other') }).waitFor();
			await look('seats');
			await press(page, page.locator('label', { hasText: like(page.language, 'seats.list') }));
			if (thorough) await noBarriers(page, `${who}, the list of seats`);

			await press(page, button(page, 'seats.hold'));
			await heading(page, 'pay.title').waitFor();
			await look('payment');
			await press(page, button(page, 'pay.chargeMissing'));
			await press(page, button(page, 'pay.go'));
			await heading(page, 'done.title').waitFor();
			await look('done');
			assert.match(await page.locator('.seat-numbers').innerText(), /12, 13/);

			await press(page, link(page, 'nav.wallet'));
			await page.locator('.histories li').nth(1).waitFor();
			await look('wallet');
			await press(page, link(page, 'nav.seats'));
			await page.locator('.mine').first().waitFor();
			if (thorough) await noBarriers(page, `${who}, my seats`);
			await page.goBack();
			await heading(page, 'wallet.title').waitFor();

			const stats = await server.ok(200, 'GET', '/api/admin/stats', { admin: true });
			const sold = stats.shows.find((show) => show.showId === concert.showId);
			assert.equal(sold.sold, 2);
			assert.equal(sold.revenue, 286000);
			await page.context().close();
		});

	it('the language is changed by a switch, and stays', async () => {
		const page = await browser.open(server.address, { size: DESK, language: 'en' });
		await heading(page, 'home.title').waitFor();
		await page.getByText('한국어').click();
		page.language = 'ko';
		await heading(page, 'home.title').waitFor();
		assert.equal(await page.getAttribute('html', 'lang'), 'ko');
		await page.reload();
		await heading(page, 'home.title').waitFor();
		await page.context().close();
	});
});

describe('the keyboard alone', () => {
	const server = serverHere();
	const browser = browserHere();

	// Presses Tab until what has the focus is this.
	async function tabTo(page, what, most = 40) {
		for (let i = 0; i < most; i++) {
			if (await what.evaluate((element) => element === document.activeElement).catch(() => false)) return;
			await page.keyboard.press('Tab');
		}
		const at = await page.evaluate(() => document.activeElement.outerHTML.slice(0, 200));
		assert.fail(`Tab does not lead there; it is at ${at}`);
	}

	it('leads from the beginning to the paid seat', async () => {
		const concert = await concertOf(server, 'Keys');
		const page = await browser.open(server.address, { size: DESK, language: 'en', reduced: false });
		const { keyboard } = page;
		await page.locator('.concert').waitFor();
		await keyboard.press('Tab');
		await tabTo(page, page.locator('.concert'));
		await keyboard.press('Enter');
		await heading(page, 'join.title').waitFor();
		await tabTo(page, page.locator('#name'));
		await keyboard.type('Keys');
		await keyboard.press('Enter');
		await heading(page, 'dates.title').waitFor();
		await tabTo(page, page.locator('.date').first());
		await keyboard.press('Enter');

		const map = page.getByRole('listbox');
		await tabTo(page, map);
		const option = map.getByRole('option');
		assert.match(await option.innerText(), /^Seat 1, VIP, ₩165,000, free$/);
		await keyboard.press('ArrowRight');
		await keyboard.press('ArrowDown');
		const name = await option.innerText();
		const number = Number(/^Seat (\d+), R,/.exec(name)?.[1]);
		assert.ok(number >= 9, `one row down and one to the right of seat 1 is a seat of R, not ${name}`);
		assert.equal(await option.getAttribute('id'), await map.getAttribute('aria-activedescendant'));
		await keyboard.press('Space');
		assert.equal(await option.getAttribute('aria-selected'), 'true');
		assert.match(await page.locator('[data-said]').innerText(), new RegExp(`^Seat ${number}, R, ₩143,000, chosen$`));
		await keyboard.press('PageDown');
		assert.match(await option.innerText(), /^Seat 23, S,/);
		await keyboard.press('End');
		assert.match(await option.innerText(), /^Seat 50, A,/);

		await tabTo(page, button(page, 'seats.hold'));
		await keyboard.press('Enter');
		await heading(page, 'pay.title').waitFor();
		await tabTo(page, button(page, 'pay.chargeMissing'));
		await keyboard.press('Enter');
		await page.locator('[data-code=INSUFFICIENT_BALANCE]').waitFor({ state: 'detached' });
		await tabTo(page, button(page, 'pay.go'));
		await keyboard.press('Enter');
		await heading(page, 'done.title').waitFor();
		const { shows } = await server.ok(200, 'GET', '/api/admin/stats', { admin: true });
		await eventually('sold', () => shows.find((show) => show.showId === concert.showId).sold === 1);
		await page.context().close();
	});
});
