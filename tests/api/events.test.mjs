// The ticket as server-sent events: one at once, one at every change, and an end.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { describe, it } from 'node:test';
import { Server, eventually, many, releaseBinary, serverHere, show, sleep, told, vetTicket } from './harness.mjs';

// Reads an event stream by its rules. `events` has what came: { type, data, at }.
class Stream {
	constructor(s, token, headers = {}) {
		this.events = [];
		this.text = '';
		this.opened = Date.now();
		this.whole = false;
		this.req = http.request({
			host: '127.0.0.1',
			port: s.port,
			path: '/api/check/events',
			headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...headers },
			agent: false,
		});
		this.closed = false;
		this.req.on('close', () => (this.closed = true));
		this.head = new Promise((resolve, reject) => {
			this.req.on('error', reject);
			this.req.on('response', (res) => {
				resolve(res);
				res.on('error', () => {});
				res.on('end', () => (this.whole = res.complete));
				res.setEncoding('utf8').on('data', (part) => this.take(part));
			});
		});
		this.head.catch(() => {});
		this.req.end();
	}

	take(part) {
		this.text += part;
		let end;
		while ((end = this.text.indexOf('\n\n')) >= 0) {
			const event = { type: 'message', data: [], at: Date.now() };
			for (const line of this.text.slice(0, end).split('\n')) {
				const m = /^([a-z]*): ?(.*)$/.exec(line);
				assert.ok(m, `a line of an event: ${show(line)}`);
				if (m[1] === 'event') event.type = m[2];
				if (m[1] === 'data') event.data.push(m[2]);
				if (m[1] === 'retry') this.retry = Number(m[2]);
			}
			this.text = this.text.slice(end + 2);
			if (!event.data.length) continue;
			assert.equal(event.type, 'ticket', `the type of ${show(event)}`);
			event.data = vetTicket(JSON.parse(event.data.join('\n')));
			this.events.push(event);
		}
	}

	last() {
		return this.events.at(-1)?.data;
	}

	// The first event that is so; waits for it.
	see(what, is, ms = 1000) {
		return eventually(`the event: ${what}`, () => this.events.find((e) => is(e.data)), ms, 10);
	}

	// Waits for the end of the answer and of its connection.
	over(ms = 1000) {
		return eventually('the end of the stream', () => this.closed, ms, 10);
	}

	close() {
		this.req.on('error', () => {});
		this.req.destroy();
	}
}

async function open(s, token, headers) {
	const stream = new Stream(s, token, headers);
	const res = await stream.head;
	assert.equal(res.statusCode, 200, `the stream opens: ${show(res.headers)}`);
	await stream.see('the first', () => true);
	return stream;
}

const rest = ({ etaSeconds, retryAfterSeconds, ...ticket }) => ticket;

