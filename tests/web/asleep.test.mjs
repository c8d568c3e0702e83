// A device that sleeps: its monotonic clock stands still meanwhile. Nothing may be promised then that is over, and the page asks the server anew.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, serverHere, sleep } from '../api/harness.mjs';
import { browserHere, button, heading, moduleOf, press, takePlace } from './browser.mjs';

// Whoever sleeps does nothing: no timer runs meanwhile. Then the monotonic clock has fallen behind by that, and the wall's has not. `events` is what
// the browser says on waking, if anything.
const sleeper = (page) =>
	page.addInitScript(() => {
		const [mono, wall] = [performance.now.bind(performance), Date.now];
		let slept = 0;
		performance.now = () => mono() - slept;
		window.nap = (ms, events) => {
			const end = mono() + ms;
			while (mono() < end);
			slept += ms;
			for (const name of events) (name === 'visibilitychange' ? document : window).dispatchEvent(new Event(name));
		};
		window.setWall = (by) => {
			Date.now = () => wall() + by;
		};
	});

const nap = (page, ms, events = ['visibilitychange']) => page.evaluate(([time, names]) => window.nap(time, names), [ms, events]);

const seconds = (text) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

describe('a device that sleeps', () => {
	const server = serverHere({ args: ['--hold-seconds', '30'] });
	const browser = browserHere();

	for (const events of [['visibilitychange', 'pageshow', 'focus'], []])
		it(`shows at once what is left to pay, and asks anew: ${events[0] ?? 'the browser says nothing'}`, async () => {
			const concert = await server.makeConcert();
			const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, { before: sleeper });
			await takePlace(page, `Sleeper ${events[0]}`);
			await press(page, page.locator('.date').first());
			await press(page, button(page, 'seats.bestGo.other'));
			await heading(page, 'pay.title').waitFor();
			const id = /\d+$/.exec(page.url())[0];
			const { places } = await page.evaluate(() => JSON.parse(localStorage.getItem('jari.me')));
			const { heldUntil } = await server.ok(200, 'GET', `/api/reservations/${id}`, { token: places[0].token });
			const asked = page.waitForRequest(/\/api\/reservations\//);
			await nap(page, 5000, events);
			await sleep(300);
			const shown = seconds(await page.locator('.countdown').innerText());
			assert.ok(shown <= (Date.parse(heldUntil) - Date.now()) / 1000 + 0.5, `${shown} s are promised`);
			await asked;
			await sleep(700);
			const left = (Date.parse(heldUntil) - Date.now()) / 1000;
			const then = seconds(await page.locator('.countdown').innerText());
			assert.ok(then <= left + 0.5 && then >= left - 2.5, `${then} s are shown, ${left} s are left`);
			await page.context().close();
		});

	it('that was set anew meanwhile is told the right time by the server', async () => {
		const concert = await server.makeConcert();
		const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, { before: sleeper });
		await takePlace(page, 'Setter');
		await press(page, page.locator('.date').first());
		await press(page, button(page, 'seats.bestGo.other'));
		await heading(page, 'pay.title').waitFor();
		for (const by of [7200_000, -7200_000]) {
			await page.evaluate((ms) => window.setWall(ms), by);
			await sleep(2000);
			const shown = seconds(await page.locator('.countdown').innerText());
			assert.ok(shown > 15 && shown < 30, `${shown} s are shown`);
		}
		await page.context().close();
	});

	it('sees that sales have opened, and its place by a new stream', async () => {
		const salesOpenAt = new Date(Date.now() + 8000).toISOString();
		const concert = await server.makeConcert({ salesOpenAt, capacity: 1 });
		await server.buyer(concert);
		const page = await browser.open(`${server.address}/#/concert/${concert.concertId}`, { before: sleeper });
		await takePlace(page, 'Early bird');
		await heading(page, 'wait.title').waitFor();
		await page.getByText(/^Sales open in/).waitFor();
		const streams = () => page.asked.filter((request) => request.url().endsWith('/check/events')).length;
		assert.equal(streams(), 1);
		await nap(page, Math.max(1500, Date.parse(salesOpenAt) - Date.now() + 200));
		await page.getByText(/^Sales open in/).waitFor({ state: 'detached', timeout: 1000 });
		await eventually('a new stream', () => streams() === 2, 2000);
		await page.context().close();
	});
});

describe('the server’s clock', async () => {
	const { ServerClock } = await moduleOf('shared/clock.ts');
	const server = Date.parse('2026-12-24T10:00:00.500Z'); // when the local clock says 1000, and the wall's is 7 minutes late
	const make = () => {
		const at = { local: 1000, slept: 0, set: 0 };
		const time = () => server + at.local - 1000 + at.slept;
		const clock = new ServerClock(
			() => at.local,
			() => 42,
			() => time() - 420_000 + at.set,
		);
		const date = (instant) => new Date(Math.floor(instant / 1000) * 1000).toUTCString();
		const ask = () => {
			at.local += 40;
			clock.observe(date(time()), at.local - 15, at.local + 15);
		};
		const wrong = () => clock.now() - time();
		for (let i = 0; i < 10; i++) {
			at.local += 330;
			ask();
		}
		assert.ok(wrong() >= 0 && wrong() < 400);
		return { at, time, clock, date, ask, wrong };
	};

	it('goes on while the device sleeps, and is known anew by the next answer', () => {
		const { at, clock, ask, wrong } = make();
		const before = wrong();
		assert.equal(clock.jumps(), 0);
		at.slept = 100_000;
		assert.equal(wrong(), before, 'before any answer');
		assert.equal(clock.jumps(), 1);
		assert.equal(clock.jumps(), 1, 'one sleep is one');
		ask();
		assert.ok(wrong() >= 0 && wrong() < 1100);
	});

	it('does not believe an answer to what was asked before the sleep', () => {
		const { at, time, clock, date, wrong } = make();
		const sent = at.local;
		const said = date(time());
		at.slept = 100_000;
		at.local += 5;
		clock.observe(said, sent, at.local);
		assert.ok(wrong() >= 0 && wrong() < 1100, `${wrong()} ms`);
		assert.equal(clock.jumps(), 1);
	});

	it('is not put off by a wall clock that is set: forward until the next answer, back not at all', () => {
		const { at, clock, ask, wrong } = make();
		at.set = 3600_000;
		assert.ok(wrong() >= 3599_000, 'it may have slept');
		ask();
		assert.ok(wrong() >= 0 && wrong() < 1100);
		at.set = -3600_000;
		assert.ok(wrong() >= 0 && wrong() < 1100);
		assert.equal(clock.jumps(), 2, 'and the server is asked each time');
	});

	it('does not take a clock that is adjusted a little for a sleep', () => {
		const { at, clock } = make();
		at.set = 600;
		clock.now();
		at.set = -600;
		clock.now();
		assert.equal(clock.jumps(), 0);
	});
});
