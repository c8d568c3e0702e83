// Who may do what: every route x every kind of visitor x every kind of thing, each cell with the status and the code that the contract's words give.
//
// What is expected is worked out here from those words, and from nothing of the server's: `expected` is all of it. A route of /openapi.json
// without a row in this table fails, and so does a row without a route. Where a cell says no, nothing may have changed: what belongs to somebody
// else is looked at after each row, what belongs to the visitors, and the audit log, at the end.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import { ADMIN_KEY, CODES, eventually, Server, told } from './harness.mjs';

// ---- the visitors ----

// Without a ticket: what they send as Authorization.
const STRANGERS = {
	'no token': undefined,
	'an empty token': 'Bearer ',
	'a malformed token': 'Bearer not-a-token',
	'a token that was made up': 'Bearer 2f1a7c1e-5b0d-4c3a-9e8f-0a1b2c3d4e5f',
	'a token with one digit changed': '', // of the owner's, below
	'a wrong organiser key': `Bearer ${ADMIN_KEY}x`,
	'the organiser key': `Bearer ${ADMIN_KEY}`,
};
// With one: in the queue of their concert, each with money, and with a hold: alive, or of the last two, who came more than a day ago, lapsed.
const ACTIVE = 'an active token';
const WAITING = 'a waiting token';
const LEFT = 'the token of who left';
const PAID = 'the token of who paid';
const TIMED_OUT = 'the token of who was timed out';
const PATIENT = 'the token of who has waited for more than a day';
const OLD = 'a token that ended and is older than a day';
const PEOPLE = [ACTIVE, WAITING, LEFT, PAID, TIMED_OUT, PATIENT, OLD];
const LAPSED = [PATIENT, OLD];
const EACH = 9; // of each kind: one who only looks, and one for each row that uses them up
const ABSENT = 404404;
const MALFORMED = ['x', '0', '-1', '1.5', '01', '9223372036854775808', '%20', '1%2f1', 'null'];

// ---- the table ----

// `needs`: what the contract asks of the visitor. `of`: whose or what thing the path names; without it there is but one cell a visitor.
// `lapsed`: what there is to say when the hold has ended. `uses`: success changes the visitor's own things, so each cell that succeeds has a visitor of its own.
const nothing = (extra) => ({ needs: 'nothing', ok: 200, ...extra });
const ticket = (extra) => ({ needs: 'ticket', ok: 200, ...extra });
const owner = (of, extra) => ({ needs: 'owner', of, ok: 200, absent: of === 'user' ? 'USER_NOT_FOUND' : 'RESERVATION_NOT_FOUND', ...extra });
const place = (extra) => ({ needs: 'place', of: 'concert', ok: 200, absent: 'CONCERT_NOT_FOUND', ...extra });
const key = (extra) => ({ needs: 'key', ok: 200, ...extra });
const TABLE = {
	'POST /api/getToken': nothing({ ok: 201, body: (w) => ({ username: w.name() }) }),
	'GET /api/sign-in': nothing(),
	'GET /api/check': ticket(),
	'GET /api/check/events': ticket(),
	'DELETE /api/token': ticket({ ok: 204, uses: true }),

	'GET /api/concerts': nothing(),
	'GET /api/concerts/{concertId}': nothing({ of: 'concert', absent: 'CONCERT_NOT_FOUND' }),
	'GET /api/booking/{concertId}/list/time': place(),
	'GET /api/booking/{concertId}/list/seats': place({ query: (w, c) => `?showId=${c.showId}` }),
	'GET /api/booking/{concertId}/list/statuses': place({ query: (w, c) => `?showId=${c.showId}` }),
	'POST /api/booking/{concertId}/seat': place({ ok: 201, uses: true, body: (w, c) => ({ showId: c.showId, seatNumber: w.seat() }) }),

	'GET /api/reservations/{reservationId}': owner('reservation'),
	'DELETE /api/reservations/{reservationId}': owner('reservation', { ok: 204, lapsed: 'NOT_HELD', uses: true }),
	'GET /api/{userId}/reservations': owner('user'),

	'POST /api/{userId}/charge': owner('user', { uses: true, body: () => ({ amount: 7 }) }),
	'PATCH /api/{userId}/charge': owner('user', { uses: true, body: () => ({ amount: 7 }) }),
	'GET /api/{userId}': owner('user'),
	'GET /api/{userId}/histories': owner('user'),
	'POST /api/{reservationId}/payment': owner('reservation', { lapsed: 'HOLD_EXPIRED', uses: true, body: () => ({}) }),

	'POST /api/admin/catalogue': key({ ok: 201, logs: true, body: (w) => ({ queues: [{ name: w.name(), capacity: 1 }], concerts: [] }) }),
	'GET /api/admin/queues': key(),
	'PATCH /api/admin/queues/{queueId}': key({ of: 'queue', absent: 'NOT_FOUND', logs: true, body: () => ({ capacity: 77 }) }),
	'GET /api/admin/stats': key(),
	'GET /api/admin/series': key(),
	'GET /api/admin/concerts/{concertId}': key({ of: 'concert', absent: 'CONCERT_NOT_FOUND' }),
	'PATCH /api/admin/concerts/{concertId}': key({ of: 'concert', absent: 'CONCERT_NOT_FOUND', logs: true, body: () => ({ title: 'Another title' }) }),
	'GET /api/admin/shows/{showId}': key({ of: 'show', absent: 'SHOW_NOT_FOUND' }),
	'PATCH /api/admin/shows/{showId}': key({ of: 'show', absent: 'SHOW_NOT_FOUND', logs: true, body: () => ({ closed: true }) }),
	'GET /api/admin/concerts/{concertId}/sales.csv': key({ of: 'concert', absent: 'CONCERT_NOT_FOUND' }),
	'GET /api/admin/audit-log': key(),

	'GET /api/sign-in': nothing(),
	'GET /healthz': nothing(),
	'GET /readyz': nothing(),
	'GET /metrics': nothing(),
	'GET /openapi.json': nothing(),
	'GET /': nothing(),
	'GET /admin': nothing(),
	'GET /admin/live': nothing(),
	'GET /assets/{file}': nothing({ of: 'file', absent: 'NOT_FOUND' }),
	'GET /docs': nothing(),
	'GET /docs/init.js': nothing(),
	'GET /docs/swagger-ui-bundle.js': nothing(),
	'GET /docs/swagger-ui.css': nothing(),
	'GET /docs/favicon-32x32.png': nothing(),
};

