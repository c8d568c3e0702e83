// Rate limits, as a buyer meets them: the page waits as it was told and goes on by itself; when that takes long it says so, and what to do.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { many, serverHere } from '../api/harness.mjs';
import { browserHere, button, heading, like, noBarriers, press, takePlace } from './browser.mjs';

const at = (server, concert) => `${server.address}/#/concert/${concert.concertId}`;
const PATIENCE = { timeout: 40000 };

describe('a page that is limited', () => {
	const server = serverHere({ args: ['--rate-tokens', '10'] });
	const browser = browserHere();

	it('tries again when it may, and goes on without a word', async () => {
		const concert = await server.makeConcert();
		const page = await browser.open(at(server, concert));
		await page.locator('#name').waitFor();
		await many(10, 1, (i) => server.join(`early-${i}`));
		const answers = [];
		page.on('response', (r) => r.url().endsWith('/api/getToken') && answers.push(r.status()));
		await takePlace(page, 'Patient');
		await heading(page, 'dates.title').waitFor(PATIENCE);
		assert.deepEqual(new Set(answers), new Set([429, 201]), `it was limited first: ${answers}`);
		assert.equal(answers.at(-1), 201);
		await page.context().close();
	});
});

describe('a page that is limited for long', () => {
	const server = serverHere({ args: ['--rate-tokens', '1'] });
	const browser = browserHere();

	for (const language of ['en', 'ko'])
		it(`says so, and has a button for trying again: ${language}`, async () => {
			const concert = await server.makeConcert();
			await server.api('POST', '/api/getToken', { body: {} });
			const page = await browser.open(at(server, concert), { language });
			await takePlace(page, 'Limited');
			await page.getByText(like(language, 'error.RATE_LIMITED')).first().waitFor(PATIENCE);
			await noBarriers(page, 'limited');
			// what was typed is still there, and the next step
			assert.equal(await page.locator('#name').inputValue(), 'Limited');
			const again = button(page, 'join.go');
			assert.ok(await again.isEnabled());
			const [asked] = await Promise.all([page.waitForRequest(/\/api\/getToken$/), press(page, again)]);
			assert.equal(asked.method(), 'POST');
			await page.context().close();
		});
});
