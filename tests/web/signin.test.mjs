// The buyers' page where one signs in at the organiser's site (--auth jwt): the token comes behind the #, stays out of address, history and
// requests' addresses, and says who one is.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { serverHere, tempFolder } from '../api/harness.mjs';
import { AUDIENCE, claimsOf, ISSUER, keySet, newKey, token } from '../api/tokens.mjs';
import { browserHere, button, heading, noBarriers, press, text } from './browser.mjs';

const key = newKey('ES256', 'k');
const dir = tempFolder();
const file = path.join(dir, 'keys.json');
fs.writeFileSync(file, keySet(key));

describe('signing in at the organiser’s site', () => {
	const server = serverHere({ dir, args: ['--auth', 'jwt', '--jwks', file, '--jwt-issuer', ISSUER, '--jwt-audience', AUDIENCE] });
	const browser = browserHere();
	const at = (concert, jwt) => `${server.address}/${jwt ? `#token=${jwt}&to=` : '#'}/concert/${concert.concertId}`;

	it('brings one into the line, and leaves no token behind', async () => {
		const concert = await server.makeConcert();
		const jwt = token(key, claimsOf('4711', { preferred_username: '김하나' }));
		const page = await browser.open(at(concert, jwt));
		await page.getByText('You are 김하나.').waitFor();
		assert.equal(page.url(), at(concert), 'the token is out of the address');
		assert.equal(await page.locator('#name').count(), 0, 'no name is asked for');
		await noBarriers(page, 'signed in');
		await page.reload();
		await press(page, button(page, 'join.go'));
		await heading(page, 'dates.title').waitFor();
		for (const request of page.asked) assert.ok(!request.url().includes('token=') && !request.url().includes(jwt), request.url());
		const sent = page.asked.filter((request) => request.headers().authorization?.includes(jwt));
		assert.deepEqual(
			sent.map((request) => `${request.method()} ${new URL(request.url()).pathname}`),
			['POST /api/getToken'],
		);
		assert.ok(!JSON.stringify(await page.evaluate(() => ({ ...localStorage }))).includes(jwt), 'it is kept for the tab alone');
		await page.goBack();
		assert.ok(!page.url().includes('token='), 'nor is it in the history');
		await page.context().close();
	});

	it('says where to sign in', async () => {
		const concert = await server.makeConcert();
		for (const language of ['en', 'ko']) {
			const page = await browser.open(at(concert), { language });
			await text(page, 'join.signIn').waitFor();
			assert.equal(await page.locator('#name').count(), 0);
			assert.equal(await button(page, 'join.go').count(), 0);
			await noBarriers(page, 'not signed in');
			await page.context().close();
		}
	});

	it('says that it does not hold any more', async () => {
		const concert = await server.makeConcert();
		const page = await browser.open(at(concert, token(key, claimsOf('4712', { exp: Math.floor(Date.now() / 1000) - 3600 }))));
		await press(page, button(page, 'join.go'));
		await text(page, 'join.signInAgain').waitFor();
		await page.reload();
		await text(page, 'join.signIn').waitFor();
		// The organiser's site brings one back to the page that is open still.
		await page.goto(at(concert, token(key, claimsOf('4712', { name: 'Again' }))));
		await page.getByText('You are Again.').waitFor();
		await press(page, button(page, 'join.go'));
		await heading(page, 'dates.title').waitFor();
		await page.context().close();
	});

	it('forgets who was here before when somebody else signs in', async () => {
		const concert = await server.makeConcert();
		const page = await browser.open(at(concert, token(key, claimsOf('first', { name: 'Kim' }))));
		await press(page, button(page, 'join.go'));
		await heading(page, 'dates.title').waitFor();
		await page.goto(at(concert, token(key, claimsOf('second', { name: 'Kim' }))));
		await page.getByText('You are Kim.').waitFor();
		await press(page, button(page, 'join.go'));
		await heading(page, 'dates.title').waitFor();
		const { username } = await page.evaluate(() => JSON.parse(localStorage.getItem('jari.me')));
		assert.equal(username, 'second');
		await page.context().close();
	});

	it('is unimpressed by what is no token, and goes nowhere else', async () => {
		const concert = await server.makeConcert();
		for (const [hash, ends] of [
			['#token=', '#/'],
			['#token=x.y.z', '#/'],
			['#token=%00%ff..', '#/'],
			[`#token=a.e30.b&to=/concert/${concert.concertId}`, `#/concert/${concert.concertId}`],
			['#token=a.e30.b&to=//evil.example', '#//evil'],
			['#token=a.e30.b&to=javascript:alert(1)', '#/'],
		]) {
			const page = await browser.open(`${server.address}/${hash}`);
			await page.getByRole('heading').first().waitFor();
			assert.ok(page.url().startsWith(`${server.address}/${ends}`) || page.url() === `${server.address}/#/`, page.url());
			assert.ok(!page.url().includes('token'), page.url());
			await page.context().close();
		}
	});
});