// What the things are called in the cells. A stranger has nothing of their own, and an organiser's things are nobody's in particular.
const HAS_OWN = ['owner', 'place'];
function thingsOf(row, visitor) {
	if (!row.of) return ['-'];
	const things = HAS_OWN.includes(row.needs) && PEOPLE.includes(visitor) ? ['own', "another's"] : ["another's"];
	return row.of === 'file' ? [...things, 'absent'] : [...things, 'absent', 'malformed'];
}

// The contract, in its order: the route (an id that is none is 404), the token, whether the thing is there and is the visitor's, admission.
function expected(row, visitor, thing) {
	if (thing === 'malformed') return 'NOT_FOUND';
	const person = PEOPLE.includes(visitor);
	if (row.needs !== 'nothing') {
		if (visitor === 'no token' || visitor === 'an empty token') return 'TOKEN_REQUIRED';
		// the organiser's key is no buyer's token, nor the other way round
		if (row.needs === 'key' ? visitor !== 'the organiser key' : !person) return 'TOKEN_INVALID';
		// a ticket may be looked at and left in any state; what its owner has is open for 24 hours, and longer while it waits
		if (visitor === OLD && row.needs !== 'ticket') return 'TOKEN_INVALID';
	}
	if (thing === 'absent') return row.absent;
	// somebody else's is the same as none
	if (row.needs === 'owner' && thing !== 'own') return row.absent;
	// the wrong queue comes before admission
	if (row.needs === 'place' && thing !== 'own') return 'WRONG_QUEUE';
	if (row.needs === 'place' && visitor !== ACTIVE) return 'NOT_ADMITTED';
	if (row.lapsed && LAPSED.includes(visitor)) return row.lapsed;
	return row.ok;
}

// ---- the world ----

const HOUR = 3600000;
const DAY = 24 * HOUR;

// The store's clock, and with it the server's, goes on while nobody looks.
function advance(s, ms) {
	const script = 'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute("UPDATE meta SET value = value + ? WHERE name = \'clock\'", (int(sys.argv[2]),)); c.commit()';
	const r = spawnSync('python3', ['-c', script, s.file, String(ms)], { encoding: 'utf8' });
	assert.equal(r.status, 0, r.stderr);
}

class World {
	constructor(s) {
		this.s = s;
		this.seats = 0;
		this.people = Object.fromEntries(PEOPLE.map((kind) => [kind, []]));
		this.logged = 0;
	}

	name() {
		return this.s.name('visitor');
	}

	seat() {
		this.seats += 1;
		return this.seats;
	}

