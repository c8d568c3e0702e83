// The wallet, its history, and payment.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INSTANT, eventually, many, serverHere, show, sleep, told } from './harness.mjs';

describe('the wallet', () => {
	const s = serverHere();

	it('is empty at first, and charged by POST and by PATCH', async () => {
		const c = await s.makeConcert();
		const t = await s.join('w', c.concertId);
		assert.deepEqual(await s.ok(200, 'GET', `/api/${t.userId}`, { token: t.token }), { userId: t.userId, username: 'w', balance: 0 });
		assert.deepEqual(await s.charge(t, 1), { userId: t.userId, balance: 1 });
		assert.deepEqual(await s.ok(200, 'PATCH', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1000000000 } }), { userId: t.userId, balance: 1000000001 });
		assert.equal(await s.balance(t), 1000000001);
	});

	it('takes 1 to 1,000,000,000 at a time', async () => {
		const t = await s.join('limits');
		for (const amount of [0, -1, 1000000001, Number.MAX_SAFE_INTEGER, '1', null, true, [], {}, [5]]) {
			const p = await s.no('INVALID_REQUEST', 'POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount } });
			assert.match(p.detail, /amount/, `detail names the member: ${p.detail}`);
		}
		await s.no('INVALID_REQUEST', 'POST', `/api/${t.userId}/charge`, { token: t.token, body: {} });
		await s.no('INVALID_REQUEST', 'POST', `/api/${t.userId}/charge`, { token: t.token, body: [] });
		await s.no('INVALID_REQUEST', 'POST', `/api/${t.userId}/charge`, { token: t.token });
		assert.equal(await s.balance(t), 0);
		assert.deepEqual((await s.ok(200, 'GET', `/api/${t.userId}/histories`, { token: t.token })).histories, [], 'no trace of what was refused');
	});

	it('never passes 1,000,000,000,000', async () => {
		const t = await s.join('full');
		await many(999, 32, () => s.charge(t, 1000000000));
		await s.charge(t, 999999999);
		assert.equal(await s.balance(t), 999999999999);
		await s.no('BALANCE_LIMIT', 'POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 2 } });
		assert.equal((await s.charge(t, 1)).balance, 1000000000000, 'exactly the limit is taken');
		await s.no('BALANCE_LIMIT', 'POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount: 1 } });
		assert.equal(await s.balance(t), 1000000000000);
	});

	it('adds up under 200 parallel charges', async () => {
		const t = await s.join('parallel');
		const replies = await many(200, 100, (i) => s.charge(t, i + 1));
		assert.equal(await s.balance(t), 20100);
		assert.equal(new Set(replies.map((r) => r.balance)).size, 200, 'each charge saw a balance of its own');
	});

	it('is one wallet whichever of one’s tokens opens it', async () => {
		const c = await s.makeConcert();
		const [a, b] = [await s.join('two-queues', c.concertId), await s.join('two-queues')];
		assert.equal(a.userId, b.userId);
		await s.charge(a, 10);
		assert.equal((await s.charge(b, 5)).balance, 15);
		assert.equal(await s.balance(a), 15);
	});

	it('another’s is 404 as one that does not exist, for reading and for charging', async () => {
		const [a, b] = [await s.join('mine'), await s.join('theirs')];
		await s.charge(b, 77);
		const docs = [];
		for (const id of [b.userId, 9999999]) {
			docs.push(await s.no('USER_NOT_FOUND', 'GET', `/api/${id}`, { token: a.token }));
			await s.no('USER_NOT_FOUND', 'GET', `/api/${id}/histories`, { token: a.token });
			await s.no('USER_NOT_FOUND', 'GET', `/api/${id}/reservations`, { token: a.token });
			await s.no('USER_NOT_FOUND', 'POST', `/api/${id}/charge`, { token: a.token, body: { amount: 5 } });
			await s.no('USER_NOT_FOUND', 'PATCH', `/api/${id}/charge`, { token: a.token, body: { amount: 5 } });
			await s.no('INVALID_REQUEST', 'POST', `/api/${id}/charge`, { token: a.token, body: { amount: 0 } });
		}
		const strip = (p, id) => p.detail.replaceAll(String(id), 'ID');
		assert.equal(strip(docs[0], b.userId), strip(docs[1], 9999999), 'nothing tells them apart');
		assert.equal(await s.balance(b), 77);
		assert.equal(await s.balance(a), 0);
	});
});

describe('histories', () => {
	const s = serverHere();

	it('newest first, signed, in pages that miss nothing', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		const path = `/api/${t.userId}/histories`;
		assert.deepEqual(await s.ok(200, 'GET', path, { token: t.token }), { histories: [], nextBefore: null });
		for (let i = 1; i <= 24; i++) await s.charge(t, i * 1000);
		const r = await s.hold(t, c, { seatNumbers: [1, 2] });
		const paid = await s.pay(t, r);
		const all = await s.ok(200, 'GET', `${path}?limit=100`, { token: t.token });
		assert.equal(all.nextBefore, null);
		assert.equal(all.histories.length, 25);
		const [payment, ...charges] = all.histories;
		assert.deepEqual([payment.type, payment.amount, payment.balanceAfter, payment.reservationId], ['PAYMENT', -100000, 200000, r.reservationId]);
		assert.equal(paid.balance, 200000);
		let balance = 300000;
		for (const [i, h] of charges.entries()) {
			assert.deepEqual(Object.keys(h).sort(), ['amount', 'balanceAfter', 'createdAt', 'historyId', 'reservationId', 'type']);
			assert.deepEqual([h.type, h.amount, h.balanceAfter, h.reservationId], ['CHARGE', (24 - i) * 1000, balance, null], `entry ${i}`);
			assert.match(h.createdAt, INSTANT);
			balance -= h.amount;
		}
		const ids = all.histories.map((h) => h.historyId);
		assert.deepEqual(ids, [...ids].sort((a, b) => b - a), 'ids fall');
		assert.equal(new Set(ids).size, 25);

		for (const limit of [1, 7, 24, 25, 26]) {
			const seen = [];
			let before = null;
			do {
				const page = await s.ok(200, 'GET', `${path}?limit=${limit}${before === null ? '' : `&before=${before}`}`, { token: t.token });
				assert.ok(page.histories.length <= limit, `at most ${limit}`);
				if (page.nextBefore !== null) assert.equal(page.histories.length, limit, 'only the last page is short');
				seen.push(...page.histories.map((h) => h.historyId));
				before = page.nextBefore;
				assert.ok(seen.length <= 25, `the pages of ${limit} end`);
			} while (before !== null);
			assert.deepEqual(seen, ids, `pages of ${limit} have everything once`);
		}
		const exact = await s.ok(200, 'GET', `${path}?limit=25`, { token: t.token });
		assert.equal(exact.nextBefore, null, 'a full last page is the last');
		const none = await s.ok(200, 'GET', `${path}?before=${ids.at(-1)}`, { token: t.token });
		assert.deepEqual(none, { histories: [], nextBefore: null }, 'nothing before the first');
		const top = await s.ok(200, 'GET', `${path}?before=9223372036854775807`, { token: t.token });
		assert.equal(top.histories[0].historyId, ids[0]);
	});

	it('a new entry between two pages moves nothing', async () => {
		const t = await s.join('paging');
		for (let i = 0; i < 6; i++) await s.charge(t, i + 1);
		const path = `/api/${t.userId}/histories?limit=3`;
		const one = await s.ok(200, 'GET', path, { token: t.token });
		await s.charge(t, 99);
		const two = await s.ok(200, 'GET', `${path}&before=${one.nextBefore}`, { token: t.token });
		assert.deepEqual([...one.histories, ...two.histories].map((h) => h.amount), [6, 5, 4, 3, 2, 1]);
	});

	it('limit and before out of range are 400', async () => {
		const t = await s.join('range');
		for (const query of ['limit=0', 'limit=101', 'limit=-1', 'limit=x', 'limit=', 'limit=1.0', 'limit=01', 'limit=%31%30%31', 'before=0', 'before=-1', 'before=x', 'before=', 'before=9223372036854775808', 'limit=1&limit=0'])
			for (const what of ['histories', 'reservations']) {
				const r = await s.api('GET', `/api/${t.userId}/${what}?${query}`, { token: t.token });
				assert.equal(r.json?.code, 'INVALID_REQUEST', `${what}?${query}${told(r)}`);
			}
		await s.ok(200, 'GET', `/api/${t.userId}/histories?limit=100&other=1`, { token: t.token });
	});
});

