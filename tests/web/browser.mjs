// browser.mjs: what every test of the pages stands on: Debian's Chromium, headless, with a temporary profile that Playwright makes and removes.
//
// `browserHere()` inside a `describe` starts one before its tests and ends it after them. `open` gives a page of its own context, as a person with
// a phone or a desk would have it. What the page writes to the console as an error, and what it throws, fails the suite that opened it. Texts are
// named by their keys in the catalogues, so a test says the same in both languages.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before } from 'node:test';
import esbuild from 'esbuild';
import { chromium } from 'playwright-core';
import { ROOT } from '../api/harness.mjs';

export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 800 };

const ARGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
];

function executable() {
	const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
		(file) => file && fs.existsSync(file),
	);
	if (!found) throw new Error('there is no chromium: script/bootstrap installs it, or CHROMIUM names it');
	return found;
}

// ---- the pages' own modules ----

// Imports a module of web/ that needs no browser.
export async function moduleOf(file) {
	const { outputFiles } = await esbuild.build({
		entryPoints: [path.join(ROOT, 'web', file)],
		bundle: true,
		format: 'esm',
		write: false,
		define: { 'import.meta.url': '"http://localhost/assets/module.js"' },
	});
	return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

export const catalogues = {
	en: (await moduleOf('shared/i18n/en.ts')).en,
	ko: (await moduleOf('shared/i18n/ko.ts')).ko,
};

// A text as the page shows it, whatever is put into it.
export function like(language, key) {
	const text = catalogues[language][key];
	assert.ok(text, `there is a text ${key}`);
	const escaped = text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
	return new RegExp(`^${escaped.replace(/\{\w+\}/g, '.*')}$`);
}

// ---- a page, and who uses it ----

// The accessibility rules of WCAG 2.2 up to AA, and axe's own best practices.
const AXE = fs.readFileSync(path.join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

export async function noBarriers(page, where) {
	if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
	const { violations } = await page.evaluate(
		(tags) => window.axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'], preload: false }),
		RULES,
	);
	const told = violations.map(
		(v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => `    ${n.html}\n    ${n.failureSummary}`).join('\n')}`,
	);
	assert.equal(told.length, 0, `${where}: axe-core finds\n${told.join('\n')}`);
}

// Pictures of the main views are kept when JARI_SCREENSHOTS names a folder.
export async function picture(page, name) {
	const folder = process.env.JARI_SCREENSHOTS;
	if (!folder) return;
	fs.mkdirSync(folder, { recursive: true });
	await page.evaluate(() => document.fonts.ready);
	await page.screenshot({ path: path.join(folder, `${name}.png`) });
}

// Does what is behind `what` as a person with this page would: by touch on a phone.
export async function press(page, what) {
	await what.scrollIntoViewIfNeeded();
	if (page.touch) await what.tap();
	else await what.click();
}

export const button = (page, key) => page.getByRole('button', { name: like(page.language, key) });
export const link = (page, key) => page.getByRole('link', { name: like(page.language, key) });
export const heading = (page, key) => page.getByRole('heading', { name: like(page.language, key) });
export const text = (page, key) => page.getByText(like(page.language, key));

// From the concert's page into the line.
export async function takePlace(page, name) {
	await page.locator('#name').fill(name);
	await press(page, button(page, 'join.go'));
}

// Opens the seats of a show for a new person.
export async function atSeats(browser, server, concert, name, settings = {}) {
	const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, settings);
	await takePlace(page, name);
	await heading(page, 'dates.title').waitFor();
	await press(page, page.locator('.date').first());
	await page.locator('canvas').waitFor();
	return page;
}

// The middle of a seat on the screen.
export function seatPoint(page, number) {
	return page.evaluate((n) => {
		const canvas = document.querySelector('canvas');
		const box = canvas.getBoundingClientRect();
		const at = canvas.drawn.pointOf(canvas.drawn.seats.findIndex((seat) => seat.seatNumber === n));
		return { x: box.left + at.x, y: box.top + at.y };
	}, number);
}

export async function pressSeat(page, number) {
	await page.locator('.seatmap').scrollIntoViewIfNeeded();
	const { x, y } = await seatPoint(page, number);
	if (page.touch) await page.touchscreen.tap(x, y);
	else await page.mouse.click(x, y);
}

export class Browser {
	async start() {
		this.chromium = await chromium.launch({ executablePath: executable(), args: ARGS, headless: true });
		this.pages = [];
	}

	async end() {
		await this.chromium.close();
		for (const { wrong } of this.pages) assert.deepEqual(wrong, [], 'the page has nothing to complain about');
	}

	// A page of a new person. `before` may prepare it; `asked` gets every request that it sends.
	async open(address, { size = PHONE, language = 'en', dark = false, reduced = true, before: prepare, ...more } = {}) {
		const touch = size === PHONE;
		const context = await this.chromium.newContext({
			viewport: size,
			locale: language === 'ko' ? 'ko-KR' : 'en-US',
			timezoneId: 'Asia/Seoul',
			colorScheme: dark ? 'dark' : 'light',
			reducedMotion: reduced ? 'reduce' : 'no-preference',
			hasTouch: touch,
			isMobile: touch,
			...more,
		});
		const page = await context.newPage();
		page.setDefaultTimeout(15000);
		Object.assign(page, { touch, language, wrong: [], asked: [] });
		this.pages.push(page);
		page.on('pageerror', (e) => page.wrong.push(`${e.stack ?? e}`));
		page.on('request', (request) => page.asked.push(request));
		page.on('console', (message) => {
			// Answers with an error status, and none at all, are part of many tests; the browser writes each to the console.
			if (message.type() === 'error' && !/Failed to load resource|net::ERR_/.test(message.text()))
				page.wrong.push(message.text());
		});
		await prepare?.(page);
		await page.goto(address);
		return page;
	}
}

export function browserHere() {
	const browser = new Browser();
	before(() => browser.start(), { timeout: 60000 });
	after(() => browser.end(), { timeout: 30000 });
	return browser;
}