	// Somebody active with money and a hold.
	async person(concert = this.concert) {
		const t = await this.s.buyer(concert, 50000);
		const r = await this.s.hold(t, concert, { seatNumber: this.seat() });
		return { ...t, concert, reservationId: r.reservationId, balance: 50000 };
	}

	persons(concert) {
		return Promise.all(Array.from({ length: EACH }, () => this.person(concert)));
	}

	async leave(people) {
		for (const p of people) await this.s.ok(204, 'DELETE', '/api/token', { token: p.token });
		return people;
	}

	// Whoever waits has been in once, and has a hold from then. Nobody is let into the concert's queue from now on.
	async waiting(concert) {
		const people = await this.leave(await this.persons(concert));
		await this.s.patchQueue(concert.queueId, { paused: true });
		for (const p of people) p.token = (await this.s.join(p.username, concert.concertId)).token;
		return people;
	}

	async build() {
		const { s } = this;
		const hall = [{ seats: [{ section: 'A', from: 1, to: 5000, price: 1000 }] }];
		this.concert = await s.makeConcert({ shows: hall });
		this.elsewhere = await s.makeConcert({ shows: hall });
		this.organised = await s.makeConcert({ shows: hall });
		this.paused = await s.makeConcert({ shows: hall });
		this.people[OLD] = await this.persons();
		this.people[PATIENT] = await this.waiting(this.paused);
		const end = (await this.now()) + DAY;
		await this.later(22 * HOUR);
		this.people[TIMED_OUT] = await this.persons();
		// A server forgets at its start who is older than a day; these are so a little later, and known.
		await this.later(end - (await this.now()) - 20000);
		this.people[ACTIVE] = await this.persons();
		this.people[LEFT] = await this.leave(await this.persons());
		this.people[PAID] = await this.persons();
		for (const p of this.people[PAID]) {
			await s.pay(p, await s.hold(p, this.concert, { seatNumber: this.seat() }));
			p.balance -= 1000;
		}
		this.owner = await this.person();
		this.far = await this.person(this.elsewhere);
		this.people[WAITING] = await this.waiting(this.concert);
		await eventually('a day is over', async () => (await this.now()) > end, 60000, 500);
		for (const kind of PEOPLE)
			for (const p of this.people[kind]) await eventually(`${kind} is what it is called`, async () => (await s.check(p.token)).status === this.stateOf(kind), 5000);
		const { text } = await s.api('GET', '/');
		this.file = /assets\/([\w.-]+)/.exec(text)[1];
		const digit = this.owner.token.at(-1) === '0' ? '1' : '0';
		this.strangers = { ...STRANGERS, 'a token with one digit changed': `Bearer ${this.owner.token.slice(0, -1)}${digit}` };
		this.log = await this.auditLog();
	}

	stateOf(kind) {
		return { [ACTIVE]: 'ACTIVE', [WAITING]: 'WAITING', [PATIENT]: 'WAITING' }[kind] ?? 'EXPIRED';
	}

	async later(ms) {
		await this.s.stop();
		advance(this.s, ms);
		await this.s.start();
	}

	async now() {
		return Date.parse((await this.s.join(this.name())).issuedAt);
	}

	async auditLog() {
		return (await this.s.ok(200, 'GET', '/api/admin/audit-log?limit=100', { admin: true })).entries.length;
	}

	// Nothing of these two may ever change by somebody else's doing.
	async othersAreUntouched() {
		for (const p of [this.owner, this.far]) await this.isUntouched(p, 'ACTIVE', 'HELD');
	}

	async isUntouched(p, status, reservation) {
		assert.equal((await this.s.check(p.token)).status, status);
		assert.equal(await this.s.balance(p), p.balance);
		assert.equal((await this.s.reservation(p, p)).status, reservation);
		const { histories } = await this.s.ok(200, 'GET', `/api/${p.userId}/histories`, { token: p.token });
		assert.equal(histories[0].balanceAfter, p.balance);
	}
}

// ---- one cell ----

// What the path's parameter is for a thing of this kind; with it the concert that a request's body speaks of.
function idOf(w, row, thing, visitor, n) {
	const concert = thing === 'own' ? visitor.concert : w.elsewhere;
	const theirs = thing === 'own' ? visitor : w.owner;
	if (thing === 'malformed') return { id: MALFORMED[n % MALFORMED.length], concert };
	if (thing === 'absent') return { id: row.of === 'file' ? 'none.js' : ABSENT, concert };
	// what an organiser changes is not what the others stand on
	const organised = row.needs === 'key' ? w.organised : concert;
	const ids = { user: theirs.userId, reservation: theirs.reservationId, concert: organised.concertId, queue: organised.queueId, show: organised.showId, file: w.file };
	return { id: ids[row.of], concert };
}

