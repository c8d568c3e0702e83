// GET /metrics and GET /api/admin/series of a running server, and that the dashboard and the alert rules in docs/monitoring name only what it tells.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { eventually, INSTANT, ROOT, serverHere, sleep } from './harness.mjs';

const file = (name) => path.join(ROOT, 'docs/monitoring', name);

// The metrics, as a map from name with labels to value, and the families' types.
async function metrics(s) {
	const { text } = await s.api('GET', '/metrics');
	const values = new Map();
	const types = new Map();
	for (const line of text.split('\n')) {
		const type = /^# TYPE (\S+) (\S+)$/.exec(line);
		if (type) types.set(type[1], type[2]);
		const value = /^([^#]\S*(?:\{.*\})?) (\S+)$/.exec(line);
		if (value) values.set(value[1], Number(value[2]));
	}
	return { values, types, text };
}

// What an expression of PromQL names, functions and label names aside.
function named(expr) {
	return [...expr.replaceAll(/"[^"]*"/g, '').matchAll(/\b(?:jari|process)_[a-z0-9_]+|\bup\b/g)].map((m) => m[0]);
}

describe('metrics', () => {
	const s = serverHere();

	it('count the time from a whole request, not what its body took to come', async () => {
		const body = '{"amount":1000000000}';
		const head = `PATCH /api/1/charge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
		const times = Object.fromEntries(['_count', '_sum'].map((what) => [what, `jari_http_request_seconds${what}{method="PATCH",route="/api/{userId}/charge"}`]));
		const { replies } = await s.raw([head, ...body]); // 30 ms between two
		assert.equal(replies[0].status, 401);
		const { values } = await metrics(s);
		assert.equal(values.get(times._count), 1);
		assert.ok(values.get(times._sum) < 0.3, `${values.get(times._sum)} s`);
	});

	it('tell requests, problems, connections, commands, queues, seats, the store and the process', async () => {
		const c = await s.makeConcert({ capacity: 2 });
		const t = await s.buyer(c, 1000000);
		await s.pay(t, await s.hold(t, c, { seatNumber: 1 }));
		const u = await s.buyer(c);
		await s.hold(u, c, { seatNumbers: [2, 3] });
		await s.noHold('SEAT_TAKEN', u, c, { seatNumber: 1 });
		await s.join('one', c.concertId);
		await s.join('two', c.concertId);
		await s.no('NOT_FOUND', 'GET', '/api/nothing/here', {});
		const { values, types } = await metrics(s);
		const queue = `{queue="${c.queueId}",name="${(await s.queue(c.queueId)).name}"}`;
		const expected = {
			'jari_http_requests_total{method="POST",route="/api/getToken",status="201"}': 4,
			'jari_http_requests_total{method="POST",route="/api/booking/{concertId}/seat",status="409"}': 1,
			'jari_http_requests_total{method="other",route="none",status="404"}': 1,
			'jari_http_request_seconds_count{method="POST",route="/api/getToken"}': 4,
			'jari_http_request_seconds_bucket{method="POST",route="/api/getToken",le="+Inf"}': 4,
			'jari_http_errors_total{code="SEAT_TAKEN"}': 1,
			'jari_http_errors_total{code="OVERLOADED"}': 0,
			'jari_http_open_streams': 0,
			'jari_tickets_total': 4,
			'jari_holds_total': 2,
			'jari_payments_total': 1,
			'jari_charges_total': 1,
			'jari_inbox_commands': 0,
			[`jari_queue_waiting${queue}`]: 1,
			[`jari_queue_active${queue}`]: 2,
			[`jari_queue_capacity${queue}`]: 2,
			[`jari_queue_paused${queue}`]: 0,
			[`jari_queue_admitted_total${queue}`]: 3,
			[`jari_queue_joined_total${queue}`]: 4,
			'jari_seats{state="sold"}': 1,
			'jari_seats{state="held"}': 2,
			'jari_seats{state="available"}': 47,
			'jari_revenue_won': 50000,
		};
		for (const [name, value] of Object.entries(expected)) assert.equal(values.get(name), value, name);
		for (const name of ['jari_batch_commands', 'jari_store_commit_seconds', 'jari_store_sync_seconds']) {
			assert.equal(types.get(name), 'histogram');
			assert.ok(values.get(`${name}_count`) > 0, name);
			assert.equal(values.get(`${name}_bucket{le="+Inf"}`), values.get(`${name}_count`), name);
		}
		for (const name of ['jari_http_open_connections', 'jari_commands_total', 'jari_store_log_pages', 'process_resident_memory_bytes', 'process_open_fds', 'process_cpu_seconds_total']) {
			assert.ok(values.get(name) > 0, name);
		}
		assert.ok(Math.abs(values.get('process_start_time_seconds') - Date.now() / 1000) < 600);
		assert.ok([...values.keys()].some((name) => /^jari_build_info\{version="[0-9.]+"\}$/.test(name)));
	});

	it('buckets only grow, and end with the count', async () => {
		const { values } = await metrics(s);
		let last = 0;
		let family = '';
		for (const [name, value] of values) {
			if (!name.includes('_bucket{')) continue;
			const of = name.replace(/,?le="[^"]*"/, '');
			if (of !== family) last = 0;
			family = of;
			assert.ok(value >= last, name);
			last = value;
		}
	});

	it('raw paths are never labels', async () => {
		for (const target of ['/api/777', '/api/concerts/777', '/nowhere/at-all', '/api/concerts/777?secret=1']) await s.api('GET', target);
		const { text } = await metrics(s);
		const names = text.split('\n').map((line) => (line.startsWith('#') ? line : line.slice(0, line.lastIndexOf(' ')))); // a value may have any digits
		assert.ok(names.some((name) => name.includes('concerts')), 'routes are labels');
		assert.deepEqual(names.filter((name) => /777|nowhere|secret/.test(name)), []);
	});

	it('count connections and streams that are open', async () => {
		const t = await s.join('streams');
		const at = async (name) => (await metrics(s)).values.get(name);
		const before = await at('jari_http_open_connections');
		const stream = s.raw(`GET /api/check/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${t.token}\r\n\r\n`, { until: 99, wait: 1500 });
		await eventually('the stream is counted', async () => (await at('jari_http_open_streams')) === 1 && (await at('jari_http_open_connections')) > before, 1400);
		await stream;
		await eventually('and gone', async () => (await at('jari_http_open_streams')) === 0, 3000);
	});
});

describe('docs/monitoring', () => {
	const s = serverHere();
	const known = async () => {
		await s.join(s.name());
		const { types } = await metrics(s);
		const all = new Set(['up']);
		for (const [name, type] of types) for (const end of type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']) all.add(name + end);
		return all;
	};

	it('monitoring.md has every figure of Jari’s own, of its kind, and no other', async () => {
		const text = fs.readFileSync(path.join(ROOT, 'docs/monitoring.md'), 'utf8');
		const told = [...text.matchAll(/^\| `(jari_\w+)`(?: \([^)]*\))? \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
		await s.join(s.name());
		const { types } = await metrics(s);
		const there = [...types].filter(([name]) => name.startsWith('jari_')).map(([name, type]) => `${name} ${type}`);
		assert.deepEqual(told.sort(), there.sort());
	});

	it('the dashboard is JSON, has what Grafana needs, and names only what there is', async () => {
		const board = JSON.parse(fs.readFileSync(file('grafana-dashboard.json'), 'utf8'));
		assert.ok(board.title && board.uid && board.schemaVersion > 0 && board.panels.length > 10);
		const ids = board.panels.map((p) => p.id);
		assert.equal(new Set(ids).size, ids.length, 'ids are different');
		const all = await known();
		for (const p of board.panels) {
			assert.ok(p.title && p.gridPos.x + p.gridPos.w <= 24, `a place for ${p.title}`);
			if (p.type === 'row') continue;
			assert.ok(p.targets.length > 0, `${p.title} asks for something`);
			for (const { expr } of p.targets) {
				assert.equal((expr.match(/[({[]/g) ?? []).length, (expr.match(/[)}\]]/g) ?? []).length, `brackets of ${expr}`);
				assert.ok(named(expr).length > 0, expr);
				for (const name of named(expr)) assert.ok(all.has(name), `${p.title}: ${name} is in /metrics`);
			}
		}
		for (const v of board.templating.list) for (const name of named(JSON.stringify(v.query).replaceAll('\\"', ''))) assert.ok(all.has(name), name);
	});

	it('the alert rules are YAML, complete, and name only what there is', async () => {
		const r = spawnSync('python3', ['-c', 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding="utf-8"))))', file('prometheus-rules.yml')], { encoding: 'utf8' });
		assert.equal(r.status, 0, r.stderr);
		const { groups } = JSON.parse(r.stdout);
		const all = await known();
		const names = new Set();
		for (const rule of groups.flatMap((g) => g.rules)) {
			assert.match(rule.alert, /^Jari[A-Za-z]+$/);
			assert.ok(!names.has(rule.alert), `${rule.alert} once`);
			names.add(rule.alert);
			assert.match(rule.for ?? '0s', /^\d+[smh]$/);
			assert.ok(['page', 'look'].includes(rule.labels.severity) && rule.annotations.summary.length > 20, rule.alert);
			assert.ok(named(rule.expr).length > 0, rule.expr);
			for (const name of named(rule.expr)) assert.ok(all.has(name), `${rule.alert}: ${name} is in /metrics`);
			for (const m of rule.expr.matchAll(/code="([A-Z_]+)"/g)) assert.ok((await metrics(s)).values.has(`jari_http_errors_total{code="${m[1]}"}`), m[1]);
		}
		assert.ok(names.size >= 8);
	});
});

describe('time series', () => {
	const s = serverHere();
	const series = (query = '') => s.ok(200, 'GET', `/api/admin/series${query}`, { admin: true });
	const at = (v) => Date.parse(v) / 1000;

	it('tell what happened, a second each, and only the news when asked for those', async () => {
		const c = await s.makeConcert({ capacity: 1 });
		const ids = `queueId=${c.queueId}&showId=${c.showId}`;
		const t = await s.buyer(c, 1000000);
		await s.hold(t, c, { seatNumbers: [1, 2] });
		await s.join('behind', c.concertId);
		await s.join('further behind', c.concertId);
		await sleep(2200);
		const first = await series(`?${ids}`);
		assert.deepEqual(Object.keys(first).sort(), ['count', 'next', 'queues', 'resolution', 'server', 'shows', 'step', 't0']);
		assert.match(first.t0, INSTANT);
		assert.deepEqual([first.resolution, first.step], ['second', 1]);
		assert.ok(first.count >= 2, `${first.count} steps`);
		assert.equal(at(first.next), at(first.t0) + first.count);
		const [q, show] = [first.queues[0], first.shows[0]];
		assert.deepEqual(Object.keys(q).sort(), ['active', 'admitted', 'joined', 'queueId', 'waiting']);
		assert.deepEqual(Object.keys(show).sort(), ['held', 'revenue', 'showId', 'sold']);
		for (const row of [first.server, q, show]) for (const [name, values] of Object.entries(row)) if (!name.endsWith('Id')) assert.equal(values.length, first.count, name);
		assert.deepEqual([q.waiting.at(-1), q.active.at(-1), q.admitted.at(-1), q.joined.at(-1)], [2, 1, 1, 3]);
		assert.deepEqual([show.sold.at(-1), show.held.at(-1), show.revenue.at(-1)], [0, 2, 0]);
		assert.ok(first.server.requests.at(-1) >= 6 && first.server.commits.at(-1) >= 5 && first.server.commitUs.at(-1) > 0);
		assert.ok(first.server.p99Us.some((v) => v > 0), 'requests took some time');

		const r = (await s.ok(200, 'GET', `/api/${t.userId}/reservations`, { token: t.token })).reservations[0];
		await s.pay(t, r);
		await sleep(1300);
		const second = await series(`?${ids}&since=${first.next}`);
		assert.equal(second.t0, first.next, 'it goes on where the last one ended');
		assert.ok(second.count >= 1 && second.count <= 4);
		assert.deepEqual([second.shows[0].sold.at(-1), second.shows[0].held.at(-1), second.shows[0].revenue.at(-1)], [2, 0, 100000]);
		assert.deepEqual([second.queues[0].waiting.at(-1), second.queues[0].admitted.at(-1)], [1, 2]);
		const third = await series(`?since=${new Date(at(second.next) * 1000 + 60000).toISOString()}`);
		assert.deepEqual([third.count, third.queues, third.shows, third.server.requests], [0, [], [], []]);
	});

	it('has refusals and errors apart from the rest', async () => {
		await s.no('TOKEN_REQUIRED', 'GET', '/api/check', {});
		await sleep(1200);
		const { server } = await series();
		assert.ok(server.refused.at(-1) >= 1 && server.errors.at(-1) === 0);
	});

	it('minutes are told when they are over', async () => {
		const m = await series('?resolution=minute');
		assert.deepEqual([m.resolution, m.step], ['minute', 60]);
		assert.equal(at(m.t0) % 60, 0);
		assert.ok(m.count <= 2);
	});

	it('what is not there is a gap, and after a restart there is nothing from before', async () => {
		const c = await s.makeConcert();
		await sleep(1200);
		const none = await series('?queueId=999999&showId=999999');
		assert.ok(none.count > 0);
		assert.ok(none.queues[0].waiting.every((v) => v === null) && none.shows[0].sold.every((v) => v === null));
		const before = await series();
		await s.restart();
		await sleep(2200);
		const after = await series(`?showId=${c.showId}&since=${before.t0}`);
		assert.ok(at(after.t0) >= at(before.next) - 1, 'no zeros for the time before');
		assert.ok(after.server.requests[0] === null || after.server.requests[0] < before.server.requests.at(-1));
	});

	it('refuses what it cannot give', async () => {
		for (const [query, words] of [
			['?resolution=hour', /resolution/],
			['?since=yesterday', /since/],
			['?queueId=', /queueId/],
			['?queueId=1,', /queueId/],
			['?queueId=0', /queueId/],
			['?showId=1;2', /showId/],
			['?queueId=1,2,3,4,5&showId=1,2,3,4', /showId/],
			['?queueId=1,2,3,4,5,6,7,8,9', /queueId/],
		]) {
			assert.match((await s.no('INVALID_REQUEST', 'GET', `/api/admin/series${query}`, { admin: true })).detail, words, query);
		}
		await series('?queueId=1,2,3,4&showId=1,2,3,4');
		await s.no('TOKEN_REQUIRED', 'GET', '/api/admin/series', {});
		await s.no('TOKEN_INVALID', 'GET', '/api/admin/series', { admin: 'wrong' });
		await s.no('METHOD_NOT_ALLOWED', 'POST', '/api/admin/series', { admin: true, body: {} });
	});
});
