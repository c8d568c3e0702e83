// TLS in the server itself (--tls-cert, --tls-key): everything that goes over plain HTTP goes over it too, and what only TLS has.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import tls from 'node:tls';
import { newCertificate } from './certificates.mjs';
import { eventually, jari, many, newAgent, parseReplies, serverHere, sleep, tempFolder } from './harness.mjs';

const folder = tempFolder();
const pair = newCertificate(folder, 'first');
const H = 'Host: localhost\r\n';

function options(p = pair, more = {}) {
	return { ca: p.pem, args: ['--tls-cert', p.cert, '--tls-key', p.key], ...more };
}

// A TLS connection to the server, when its handshake is over.
function connect(s, more = {}) {
	return new Promise((resolve, reject) => {
		const socket = tls.connect({ host: '127.0.0.1', port: s.port, ca: s.ca, servername: 'localhost', ...more });
		socket.session = new Promise((has) => socket.once('session', has));
		socket.setTimeout(20000, () => socket.destroy(new Error('nothing for 20 s')));
		socket.once('secureConnect', () => resolve(socket));
		socket.once('error', reject);
	});
}

// What a socket says until it ends.
function toTheEnd(socket) {
	return new Promise((resolve, reject) => {
		const parts = [];
		socket.on('data', (part) => parts.push(part));
		socket.on('error', reject);
		socket.on('end', () => resolve(Buffer.concat(parts).toString('latin1')));
	});
}

// What it says until `look` finds something in it.
function until(socket, look) {
	return new Promise((resolve, reject) => {
		let text = '';
		const on = (part) => {
			text += part.toString('latin1');
			const found = look(text);
			if (!found) return;
			socket.off('data', on);
			resolve(found);
		};
		socket.on('data', on);
		socket.once('error', reject);
		socket.once('close', () => reject(new Error(`it ended with: ${text.slice(-500)}`)));
	});
}

