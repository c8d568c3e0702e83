// Every code of the API, where a buyer can meet it: the sentence, in both languages, and a next step that can be taken.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CODES, serverHere } from '../api/harness.mjs';
import { browserHere, button, catalogues, heading, press, takePlace } from './browser.mjs';

// What comes in front of everything, so whatever one does may meet it.
const ANYWHERE = [
	'RATE_LIMITED',
	'OVERLOADED',
	'STOPPING',
	'STORE_UNAVAILABLE',
	'INVALID_REQUEST',
	'NOT_FOUND',
	'METHOD_NOT_ALLOWED',
];
const UNFIT = [
	'BODY_TOO_LARGE',
	'UNSUPPORTED_MEDIA_TYPE',
	'HEADERS_TOO_LARGE',
	'NOT_IMPLEMENTED',
	'IDEMPOTENCY_KEY_REUSED',
	'UNKNOWN',
];

// What a step sends, what can be said to it, and what the page needs before it is taken.
const STEPS = {
	'taking a place': { path: '**/api/getToken', codes: [...ANYWHERE, ...UNFIT, 'CONCERT_NOT_FOUND'] },
	'looking at a concert': { path: '**/api/concerts/*', codes: [...ANYWHERE, 'CONCERT_NOT_FOUND'] },
	'following the ticket': { path: /\/api\/check/, codes: ['TOKEN_REQUIRED', 'TOKEN_INVALID'] },
	'looking at dates': { path: '**/list/time*', codes: [...ANYWHERE, 'NOT_ADMITTED', 'WRONG_QUEUE', 'TOKEN_INVALID'] },
	'looking at seats': { path: '**/list/seats*', codes: [...ANYWHERE, 'NOT_ADMITTED', 'SHOW_NOT_FOUND', 'TOKEN_INVALID'] },
	holding: {
		path: '**/seat',
		codes: [
			...[
				...ANYWHERE,
				...UNFIT,
				'TOKEN_REQUIRED',
				'TOKEN_INVALID',
				'NOT_ADMITTED',
				'WRONG_QUEUE',
				'SALES_CLOSED',
				'SALES_NOT_OPEN',
			],
			...[
				'CONCERT_NOT_FOUND',
				'SHOW_NOT_FOUND',
				'SEAT_NOT_FOUND',
				'SEAT_TAKEN',
				'ALREADY_YOURS',
				'LIMIT_EXCEEDED',
				'AMBIGUOUS_DATE',
			],
		],
	},
	'looking at what is held': { path: '**/api/reservations/*', codes: [...ANYWHERE, 'RESERVATION_NOT_FOUND', 'TOKEN_INVALID'] },
	charging: { path: '**/charge', codes: [...UNFIT, 'INVALID_REQUEST', 'BALANCE_LIMIT', 'USER_NOT_FOUND', 'TOKEN_INVALID'] },
	paying: { path: '**/payment', codes: [...UNFIT, 'INVALID_REQUEST', 'RESERVATION_NOT_FOUND', 'TOKEN_INVALID'] },
};
// To a payment these are said by the view of the reservation as it then is, or as what is missing in the wallet.
const ELSEWHERE = ['INSUFFICIENT_BALANCE', 'AMOUNT_MISMATCH', 'ALREADY_PAID', 'NOT_HELD', 'HOLD_EXPIRED'];

const refuse = (page, path, code) =>
	page.route(path, (route) => {
		const status = CODES[code] ?? 418;
		const json = { type: 'about:blank', title: code, status, detail: 'Words of the server.', code };
		return route.fulfill({ status, json, contentType: 'application/problem+json', headers: { 'Retry-After': '0' } });
	});

// A name is an account: nobody finds what another has left.
let people = 0;
const somebody = () => `Somebody ${++people}`;

describe('a refusal', () => {
	const server = serverHere();
	const browser = browserHere();

	it('every code is met somewhere', () => {
		const met = new Set([...Object.values(STEPS).flatMap((step) => step.codes), ...ELSEWHERE]);
		assert.deepEqual(
			Object.keys(CODES).filter((code) => !met.has(code)),
			[],
		);
	});

	// The page up to the step, and what takes it.
	const ways = {
		'taking a place': async (page, at) => {
			await page.goto(at);
			await page.locator('#name').fill(somebody());
			return () => press(page, button(page, 'join.go'));
		},
		'looking at a concert': async (page, at) => () => page.goto(at),
		'following the ticket': async (page, at) => {
			await page.goto(at);
			await takePlace(page, somebody());
			await heading(page, 'dates.title').waitFor();
			return () => page.reload();
		},
		'looking at dates': async (page, at) => {
			await page.goto(at);
			return () => takePlace(page, somebody());
		},
		'looking at seats': async (page, at) => {
			await page.goto(at);
			await takePlace(page, somebody());
			await heading(page, 'dates.title').waitFor();
			return () => press(page, page.locator('.date').first());
		},
		holding: async (page, at) => {
			await page.goto(at);
			await takePlace(page, somebody());
			await press(page, page.locator('.date').first());
			await page.locator('canvas').waitFor();
			return () => press(page, button(page, 'seats.bestGo.other'));
		},
		'looking at what is held': async (page, at) => {
			await (await ways.holding(page, at))();
			await heading(page, 'pay.title').waitFor();
			return () => page.reload();
		},
		charging: async (page, at) => {
			await page.goto(at);
			await takePlace(page, somebody());
			await heading(page, 'dates.title').waitFor();
			await page.goto(at.replace(/#.*/, '#/wallet'));
			await press(page, page.getByRole('button', { name: /50,000/ }));
			return () => press(page, button(page, 'wallet.chargeGo'));
		},
		paying: async (page, at) => {
			await (await ways.holding(page, at))();
			await press(page, button(page, 'pay.chargeMissing'));
			await page.locator('[data-code=INSUFFICIENT_BALANCE]').waitFor({ state: 'detached' });
			return () => press(page, button(page, 'pay.go'));
		},
	};

	let turn = 0;
	for (const [step, { path, codes }] of Object.entries(STEPS))
		for (const code of codes) {
			const language = turn++ % 2 ? 'ko' : 'en';
			it(`${step}: ${code}, in ${language}`, async () => {
				const concert = await server.makeConcert();
				const page = await browser.open(`${server.address}/`, { language });
				const take = await ways[step](page, `${server.address}/#/concert/${concert.concertId}`);
				await refuse(page, path, code);
				await take();
				const sentence = catalogues[language][`error.${code}`];
				const said = page.getByText(sentence, { exact: true }).first();
				await said.waitFor();
				assert.ok(
					!(await page.locator('body').innerText()).includes('Words of the server'),
					'in the reader’s language, not the server’s',
				);
				// What can be done next stands with the sentence, or is the map or the form that it speaks of.
				const around = said.locator(
					'xpath=ancestor::*[self::form or self::section or @class="notice" or contains(@class,"notice ")][1]',
				);
				const next = around.locator('a[href]:visible, button:visible:not([aria-disabled="true"])');
				const map = page.locator('canvas:visible');
				assert.ok((await next.count()) + (await map.count()) > 0, 'there is a next step');
				await page.context().close();
			});
		}
});
