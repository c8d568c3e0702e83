// The organisers' page, as an organiser uses it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { ADMIN_KEY, eventually, ROOT, serverHere } from '../api/harness.mjs';
import { browserHere, DESK, PHONE } from './browser.mjs';

const axe = fs.readFileSync(path.join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');
const HOSTILE = '<img src=x onerror="document.title=1"><script>alert(1)</script>"\'&amp;';

// What axe-core finds wrong with the view as it is.
async function accessible(page, what) {
	const session = await page.context().newCDPSession(page);
	await session.send('Runtime.evaluate', { expression: axe }); // past the policy of the page, which forbids scripts of others
	const found = await page.evaluate(() =>
		globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }),
	);
	const told = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join(' | ')}`);
	assert.deepEqual(told, [], what);
}

// Nothing may be wider than the screen.
async function fits(page, what) {
	const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
	assert.ok(over <= 0, `${what} is ${over} pixels too wide`);
}

async function signIn(page, key = ADMIN_KEY) {
	await page.locator('#key').fill(key);
	await page.locator('form button[type=submit]').click();
}

async function enter(browser, server, view = '', options = { size: DESK }) {
	const page = await browser.open(`${server.address}/admin${view}`, options);
	await signIn(page);
	await page.locator('main:not(.signin) h1').first().waitFor();
	return page;
}

const confirm = (page) => page.locator('dialog .button.main').click();

describe('signing in', () => {
	const server = serverHere();
	const browser = browserHere();

	it('a wrong key is told in a sentence, the right one opens the page; the key is in no address and only in this tab', async () => {
		const page = await browser.open(`${server.address}/admin`);
		const asked = [];
		page.on('request', (request) => asked.push(request.url()));
		await accessible(page, 'sign-in');
		await signIn(page, `${ADMIN_KEY}x`);
		await page.getByText('This is not the key of this server', { exact: false }).first().waitFor();
		await accessible(page, 'sign-in, wrong');
		await signIn(page);
		await page.getByRole('heading', { name: 'Queues' }).waitFor();
		await page.reload();
		await page.getByRole('heading', { name: 'Queues' }).waitFor();
		assert.ok([...asked, page.url()].every((url) => !url.includes(ADMIN_KEY)));
		assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage })).then((s) => s.includes('admin-key')), false);
		await page.getByRole('button', { name: 'Sign out' }).click();
		await page.locator('#key').waitFor();
		assert.equal(await page.evaluate(() => sessionStorage.length), 0);
	});

	it('the page speaks Korean to who reads Korean, and changes when asked', async () => {
		const page = await enter(browser, server, '', { size: DESK, locale: 'ko-KR' });
		await page.getByRole('heading', { name: '대기열', exact: true }).waitFor();
		assert.equal(await page.evaluate(() => document.documentElement.lang), 'ko');
		await page.getByText('English').click();
		await page.getByRole('heading', { name: 'Queues' }).waitFor();
	});

	it('says what to do while there is no concert', async () => {
		const page = await enter(browser, server);
		await page.getByRole('heading', { name: 'No concerts yet' }).waitFor();
		await accessible(page, 'no concerts');
		await page.locator('.empty a').click();
		await page.getByRole('heading', { name: 'Add a concert' }).waitFor();
	});
});

describe('the queues', () => {
	const server = serverHere();
	const browser = browserHere();
	let concert;
	before(async () => {
		concert = await server.makeConcert({ capacity: 2, title: HOSTILE, queue: '<b>spring</b>' });
		for (let i = 0; i < 5; i++) await server.join(`p${i}`, concert.concertId);
	});
	const open = (options) => enter(browser, server, `#/queues/${concert.queueId}`, options);

	it('pause and resume, each saying before what it will do', async () => {
		const page = await open();
		await page.getByRole('button', { name: 'Pause …' }).click();
		await page.getByText('Nobody is let in until you resume.').waitFor();
		await page.getByText('Those inside go on (2); those who wait keep their places (3).').waitFor();
		await accessible(page, 'the question');
		await page.getByRole('button', { name: 'Cancel' }).click();
		assert.equal((await server.queue(concert.queueId)).paused, false);
		await page.getByRole('button', { name: 'Pause …' }).click();
		await confirm(page);
		await page.getByRole('button', { name: 'Resume …' }).waitFor();
		assert.equal((await server.queue(concert.queueId)).paused, true);
		await page.getByRole('button', { name: 'Resume …' }).click();
		await confirm(page);
		await page.getByRole('button', { name: 'Pause …' }).waitFor();
		assert.equal((await server.queue(concert.queueId)).paused, false);
	});

	it('the capacity changes, and who is let in is told before', async () => {
		const page = await open();
		await page.locator('#capacity').fill('0');
		await page.getByRole('button', { name: 'Change …' }).click();
		await page.getByText('A whole number from 1 to 10,000,000.').waitFor();
		await page.locator('#capacity').fill('4');
		await page.getByRole('button', { name: 'Change …' }).click();
		await page.getByText('2 more people are let in at once.').waitFor();
		await confirm(page);
		await eventually('the queue has it', async () => (await server.queue(concert.queueId)).active === 4, 3000);
		await page.locator('.figure dd', { hasText: /^4$/ }).first().waitFor();
	});

	it('shows plots that go on, names as text, and is accessible by day and by night', async () => {
		for (const [name, options] of [
			['queues-desk', { size: DESK }],
			['queues-phone', { size: PHONE, dark: true }],
		]) {
			const page = await open(options);
			await page.locator('.plot canvas').nth(3).waitFor();
			await page.getByRole('img', { name: /^Waiting: from 0|^Waiting: from 1/ }).waitFor();
			await page.locator('#queue-name', { hasText: '<b>spring</b>' }).waitFor();
			await accessible(page, name);
			await fits(page, name);
		}
	});

	it('the wall opens from the page without the key being asked for again', async () => {
		const page = await open();
		const [wall] = await Promise.all([page.waitForEvent('popup'), page.getByRole('link', { name: 'Wall screen' }).click()]);
		await wall.locator('.live').waitFor();
		assert.ok(wall.url().endsWith('/admin/live'));
	});

	it('the wall has the same plots and nothing to touch', async () => {
		const page = await enter(browser, server, '/live', { size: { width: 1920, height: 1080 } });
		await page.locator('.plot.wall canvas').nth(3).waitFor();
		assert.equal(await page.locator('button, a, input').count(), 0);
		await page.getByRole('img', { name: /^Inside: from/ }).waitFor();
		await accessible(page, 'the wall');
		await fits(page, 'the wall');
	});

	it('says that the server is away, and goes on by itself', async () => {
		const page = await open();
		await page.route('**/api/**', (route) => route.abort());
		await page.getByText('The server does not answer just now.', { exact: false }).first().waitFor();
		await accessible(page, 'away');
		await page.unroute('**/api/**');
		await eventually('the notice goes', async () => (await page.locator('.away').count()) === 0, 12000, 100);
	});
});

