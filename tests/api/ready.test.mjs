// A store with 100,000 tickets is ready within three seconds after kill -9.
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it } from 'node:test';
import { releaseBinary, serverHere, show, told } from './harness.mjs';

const TICKETS = 100000;
const CONNECTIONS = 64;
const BATCH = 50;

describe('a long line', () => {
	const s = serverHere({ bin: releaseBinary() });

	// One connection that keeps BATCH requests under way until its share has joined.
	function joiner(first, count) {
		return new Promise((resolve, reject) => {
			const socket = net.connect(s.port, '127.0.0.1');
			let [sent, answered] = [0, 0];
			let tail = '';
			const send = () => {
				let bytes = '';
				for (const end = Math.min(sent + BATCH, count); sent < end; sent++) {
					const body = `{"username":"long${first + sent}"}`;
					bytes += `POST /api/getToken HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
				}
				socket.write(bytes);
			};
			socket.setEncoding('latin1');
			socket.on('connect', send);
			socket.on('error', reject);
			socket.on('close', () => (answered < count ? reject(new Error(`the connection ended after ${answered} of ${count} answers: ${show(tail)}`)) : undefined));
			socket.on('data', (part) => {
				const text = tail + part;
				answered += text.split('HTTP/1.1 201 ').length - 1;
				const cut = text.lastIndexOf('HTTP/1.1 201 ');
				tail = text.slice(Math.max(cut < 0 ? 0 : cut + 13, text.length - 12));
				if (/HTTP\/1\.1 [345]/.test(text)) reject(new Error(`not 201: ${show(text)}`));
				if (answered === count) {
					socket.destroy();
					resolve();
				} else if (answered === sent) send();
			});
		});
	}

	it(`${TICKETS} tickets, kill -9, ready within 3 s`, { timeout: 300000 }, async () => {
		const share = Math.ceil(TICKETS / CONNECTIONS);
		await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => joiner(i * share, Math.min(share, TICKETS - i * share))));
		const before = await s.queue(1);
		assert.deepEqual([before.lastNumber, before.active, before.waiting], [TICKETS, 100, TICKETS - 100]);
		const t = await s.join('long99999', undefined, 200);
		await s.kill9();

		const began = Date.now();
		await s.start();
		const first = await s.api('GET', '/api/check', { token: t.token });
		const took = Date.now() - began;
		assert.equal(first.status, 200, told(first));
		assert.deepEqual([first.json.number, first.json.ahead], [t.number, t.ahead]);
		assert.ok(took < 3000, `ready after ${took} ms`);
		assert.deepEqual(await s.queue(1), before, 'the queue is as it was');
		const next = await s.join('after');
		assert.deepEqual([next.number, next.ahead], [TICKETS + 1, TICKETS - 100]);
	});
});
