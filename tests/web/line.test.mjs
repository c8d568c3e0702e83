// The waiting room: the place survives what happens to a phone, admission is noticed at once, and what the organiser does is told.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, many, serverHere, sleep } from '../api/harness.mjs';
import { browserHere, button, catalogues, heading, like, noBarriers, press, takePlace, text } from './browser.mjs';

const at = (server, concert) => `${server.address}/#/concert/${concert.concertId}`;

// A concert whose one active place is somebody else's, with `n` more before us.
async function crowded(server, n = 2) {
	const concert = await server.makeConcert({ capacity: 1 });
	const inside = await server.join(server.name(), concert.concertId);
	const before = await many(n, 1, () => server.join(server.name(), concert.concertId));
	return { ...concert, inside, before, leave: (ticket) => server.ok(204, 'DELETE', '/api/token', { token: ticket.token }) };
}

describe('the waiting room', () => {
	const server = serverHere();
	const browser = browserHere();

	it('shows the place, counts down, and lets in at once', async () => {
		const concert = await crowded(server, 3);
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Robin');
		await page.getByText('3 people are ahead of you').waitFor();
		const bar = page.getByRole('progressbar');
		const before = Number(await bar.getAttribute('aria-valuenow'));
		await concert.leave(concert.before[0]);
		await concert.leave(concert.before[1]);
		await page.getByText('1 person is ahead of you').waitFor();
		assert.ok(Number(await bar.getAttribute('aria-valuenow')) > before, 'the bar has moved');
		await concert.leave(concert.before[2]);
		await concert.leave(concert.inside);
		const free = Date.now();
		await heading(page, 'dates.title').waitFor();
		assert.ok(Date.now() - free < 3000, `let in after ${Date.now() - free} ms`);
		assert.match(await page.title(), /your turn/i);
		assert.equal(await page.locator('[data-said]').innerText(), catalogues.en['wait.turn']);
		await page.context().close();
	});

	it('has a head of one line on a narrow phone, in either language', async () => {
		for (const language of ['en', 'ko']) {
			const concert = await crowded(server);
			const page = await browser.open(at(server, concert), { language, size: { width: 360, height: 740 } });
			await takePlace(page, `Narrow ${language}`);
			await page.getByRole('progressbar').waitFor();
			const tops = await page
				.locator('.head .inner > *')
				.evaluateAll((parts) => parts.map((part) => part.getBoundingClientRect().top));
			assert.equal(tops.length, 3, 'sign, ways, languages');
			assert.equal(new Set(tops).size, 1, `${language}: they stand beside each other: ${tops}`);
			await page.context().close();
		}
	});

	it('keeps the place over a reload, and in another tab', async () => {
		const concert = await crowded(server);
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Reload');
		await page.getByText('2 people are ahead of you').waitFor();
		const number = await text(page, 'wait.place').innerText();
		await page.reload();
		await page.getByText('2 people are ahead of you').waitFor();
		assert.equal(await text(page, 'wait.place').innerText(), number);
		const other = await page.context().newPage();
		await other.goto(at(server, concert));
		await other.getByText(number).waitFor();
		await page.context().close();
	});

	it('says that there is no connection, and goes on by itself', async () => {
		const concert = await crowded(server, 1);
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Tunnel');
		await page.getByText('1 person is ahead of you').waitFor();
		await page.context().setOffline(true);
		await page.getByText(catalogues.en['net.lost']).waitFor();
		await noBarriers(page, 'offline');
		await concert.leave(concert.before[0]);
		await sleep(300);
		await page.context().setOffline(false);
		await page.getByText(catalogues.en['net.lost']).waitFor({ state: 'detached' });
		await text(page, 'wait.next').waitFor();
		await page.context().close();
	});

	it('says that the organiser has paused the line, and that it goes on', async () => {
		const concert = await crowded(server, 1);
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Pause');
		await page.getByText('1 person is ahead of you').waitFor();
		await server.patchQueue(concert.queueId, { paused: true });
		await page.getByText(catalogues.en['wait.paused']).waitFor();
		await noBarriers(page, 'paused');
		await server.patchQueue(concert.queueId, { paused: false });
		await page.getByText(catalogues.en['wait.paused']).waitFor({ state: 'detached' });
		await page.context().close();
	});

	it('asks exactly when it is told to, where no stream comes through', async () => {
		const concert = await crowded(server, 1);
		const page = await browser.open(at(server, concert), {
			before: (page) =>
				page.route('**/api/check/events', (route) => route.fulfill({ status: 200, contentType: 'text/event-stream', body: '' })),
		});
		const asked = [];
		await page.route('**/api/check', async (route) => {
			const response = await route.fetch();
			const ticket = { ...(await response.json()), retryAfterSeconds: asked.length ? 2 : 1 };
			asked.push({ at: Date.now(), seconds: ticket.retryAfterSeconds });
			await route.fulfill({ response, json: ticket });
		});
		await takePlace(page, 'Proxy');
		await page.getByText('1 person is ahead of you').waitFor();
		await eventually('three questions', () => asked.length >= 3, 8000, 50);
		asked.slice(1, 3).forEach(({ at }, i) => {
			const waited = at - asked[i].at;
			assert.ok(
				waited >= asked[i].seconds * 1000 && waited < asked[i].seconds * 1000 + 900,
				`told ${asked[i].seconds} s, asked after ${waited} ms`,
			);
		});
		await concert.leave(concert.before[0]);
		await text(page, 'wait.next').waitFor();
		await page.context().close();
	});

	it('the token is in a header, and never in an address', async () => {
		const concert = await crowded(server, 0);
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Header');
		await text(page, 'wait.next').waitFor();
		const { token } = await page.evaluate(() => JSON.parse(localStorage.getItem('jari.me')).places[0]);
		await eventually('the stream is open', () => page.asked.some((r) => r.url().endsWith('/api/check/events')));
		for (const request of page.asked) assert.ok(!request.url().includes(token), request.url());
		assert.ok(!page.url().includes(token));
		const stream = page.asked.find((r) => r.url().endsWith('/api/check/events'));
		assert.equal(stream.headers().authorization, `Bearer ${token}`);
		await page.context().close();
	});

	it('leaving is asked about, and a new place is offered', async () => {
		const concert = await crowded(server, 0);
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Leaver');
		await press(page, button(page, 'wait.leave'));
		await press(page, button(page, 'wait.leaveNo'));
		await press(page, button(page, 'wait.leave'));
		await press(page, button(page, 'wait.leaveYes'));
		await page.getByText(catalogues.en['ended.LEFT']).waitFor();
		await noBarriers(page, 'left');
		await press(page, button(page, 'ended.again'));
		await heading(page, 'wait.title').waitFor();
		await page.context().close();
	});

	it('a token that is none is explained, and a new place is offered', async () => {
		const concert = await crowded(server, 0);
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Older');
		await heading(page, 'wait.title').waitFor();
		await page.evaluate(() => {
			const me = JSON.parse(localStorage.getItem('jari.me'));
			me.places[0].token = '00000000-0000-4000-8000-000000000000';
			localStorage.setItem('jari.me', JSON.stringify(me));
		});
		await page.reload();
		await page.getByText(catalogues.en['error.TOKEN_INVALID']).waitFor();
		await press(page, button(page, 'ended.again'));
		await press(page, button(page, 'join.go'));
		await heading(page, 'wait.title').waitFor();
		await page.context().close();
	});
});