describe('the shows', () => {
	const server = serverHere();
	const browser = browserHere();
	let concert;
	before(async () => {
		const seats = [
			{ section: 'VIP', from: 1, to: 60, price: 150000 },
			{ section: HOSTILE.slice(0, 64), from: 61, to: 300, price: 90000 },
		];
		concert = await server.makeConcert({ title: HOSTILE, shows: [{ seats }] });
		for (let i = 0; i < 20; i++) {
			const t = await server.buyer(concert, 1000000);
			const r = await server.hold(t, concert, { seatNumbers: [i * 7 + 1, i * 7 + 2] });
			if (i % 4) await server.pay(t, r);
		}
	});

	it('are listed with what is sold; the sales come as a file', async () => {
		for (const [name, options] of [
			['shows-desk', { size: DESK }],
			['shows-phone', { size: PHONE }],
		]) {
			const page = await enter(browser, server, '#/shows', options);
			await page.getByText('30 sold · 10 held · 260 free').waitFor();
			assert.equal(await page.locator('section h2').first().textContent(), HOSTILE);
			await accessible(page, name);
			await fits(page, name);
			const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /as CSV/ }).click()]);
			const text = fs.readFileSync(await file.path(), 'utf8');
			assert.equal(text.trim().split('\r\n').length, 21);
			assert.equal(file.suggestedFilename(), `sales-${concert.concertId}.csv`);
		}
	});

	// The colour in the middle of a seat, as the canvas shows it.
	const colourOf = (page, i) =>
		page.locator('.heat canvas').evaluate((canvas, index) => {
			const { plan, view } = canvas.drawn;
			const { scale, left, top } = view.current;
			const place = plan.places[index];
			const ratio = devicePixelRatio;
			const x = Math.round((place.x * scale + left - scale * 0.2) * ratio);
			const y = Math.round((place.y * scale + top - scale * 0.2) * ratio);
			return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].join();
		}, i);

	it('one show has a map by state, and a seat that is sold meanwhile changes on it', async () => {
		const page = await enter(browser, server, `#/show/${concert.showId}`);
		await page.locator('.heat canvas').waitFor();
		await page.getByRole('img', { name: '30 of 300 seats are sold, 10 held, 260 free.' }).first().waitFor();
		const free = await colourOf(page, 298);
		const sold = await colourOf(page, 7);
		assert.notEqual(sold, free, 'sold looks otherwise than free');
		const t = await server.buyer(concert, 1000000);
		await server.pay(t, await server.hold(t, concert, { seatNumbers: [299] }));
		await eventually('the seat is drawn as sold', async () => (await colourOf(page, 298)) === sold, 6000, 100);
		await accessible(page, 'a show');
		const phone = await enter(browser, server, `#/show/${concert.showId}`, { size: PHONE, dark: true });
		await phone.locator('.heat canvas').waitFor();
		await accessible(phone, 'a show on a phone');
		await fits(phone, 'a show on a phone');
		const mark = await phone.locator('.wordmark').boundingBox();
		assert.ok(mark.height < 40, 'the name stands in one line');
	});

	it('prices change after a question; closing ends new holds', async () => {
		const page = await enter(browser, server, `#/show/${concert.showId}`);
		await page.locator('#price-0').fill('120000');
		await page.getByRole('button', { name: 'Change …' }).click();
		await page.getByText(/VIP: ₩120,000 for \d+ free seats\./).waitFor();
		await confirm(page);
		await page.getByText(/New price for \d+ seats\./).waitFor();
		await page.getByRole('button', { name: 'Close the sale …' }).click();
		await confirm(page);
		await page.getByText('The sale of this show is closed', { exact: false }).waitFor();
		await server.noHold('SALES_CLOSED', await server.buyer(concert, 0), concert, { seatNumbers: [200] });
		await page.getByRole('button', { name: 'Open the sale again …' }).click();
		await confirm(page);
		await page.getByRole('button', { name: 'Close the sale …' }).waitFor();
	});

	it('a concert’s names change, and buyers see it', async () => {
		const page = await enter(browser, server, `#/concert/${concert.concertId}`);
		await page.locator('#artist').fill('');
		await page.getByRole('button', { name: 'Save' }).click();
		await page.getByText('Fill this in.').waitFor();
		await page.locator('#artist').fill('Somebody else');
		await page.getByRole('button', { name: 'Save' }).click();
		await page.getByText('Saved. Buyers see it within some seconds.').first().waitFor();
		await accessible(page, 'a concert');
		assert.equal((await server.ok(200, 'GET', `/api/concerts/${concert.concertId}`)).artist, 'Somebody else');
	});
});

