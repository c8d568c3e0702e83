// browser.mjs: what every test of the pages stands on: Debian's Chromium, headless, with a temporary profile that Playwright makes and removes.
//
// `browserHere()` inside a `describe` starts one before its tests and ends it after them. `open` gives a page of its own context, as a person with
// a phone or a desk would have it. What the page writes to the console as an error, and what it throws, fails the test that opened it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

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

export class Browser {
	async start() {
		this.chromium = await chromium.launch({ executablePath: executable(), args: ARGS, headless: true });
		this.pages = [];
	}

	async end() {
		await this.chromium.close();
		for (const { wrong } of this.pages) assert.deepEqual(wrong, [], 'the page has nothing to complain about');
	}

	// A page of a new person. `expect` says which errors on the console belong to the test.
	async open(
		address,
		{ size = PHONE, locale = 'en-US', dark = false, reduced = true, touch = size === PHONE, expect, ...more } = {},
	) {
		const context = await this.chromium.newContext({
			viewport: size,
			locale,
			timezoneId: 'Asia/Seoul',
			colorScheme: dark ? 'dark' : 'light',
			reducedMotion: reduced ? 'reduce' : 'no-preference',
			hasTouch: touch,
			isMobile: touch,
			...more,
		});
		const page = await context.newPage();
		page.setDefaultTimeout(10000);
		page.wrong = [];
		this.pages.push(page);
		page.on('pageerror', (e) => page.wrong.push(`${e.stack ?? e}`));
		page.on('console', (message) => {
			// An answer with an error status is part of many tests; the browser writes each to the console.
			if (message.type() !== 'error' || message.text().startsWith('Failed to load resource') || expect?.test(message.text()))
				return;
			page.wrong.push(message.text());
		});
		await page.goto(address);
		return page;
	}
}

export function browserHere() {
	const browser = new Browser();
	before(() => browser.start());
	after(() => browser.end());
	return browser;
}
