// Idempotency keys: one effect, whatever is retried, also across restarts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { many, serverHere, show, told } from './harness.mjs';

// The same answer again, byte for byte, and marked as such.
function replayed(first, again) {
	assert.equal(first.headers['idempotent-replayed'], undefined, `the first answer is no replay${told(first)}`);
	assert.equal(again.status, first.status, `the same status${told(again)}`);
	assert.equal(again.headers['idempotent-replayed'], 'true', `marked as a replay${told(again)}`);
	assert.ok(again.bytes.equals(first.bytes), `byte for byte: ${show(first.text)} and ${show(again.text)}`);
	assert.equal(again.headers['content-type'], first.headers['content-type'], 'the same type');
}

describe('idempotency keys', () => {
	const s = serverHere();

	// Each kind of request that takes a key: how to ask, and what shows its effect.
	async function kinds() {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 1000000);
		const r = await s.hold(t, c, { seatNumber: 50 });
		return {
			c,
			t,
			r,
			charge: (options) => s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1234 }, ...options }),
			chargeByPatch: (options) => s.api('PATCH', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1234 }, ...options }),
			hold: (options) => s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, body: { date: c.date, bestAvailable: { count: 1 } }, ...options }),
			payment: (options) => s.api('POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {}, ...options }),
		};
	}

	for (const kind of ['charge', 'chargeByPatch', 'hold', 'payment'])
		it(`${kind}: the same request again gives the same answer and has no second effect`, async () => {
			const k = await kinds();
			const first = await k[kind]({ key: 'k-1' });
			assert.ok(first.status < 300, `the first time${told(first)}`);
			const state = async () => show({ balance: await s.balance(k.t), reservations: await s.ok(200, 'GET', `/api/${k.t.userId}/reservations`, { token: k.t.token }), histories: await s.ok(200, 'GET', `/api/${k.t.userId}/histories`, { token: k.t.token }) }, 1e6);
			const before = await state();
			for (let i = 0; i < 3; i++) replayed(first, await k[kind]({ key: 'k-1' }));
			assert.equal(await state(), before, 'nothing has happened again');
		});

	it('a replay comes also when things have moved on: before existence, admission and state', async () => {
		const k = await kinds();
		const held = await k.hold({ key: 'h' });
		assert.equal(held.status, 201, told(held));
		await s.cancel(k.t, held.json);
		const paid = await k.payment({ key: 'p' });
		assert.equal(paid.status, 200, told(paid));
		assert.equal((await s.check(k.t.token)).status, 'EXPIRED');
		replayed(held, await k.hold({ key: 'h' }));
		replayed(paid, await k.payment({ key: 'p' }));
		const p = await k.payment({ key: 'another' });
		assert.equal(p.json.code, 'ALREADY_PAID', 'with another key it is another request');
	});

	it('the same key with another body, path or method is 422', async () => {
		const k = await kinds();
		await k.charge({ key: 'x' });
		const balance = await s.balance(k.t);
		for (const ask of [
			() => k.charge({ key: 'x', body: { amount: 1235 } }),
			() => k.charge({ key: 'x', raw: '{ "amount": 1234 }' }),
			() => k.chargeByPatch({ key: 'x' }),
			() => k.payment({ key: 'x' }),
			() => k.hold({ key: 'x' }),
		]) {
			const r = await ask();
			assert.equal(r.json?.code, 'IDEMPOTENCY_KEY_REUSED', told(r));
		}
		assert.equal(await s.balance(k.t), balance);
		assert.equal((await s.reservation(k.t, k.r)).status, 'HELD');
		const bad = await k.charge({ key: 'x', body: { amount: 0 } });
		assert.equal(bad.json.code, 'INVALID_REQUEST', `the body comes before the key${told(bad)}`);
	});

	it('comes before existence', async () => {
		const k = await kinds();
		const other = await s.buyer(k.c);
		await k.charge({ key: 'first' });
		const r = await s.api('POST', `/api/${other.userId}/charge`, { token: k.t.token, body: { amount: 1 }, key: 'first' });
		assert.equal(r.json?.code, 'IDEMPOTENCY_KEY_REUSED', told(r));
		const gone = await s.api('POST', '/api/booking/99999/seat', { token: k.t.token, body: { date: k.c.date, seatNumber: 1 }, key: 'first' });
		assert.equal(gone.json?.code, 'IDEMPOTENCY_KEY_REUSED', told(gone));
	});

	it('another user’s same key is another key', async () => {
		const c = await s.makeConcert();
		const [a, b] = [await s.buyer(c), await s.buyer(c)];
		assert.equal((await s.charge(a, 5, { key: 'shared' })).balance, 5);
		assert.equal((await s.charge(b, 7, { key: 'shared' })).balance, 7);
		assert.equal(await s.balance(a), 5);
		const replies = await Promise.all([a, b].map((t) => s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, body: { date: c.date, bestAvailable: { count: 1 } }, key: 'seat' })));
		assert.deepEqual(replies.map((r) => r.status), [201, 201]);
		assert.notEqual(replies[0].json.reservationId, replies[1].json.reservationId);
	});

	it('belongs to the user, whichever token sends it', async () => {
		const c = await s.makeConcert();
		const [a, b] = [await s.join('tokens', c.concertId), await s.join('tokens')];
		const ask = (t) => s.api('POST', `/api/${a.userId}/charge`, { token: t.token, body: { amount: 9 }, key: 'same' });
		const first = await ask(a);
		replayed(first, await ask(b));
		await s.ok(204, 'DELETE', '/api/token', { token: a.token });
		const fresh = await s.join('tokens', c.concertId);
		replayed(first, await ask(fresh));
		assert.equal(await s.balance(b), 9);
	});

	it('a request that failed may be sent again with its key', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		const r = await s.hold(t, c, { seatNumber: 1 });
		const pay = () => s.api('POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {}, key: 'retry' });
		const refused = await pay();
		assert.equal(refused.json.code, 'INSUFFICIENT_BALANCE', told(refused));
		assert.equal((await pay()).headers['idempotent-replayed'], undefined, 'an error is no kept answer');
		await s.charge(t, 50000);
		const paid = await pay();
		assert.equal(paid.status, 200, told(paid));
		replayed(paid, await pay());
		const bad = await s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 0 }, key: 'bad' });
		assert.equal(bad.status, 400);
		await s.charge(t, 3, { key: 'bad' });
	});

	it('a key has 1 to 255 visible ASCII characters', async () => {
		const t = await s.join('forms');
		const ask = (key) => s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1 }, key });
		let balance = 0;
		for (const key of ['a', 'k'.repeat(255), '"quoted"', '!#$%&()*+,-./:;<=>?@[\\]^_`{|}~\'', '00000000-0000-4000-8000-000000000000']) {
			const r = await ask(key);
			assert.equal(r.status, 200, `the key ${show(key, 60)}${told(r)}`);
			balance += 1;
			replayed(r, await ask(key));
		}
		for (const key of ['', 'k'.repeat(256), 'a b', 'a\tb', 'caf\u00e9', '\u00ff']) {
			const r = await ask(key);
			assert.equal(r.json?.code, 'INVALID_REQUEST', `the key ${show(JSON.stringify(key), 60)}${told(r)}`);
		}
		assert.equal(await s.balance(t), balance);
		await s.charge(t, 1, { key: 'A' });
		assert.equal(await s.balance(t), balance + 1, 'a and A are two keys');
	});

	it('two Idempotency-Key headers are never taken as one', async () => {
		const t = await s.join('twice');
		const body = '{"amount":1}';
		const raw = `POST /api/${t.userId}/charge HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${t.token}\r\nContent-Type: application/json\r\nIdempotency-Key: one\r\nIdempotency-Key: two\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
		const { replies } = await s.raw(raw);
		assert.equal(replies[0]?.status, 400, `two keys: ${show(replies)}`);
		assert.equal(await s.balance(t), 0);
	});

	it('50 parallel requests with one key have one effect', async () => {
		for (const kind of ['charge', 'hold', 'payment']) {
			const k = await kinds();
			const before = await s.balance(k.t);
			const replies = await many(50, 50, () => k[kind]({ key: 'storm' }));
			const status = kind === 'hold' ? 201 : 200;
			for (const r of replies) assert.equal(r.status, status, `${kind}${told(r)}`);
			assert.equal(replies.filter((r) => r.headers['idempotent-replayed'] === undefined).length, 1, `${kind}: one is the first`);
			for (const r of replies) assert.ok(r.bytes.equals(replies[0].bytes), `${kind}: all the same bytes`);
			const change = { charge: 1234, hold: 0, payment: -50000 }[kind];
			assert.equal((await s.balance(k.t)) - before, change, `${kind}: one effect`);
			const list = await s.ok(200, 'GET', `/api/${k.t.userId}/reservations`, { token: k.t.token });
			assert.equal(list.reservations.length, kind === 'hold' ? 2 : 1, `${kind}: one effect`);
		}
	});
});

describe('idempotency keys across restarts', () => {
	const s = serverHere();

	it('are replayed after SIGTERM and after kill -9', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 100000);
		const r = await s.hold(t, c, { seatNumber: 1 });
		const asks = {
			charge: () => s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 10 }, key: 'c' }),
			hold: () => s.api('POST', `/api/booking/${c.concertId}/seat`, { token: t.token, body: { date: c.date, seatNumber: 2 }, key: 'h' }),
			payment: () => s.api('POST', `/api/${r.reservationId}/payment`, { token: t.token, body: { amount: 50000 }, key: 'p' }),
		};
		const firsts = {};
		for (const kind of Object.keys(asks)) {
			firsts[kind] = await asks[kind]();
			assert.ok(firsts[kind].status < 300, told(firsts[kind]));
		}
		const balance = await s.balance(t);
		for (const how of ['restart', 'kill']) {
			if (how === 'restart') await s.restart();
			else {
				await s.kill9();
				await s.start();
			}
			for (const kind of Object.keys(asks)) replayed(firsts[kind], await asks[kind]());
			assert.equal(await s.balance(t), balance, `no second effect after ${how}`);
			const other = await s.api('POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 11 }, key: 'c' });
			assert.equal(other.json?.code, 'IDEMPOTENCY_KEY_REUSED', told(other));
		}
	});
});
