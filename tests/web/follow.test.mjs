// Following a ticket by its stream: how long a stream is believed in, and what ends it. In a time of the test's own: minutes pass at once.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { moduleOf } from './browser.mjs';

const { Follower } = await moduleOf('buyer/follow.ts');

const HEARTBEAT = 15000;
const ticket = { status: 'WAITING', retryAfterSeconds: 5 };
const EVENT = `retry: 2000\nevent: ticket\ndata: ${JSON.stringify(ticket)}\n\n`;

// Time that goes on only here, for the timers and performance.now of this process.
async function inOwnTime(run) {
	const real = { setTimeout, clearTimeout, now: performance.now, listen: globalThis.addEventListener };
	const { removeEventListener: unlisten } = globalThis;
	let now = 0;
	let last = 0;
	const timers = new Map();
	globalThis.setTimeout = (act, ms = 0) => {
		timers.set(++last, { at: now + ms, act });
		return last;
	};
	globalThis.clearTimeout = (id) => timers.delete(id);
	performance.now = () => now;
	globalThis.addEventListener = globalThis.removeEventListener = () => {};
	const settle = () => new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
	const time = {
		now: () => now,
		async pass(ms) {
			const end = now + ms;
			for (;;) {
				await settle();
				const [id, next] = [...timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0] ?? [];
				if (!next) break;
				timers.delete(id);
				now = next.at;
				next.act();
			}
			now = end;
			await settle();
		},
	};
	try {
		await run(time);
	} finally {
		Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
		Object.assign(globalThis, { addEventListener: real.listen, removeEventListener: unlisten });
		performance.now = real.now;
	}
}

// A server of streams: `script` is given each stream's `say`.
function serverOf(script) {
	const opened = [];
	const asked = [];
	return {
		opened,
		asked,
		fetch(_method, _path, { signal }) {
			opened.push(performance.now());
			const body = new ReadableStream({
				start(controller) {
					signal.addEventListener('abort', () => controller.error(new Error('cut by the page')));
					script((text) => signal.aborted || controller.enqueue(new TextEncoder().encode(text)));
				},
			});
			return Promise.resolve({ body });
		},
		get(path) {
			asked.push(path);
			return Promise.resolve(ticket);
		},
	};
}

// One who listens to nothing that it is told.
const followerOf = (server) =>
	new Follower(
		server,
		'token',
		() => {},
		() => {},
	);

describe('a stream', () => {
	it('stays open as long as the server is heard every 15 seconds', () =>
		inOwnTime(async (time) => {
			const server = serverOf((say) => {
				say(EVENT);
				const beat = () => {
					say(': \n');
					setTimeout(beat, HEARTBEAT);
				};
				setTimeout(beat, HEARTBEAT);
			});
			const seen = [];
			const follower = new Follower(
				server,
				'token',
				(_ticket, how) => seen.push(how),
				() => assert.fail('it has not ended'),
			);
			await time.pass(10 * 60_000);
			assert.deepEqual(server.opened, [0], 'one stream, and no other');
			assert.deepEqual(server.asked, []);
			assert.deepEqual(seen, [{ live: true }]);
			follower.stop();
		}));

	it('that falls silent after its first event is given up, and opened again', () =>
		inOwnTime(async (time) => {
			const server = serverOf((say) => say(EVENT));
			const follower = followerOf(server);
			await time.pass(30_000);
			assert.equal(server.opened.length, 1, 'not before two heartbeats were missed');
			await time.pass(15_000);
			assert.equal(server.opened.length, 2);
			follower.stop();
		}));

	it('that brings nothing at all is left for asking', () =>
		inOwnTime(async (time) => {
			const server = serverOf(() => {});
			const follower = followerOf(server);
			await time.pass(20_000);
			assert.equal(server.opened.length, 1);
			assert.ok(server.asked.length >= 2, `${server.asked.length} questions`);
			follower.stop();
		}));

	it('is not believed in when the device has slept: it is opened anew at once', () =>
		inOwnTime(async (time) => {
			const server = serverOf((say) => say(EVENT));
			const follower = followerOf(server);
			await time.pass(10_000);
			assert.equal(server.opened.length, 1);
			follower.again();
			await time.pass(100);
			assert.equal(server.opened.length, 2);
			// In a pause between two streams as well, and when it asks instead.
			await time.pass(40_500);
			assert.equal(server.opened.length, 2);
			follower.again();
			await time.pass(100);
			assert.equal(server.opened.length, 3);
			follower.stop();
			follower.again();
			await time.pass(5000);
			assert.equal(server.opened.length, 3, 'who has stopped stays so');
		}));
});