describe('an active place that ends', () => {
	const server = serverHere({ args: ['--active-seconds', '4'] });
	const browser = browserHere();

	it('is counted down, explained, and a new one is offered', async () => {
		const concert = await server.makeConcert({ capacity: 5 });
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Slow');
		await heading(page, 'dates.title').waitFor();
		await page.getByText(/^Time to choose: 0:0[0-4]$/).waitFor();
		await page.getByText(catalogues.en['ended.TIMED_OUT']).waitFor();
		await noBarriers(page, 'ended');
		await press(page, button(page, 'ended.again'));
		await heading(page, 'dates.title').waitFor();
		await page.context().close();
	});
});

describe('a server that goes away and comes back', () => {
	const server = serverHere();
	const browser = browserHere();

	it('finds everyone where they were', async () => {
		const concert = await crowded(server, 1);
		const { port } = server;
		const page = await browser.open(at(server, concert));
		await takePlace(page, 'Patient');
		await page.getByText('1 person is ahead of you').waitFor();
		await server.stop();
		await page.getByText(catalogues.en['net.lost']).waitFor();
		server.args = ['--listen', `127.0.0.1:${port}`];
		await server.start();
		await page.getByText(catalogues.en['net.lost']).waitFor({ state: 'detached' });
		await page.getByText('1 person is ahead of you').waitFor();
		await page.getByText(like('en', 'wait.live')).waitFor();
		await page.context().close();
	});
});