describe('a stream of events', () => {
	const s = serverHere({ args: ['--active-seconds', '3'] });

	it('begins with the ticket, as GET /api/check gives it', async () => {
		const concert = await s.makeConcert({ capacity: 1 });
		for (const status of ['ACTIVE', 'WAITING']) {
			const t = await s.join(s.name('김'), concert.concertId);
			assert.equal(t.status, status);
			const stream = await open(s, t.token);
			const { headers } = await stream.head;
			assert.equal(headers['content-type'], 'text/event-stream');
			assert.match(headers['cache-control'], /no-store/);
			assert.equal(headers['x-accel-buffering'], 'no');
			assert.equal(headers['transfer-encoding'], 'chunked');
			assert.ok(stream.events[0].at - stream.opened < 150, `at once: ${stream.events[0].at - stream.opened} ms`);
			assert.ok(stream.retry >= 1000 && stream.retry <= 10000, `retry: ${stream.retry}`);
			assert.deepEqual(rest(stream.last()), rest(await s.check(t.token)));
			assert.equal(stream.events.length, 1);
			stream.close();
		}
	});

	it('tells of leaving ahead, of admission, and ends with having left', async () => {
		const concert = await s.makeConcert({ capacity: 1 });
		const [a, b, c] = await many(3, 1, () => s.join(s.name(), concert.concertId));
		const stream = await open(s, c.token);
		assert.equal(stream.last().ahead, 1);
		await s.ok(204, 'DELETE', '/api/token', { token: b.token });
		const left = Date.now();
		const nearer = await stream.see('nobody ahead', (t) => t.status === 'WAITING' && t.ahead === 0, 1500);
		assert.ok(nearer.at - left < 1500, `told after ${nearer.at - left} ms`);
		await s.ok(204, 'DELETE', '/api/token', { token: a.token });
		const free = Date.now();
		const active = await stream.see('admission', (t) => t.status === 'ACTIVE');
		assert.ok(active.at - free < 1000, `told after ${active.at - free} ms`);
		assert.deepEqual(rest(active.data), rest(await s.check(c.token)));
		await s.ok(204, 'DELETE', '/api/token', { token: c.token });
		await stream.see('the end', (t) => t.status === 'EXPIRED');
		await stream.over();
		assert.equal(stream.last().reason, 'LEFT');
		assert.ok(stream.whole, 'the answer is whole: it ended, it did not break off');
		const seen = stream.events.map((e) => `${e.data.status} ${e.data.ahead}`);
		assert.deepEqual(seen, ['WAITING 1', 'WAITING 0', 'ACTIVE 0', 'EXPIRED 0'], 'each change once');
	});

	it('tells at once that the organiser has paused the queue, and that it goes on', async () => {
		const concert = await s.makeConcert({ capacity: 1 });
		const [, b] = await many(2, 1, () => s.join(s.name(), concert.concertId));
		const stream = await open(s, b.token);
		assert.equal(stream.last().queuePaused, false);
		await s.patchQueue(concert.queueId, { paused: true });
		await stream.see('paused', (t) => t.queuePaused);
		assert.equal(stream.last().etaSeconds, null);
		await s.patchQueue(concert.queueId, { paused: false });
		await eventually('it goes on', () => stream.last().queuePaused === false);
		stream.close();
	});

	it('ends with payment', async () => {
		const concert = await s.makeConcert();
		const t = await s.buyer(concert, 100000);
		const stream = await open(s, t.token);
		const r = await s.hold(t, concert, { seatNumber: 7 });
		await s.pay(t, r);
		await stream.see('the end', (x) => x.status === 'EXPIRED');
		await stream.over();
		assert.equal(stream.last().reason, 'PAID');
		assert.ok(stream.whole);
	});

	it('ends when the active place does, and the next in line is told', async () => {
		const concert = await s.makeConcert({ capacity: 1 });
		const [a, b] = [await s.join(s.name(), concert.concertId), await s.join(s.name(), concert.concertId)];
		const [first, next] = [await open(s, a.token), await open(s, b.token)];
		const due = Date.parse(a.expiresAt);
		const end = await first.see('the end', (t) => t.status === 'EXPIRED', 5000);
		assert.equal(end.data.reason, 'TIMED_OUT');
		assert.ok(end.at >= due - 50 && end.at < due + 1000, `${end.at - due} ms after its time`);
		const active = await next.see('admission', (t) => t.status === 'ACTIVE');
		assert.ok(active.at < due + 1000, `${active.at - due} ms after the place was free`);
		await first.over();
		next.close();
	});

	it('of an ended ticket has one event', async () => {
		const t = await s.join(s.name());
		await s.ok(204, 'DELETE', '/api/token', { token: t.token });
		const r = await s.api('GET', '/api/check/events', { token: t.token });
		assert.equal(r.status, 200, `an ended ticket has its event${told(r)}`);
		assert.match(r.text, /^retry: \d+\nevent: ticket\ndata: \{[^\n]*"status":"EXPIRED","reason":"LEFT"[^\n]*\}\n\n$/);
	});

	it('does not mind Last-Event-ID, and tells everything again to who comes back', async () => {
		const t = await s.join(s.name());
		for (const id of ['17', '', '무엇'.repeat(3), 'x'.repeat(1000)]) {
			const stream = await open(s, t.token, { 'last-event-id': encodeURIComponent(id) });
			assert.deepEqual(rest(stream.last()), rest(await s.check(t.token)));
			stream.close();
		}
	});

	it('takes the bare token', async () => {
		const t = await s.join(s.name());
		const stream = await open(s, t.token, { authorization: t.token });
		assert.equal(stream.last().token, t.token);
		stream.close();
	});

	it('is 401 without a token of ours, before anything is streamed', async () => {
		await s.no('TOKEN_REQUIRED', 'GET', '/api/check/events');
		await s.no('TOKEN_INVALID', 'GET', '/api/check/events', { token: 'nonsense' });
		await s.no('TOKEN_INVALID', 'GET', '/api/check/events', { token: '00000000-0000-4000-8000-000000000000' });
		await s.no('TOKEN_INVALID', 'GET', '/api/check/events', { admin: true });
	});

	it('is 405 by other methods, and HEAD gives the head', async () => {
		for (const method of ['POST', 'DELETE', 'PATCH', 'PUT']) {
			const p = await s.no('METHOD_NOT_ALLOWED', method, '/api/check/events');
			assert.match(p.reply.headers.allow, /GET/);
		}
		const t = await s.join(s.name());
		const r = await s.api('HEAD', '/api/check/events', { token: t.token });
		assert.equal(r.status, 200, `HEAD${told(r)}`);
		assert.equal(r.headers['content-type'], 'text/event-stream');
		assert.equal(r.text, '');
	});

	it('does not disturb the others: requests are answered while streams are open, and after they went', async () => {
		const t = await s.join(s.name());
		const streams = await many(50, 50, () => open(s, t.token));
		const began = Date.now();
		for (let i = 0; i < 50; i++) await s.check(t.token);
		assert.ok(Date.now() - began < 2000, `50 requests took ${Date.now() - began} ms`);
		for (const stream of streams) stream.close();
		await s.check(t.token);
	});
});

