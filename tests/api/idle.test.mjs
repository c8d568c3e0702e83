// Who waits and falls silent: passed over, back at the same number when heard from, gone for good after the grace; and what a restart makes of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, serverHere, show, sleep } from './harness.mjs';

const GRACE_MS = 4000;
const options = { args: ['--waiting-idle', '2', '--waiting-grace', String(GRACE_MS / 1000)] };

// One is in, and three wait, in this order.
async function line(s) {
	const c = await s.makeConcert({ capacity: 1 });
	const inside = await s.join(s.name('inside'), c.concertId);
	assert.equal(inside.status, 'ACTIVE');
	const names = ['silent', 'second', 'third'].map((stem) => s.name(stem));
	const [silent, second, third] = [await s.join(names[0], c.concertId), await s.join(names[1], c.concertId), await s.join(names[2], c.concertId)];
	assert.deepEqual([silent, second, third].map((t) => [t.number, t.status, t.ahead]), [[2, 'WAITING', 0], [3, 'WAITING', 1], [4, 'WAITING', 2]]);
	return { c, inside, silent, second, third, names };
}

const leave = (s, t) => s.ok(204, 'DELETE', '/api/token', { token: t.token });

// The others ask, and the silent one does not, until it is passed over.
async function untilPassed(s, { second, third }) {
	await eventually('the silent one is passed over', async () => {
		let [b, c] = [await s.check(second.token), await s.check(third.token)];
		if (c.ahead === b.ahead) [b, c] = [await s.check(second.token), c]; // it was passed over between the two answers
		assert.deepEqual([b.status, c.status], ['WAITING', 'WAITING']);
		assert.equal(c.ahead, b.ahead + 1, `the one who asks stays before the other: ${show([b, c])}`);
		return b.ahead === 0;
	}, 10000, 100);
}

describe('one who falls silent', { concurrency: true }, () => {
	const s = serverHere(options);

	it('is passed over, keeps the number, and is next when asking again', async () => {
		const { inside, silent, second, third } = await line(s);
		await untilPassed(s, { second, third });
		await leave(s, inside);
		await eventually('the next who asks is let in', async () => {
			await s.check(third.token);
			return (await s.check(second.token)).status === 'ACTIVE';
		}, 2000, 50);
		const back = await s.check(silent.token);
		assert.deepEqual([back.number, back.status, back.ahead, back.position], [2, 'WAITING', 0, 1], `back at the head: ${show(back)}`);
		await eventually('the later number counts the one who came back', async () => {
			await s.check(silent.token);
			return (await s.check(third.token)).ahead === 1;
		}, 2000, 50);
		await leave(s, second);
		await eventually('the one who came back is let in', async () => (await s.check(silent.token)).status === 'ACTIVE', 2000, 50);
		assert.equal((await s.check(third.token)).status, 'WAITING', 'before the later number');
	});

	it('comes back by asking for a place too, and gets the same one', async () => {
		const { c, inside, silent, second, third, names } = await line(s);
		await untilPassed(s, { second, third });
		const back = await s.join(names[0], c.concertId, 200);
		assert.deepEqual([back.token, back.number, back.status, back.ahead], [silent.token, 2, 'WAITING', 0]);
		assert.equal((await s.check(second.token)).ahead, 1, 'in the line before the next at once');
		await leave(s, inside);
		await eventually('the one who came back is let in', async () => (await s.check(silent.token)).status === 'ACTIVE', 2000, 50);
		assert.deepEqual([(await s.check(second.token)).status, (await s.check(third.token)).status], ['WAITING', 'WAITING']);
	});

	it('is before whoever asks for a place after it was told to be next', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const inside = await s.join(s.name('inside'), c.concertId);
		const silent = await s.join(s.name('silent'), c.concertId);
		await sleep(3500);
		await leave(s, inside);
		await sleep(300);
		const next = await s.check(silent.token);
		const late = await s.join(s.name('late'), c.concertId);
		assert.deepEqual([next.status, next.position, late.number, late.status], ['WAITING', 1, 3, 'WAITING'], show([next, late]));
		await eventually('the one who came back is let in', async () => (await s.check(silent.token)).status === 'ACTIVE', 2000, 50);
		assert.deepEqual([(await s.check(late.token)).status, (await s.check(late.token)).position], ['WAITING', 1]);
	});

	it('keeps its turn when a place gets free right after it has asked', async () => {
		const { inside, silent, second, third } = await line(s);
		await untilPassed(s, { second, third });
		const back = await s.check(silent.token);
		await leave(s, inside);
		assert.equal(back.position, 1);
		await eventually('the one who came back is let in', async () => (await s.check(silent.token)).status === 'ACTIVE', 2000, 50);
		assert.deepEqual([(await s.check(second.token)).status, (await s.check(third.token)).status], ['WAITING', 'WAITING']);
	});

	it('has lost the place after the grace', async () => {
		const { c, second, third, silent, names } = await line(s);
		await untilPassed(s, { second, third });
		const until = Date.now() + GRACE_MS + 700;
		while (Date.now() < until) {
			await Promise.all([s.check(second.token), s.check(third.token)]);
			await sleep(200);
		}
		const gone = await s.check(silent.token);
		assert.deepEqual([gone.status, gone.reason, gone.position], ['EXPIRED', 'ABANDONED', 0], show(gone));
		const anew = await s.join(names[0], c.concertId);
		assert.deepEqual([anew.number, anew.status, anew.ahead], [5, 'WAITING', 2], `a new place, at the end: ${show(anew)}`);
		assert.notEqual(anew.token, silent.token);
	});
});

describe('a restart', () => {
	const s = serverHere(options);

	it('gives everybody who waits the whole idle time anew', async () => {
		const { silent, second, third } = await line(s);
		await s.kill9();
		await sleep(2500); // longer than anybody may be silent while the server runs
		await s.start();
		const from = Date.now();
		while (Date.now() - from < 800) {
			assert.deepEqual([(await s.check(second.token)).ahead, (await s.check(third.token)).ahead], [1, 2], 'nobody has been passed over');
			await sleep(50);
		}
		await untilPassed(s, { second, third });

		// one who is passed over stays so, and comes back after a restart as well
		await s.kill9();
		await s.start();
		assert.equal((await s.check(second.token)).ahead, 0);
		assert.deepEqual([(await s.check(silent.token)).number, (await s.check(silent.token)).status], [2, 'WAITING']);
		await eventually('the next counts the one who came back', async () => (await s.check(second.token)).ahead === 1, 2000, 50);
		s.audit();
	});
});