describe('over TLS', () => {
	const s = serverHere(options());

	it('the whole way goes, on one connection', async () => {
		const agent = newAgent(1, s.ca);
		const make = agent.createConnection;
		let made = 0;
		agent.createConnection = function (...args) {
			made++;
			return make.apply(this, args);
		};
		const concert = await s.makeConcert();
		const ticket = await s.join('buyer', concert.concertId, 201, { agent });
		await s.charge(ticket, 100000, { agent });
		const r = await s.hold(ticket, concert, { seatNumbers: [1, 2] }, { agent });
		assert.equal((await s.pay(ticket, r, {}, { agent })).status, 'PAID');
		assert.equal((await s.check(ticket.token)).reason, 'PAID');
		assert.equal(made, 1);
		agent.destroy();
	});

	it('a crowd is served', async () => {
		const concert = await s.makeConcert({ capacity: 1000 });
		const tickets = await many(300, 50, () => s.join(s.name('crowd'), concert.concertId));
		assert.equal(new Set(tickets.map((t) => t.number)).size, 300);
		await many(600, 50, (i) => s.check(tickets[i % 300].token));
	});

	it('answers in one piece, in the order of the questions, however many come at once', async () => {
		const socket = await connect(s);
		const n = 200;
		socket.write(Array.from({ length: n }, (_, i) => `GET /api/concerts/${i + 100000} HTTP/1.1\r\n${H}${i === n - 1 ? 'Connection: close\r\n' : ''}\r\n`).join(''));
		const replies = parseReplies(await toTheEnd(socket));
		assert.equal(replies.length, n);
		for (const reply of replies) assert.equal(reply.status, 404);
		socket.destroy();
	});

	it('long answers come whole, also to a slow reader', async () => {
		const asked = `GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n${H}\r\n`;
		const digest = (text) => crypto.createHash('sha256').update(text, 'latin1').digest('hex');
		const socket = await connect(s);
		socket.write(asked);
		const whole = await until(socket, (text) => parseReplies(text)[0]);
		assert.equal(whole.status, 200);
		assert.ok(Number(whole.headers['content-length']) > 500000);
		socket.destroy();
		const slow = await connect(s);
		slow.write(asked + asked + asked.replace(H, `${H}Connection: close\r\n`));
		await sleep(700);
		let sum = '';
		let n = 0;
		for await (const part of slow) {
			sum += part.toString('latin1');
			if (n++ % 20 === 0) await sleep(5);
		}
		const replies = parseReplies(sum);
		assert.equal(replies.length, 3);
		for (const reply of replies) assert.equal(digest(reply.text), digest(whole.text));
		slow.destroy();
	});

	it('long requests come whole: with a length, in chunks, and after being waved on', async () => {
		const doc = { queues: Array.from({ length: 900 }, (_, i) => ({ name: `${'q'.repeat(40)}-${i}`, capacity: 10 })), concerts: [], note: 'x'.repeat(900000) };
		assert.equal((await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: doc })).queueIds.length, 900);
		doc.queues = doc.queues.map((q) => ({ ...q, name: `c${q.name}` }));
		const chunked = await s.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: doc, headers: { 'transfer-encoding': 'chunked' } });
		assert.equal(chunked.queueIds.length, 900);
		await s.no('BODY_TOO_LARGE', 'POST', '/api/getToken', { body: { username: 'x', pad: 'x'.repeat(70000) } });
		const socket = await connect(s);
		const body = '{"username":"waved on"}';
		socket.write(`POST /api/getToken HTTP/1.1\r\n${H}Content-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`);
		await until(socket, (text) => text === 'HTTP/1.1 100 Continue\r\n\r\n');
		socket.write(body);
		const reply = await until(socket, (text) => parseReplies(text)[0]);
		assert.equal(reply.status, 201);
		socket.destroy();
	});

	it('a request that drips in is answered, and one that ends with the connection too', async () => {
		const socket = await connect(s);
		for (const piece of ['GET /hea', 'lthz HT', 'TP/1.1\r\nHo', 'st: localhost\r', '\n\r', '\n']) {
			socket.write(piece);
			await sleep(20);
		}
		assert.equal((await until(socket, (text) => parseReplies(text)[0])).status, 200);
		socket.end(`GET /healthz HTTP/1.1\r\n${H}\r\n`);
		const rest = await toTheEnd(socket);
		assert.equal(parseReplies(rest)[0]?.status, 200);
	});

	it('an early refusal is read before the connection ends', async () => {
		const socket = await connect(s);
		socket.write(`POST /api/getToken HTTP/1.1\r\n${H}Content-Type: application/json\r\nContent-Length: 9000000\r\n\r\n`);
		socket.write(Buffer.alloc(500000));
		const text = await toTheEnd(socket);
		assert.equal(parseReplies(text)[0].status, 413);
		socket.destroy();
	});

	it('events come at once, and the stream ends with the ticket', async () => {
		const concert = await s.makeConcert({ capacity: 1 });
		const first = await s.join('first in line', concert.concertId);
		const second = await s.join('second in line', concert.concertId);
		const socket = await connect(s);
		socket.write(`GET /api/check/events HTTP/1.1\r\n${H}Authorization: Bearer ${second.token}\r\n\r\n`);
		const end = toTheEnd(socket);
		await until(socket, (text) => text.includes('"status":"WAITING"'));
		const active = until(socket, (text) => text.includes('"status":"ACTIVE"'));
		await s.ok(204, 'DELETE', '/api/token', { token: first.token });
		await active;
		await s.ok(204, 'DELETE', '/api/token', { token: second.token });
		const text = await end;
		assert.match(text, /"status":"EXPIRED"/);
		assert.ok(text.endsWith('\r\n0\r\n\r\n'), text.slice(-100));
	});

	it('a table of many rows is streamed', async () => {
		const concert = await s.makeConcert({ shows: [{ seats: [{ section: 'A', from: 1, to: 2000, price: 0 }] }] });
		await many(300, 30, async (i) => {
			const t = await s.join(s.name('many'), concert.concertId);
			await s.hold(t, concert, { seatNumber: i + 1 });
		});
		const reply = await s.api('GET', `/api/admin/concerts/${concert.concertId}/sales.csv`, { admin: true });
		assert.equal(reply.text.trim().split('\r\n').length, 301);
	});

	it('speaks 1.2 and 1.3, and nothing older', async () => {
		for (const version of ['TLSv1.2', 'TLSv1.3']) {
			const socket = await connect(s, { minVersion: version, maxVersion: version });
			assert.equal(socket.getProtocol(), version);
			socket.end(`GET /healthz HTTP/1.1\r\n${H}Connection: close\r\n\r\n`);
			assert.equal(parseReplies(await toTheEnd(socket))[0].status, 200);
		}
		await assert.rejects(connect(s, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), /alert|version/i);
	});

	it('agrees on forward secrecy and authenticated encryption alone', async () => {
		const v12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
		for (const good of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305']) {
			const socket = await connect(s, { ...v12, ciphers: good });
			assert.equal(socket.getCipher().name, good);
			socket.destroy();
		}
		for (const bad of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES128-SHA256', 'AES128-GCM-SHA256', 'AES256-SHA', 'NULL'])
			await assert.rejects(connect(s, { ...v12, ciphers: `${bad}:@SECLEVEL=0` }), bad);
	});

	it('offers http/1.1 and turns away who speaks only something else', async () => {
		const both = await connect(s, { ALPNProtocols: ['h2', 'http/1.1'] });
		assert.equal(both.alpnProtocol, 'http/1.1');
		both.destroy();
		const none = await connect(s);
		assert.equal(none.alpnProtocol, false);
		none.destroy();
		await assert.rejects(connect(s, { ALPNProtocols: ['h2'] }), /alert|protocol/i);
	});

	it('resumes a session', async () => {
		for (const version of ['TLSv1.2', 'TLSv1.3']) {
			const first = await connect(s, { minVersion: version, maxVersion: version });
			first.write(`GET /healthz HTTP/1.1\r\n${H}\r\n`);
			const ticket = await first.session;
			first.destroy();
			const second = await connect(s, { minVersion: version, maxVersion: version, session: ticket });
			assert.equal(second.isSessionReused(), true, version);
			second.write(`GET /healthz HTTP/1.1\r\n${H}\r\n`);
			assert.equal((await until(second, (text) => parseReplies(text)[0])).status, 200);
			second.destroy();
		}
	});

	it('does not renegotiate', async () => {
		const socket = await connect(s, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
		const answer = await new Promise((resolve) => {
			socket.on('error', resolve);
			socket.renegotiate({}, (e) => resolve(e ?? 'it did'));
		});
		assert.ok(answer instanceof Error, String(answer));
		socket.destroy();
		await s.ok(200, 'GET', '/healthz');
	});

	it('is unimpressed by what is no TLS, and by who leaves in the middle of it', async () => {
		for (const bytes of [`GET / HTTP/1.1\r\n${H}\r\n`, Buffer.alloc(100000, 0x16), Buffer.from('16030100ff', 'hex'), crypto.randomBytes(5000), '']) {
			await new Promise((resolve) => {
				const socket = net.connect(s.port, '127.0.0.1', () => socket.end(bytes));
				socket.on('error', () => {});
				socket.on('close', resolve);
				socket.resume();
			});
		}
		await many(100, 20, async (i) => {
			const socket = tls.connect({ host: '127.0.0.1', port: s.port, ca: s.ca, servername: 'localhost' });
			socket.on('error', () => {});
			await sleep(i % 10);
			socket.destroy();
		});
		// ended without a word (no close_notify), in the middle of a request and behind one
		for (const asked of ['GET /hea', `GET /healthz HTTP/1.1\r\n${H}\r\n`]) {
			const raw = net.connect(s.port, '127.0.0.1');
			const socket = await connect(s, { socket: raw });
			socket.on('error', () => {});
			socket.write(asked);
			await sleep(50);
			raw.destroy();
		}
		await s.ok(200, 'GET', '/healthz');
		await eventually('their connections are gone', async () => {
			const text = (await s.api('GET', '/metrics')).text;
			return Number(/^jari_http_open_connections (\d+)/m.exec(text)?.[1] ?? 99) <= 70;
		}, 12000, 200);
	});

	it('tells browsers of the pages to come over TLS alone', async () => {
		for (const page of ['/', '/admin']) assert.match((await s.api('GET', page)).headers['strict-transport-security'], /^max-age=\d+$/);
		assert.equal((await s.api('GET', '/api/concerts')).headers['strict-transport-security'], undefined);
	});

	it('stops gently: streams end, what is in flight is answered', async () => {
		const t = await s.join('at the end');
		const stream = await connect(s);
		stream.write(`GET /api/check/events HTTP/1.1\r\n${H}Authorization: Bearer ${t.token}\r\n\r\n`);
		const streamed = toTheEnd(stream);
		await until(stream, (text) => text.includes('"status":"ACTIVE"'));
		const idle = await connect(s);
		const idleEnd = toTheEnd(idle);
		const charges = Array.from({ length: 50 }, (_, i) => s.charge(t, 1, { key: `end-${i}` }).then(() => 1, () => 0));
		await Promise.any(charges);
		const before = Date.now();
		await s.stop();
		assert.ok(Date.now() - before < 9000, 'it does not wait for what has ended');
		assert.ok((await streamed).endsWith('\r\n0\r\n\r\n'), 'the stream has its end');
		assert.equal(await idleEnd, '');
		const told = (await Promise.all(charges)).reduce((a, b) => a + b, 0);
		await s.start();
		assert.ok((await s.balance(t)) >= told);
	});
});