describe('who follows a line that moves seldom', () => {
	const s = serverHere();

	it('tells how long it will be, once that is known, also when the place stays the same', async () => {
		const concert = await s.makeConcert({ capacity: 1 });
		const [a, , c] = await many(3, 1, () => s.join(s.name(), concert.concertId));
		const stream = await open(s, c.token);
		await sleep(2500); // the line has been seen, so its flow is measured
		await s.ok(204, 'DELETE', '/api/token', { token: a.token });
		await stream.see('nobody ahead', (t) => t.status === 'WAITING' && t.ahead === 0, 2000);
		assert.equal(stream.last().etaSeconds, null);
		await stream.see('how long', (t) => t.status === 'WAITING' && t.ahead === 0 && t.etaSeconds > 0, 9000);
		stream.close();
	});
});

describe('who has a stream open', () => {
	const s = serverHere({ args: ['--waiting-idle', '1'] });

	it('is not passed over; who is silent is', async () => {
		const concert = await s.makeConcert({ capacity: 1 });
		const [, b, c, d] = await many(4, 1, () => s.join(s.name(), concert.concertId));
		const stream = await open(s, b.token);
		const asking = await open(s, d.token);
		await sleep(3000);
		await s.patchQueue(concert.queueId, { capacity: 2 });
		await stream.see('admission', (t) => t.status === 'ACTIVE');
		await s.patchQueue(concert.queueId, { capacity: 3 });
		await asking.see('admission, past the silent one', (t) => t.status === 'ACTIVE');
		assert.equal((await s.check(c.token)).status, 'WAITING', 'the silent one was passed over');
		stream.close();
		asking.close();
	});
});

describe('a thousand streams', () => {
	const MANY = 1000;
	const s = serverHere();

	it('are all told of their admission', { timeout: 60000 }, async () => {
		const concert = await s.makeConcert({ capacity: 1 });
		await s.join(s.name(), concert.concertId);
		const tickets = await many(MANY, 32, () => s.join(s.name(), concert.concertId));
		const streams = await many(MANY, 32, (i) => open(s, tickets[i].token));
		for (const [i, stream] of streams.entries()) assert.equal(stream.last().status, 'WAITING', `stream ${i}`);
		await s.patchQueue(concert.queueId, { capacity: MANY + 1 });
		const began = Date.now();
		const active = await Promise.all(streams.map((stream) => stream.see('admission', (t) => t.status === 'ACTIVE', 5000)));
		const took = Math.max(...active.map((e) => e.at)) - began;
		assert.ok(took < 3000, `the last one was told after ${took} ms`);
		for (const stream of streams) stream.close();
		await eventually('the server still answers', async () => (await s.api('GET', '/healthz')).status === 200);
	});
});

describe('clients that do not read', () => {
	const MUTE = 200;
	const s = serverHere({ bin: releaseBinary() }); // what a sanitizer keeps for its own use is no cost of ours
	const memory = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${s.child.pid}/status`, 'utf8'))[1]) * 1024;

	it('cost no more than their connections', { timeout: 30000 }, async () => {
		const concert = await s.makeConcert({ capacity: 1 });
		await s.join(s.name(), concert.concertId);
		const ahead = await many(20, 8, () => s.join(s.name(), concert.concertId));
		const t = await s.join('뒤'.repeat(64), concert.concertId);
		const before = memory();
		const sockets = await many(MUTE, 32, () => new Promise((resolve, reject) => {
			const socket = net.connect({ port: s.port, host: '127.0.0.1' }, () => {
				socket.pause();
				socket.write(`GET /api/check/events HTTP/1.1\r\nHost: x\r\nAuthorization: ${t.token}\r\n\r\n`, () => resolve(socket));
			});
			socket.on('error', reject);
		}));
		for (const gone of ahead) {
			await s.ok(204, 'DELETE', '/api/token', { token: gone.token });
			await sleep(150);
		}
		const each = (memory() - before) / MUTE;
		assert.ok(each < 32768, `each costs ${Math.round(each)} bytes`);
		for (const socket of sockets) {
			socket.on('error', () => {});
			socket.destroy();
		}
	});
});

describe('stopping', () => {
	for (const signal of ['SIGTERM', 'SIGINT'])
		it(`${signal} ends open streams at once, as whole answers`, async () => {
			const s = await new Server().start();
			try {
				const t = await s.join('kim');
				const streams = await many(100, 20, () => open(s, t.token));
				const mute = net.connect(s.port, '127.0.0.1', () => mute.write(`GET /api/check/events HTTP/1.1\r\nHost: x\r\nAuthorization: ${t.token}\r\n\r\n`));
				mute.on('error', () => {}).pause();
				await sleep(50);
				const began = Date.now();
				await s.stop(signal);
				assert.ok(Date.now() - began < 2000, `it took ${Date.now() - began} ms`);
				await Promise.all(streams.map((stream) => stream.over()));
				assert.ok(streams.every((stream) => stream.whole), 'each stream ended, none broke off');
				mute.destroy();
			} finally {
				if (s.running()) await s.kill9();
				fs.rmSync(s.dir, { recursive: true, force: true });
			}
		});
});
