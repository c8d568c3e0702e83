// harness.mjs: what every test of the HTTP contract stands on: a server of its own, a client that distrusts it, and small helpers.
//
// Each server runs in a temporary folder on a free port. `serverHere()` inside a `describe` starts one before its tests and ends it after them,
// also when a test failed; whatever is still alive when the process ends is killed. Every reply is vetted on the way in: a reply with an
// error status must be a full problem document, whatever the test was looking for.
//
// Node 18 or later, no packages.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before } from 'node:test';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const ADMIN_KEY = 'an-admin-key-for-tests-0123456789abcdef';
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

// Every code of the contract with its status.
export const CODES = {
	INVALID_REQUEST: 400,
	TOKEN_REQUIRED: 401,
	TOKEN_INVALID: 401,
	INSUFFICIENT_BALANCE: 402,
	NOT_ADMITTED: 403,
	WRONG_QUEUE: 403,
	SALES_NOT_OPEN: 403,
	SALES_CLOSED: 403,
	NOT_FOUND: 404,
	CONCERT_NOT_FOUND: 404,
	SHOW_NOT_FOUND: 404,
	SEAT_NOT_FOUND: 404,
	USER_NOT_FOUND: 404,
	RESERVATION_NOT_FOUND: 404,
	METHOD_NOT_ALLOWED: 405,
	BODY_TOO_LARGE: 413,
	UNSUPPORTED_MEDIA_TYPE: 415,
	HEADERS_TOO_LARGE: 431,
	SEAT_TAKEN: 409,
	ALREADY_YOURS: 409,
	LIMIT_EXCEEDED: 409,
	ALREADY_PAID: 409,
	AMOUNT_MISMATCH: 409,
	NOT_HELD: 409,
	AMBIGUOUS_DATE: 409,
	BALANCE_LIMIT: 409,
	HOLD_EXPIRED: 410,
	IDEMPOTENCY_KEY_REUSED: 422,
	RATE_LIMITED: 429,
	NOT_IMPLEMENTED: 501,
	OVERLOADED: 503,
	STORE_UNAVAILABLE: 503,
	STOPPING: 503,
};

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks until `look` gives something true, or fails after `ms` with what it saw last.
export async function eventually(what, look, ms = 1000, every = 20) {
	const end = Date.now() + ms;
	let seen;
	for (;;) {
		seen = await look();
		if (seen) return seen;
		if (Date.now() > end) assert.fail(`${what}: not within ${ms} ms`);
		await sleep(every);
	}
}

// ---- the binary ----

export function binary() {
	if (process.env.JARI_BIN) return path.resolve(process.env.JARI_BIN);
	for (const place of ['build-test/jari', 'build/jari']) {
		const file = path.join(ROOT, place);
		if (fs.existsSync(file)) return file;
	}
	throw new Error('there is no build-test/jari and no build/jari: build first, or set JARI_BIN');
}

// For what is about time: the one without sanitizers, where it is built.
export function releaseBinary() {
	const file = path.join(ROOT, 'build/jari');
	return fs.existsSync(file) ? file : binary();
}

// The environment without what could steer the server from outside the test.
export function cleanEnv(more = {}) {
	const env = {};
	for (const [name, value] of Object.entries(process.env)) if (!name.startsWith('JARI_') && name !== 'NODE_OPTIONS') env[name] = value;
	return { ...env, ...more };
}

// Runs `jari ARGS…` to its end.
export function jari(args, { env = {}, input = '', timeout = 60000, bin = binary(), cwd, launch = [] } = {}) {
	const [program, ...before] = [...launch, bin];
	const r = spawnSync(program, [...before, ...args], { env: cleanEnv(env), input, timeout, cwd, encoding: 'utf8', maxBuffer: 64 << 20 });
	if (r.error) throw r.error;
	return { status: r.status, signal: r.signal, stdout: r.stdout, stderr: r.stderr };
}

// ---- what must not be left behind ----