describe('payment', () => {
	const s = serverHere();

	it('sells the seats: every member, every trace', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const t = await s.buyer(c, 180000);
		const next = await s.join('next-in-line', c.concertId);
		const r = await s.hold(t, c, { seatNumbers: [20, 21] });
		const p = await s.pay(t, r, { amount: 100000 });
		assert.deepEqual(Object.keys(p).sort(), ['amount', 'balance', 'paidAt', 'paymentId', 'reservationId', 'seatNumbers', 'status']);
		assert.ok(Number.isSafeInteger(p.paymentId) && p.paymentId > 0);
		assert.deepEqual([p.reservationId, p.amount, p.balance, p.seatNumbers, p.status], [r.reservationId, 100000, 80000, [20, 21], 'PAID']);
		assert.match(p.paidAt, INSTANT);
		const now = await s.reservation(t, r);
		assert.deepEqual([now.status, now.paidAt, now.seatNumbers, now.totalPrice], ['PAID', p.paidAt, [20, 21], 100000]);
		assert.equal(await s.balance(t), 80000);
		const ticket = await s.check(t.token);
		assert.deepEqual([ticket.status, ticket.reason], ['EXPIRED', 'PAID']);
		await eventually('the next in line is admitted', async () => (await s.check(next.token)).status === 'ACTIVE');
		const map = await s.seats(next, c);
		assert.deepEqual(map.seats.filter((x) => x.status === 'SOLD').map((x) => x.seatNumber), [20, 21]);
		assert.deepEqual((await s.noHold('SEAT_TAKEN', next, c, { seatNumber: 20 })).conflicts, [20]);
		assert.deepEqual((await s.noHold('NOT_ADMITTED', t, c, { seatNumber: 1 })).ticketStatus, 'EXPIRED');
		const h = (await s.ok(200, 'GET', `/api/${t.userId}/histories`, { token: t.token })).histories[0];
		assert.deepEqual([h.type, h.amount, h.balanceAfter, h.createdAt], ['PAYMENT', -100000, 80000, p.paidAt]);
	});

	it('takes an empty body, an empty object and unknown members', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 1000000);
		for (const [i, options] of [{}, { body: {} }, { body: { note: 'thanks' } }].entries()) {
			const who = i === 0 ? t : await s.join(t.username, c.concertId);
			const r = await s.hold(who, c, { seatNumber: i + 1 });
			await s.ok(200, 'POST', `/api/${r.reservationId}/payment`, { token: who.token, ...options });
		}
	});

	it('too little money: 402 with balance and required, and the hold stays', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 99999);
		const r = await s.hold(t, c, { seatNumbers: [1, 2] });
		const p = await s.no('INSUFFICIENT_BALANCE', 'POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {} });
		assert.deepEqual([p.balance, p.required], [99999, 100000], 'required is the whole price');
		assert.deepEqual(await s.reservation(t, r), r, 'the hold stays as it was');
		assert.equal(await s.balance(t), 99999);
		assert.equal((await s.check(t.token)).status, 'ACTIVE');
		await s.charge(t, 1);
		assert.equal((await s.pay(t, r)).balance, 0, 'the exact price is enough');
	});

	it('a price of 0 can be paid with nothing', async () => {
		const c = await s.makeConcert({ shows: [{ seats: [{ section: 'free', from: 1, to: 5, price: 0 }] }] });
		const t = await s.buyer(c);
		const r = await s.hold(t, c, { seatNumber: 1 });
		const p = await s.pay(t, r, { amount: 0 });
		assert.deepEqual([p.amount, p.balance], [0, 0]);
	});

	it('errors come in order: ALREADY_PAID, NOT_HELD, AMOUNT_MISMATCH, INSUFFICIENT_BALANCE', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c);
		const path = (r) => `/api/${r.reservationId}/payment`;
		const r = await s.hold(t, c, { seatNumber: 1 });
		await s.no('AMOUNT_MISMATCH', 'POST', path(r), { token: t.token, body: { amount: 49999 } });
		await s.no('AMOUNT_MISMATCH', 'POST', path(r), { token: t.token, body: { amount: 0 } });
		for (const amount of ['1000000000000', '1000000000001', '9223372036854775807'])
			await s.no('AMOUNT_MISMATCH', 'POST', path(r), { token: t.token, raw: `{"amount":${amount}}` });
		for (const amount of ['-1', '-9223372036854775808', '9223372036854775808', '50000.0'])
			assert.equal((await s.no('INVALID_REQUEST', 'POST', path(r), { token: t.token, raw: `{"amount":${amount}}` })).detail, '"amount" must be an integer of at least 0.');
		await s.no('INSUFFICIENT_BALANCE', 'POST', path(r), { token: t.token, body: { amount: 50000 } });
		for (const amount of [-1, '50000', true, {}]) await s.no('INVALID_REQUEST', 'POST', path(r), { token: t.token, body: { amount } });
		const gone = await s.hold(t, c, { seatNumber: 2 });
		await s.cancel(t, gone);
		await s.no('NOT_HELD', 'POST', path(gone), { token: t.token, body: { amount: 1 } });
		await s.charge(t, 50000);
		await s.pay(t, r);
		await s.no('ALREADY_PAID', 'POST', path(r), { token: t.token, body: {} });
		await s.no('ALREADY_PAID', 'POST', path(r), { token: t.token, body: { amount: 1 } });
		await s.no('NOT_HELD', 'DELETE', `/api/reservations/${r.reservationId}`, { token: t.token });
		assert.equal(await s.balance(t), 0);
		assert.equal((await s.reservation(t, r)).status, 'PAID');
	});

	it('another’s reservation is 404, for reading, cancelling and paying', async () => {
		const c = await s.makeConcert();
		const [a, b] = [await s.buyer(c, 500000), await s.buyer(c, 500000)];
		const r = await s.hold(a, c, { seatNumber: 1 });
		for (const id of [r.reservationId, 987654321]) {
			await s.no('RESERVATION_NOT_FOUND', 'GET', `/api/reservations/${id}`, { token: b.token });
			await s.no('RESERVATION_NOT_FOUND', 'DELETE', `/api/reservations/${id}`, { token: b.token });
			await s.no('RESERVATION_NOT_FOUND', 'POST', `/api/${id}/payment`, { token: b.token, body: {} });
			await s.no('INVALID_REQUEST', 'POST', `/api/${id}/payment`, { token: b.token, body: { amount: 'x' } });
		}
		assert.equal((await s.reservation(a, r)).status, 'HELD');
		assert.equal(await s.balance(b), 500000);
	});

	it('100 payments of one hold at once: it is paid once', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 500000);
		const r = await s.hold(t, c, { seatNumber: 1 });
		const replies = await many(100, 50, () => s.api('POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {} }));
		assert.equal(replies.filter((x) => x.status === 200).length, 1, 'one payment');
		assert.equal(replies.filter((x) => x.json.code === 'ALREADY_PAID').length, 99);
		assert.equal(await s.balance(t), 450000);
	});

	it('payments that together pass the balance: only what the wallet has', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 100000);
		const holds = [];
		for (let i = 1; i <= 4; i++) holds.push(await s.hold(t, c, { seatNumber: i }));
		const replies = await Promise.all(holds.map((r) => s.api('POST', `/api/${r.reservationId}/payment`, { token: t.token, body: {} })));
		assert.deepEqual(replies.map((r) => r.json.code ?? r.status).sort(), [200, 200, 'INSUFFICIENT_BALANCE', 'INSUFFICIENT_BALANCE']);
		assert.equal(await s.balance(t), 0);
	});

	it('the second hold of a ticket that has paid can still be paid', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const t = await s.buyer(c, 100000);
		const [one, two] = [await s.hold(t, c, { seatNumber: 1 }), await s.hold(t, c, { seatNumber: 2 })];
		const [b, d] = [await s.join('b2', c.concertId), await s.join('d2', c.concertId)];
		await s.pay(t, one);
		await eventually('b is in', async () => (await s.check(b.token)).status === 'ACTIVE');
		await s.pay(t, two);
		await sleep(300);
		assert.equal((await s.check(d.token)).status, 'WAITING', 'one ticket, one slot');
		assert.equal((await s.queue(c.queueId)).active, 1);
	});

	it('paying a hold of an ended ticket leaves one’s new ticket alone', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 100000);
		const r = await s.hold(t, c, { seatNumber: 1 });
		await s.ok(204, 'DELETE', '/api/token', { token: t.token });
		const fresh = await s.join(t.username, c.concertId);
		await s.pay(fresh, r);
		assert.equal((await s.check(fresh.token)).status, 'ACTIVE', 'the ticket that held the seats is ended, not another');
		assert.equal((await s.check(t.token)).reason, 'LEFT');
	});
});