// As Server.api, but a stream is ended after its head.
function ask(s, method, path, authorization, body) {
	if (!path.endsWith('/events')) return s.api(method, path, { body, headers: authorization === undefined ? {} : { authorization } });
	return new Promise((resolve, reject) => {
		const req = http.get({ host: '127.0.0.1', port: s.port, path, headers: authorization === undefined ? {} : { authorization } }, (res) => {
			if (res.headers['content-type'] === 'text/event-stream') {
				resolve({ status: res.statusCode, headers: res.headers, asked: `GET ${path}`, text: '(a stream)' });
				req.destroy();
				return;
			}
			let text = '';
			res.on('data', (part) => (text += part));
			res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, asked: `GET ${path}`, text, json: JSON.parse(text) }));
		});
		req.on('error', reject);
	});
}

describe('who may do what', () => {
	const s = new Server({ args: ['--hold-seconds', '86400', '--seats-per-user', '20', '--waiting-idle', '86400', '--waiting-grace', '86400'] });
	const w = new World(s);
	let cells = 0;

	before(
		async () => {
			await s.start();
			await w.build();
		},
		{ timeout: 120000 },
	);
	after(() => s.end(), { timeout: 60000 });

	it('has a row for every route, and no other', async () => {
		const { paths } = await s.ok(200, 'GET', '/openapi.json');
		const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
		const routes = Object.entries(paths).flatMap(([path, operations]) => methods.filter((m) => m in operations).map((m) => `${m.toUpperCase()} ${path}`));
		assert.deepEqual(routes.sort(), Object.keys(TABLE).sort());
	});

	for (const [route, row] of Object.entries(TABLE)) {
		const [method, template] = route.split(' ');

		const cell = async (visitor, thing, used) => {
			const want = expected(row, visitor, thing);
			const kin = w.people[visitor];
			// who succeeds in changing something is not asked for anything else
			const person = kin && (row.uses && want === row.ok ? kin.pop() : kin[0]);
			const { id, concert } = idOf(w, row, thing, person, cells);
			const path = template.replace(/\{\w+\}/, id) + (row.query?.(w, concert) ?? '');
			const authorization = person ? `Bearer ${person.token}` : w.strangers[visitor];
			const reply = await ask(s, method, path, authorization, row.body?.(w, concert));
			const words = `${route}, ${visitor}, ${thing}: expected ${want}${told(reply)}`;
			cells += 1;
			// HEAD is GET without the body, and no way round
			if (method === 'GET' && !path.endsWith('/events')) {
				const head = await s.api('HEAD', path, { headers: authorization === undefined ? {} : { authorization } });
				assert.equal(head.status, reply.status, `HEAD as GET${told(head)}\n${words}`);
			}
			if (typeof want === 'number') assert.equal(reply.status, want, words);
			else {
				assert.equal(reply.json?.code, want, words);
				assert.equal(reply.status, CODES[want], words);
			}
			if (row.logs && want === row.ok) w.logged += 1;
			if (want === 'NOT_ADMITTED') assert.equal(reply.json.ticketStatus, w.stateOf(visitor), words);
			used[`${visitor}, ${thing}`] = reply;
		};

		it(route, async () => {
			const replies = {};
			for (const visitor of [...Object.keys(STRANGERS), ...PEOPLE]) for (const thing of thingsOf(row, visitor)) await cell(visitor, thing, replies);
			// nothing tells somebody else's thing from one that does not exist
			if (row.needs === 'owner')
				for (const visitor of PEOPLE) assert.deepEqual(replies[`${visitor}, another's`].json, replies[`${visitor}, absent`].json, `${route}, ${visitor}`);
			await w.othersAreUntouched();
		});
	}

	it('and what was refused has changed nothing', async (t) => {
		for (const kind of PEOPLE.filter((k) => k !== OLD)) await w.isUntouched(w.people[kind][0], w.stateOf(kind), LAPSED.includes(kind) ? 'EXPIRED' : 'HELD');
		assert.equal(await w.auditLog(), w.log + w.logged, 'the audit log has what the organiser did, and no more');
		assert.equal((await s.queue(w.concert.queueId)).capacity, 1000);
		const strangers = Object.keys(STRANGERS).length;
		assert.ok(cells > Object.keys(TABLE).length * (strangers + PEOPLE.length), `${cells} cells`);
		t.diagnostic(`${cells} cells`);
	});
});