// What comes on a bare socket until its end.
function bare(s, ...said) {
	return new Promise((resolve) => {
		const socket = net.connect(s.port, '127.0.0.1');
		const parts = [];
		for (const bytes of said) socket.write(bytes);
		socket.on('data', (part) => parts.push(part));
		socket.on('error', () => {});
		socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
	});
}

describe('too many connections over TLS', () => {
	const s = serverHere({ ...options(), args: [...options().args, '--max-connections', '2'] });

	it('are closed without a word in the clear', async () => {
		const two = [await connect(s), await connect(s)];
		for (const socket of two) socket.write('GET /hea'); // so that none is idle, and would make room
		await sleep(100);
		const before = Date.now();
		assert.equal(await bare(s), '');
		await assert.rejects(connect(s));
		assert.ok(Date.now() - before < 5000, 'at once, and not after the time of a handshake');
		for (const socket of two) socket.destroy();
		await eventually('there is room again', () => connect(s).then((socket) => !!socket.destroy(), () => false), 10000, 100);
	});
});

describe('half a handshake', () => {
	const s = serverHere({ ...options(), args: [...options().args, '--request-timeout', '1'] });

	it('ends when a request would have to', async () => {
		const before = Date.now();
		assert.equal(await bare(s, Buffer.from('16030102000100', 'hex')), '');
		const took = Date.now() - before;
		assert.ok(took >= 900 && took < 9000, `after ${took} ms`);
	});
});

