// Draws docs/screenshots/admin-*.png anew: a server with two concerts and a minute of buyers. `node tests/web/screenshots-admin.mjs` (not a test).
import path from 'node:path';
import { ADMIN_KEY, ROOT, Server, sleep } from '../api/harness.mjs';
import { Browser, DESK, PHONE } from './browser.mjs';

const FOLDER = path.join(ROOT, 'docs/screenshots');
const seats = [
	{ section: 'VIP', from: 1, to: 80, price: 165000 },
	{ section: 'R', from: 81, to: 260, price: 132000 },
	{ section: 'S', from: 261, to: 520, price: 99000 },
	{ section: 'A', from: 521, to: 840, price: 66000 },
];
const catalogue = {
	queues: [{ name: '봄밤 콘서트', capacity: 60 }],
	concerts: [
		{
			title: '봄밤 콘서트',
			artist: '한강 사중주단',
			venue: '강변 음악당',
			queue: '봄밤 콘서트',
			shows: ['10', '11'].map((day) => ({ startsAt: `2099-04-${day}T19:00:00+09:00`, seats })),
		},
		{
			title: '여름 야외 재즈',
			artist: '남산 빅밴드',
			venue: '숲속 무대',
			salesOpenAt: '2099-06-01T20:00:00+09:00',
			shows: [{ startsAt: '2099-07-03T20:00:00+09:00', seats: seats.slice(1) }],
		},
	],
};

// People come, look, hold, and most of them pay.
async function sell(server, concertId, showIds, queueId) {
	for (let i = 0; i < 260; i++) {
		const t = await server.join(`buyer-${i}`, concertId);
		if (t.status === 'ACTIVE' && i % 12 < 9) {
			const r = await server.api('POST', `/api/booking/${concertId}/seat`, {
				token: t.token,
				body: { showId: showIds[i % 3 ? 0 : 1], bestAvailable: { count: 1 + (i % 4), section: seats[(i * 7) % 4].section } },
			});
			await server.charge(t, 1000000);
			if (r.status === 201 && i % 5) await server.pay(t, r.json);
		}
		if (i === 120) await server.patchQueue(queueId, { capacity: 75 });
		await sleep(240);
	}
}

const server = new Server({});
const browser = new Browser();
await server.start();
await browser.start();
try {
	const ids = await server.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: catalogue });
	await sell(server, ids.concertIds[0], ids.showIds, ids.queueIds[0]);
	const shots = [
		['queues-desk', `#/queues/${ids.queueIds[0]}`, { size: DESK }, true],
		['queues-phone', `#/queues/${ids.queueIds[0]}`, { size: PHONE, dark: true }],
		['shows-desk', '#/shows', { size: DESK, dark: true }],
		['shows-phone', '#/shows', { size: PHONE, locale: 'ko-KR' }],
		['show-desk', `#/show/${ids.showIds[0]}`, { size: DESK, locale: 'ko-KR' }, true],
		['show-phone', `#/show/${ids.showIds[0]}`, { size: PHONE }],
		['add-desk', '#/add', { size: DESK, locale: 'ko-KR' }, true],
		['server-desk', '#/server', { size: DESK }],
		['log-phone', '#/log', { size: PHONE, locale: 'ko-KR' }],
		['live', '/live', { size: { width: 1280, height: 720 } }],
	];
	for (const [name, view, options, fullPage = false] of shots) {
		const page = await browser.open(`${server.address}/admin${view}`, options);
		await page.locator('#key').fill(ADMIN_KEY);
		await page.locator('form button[type=submit]').click();
		await page.locator('main:not(.signin) h1').first().waitFor();
		await sleep(2500);
		await page.screenshot({ path: path.join(FOLDER, `admin-${name}.png`), fullPage });
		await page.context().close();
	}
} finally {
	await browser.end();
	await server.end();
}