const alive = new Set();
const folders = new Set();
function sweep() {
	for (const child of alive) {
		try {
			child.kill('SIGKILL');
		} catch {
			// it is gone already
		}
	}
	for (const dir of folders) fs.rmSync(dir, { recursive: true, force: true });
}
process.on('exit', sweep);
// When all tests are over and nothing is left to wait for, the process ends at once. In Node's own tidying behind the last exit listener (CleanupHandles, seen
// with 20.20) it has turned round for ever now and then, all results long written.
process.once('beforeExit', () => process.on('exit', () => process.exit()));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export function tempFolder() {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'jari-api-'));
	folders.add(dir);
	return dir;
}

// ---- replies ----

export function show(value, max = 600) {
	const text = typeof value === 'string' ? value : JSON.stringify(value);
	return text === undefined ? 'nothing' : text.length > max ? `${text.slice(0, max)}… (${text.length} characters)` : text;
}

// What was asked and what came, for the message of a failure.
export function told(reply) {
	return `\n  asked: ${reply.asked}\n  came:  ${reply.status} ${show(reply.headers)}\n         ${show(reply.text)}`;
}

// What every reply must be, whatever it is about.
function vet(reply) {
	const type = reply.headers['content-type'] ?? '';
	if (type.includes('json')) {
		try {
			reply.json = JSON.parse(reply.text);
		} catch (e) {
			if (!reply.head) assert.fail(`the body is not JSON (${e.message})${told(reply)}`);
		}
	}
	if (reply.status < 400 || reply.head) return;
	const p = reply.json;
	assert.equal(type.split(';')[0], 'application/problem+json', `an error must be a problem document${told(reply)}`);
	assert.ok(p && typeof p === 'object' && !Array.isArray(p), `a problem is an object${told(reply)}`);
	for (const name of ['type', 'title', 'detail', 'code'])
		assert.ok(typeof p[name] === 'string' && p[name] !== '', `a problem has a text "${name}"${told(reply)}`);
	assert.match(p.detail, /^["A-Z].*[^.]\.$/su, `"detail" is a sentence, from its capital letter to its full stop${told(reply)}`);
	assert.equal(p.status, reply.status, `the member "status" is the status${told(reply)}`);
	assert.equal(CODES[p.code], reply.status, `${p.code} has the status ${CODES[p.code]}${told(reply)}`);
	if (reply.status === 401) assert.match(reply.headers['www-authenticate'] ?? '', /^Bearer/, `401 says WWW-Authenticate: Bearer${told(reply)}`);
	if (reply.status === 405) assert.ok(reply.headers.allow, `405 says Allow${told(reply)}`);
	if (reply.status === 429 || reply.status === 503) assert.match(reply.headers['retry-after'] ?? '', /^\d+$/, `says Retry-After${told(reply)}`);
	if (p.code === 'NOT_ADMITTED') {
		assert.ok(['WAITING', 'EXPIRED'].includes(p.ticketStatus), `NOT_ADMITTED has ticketStatus${told(reply)}`);
		assert.ok(Number.isInteger(p.position), `NOT_ADMITTED has position${told(reply)}`);
		if (p.ticketStatus === 'WAITING') {
			assert.ok(p.position >= 1, `who waits has a position${told(reply)}`);
			assert.match(reply.headers['retry-after'] ?? '', /^\d+$/, `says Retry-After while waiting${told(reply)}`);
		}
	}
	if (p.code === 'INSUFFICIENT_BALANCE')
		assert.ok(Number.isInteger(p.balance) && Number.isInteger(p.required), `has balance and required${told(reply)}`);
	if (p.code === 'SEAT_TAKEN') assert.ok(Array.isArray(p.conflicts), `SEAT_TAKEN has conflicts${told(reply)}`);
	if (p.code === 'LIMIT_EXCEEDED') assert.ok(Number.isInteger(p.limit), `LIMIT_EXCEEDED has limit${told(reply)}`);
	if (p.code === 'ALREADY_YOURS') assert.ok(Number.isInteger(p.reservationId), `ALREADY_YOURS has reservationId${told(reply)}`);
	if (p.code === 'SALES_NOT_OPEN') assert.match(p.salesOpenAt ?? '', INSTANT, `SALES_NOT_OPEN has salesOpenAt${told(reply)}`);
}

export function vetTicket(ticket, words = '') {
	const say = `${words}\n  ticket: ${show(ticket)}`;
	const names = ['token', 'userId', 'username', 'queueId', 'number', 'status', 'reason', 'position', 'ahead', 'etaSeconds', 'retryAfterSeconds', 'issuedAt', 'expiresAt', 'queuePaused'];
	for (const name of names) assert.ok(name in ticket, `a ticket has "${name}"${say}`);
	assert.match(ticket.token, UUID, `the token is a UUID${say}`);
	for (const name of ['userId', 'queueId', 'number']) assert.ok(Number.isSafeInteger(ticket[name]) && ticket[name] > 0, `${name} is a positive integer${say}`);
	for (const name of ['position', 'ahead', 'retryAfterSeconds']) assert.ok(Number.isSafeInteger(ticket[name]) && ticket[name] >= 0, `${name} is an integer${say}`);
	assert.match(ticket.issuedAt, INSTANT, `issuedAt is an instant${say}`);
	if (ticket.status === 'WAITING') {
		assert.equal(ticket.reason, null, `no reason while waiting${say}`);
		assert.equal(ticket.expiresAt, null, `no expiresAt while waiting${say}`);
		assert.equal(ticket.position, ticket.ahead + 1, `position is ahead + 1${say}`);
		assert.ok(ticket.etaSeconds === null || (Number.isInteger(ticket.etaSeconds) && ticket.etaSeconds >= 0), `etaSeconds${say}`);
		assert.ok(ticket.retryAfterSeconds >= 1, `who waits is told when to ask again${say}`);
	} else {
		assert.equal(ticket.position, 0, `position is 0 unless waiting${say}`);
		assert.equal(ticket.ahead, 0, `ahead is 0 unless waiting${say}`);
		if (ticket.status === 'ACTIVE') {
			assert.equal(ticket.reason, null, `no reason while active${say}`);
			assert.match(ticket.expiresAt, INSTANT, `expiresAt is an instant${say}`);
			assert.equal(ticket.etaSeconds, 0, `etaSeconds is 0 when active${say}`);
		} else {
			assert.equal(ticket.status, 'EXPIRED', `status${say}`);
			assert.ok(['PAID', 'TIMED_OUT', 'LEFT', 'ABANDONED'].includes(ticket.reason), `an ended ticket has a reason${say}`);
		}
	}
	return ticket;
}

export function vetReservation(r, words = '') {
	const say = `${words}\n  reservation: ${show(r)}`;
	const names = ['reservationId', 'userId', 'concertId', 'showId', 'date', 'startsAt', 'seatNumbers', 'totalPrice', 'status', 'heldUntil', 'createdAt', 'paidAt'];
	for (const name of names) assert.ok(name in r, `a reservation has "${name}"${say}`);
	for (const name of ['reservationId', 'userId', 'concertId', 'showId']) assert.ok(Number.isSafeInteger(r[name]) && r[name] > 0, `${name}${say}`);
	assert.match(r.date, /^\d{4}-\d\d-\d\d$/, `date${say}`);
	assert.ok(Array.isArray(r.seatNumbers) && r.seatNumbers.length > 0 && r.seatNumbers.every((n) => Number.isInteger(n) && n > 0), `seatNumbers${say}`);
	assert.ok(Number.isSafeInteger(r.totalPrice) && r.totalPrice >= 0, `totalPrice${say}`);
	assert.ok(['HELD', 'PAID', 'EXPIRED', 'CANCELLED'].includes(r.status), `status${say}`);
	assert.match(r.createdAt, INSTANT, `createdAt${say}`);
	assert.match(r.startsAt, INSTANT, `startsAt${say}`);
	if (r.status === 'HELD') assert.match(r.heldUntil, INSTANT, `heldUntil${say}`);
	if (r.status === 'PAID') assert.match(r.paidAt, INSTANT, `paidAt${say}`);
	else assert.equal(r.paidAt, null, `paidAt is null until paid${say}`);
	return r;
}

// One problem document that came outside of `api`.
export function vetRaw(reply) {
	vet(reply);
	return reply;
}

// ---- HTTP, by the book ----

// `ca`: the certificate of a server that speaks TLS.
export function newAgent(sockets = 64, ca = undefined) {
	const options = { keepAlive: true, maxSockets: sockets, maxFreeSockets: sockets, scheduling: 'fifo' };
	return ca ? new https.Agent({ ...options, ca, servername: 'localhost' }) : new http.Agent(options);
}

export class Server {
	// `launch` is what starts the binary, where it is not started as it is: a program and its arguments.
	constructor({ args = [], env = {}, store, dir, bin, adminKey = ADMIN_KEY, ca, launch = [] } = {}) {
		this.ca = ca;
		this.args = args;
		this.env = env;
		this.bin = bin;
		this.launch = launch;
		this.adminKey = adminKey;
		this.dir = dir ?? tempFolder();
		this.store = store ?? `sqlite:${path.join(this.dir, 'jari.db')}`;
		this.log = '';
		this.out = '';
		this.names = 0;
	}

	get file() {
		return this.store.replace(/^sqlite:/, '');
	}

	get address() {
		return `${this.ca ? 'https' : 'http'}://127.0.0.1:${this.port}`;
	}

	async start() {
		const env = cleanEnv({ ...(this.adminKey ? { JARI_ADMIN_KEY: this.adminKey } : {}), ...this.env });
		const args = ['serve', '--listen', '127.0.0.1:0', '--store', this.store, ...this.args];
		const [program, ...before] = [...this.launch, this.bin ?? binary()];
		const child = spawn(program, [...before, ...args], { env, cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] });
		alive.add(child);
		this.child = child;
		this.out = '';
		this.agent = newAgent(64, this.ca);
		this.ended = new Promise((resolve) => {
			child.on('close', (code, signal) => {
				alive.delete(child);
				resolve({ code, signal });
			});
		});
		child.stderr.setEncoding('utf8').on('data', (text) => (this.log += text));
		await new Promise((resolve, reject) => {
			const fail = (why) => reject(new Error(`${why}\n  jari ${args.join(' ')}\n  stdout: ${this.out}\n  stderr: ${this.log.slice(-4000)}`));
			const timer = setTimeout(() => fail('the server was not ready within 30 s'), 30000);
			child.on('error', (e) => fail(`the server could not be started: ${e.message}`));
			child.on('close', (code, signal) => {
				clearTimeout(timer);
				fail(`the server ended (status ${code}, signal ${signal}) before it listened`);
			});
			child.stdout.setEncoding('utf8').on('data', (text) => {
				this.out += text;
				const m = /^listening on (https?):\/\/([0-9.]+):(\d+)\n/m.exec(this.out);
				if (m && m[1] === (this.ca ? 'https' : 'http')) {
					clearTimeout(timer);
					this.port = Number(m[3]);
					resolve();
				}
			});
		});
		return this;
	}

	running() {
		return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
	}

	// SIGTERM; the server must finish and exit 0, and the sanitizers must have nothing to say.
	async stop(signal = 'SIGTERM') {
		if (!this.child) return;
		this.agent.destroy();
		const timer = setTimeout(() => this.child.kill('SIGKILL'), 20000);
		this.child.kill(signal);
		const { code, signal: by } = await this.ended;
		clearTimeout(timer);
		this.child = undefined;
		const tail = this.log.slice(-6000);
		assert.ok(!/AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:/.test(this.log), `a sanitizer spoke up:\n${tail}`);
		assert.deepEqual({ code, by }, { code: 0, by: null }, `${signal} ends the server with status 0\n  stderr: ${tail}`);
	}

	// As a power cut does it.
	async kill9() {
		const child = this.child;
		child.kill('SIGKILL');
		await this.ended;
		this.agent.destroy();
		this.child = undefined;
		assert.ok(!/AddressSanitizer|runtime error:/.test(this.log), `a sanitizer spoke up:\n${this.log.slice(-6000)}`);
	}

	async restart() {
		if (this.child) await this.stop();
		return this.start();
	}

	// The last thing of a test file: stop, check the store, remove the folder.
	async end() {
		try {
			if (this.running()) {
				await this.stop();
				this.audit();
			} else if (this.child) {
				const { code, signal } = await this.ended;
				this.child = undefined;
				assert.fail(`the server had ended by itself (status ${code}, signal ${signal})\n  stderr: ${this.log.slice(-6000)}`);
			}
		} finally {
			fs.rmSync(this.dir, { recursive: true, force: true });
			folders.delete(this.dir);
		}
	}

	// `jari audit` over the whole store; the server may be running.
	audit() {
		const r = jari(['audit', '--store', this.store], { bin: this.bin, launch: this.launch });
		assert.equal(r.status, 0, `jari audit finds nothing wrong\n  stdout: ${r.stdout}\n  stderr: ${r.stderr}`);
		return r;
	}

	// One request. `body` is sent as JSON, `raw` (text or bytes) as it is. A token goes in as Bearer; `admin: true` sends the admin key.
	api(method, target, { token, admin, body, raw, type = 'application/json', headers = {}, key, agent = this.agent, timeout = 30000, quiet = false } = {}) {
		const bytes = raw !== undefined ? Buffer.from(raw) : body !== undefined ? Buffer.from(JSON.stringify(body)) : undefined;
		const all = { ...headers };
		if (token) all.authorization = `Bearer ${token}`;
		if (admin) all.authorization = `Bearer ${admin === true ? this.adminKey : admin}`;
		if (key !== undefined) all['idempotency-key'] = key;
		if (bytes) {
			if (type) all['content-type'] ??= type;
			if (!all['transfer-encoding']) all['content-length'] = bytes.length;
		}
		const asked = `${method} ${target} ${show(all, 300)} ${bytes ? show(bytes.toString('utf8'), 300) : ''}`;
		return new Promise((resolve, reject) => {
			const fail = (e) => reject(new Error(`${e.message}\n  asked: ${asked}`, { cause: e }));
			const req = (this.ca ? https : http).request({ host: '127.0.0.1', port: this.port, method, path: target, headers: all, agent }, (res) => {
				const parts = [];
				res.on('data', (part) => parts.push(part));
				res.on('error', fail);
				res.on('end', () => {
					const bytesIn = Buffer.concat(parts);
					const reply = { status: res.statusCode, headers: res.headers, bytes: bytesIn, text: bytesIn.toString('utf8'), json: undefined, asked, head: method === 'HEAD' };
					try {
						if (!quiet) vet(reply);
						resolve(reply);
					} catch (e) {
						reject(e);
					}
				});
			});
			req.setTimeout(timeout, () => req.destroy(new Error(`no answer within ${timeout} ms`)));
			req.on('error', fail);
			req.end(bytes);
		});
	}

	// The same, and the status must be this one. Gives the JSON.
	async ok(status, method, target, options) {
		const reply = await this.api(method, target, options);
		assert.equal(reply.status, status, `expected status ${status}${told(reply)}`);
		return reply.json;
	}

	// The same, and the answer must be this problem. Gives the document.
	async no(code, method, target, options) {
		const reply = await this.api(method, target, options);
		assert.equal(reply.json?.code, code, `expected ${CODES[code]} ${code}${told(reply)}`);
		return Object.assign(reply.json, { reply });
	}

	// Bytes on a bare socket. Ends when the server closes, when `until` answers are complete, or after `wait` ms.
	raw(bytes, { until = 1, wait = 3000, end = false } = {}) {
		return new Promise((resolve, reject) => {
			const socket = net.connect(this.port, '127.0.0.1');
			const parts = [];
			let closed = false;
			let done = false;
			let timer;
			const finish = () => {
				if (done) return;
				done = true;
				clearTimeout(timer);
				socket.destroy();
				const text = Buffer.concat(parts).toString('latin1');
				resolve({ text, closed, replies: parseReplies(text) });
			};
			timer = setTimeout(finish, wait);
			socket.on('error', (e) => {
				if (e.code === 'ECONNREFUSED') reject(e);
				closed = true;
				finish();
			});
			socket.on('data', (part) => {
				parts.push(part);
				if (parseReplies(Buffer.concat(parts).toString('latin1')).length >= until) finish();
			});
			socket.on('close', () => {
				closed = true;
				finish();
			});
			socket.on('end', () => {
				closed = true;
				finish();
			});
			const pieces = Array.isArray(bytes) ? bytes : [bytes];
			(async () => {
				for (const [i, piece] of pieces.entries()) {
					if (i) await sleep(30);
					if (!done) socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
				}
				if (end) socket.end();
			})();
		});
	}

	// ---- words of the field ----

	name(stem = 'user') {
		this.names += 1;
		return `${stem}-${this.names}`;
	}

	// Adds one queue, one concert in it and its shows, and gives their ids.
	async makeConcert({ queue, capacity = 1000, ratePerSecond, title = 'A concert', salesOpenAt, shows = [{}] } = {}) {
		const name = queue ?? this.name('queue');
		const doc = {
			queues: [{ name, capacity, ...(ratePerSecond !== undefined ? { ratePerSecond } : {}) }],
			concerts: [
				{
					title,
					artist: 'An artist',
					venue: 'A venue',
					queue: name,
					...(salesOpenAt ? { salesOpenAt } : {}),
					shows: shows.map((s) => ({
						startsAt: s.startsAt ?? '2099-12-24T19:00:00+09:00',
						seats: s.seats ?? [{ section: 'A', from: 1, to: 50, price: 50000 }],
					})),
				},
			],
		};
		const ids = await this.ok(201, 'POST', '/api/admin/catalogue', { admin: true, body: doc });
		assert.equal(ids.queueIds.length, 1, `one queue was made: ${show(ids)}`);
		assert.equal(ids.concertIds.length, 1, `one concert was made: ${show(ids)}`);
		assert.equal(ids.showIds.length, shows.length, `the shows were made: ${show(ids)}`);
		return { queueId: ids.queueIds[0], concertId: ids.concertIds[0], showId: ids.showIds[0], showIds: ids.showIds, date: '2099-12-24' };
	}

	async join(username, concertId, status = 201, options = {}) {
		const body = { username, ...(concertId ? { concertId } : {}) };
		return vetTicket(await this.ok(status, 'POST', '/api/getToken', { body, ...options }));
	}

	async check(token) {
		return vetTicket(await this.ok(200, 'GET', '/api/check', { token }));
	}

	// Somebody who is admitted to the concert's queue, with money if asked.
	async buyer(concert, money = 0, username = this.name('buyer')) {
		const t = await this.join(username, concert.concertId);
		assert.equal(t.status, 'ACTIVE', `${username} is admitted at once: ${show(t)}`);
		if (money) await this.charge(t, money);
		return t;
	}

	charge(t, amount, options = {}) {
		return this.ok(200, 'POST', `/api/${t.userId}/charge`, { token: t.token, body: { amount }, ...options });
	}

	async balance(t) {
		const w = await this.ok(200, 'GET', `/api/${t.userId}`, { token: t.token });
		assert.ok(Number.isSafeInteger(w.balance) && w.balance >= 0, `a balance is 0 or more: ${show(w)}`);
		return w.balance;
	}

	async hold(t, concert, what, options = {}) {
		const body = { ...('showId' in what || 'date' in what ? {} : { showId: concert.showId }), ...what };
		return vetReservation(await this.ok(201, 'POST', `/api/booking/${concert.concertId}/seat`, { token: t.token, body, ...options }));
	}

	// A hold that must be refused.
	noHold(code, t, concert, what, options = {}) {
		const body = { ...('showId' in what || 'date' in what ? {} : { showId: concert.showId }), ...what };
		return this.no(code, 'POST', `/api/booking/${concert.concertId}/seat`, { token: t.token, body, ...options });
	}

	pay(t, r, body = {}, options = {}) {
		return this.ok(200, 'POST', `/api/${r.reservationId}/payment`, { token: t.token, body, ...options });
	}

	async reservation(t, r) {
		return vetReservation(await this.ok(200, 'GET', `/api/reservations/${r.reservationId}`, { token: t.token }));
	}

	cancel(t, r) {
		return this.ok(204, 'DELETE', `/api/reservations/${r.reservationId}`, { token: t.token });
	}

	seats(t, concert, showId = concert.showId) {
		return this.ok(200, 'GET', `/api/booking/${concert.concertId}/list/seats?showId=${showId}`, { token: t.token });
	}

	async seat(t, concert, number) {
		const map = await this.seats(t, concert);
		return map.seats.find((s) => s.seatNumber === number)?.status;
	}

	patchQueue(queueId, body) {
		return this.ok(200, 'PATCH', `/api/admin/queues/${queueId}`, { admin: true, body });
	}

	async queue(queueId) {
		const { queues } = await this.ok(200, 'GET', '/api/admin/queues', { admin: true });
		return queues.find((q) => q.queueId === queueId);
	}
}

// A server for the tests of the `describe` that this is called in.
export function serverHere(options = {}) {
	const s = new Server(options);
	before(() => s.start(), { timeout: 40000 });
	after(() => s.end(), { timeout: 60000 });
	return s;
}

// The complete answers in what a socket has sent (Content-Length or chunked).
export function parseReplies(text) {
	const replies = [];
	let rest = text;
	for (;;) {
		const head = rest.indexOf('\r\n\r\n');
		if (head < 0) return replies;
		const lines = rest.slice(0, head).split('\r\n');
		const m = /^HTTP\/1\.[01] (\d{3})/.exec(lines[0]);
		if (!m) return replies;
		const headers = {};
		for (const line of lines.slice(1)) {
			const colon = line.indexOf(':');
			headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
		}
		const status = Number(m[1]);
		let body = '';
		let size = head + 4;
		if (status === 100) {
			rest = rest.slice(size);
			continue;
		}
		if (headers['transfer-encoding'] === 'chunked') {
			for (;;) {
				const line = rest.indexOf('\r\n', size);
				if (line < 0) return replies;
				const length = parseInt(rest.slice(size, line), 16);
				if (rest.length < line + 2 + length + 2) return replies;
				body += rest.slice(line + 2, line + 2 + length);
				size = line + 2 + length + 2;
				if (length === 0) break;
			}
		} else {
			const length = Number(headers['content-length'] ?? 0);
			if (rest.length < size + length) return replies;
			body = rest.slice(size, size + length);
			size += length;
		}
		const utf8 = Buffer.from(body, 'latin1').toString('utf8');
		replies.push({ status, headers, text: utf8, json: undefined, asked: 'raw bytes', head: false });
		rest = rest.slice(size);
	}
}

// Runs `job(i)` for 0 … n-1, at most `wide` at once.
export async function many(n, wide, job) {
	const out = new Array(n);
	let next = 0;
	await Promise.all(
		Array.from({ length: Math.min(wide, n) }, async () => {
			while (next < n) {
				const i = next++;
				out[i] = await job(i);
			}
		}),
	);
	return out;
}