describe('an RSA certificate with TLS 1.2', () => {
	const rsa = newCertificate(folder, 'rsa', { kind: 'rsa' });
	const s = serverHere(options(rsa));

	it('serves', async () => {
		const socket = await connect(s, { maxVersion: 'TLSv1.2' });
		assert.match(socket.getCipher().name, /^ECDHE-RSA-(AES|CHACHA)/);
		socket.write(`GET /healthz HTTP/1.1\r\n${H}\r\n`);
		assert.equal((await until(socket, (text) => parseReplies(text)[0])).status, 200);
		socket.destroy();
	});
});

describe('a certificate that is replaced', () => {
	const files = { cert: path.join(folder, 'live.pem'), key: path.join(folder, 'live.key') };
	const put = (p) => {
		fs.copyFileSync(p.cert, files.cert);
		fs.copyFileSync(p.key, files.key);
	};
	const next = newCertificate(folder, 'next');
	put(pair);
	const s = serverHere({ ...options({ ...files, pem: pair.pem + next.pem }) });
	const nameNow = async () => {
		const socket = await connect(s);
		const name = socket.getPeerCertificate().subject.CN;
		socket.destroy();
		return name;
	};

	it('goes to new connections at SIGHUP; old ones go on', async () => {
		const old = await connect(s);
		assert.equal(old.getPeerCertificate().subject.CN, 'first');
		put(next);
		assert.equal(await nameNow(), 'first');
		s.child.kill('SIGHUP');
		await eventually('the new one is shown', async () => (await nameNow()) === 'next', 10000, 50);
		old.write(`GET /healthz HTTP/1.1\r\n${H}\r\n`);
		assert.equal((await until(old, (text) => parseReplies(text)[0])).status, 200);
		old.destroy();
		assert.match(s.log, /info tls_certificate until="\d{4}-/);
	});

	it('stays when its successor is broken, and the log says so', async () => {
		const said = () => s.log.match(/ error tls_certificate_kept [^\n]*/g) ?? [];
		for (const [spoil, why] of [
			[() => fs.copyFileSync(pair.key, files.key), /key/],
			[() => fs.writeFileSync(files.cert, 'no certificate'), /no certificate that can be used/],
			[() => fs.truncateSync(files.cert), /no certificate that can be used/],
			[() => fs.unlinkSync(files.cert), /cannot read the certificate .*No such file/],
		]) {
			const before = said().length;
			spoil();
			s.child.kill('SIGHUP');
			await eventually('the log says it', () => said().length > before, 10000, 50);
			assert.match(said().at(-1), why);
			assert.equal(await nameNow(), 'next');
		}
		assert.doesNotMatch(s.log, /PRIVATE KEY/);
	});
});

describe('starting with TLS', () => {
	const start = (...args) => jari(['serve', '--listen', '127.0.0.1:0', '--store', 'memory:', ...args], { timeout: 20000 });
	const other = newCertificate(folder, 'other');

	it('refuses half a pair', () => {
		for (const [args, why] of [
			[['--tls-cert', pair.cert], /--tls-cert also needs its key: --tls-key FILE/],
			[['--tls-key', pair.key], /--tls-key also needs its certificate: --tls-cert FILE/],
		]) {
			const r = start(...args);
			assert.equal(r.status, 2, r.stderr);
			assert.match(r.stderr, why);
		}
	});

	it('refuses a pair that can’t be used, in one line', () => {
		const sealed = newCertificate(folder, 'sealed', { password: 'secret' });
		const weak = newCertificate(folder, 'weak', { kind: 'weak' });
		for (const [cert, key, why] of [
			['/nonexistent.pem', pair.key, /cannot read the certificate in \/nonexistent\.pem: No such file/],
			[pair.cert, '/nonexistent.key', /cannot read the certificate's key in \/nonexistent\.key: No such file/],
			[pair.key, pair.key, /there is no certificate that can be used in/],
			[pair.cert, pair.cert, /there is no key for the certificate/],
			[pair.cert, other.key, /key/],
			[sealed.cert, sealed.key, /without a password/],
			[weak.cert, weak.key, /too small/],
		]) {
			const r = start('--tls-cert', cert, '--tls-key', key);
			assert.equal(r.status, 1, r.stderr);
			assert.match(r.stderr, why);
			assert.equal(r.stderr.trim().split('\n').length, 1, r.stderr);
		}
	});
});

describe('without TLS', () => {
	const s = serverHere();

	it('nothing is said of it', async () => {
		assert.equal((await s.api('GET', '/')).headers['strict-transport-security'], undefined);
	});
});