describe('adding concerts', () => {
	const server = serverHere();
	const browser = browserHere();

	it('by the form: wrong fields are told at the field, by the page and by the server; then it is there', async () => {
		const page = await enter(browser, server, '#/add');
		await page.locator('#title').fill('Spring night');
		await page.getByRole('button', { name: 'Add the concert' }).click();
		await page.locator('#artist-error', { hasText: 'Fill this in.' }).waitFor();
		await eventually(
			'the first wrong field has the focus',
			() => page.evaluate(() => document.activeElement.id === 'artist'),
			2000,
		);
		await accessible(page, 'wrong fields');
		await page.locator('#artist').fill('Han River Quartet');
		await page.locator('#venue').fill('Small Hall');
		await page.locator('#date-0').fill('2099-04-10T19:00');
		await page.locator('#queue').selectOption('new');
		await page.locator('#queueName').fill('main');
		await page.getByRole('button', { name: 'Another section' }).click();
		await page.locator('#to-1').fill('250');
		await page.locator('#price-1').fill('30000');
		await page.getByText('250 seats, ₩8,500,000 when all are sold.').waitFor();
		await page.getByRole('button', { name: 'Add the concert' }).click();
		await page.locator('#queueName-error', { hasText: 'is the name of a queue that is already there' }).waitFor();
		await page.locator('#queueName').fill('spring');
		await page.getByRole('button', { name: 'Add the concert' }).click();
		await page.getByText('Added: concerts 1, shows 1, new queues 1.').first().waitFor();
		await page.getByRole('link', { name: 'Look at it' }).click();
		await page.getByRole('heading', { name: 'Spring night' }).waitFor();
		const { concerts } = await server.ok(200, 'GET', '/api/concerts');
		const made = await server.ok(200, 'GET', `/api/admin/concerts/${concerts.at(-1).concertId}`, { admin: true });
		assert.deepEqual(
			[made.shows[0].date, made.shows[0].startsAt, made.shows[0].totalSeats],
			['2099-04-10', '2099-04-10T10:00:00Z', 250],
		);
	});

	it('by a file: what is wrong is shown at its place, and nothing is added', async () => {
		const page = await enter(browser, server, '#/add', { size: PHONE });
		await fits(page, 'the form on a phone');
		await accessible(page, 'the form on a phone');
		await page.getByText('File', { exact: true }).click();
		const give = (doc) =>
			page.locator('#file').setInputFiles({ name: 'catalogue.json', mimeType: 'application/json', buffer: Buffer.from(doc) });
		await give('{ "concerts": [');
		await page.locator('#file-error', { hasText: 'This is no JSON' }).waitFor();
		const doc = {
			concerts: [
				{
					title: HOSTILE,
					artist: 'A',
					venue: 'V',
					shows: [{ startsAt: '2099-04-10T19:00:00+09:00', seats: [{ section: 'A', from: 9, to: 5, price: 1 }] }],
				},
			],
		};
		await give(JSON.stringify(doc));
		await page.getByRole('button', { name: 'Add all of it' }).click();
		await page.getByText('concerts[0].shows[0].seats[0].to', { exact: false }).waitFor();
		assert.equal(await page.locator('.excerpt .here').textContent(), '"to": 5');
		await accessible(page, 'a wrong file');
		await fits(page, 'a wrong file');
		const count = async () => (await server.ok(200, 'GET', '/api/concerts')).concerts.length;
		const had = await count();
		doc.concerts[0].shows[0].seats[0].to = 40;
		await give(JSON.stringify(doc));
		await page.getByText('dates: 1, seats: 32').waitFor();
		await page.getByRole('button', { name: 'Add all of it' }).click();
		await page.getByText('Added: concerts 1', { exact: false }).first().waitFor();
		assert.equal(await count(), had + 1);
	});
});