describe('payment after the active place has ended', () => {
	const s = serverHere({ args: ['--active-seconds', '1', '--hold-seconds', '3'] });

	it('works while the hold lives; then it is HOLD_EXPIRED, before the amount and the money', async () => {
		const c = await s.makeConcert();
		const t = await s.buyer(c, 60000);
		const [one, two] = [await s.hold(t, c, { seatNumber: 1 }), await s.hold(t, c, { seatNumber: 2 })];
		await eventually('the ticket times out', async () => (await s.check(t.token)).status === 'EXPIRED', 2500);
		assert.equal((await s.noHold('NOT_ADMITTED', t, c, { seatNumber: 3 })).ticketStatus, 'EXPIRED');
		const p = await s.pay(t, one);
		assert.equal(p.balance, 10000);
		const ticket = await s.check(t.token);
		assert.deepEqual([ticket.status, ticket.reason], ['EXPIRED', 'TIMED_OUT'], 'the reason stays as it was');
		await s.no('INSUFFICIENT_BALANCE', 'POST', `/api/${two.reservationId}/payment`, { token: t.token, body: {} });
		await sleep(Date.parse(two.heldUntil) - Date.now() + 1);
		for (const body of [{}, { amount: 1 }]) await s.no('HOLD_EXPIRED', 'POST', `/api/${two.reservationId}/payment`, { token: t.token, body });
		await s.no('ALREADY_PAID', 'POST', `/api/${one.reservationId}/payment`, { token: t.token, body: {} });
		assert.equal(await s.balance(t), 10000, `nothing was taken: ${show(await s.reservation(t, two))}`);
	});
});