describe('the log and the server', () => {
	const server = serverHere();
	const browser = browserHere();
	before(async () => {
		const concert = await server.makeConcert();
		for (let i = 1; i <= 30; i++) await server.patchQueue(concert.queueId, { capacity: i });
	});

	it('the log comes page by page', async () => {
		const page = await enter(browser, server, '#/log');
		await page.locator('tbody tr').nth(24).waitFor();
		assert.equal(await page.locator('tbody tr').count(), 25);
		await accessible(page, 'the log');
		await page.getByRole('button', { name: 'Older changes' }).click();
		await eventually('the rest', async () => (await page.locator('tbody tr').count()) === 31, 3000);
		assert.equal(await page.getByRole('button', { name: 'Older changes' }).count(), 0);
		const phone = await enter(browser, server, '#/log', { size: PHONE });
		await phone.locator('tbody tr').first().waitFor();
		await fits(phone, 'the log on a phone');
		await accessible(phone, 'the log on a phone');
		await phone.getByText('How many may be inside: 29 → 30').waitFor();
	});

	it('says each kind of change in the reader’s language', async () => {
		const c = await server.makeConcert();
		const change = (what, body) => server.ok(200, 'PATCH', `/api/admin/${what}`, { admin: true, body });
		await change(`concerts/${c.concertId}`, { title: '새 이름', salesOpenAt: '2099-01-01T00:00:00Z' });
		await change(`concerts/${c.concertId}`, { salesOpenAt: null });
		await change(`shows/${c.showId}`, { closed: true, prices: [{ section: 'A', price: 45000 }] });
		await server.patchQueue(c.queueId, { paused: true, ratePerSecond: 7 });
		const page = await enter(browser, server, '#/log', { size: DESK, locale: 'ko-KR' });
		await page.locator('tbody tr').nth(4).waitFor();
		const rows = await page
			.locator('tbody tr')
			.evaluateAll((all) => all.slice(0, 5).map((row) => row.innerText.split('\t').slice(2)));
		assert.deepEqual(
			rows.map(([action, target]) => [action, target]),
			[
				['대기열 변경', `대기열 ${c.queueId}`],
				['회차 변경', `회차 ${c.showId}`],
				['공연 변경', `공연 ${c.concertId}`],
				['공연 변경', `공연 ${c.concertId}`],
				['카탈로그 등록', '카탈로그'],
			],
		);
		for (const [, , detail] of rows)
			assert.doesNotMatch(
				detail,
				/\b(title|salesOpenAt|capacity|paused|ratePerSecond|closed|prices|repriced|pricesKept|first\w+Id|queues|concerts|shows)\b/,
				'no names of members',
			);
		assert.match(rows[1][2], /판매 종료: 아니요 → 예, .*A ₩45,000/);
		assert.match(rows[2][2], /2099.*→ 없음/);
		await accessible(page, 'the log in Korean');
	});

	it('the server tells how long it takes to answer', async () => {
		const page = await enter(browser, server, '#/server', { size: DESK, locale: 'ko-KR' });
		await page.getByRole('img', { name: /^응답 시간: 최저/ }).waitFor();
		await accessible(page, 'the server');
	});
});
