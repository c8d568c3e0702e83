// `jari bench`: each operation small, a whole sale, its reports, and what it says to wrong options.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { newCertificate } from './certificates.mjs';
import { ADMIN_KEY, binary, cleanEnv, jari, serverHere, show, sleep, tempFolder } from './harness.mjs';

// Runs `jari bench ARGS…` to its end without blocking this process.
function bench(args, { env = { JARI_ADMIN_KEY: ADMIN_KEY }, cwd } = {}) {
	return new Promise((resolve, reject) => {
		const child = spawn(binary(), ['bench', ...args], { env: cleanEnv(env), cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60000 });
		const r = { stdout: '', stderr: '' };
		child.stdout.setEncoding('utf8').on('data', (text) => (r.stdout += text));
		child.stderr.setEncoding('utf8').on('data', (text) => (r.stderr += text));
		child.on('error', reject);
		child.on('close', (status, signal) => resolve({ ...r, status, signal }));
	});
}

const said = (r) => `\n  status: ${r.status} ${r.signal ?? ''}\n  stdout: ${show(r.stdout, 3000)}\n  stderr: ${show(r.stderr, 3000)}`;

describe('each operation', () => {
	const s = serverHere();
	const run = async (op, args) => {
		const json = path.join(s.dir, `${op}.json`);
		const r = await bench([op, '--url', s.address, '--connections', '8', '--warmup', '0', '--json', json, ...args]);
		assert.equal(r.status, 0, `jari bench ${op}${said(r)}`);
		const report = JSON.parse(fs.readFileSync(json, 'utf8'));
		assert.equal(report.operation, op);
		assert.deepEqual([report.problems, report.errors], [0, []], `every answer is a success${said(r)}`);
		return { r, report };
	};

	const N = 200;
	for (const [op, ...args] of [
		['healthz', '--requests', N],
		['poll', '--requests', N, '--waiting', 40],
		['seats', '--requests', N, '--users', 10, '--shows', 2],
		['join', '--requests', N, '--waiting', 10],
		['turn', '--requests', N, '--waiting', 40],
		['hold', '--requests', N, '--users', 100, '--shows', 2, '--seats', 150],
		['charge', '--requests', N, '--users', 20],
		['pay', '--requests', N, '--users', N, '--seats', 300],
		['request', '--requests', N, '--path', '/api/concerts'],
	])
		it(`${op} has ${N} answers, and tells how long they took`, async () => {
			const { r, report } = await run(op, args.map(String));
			assert.ok(report.answers >= N && report.answers <= N + 8, `${report.answers} answers, ${N} were asked for${said(r)}`);
			let counted = 0;
			for (const [name, step] of Object.entries(report.steps)) {
				const l = step.latencyUs;
				counted += step.ok;
				assert.equal(l.count, step.ok + step.refused, `${name}: each answer was timed`);
				assert.ok(l.min > 0 && l.min <= l.p50 && l.p50 <= l.p99 && l.p99 <= l.max, `${name}: the percentiles grow: ${show(l)}`);
			}
			assert.equal(counted, report.answers, 'the steps add up');
			assert.equal(report.successLatencyUs.count, report.answers, 'each success was timed');
			assert.equal(report.seconds.reduce((sum, second) => sum + second.done, 0), report.answers, 'the seconds add up');
			assert.match(r.stdout, /no errors/, said(r));
		});

	it('turn tells those who leave from those who join', async () => {
		for (const threads of ['1', '2']) {
			const { r, report } = await run('turn', ['--requests', '400', '--waiting', '40', '--threads', threads]);
			assert.deepEqual(Object.keys(report.steps).sort(), ['join', 'leave'], said(r));
			assert.deepEqual([report.steps.join.ok, report.steps.leave.ok], [200, 200], said(r));
		}
	});

	it('--requests are so many also after a warm-up', async () => {
		for (let i = 0; i < 3; i++) {
			const { r, report } = await run('healthz', ['--requests', '100', '--connections', '64', '--warmup', '1']);
			assert.deepEqual([report.answers, report.steps.request.latencyUs.count], [100, 100], said(r));
		}
	});

	it('keeps to the rate, and ends after the duration', async () => {
		const { r, report } = await run('healthz', ['--rate', '200', '--duration', '1']);
		assert.ok(report.answers > 150 && report.answers <= 201, `200 in one second were asked for, ${report.answers} came${said(r)}`);
	});

	it('counts what is refused, tells the code, and is not content', async () => {
		const json = path.join(s.dir, 'refused.json');
		const r = await bench(['request', '--url', s.address, '--requests', '20', '--warmup', '0', '--path', '/api/concerts/999', '--json', json]);
		const report = JSON.parse(fs.readFileSync(json, 'utf8'));
		assert.deepEqual([report.answers, report.problems >= 20], [0, true], said(r));
		assert.deepEqual([report.errors[0].status, report.errors[0].code], [404, 'CONCERT_NOT_FOUND'], said(r));
		assert.match(r.stdout, /404 CONCERT_NOT_FOUND/);
		assert.deepEqual([r.status, r.stderr.trim().split('\n').at(-1)], [1, 'jari: nothing succeeded'], said(r));
	});
});

// A server that takes its time: each answer comes 20 ms after its request, so four connections get 200 a second at most.
describe('what is counted', () => {
	const folder = tempFolder();
	const SLOW_MS = 20;
	const server = http.createServer((request, answer) => {
		request.resume();
		setTimeout(() => {
			answer.writeHead(asked++ % 4 === 3 ? refusal : 200, { 'content-type': 'application/json' });
			answer.end('{}');
		}, SLOW_MS);
	});
	let asked = 0;
	let refusal = 200;
	let url;
	before(async () => {
		await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
		url = `http://127.0.0.1:${server.address().port}`;
	});
	after(() => {
		server.closeAllConnections();
		server.close();
	});
	const measure = async (...args) => {
		const json = path.join(folder, 'counted.json');
		const r = await bench(['request', '--url', url, '--json', json, ...args.map(String)]);
		assert.equal(r.status, 0, said(r));
		return { r, report: JSON.parse(fs.readFileSync(json, 'utf8')) };
	};

	for (const rate of [1000, 10000000])
		it(`at ${rate} a second, which is too many, what was answered while it was measured`, async () => {
			const { r, report } = await measure('--rate', rate, '--connections', 4, '--warmup', 1, '--duration', 2);
			assert.equal(report.elapsedUs, 2000000, said(r));
			assert.ok(report.answers > 200 && report.answers <= 400, `${report.answers} answers in two seconds, 200 a second at most${said(r)}`);
			assert.equal(report.perSecond, Math.floor(report.answers / 2));
			assert.equal(report.seconds.length, 2);
			assert.equal(report.seconds.reduce((sum, second) => sum + second.done, 0), report.answers);
			// They are late by all that had to go before them, the warm-up aside: the half of them by a second and more, less their own time on the way.
			const { count, p50, max } = report.steps.request.latencyUs;
			assert.ok(p50 > 600000 && max > 1500000 && max < 2500000, `latencies count from when a request was due: ${show(report.steps.request.latencyUs)}`);
			assert.equal(report.notSent, rate * 2 - count, 'and of those that were due the rest was never sent');
			assert.match(r.stdout, /were due and never sent/);
		});

	it('what was due in the warm-up and is answered later has no latency', async () => {
		const { r, report } = await measure('--rate', 1, '--connections', 4, '--warmup', 1, '--duration', 1);
		assert.deepEqual([report.answers, report.steps.request.latencyUs.count, report.notSent], [1, 1, 0], said(r));
	});

	for (const [connections, threads] of [[64, 1], [64, 3], [1, 1]])
		it(`--requests 100 are 100 after a warm-up, with ${connections} connections of ${threads} threads`, async () => {
			const { r, report } = await measure('--requests', 100, '--connections', connections, '--threads', threads, '--warmup', 1);
			assert.deepEqual([report.answers, report.steps.request.latencyUs.count, report.successLatencyUs.count], [100, 100, 100], said(r));
		});

	it('and 100 at a rate', async () => {
		const { r, report } = await measure('--requests', 100, '--connections', 16, '--rate', 300, '--warmup', 1);
		assert.deepEqual([report.answers, report.steps.request.latencyUs.count], [100, 100], said(r));
	});

	it('JSON and table tell the same figures of the same answers', async () => {
		let { report } = await measure('--requests', 200, '--connections', 4, '--warmup', 0);
		assert.deepEqual(report.successLatencyUs, report.steps.request.latencyUs);
		refusal = 409;
		try {
			const { r, ...measured } = await measure('--requests', 200, '--connections', 4, '--warmup', 0);
			report = measured.report;
			const step = report.steps.request;
			assert.deepEqual([step.ok, step.refused], [150, 50], said(r));
			const row = (name) => r.stdout.split('\n').find((line) => line.startsWith(name)).trim().split(/ {2,}/).map((cell) => cell.replaceAll(' ', ''));
			assert.deepEqual(row('request').slice(1, 3), [String(200), String(step.perSecond)], said(r));
			assert.deepEqual(row('success').slice(1, 3), [String(150), String(step.okPerSecond)], said(r));
			assert.equal(step.okPerSecond, report.perSecond);
			const ms = (us) => (us < 10000 ? (us / 1000).toFixed(3) : us < 1000000 ? `${Math.floor(us / 100) / 10}` : String(Math.floor(us / 1000)));
			assert.equal(Number(row('success')[3]), Number(ms(report.successLatencyUs.p50)), said(r));
		} finally {
			refusal = 200;
		}
	});
});

describe('a rehearsed sale', () => {
	const s = serverHere();

	it('brings everybody to an end, sells no seat twice, and writes both reports', { timeout: 60000 }, async () => {
		const json = path.join(s.dir, 'sale.json');
		const html = path.join(s.dir, 'sale.html');
		const r = await bench([
			'onsale', '--url', s.address, '--users', '150', '--shows', '1', '--seats', '120', '--arrive-seconds', '1', '--think-ms', '20',
			'--capacity', '40', '--limit-seconds', '40', '--json', json, '--html', html,
		]);
		assert.equal(r.status, 0, `jari bench onsale${said(r)}`);
		const { sale, errors, steps } = JSON.parse(fs.readFileSync(json, 'utf8'));
		assert.deepEqual([sale.people, sale.onTheWay, sale.failed, sale.stoppedAtLimit], [150, 0, 0, false], `everybody came to an end${said(r)}`);
		const ends = sale.paid + sale.foundItSoldOut + sale.gaveUpAndLeft + sale.vanished + sale.gotNoSeats + sale.lostThePlace;
		assert.equal(ends, 150, `each person has one end${said(r)}`);
		assert.equal(sale.orderInversions, 0, `nobody was let in before a lower number that waited${said(r)}`);
		assert.ok(sale.seatsSold > 60 && sale.seatsSold <= 120, `seats were sold${said(r)}`);
		assert.equal(steps.join.ok, 150);
		for (const e of errors) assert.equal(e.code, 'SEAT_TAKEN', `nothing is refused but seats that somebody else was faster at: ${show(e)}`);

		// the server tells the same
		const { shows } = await s.ok(200, 'GET', '/api/admin/stats', { admin: true });
		assert.deepEqual(shows.map((x) => x.sold), [sale.seatsSold], `the report has what was sold: ${show(shows)}`);
		s.audit();

		const page = fs.readFileSync(html, 'utf8');
		assert.match(page, /^<!doctype html>/i);
		assert.match(page, /<svg[\s>]/, 'there are plots');
		assert.match(page, /<\/html>\s*$/, 'the page is whole');
		assert.doesNotMatch(page, /<script[^>]*\ssrc\s*=|<link[^>]*\shref\s*=|<(?:img|iframe|object|embed)\b|@import|url\(/i, 'the page loads nothing');
		const text = page.replaceAll(s.address, '').replaceAll('http://www.w3.org/2000/svg', ''); // the server's name, and XML's name of SVG
		assert.doesNotMatch(text, /https?:\/\//i, 'the page names no other place');
	});
});

describe('over TLS', () => {
	const folder = tempFolder();
	const pair = newCertificate(folder, 'server'); // for localhost and 127.0.0.1
	const elsewhere = newCertificate(folder, 'elsewhere', { names: 'DNS:tickets.example' });
	const options = (p) => ({ ca: p.pem, args: ['--tls-cert', p.cert, '--tls-key', p.key] });
	const s = serverHere(options(pair));
	const other = serverHere(options(elsewhere));
	const mortal = serverHere(options(pair));
	const plain = serverHere();
	const by = (host) => `https://${host}:${s.port}`;
	const trusting = ['--ca-file', pair.cert];
	const polls = (url, ...args) => bench(['poll', '--url', url, '--connections', '8', '--warmup', '0', '--requests', '300', '--waiting', '40', ...args]);

	it('a line is asked for by address and by name, and every answer is a success', async () => {
		for (const host of ['127.0.0.1', 'localhost']) {
			const r = await polls(by(host), ...trusting);
			assert.equal(r.status, 0, said(r));
			assert.match(r.stdout, /no errors/, said(r));
		}
	});

	it('a whole sale', { timeout: 60000 }, async () => {
		const json = path.join(s.dir, 'sale.json');
		const r = await bench([
			'onsale', '--url', by('localhost'), ...trusting, '--users', '100', '--shows', '4', '--seats', '500', '--arrive-seconds', '1', '--think-ms', '20',
			'--capacity', '40', '--limit-seconds', '40', '--json', json,
		]);
		assert.equal(r.status, 0, said(r));
		const { sale } = JSON.parse(fs.readFileSync(json, 'utf8'));
		assert.deepEqual([sale.people, sale.onTheWay, sale.failed, sale.stoppedAtLimit], [100, 0, 0, false], said(r));
		assert.ok(sale.paid > 50, said(r));
		s.audit();
	});

	it('a certificate that nobody trusts is told', async () => {
		const r = await polls(by('localhost'));
		assert.deepEqual([r.status, r.stdout], [1, ''], said(r));
		assert.match(r.stderr, /^jari: no answer from https:[^\n]*self-signed certificate\n$/, said(r));
	});

	it('so is one for another name', async () => {
		const r = await polls(`https://localhost:${other.port}`, '--ca-file', elsewhere.cert);
		assert.equal(r.status, 1, said(r));
		assert.match(r.stderr, /^jari: no answer [^\n]*hostname mismatch\n$/, said(r));
		const ip = await polls(`https://127.0.0.1:${other.port}`, '--ca-file', elsewhere.cert);
		assert.equal(ip.status, 1, said(ip));
		assert.match(ip.stderr, /^jari: no answer [^\n]*IP address mismatch\n$/, said(ip));
	});

	it('a server that does not speak TLS, and one that speaks nothing else, are told in a line', async () => {
		for (const url of [`https://127.0.0.1:${plain.port}`, `http://127.0.0.1:${s.port}`]) {
			const r = await polls(url, ...(url.startsWith('https') ? trusting : []));
			assert.equal(r.status, 1, said(r));
			assert.match(r.stderr, /^jari: no answer from [^\n]+\n$/, said(r));
		}
	});

	it('a server that goes away meanwhile is told in a line, and is no signal', async () => {
		const going = bench(['healthz', '--url', `https://127.0.0.1:${mortal.port}`, ...trusting, '--rate', '500', '--duration', '3', '--warmup', '0']);
		await sleep(1000);
		await mortal.kill9();
		const r = await going;
		assert.deepEqual([r.status, r.signal], [1, null], said(r));
		assert.match(r.stderr, /the connection broke: /, said(r));
	});

	// A relay in front of the server, for as long as `use` takes: `forth` and `back` move what comes from the near to the far end and from there.
	const through = async (forth, back, use) => {
		const relay = net.createServer((near) => {
			const far = net.connect(s.port, '127.0.0.1');
			near.setNoDelay(true);
			forth(near, far);
			back(far, near);
			for (const [one, two] of [[near, far], [far, near]]) one.on('error', () => two.destroy()).on('close', () => two.destroy());
		});
		await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve));
		try {
			await use(`https://127.0.0.1:${relay.address().port}`);
		} finally {
			relay.close();
		}
	};
	const asItIs = (from, to) => from.on('data', (bytes) => to.write(bytes));

	// What sending waits for must not be read by anybody else: nothing would tell then that it can go on.
	it('handshakes that come in pieces come to an end', async () => {
		const inPieces = (from, to) => {
			let before = Promise.resolve();
			from.on('data', (bytes) => {
				before = before.then(async () => {
					for (let at = 0; at < bytes.length; at += 8) await new Promise((written) => to.write(bytes.subarray(at, at + 8), written));
				});
			});
		};
		await through(asItIs, inPieces, async (url) => {
			for (let i = 0; i < 5; i++) {
				const r = await bench(['healthz', '--url', url, ...trusting, '--connections', '100', '--requests', '100', '--warmup', '0', '--timeout', '5']);
				assert.equal(r.status, 0, said(r));
				assert.match(r.stdout, /no errors/, said(r));
			}
		});
	});

	it('a file without certificates is told', async () => {
		for (const file of [pair.key, path.join(folder, 'none.pem')]) {
			const r = await polls(by('localhost'), '--ca-file', file);
			assert.equal(r.status, 1, said(r));
			assert.match(r.stderr, /^jari: there are no certificates to be trusted in [^\n]+\n$/, said(r));
		}
	});
});

describe('wrong options', () => {
	const wrong = (args, why, env = {}) =>
		it(`${args.join(' ') || 'nothing'} is status 2, and says why`, () => {
			const r = jari(['bench', ...args], { env });
			assert.equal(r.status, 2, said(r));
			assert.equal(r.stdout, '');
			assert.match(r.stderr, why, said(r));
		});
	wrong([], /what to measure is missing/);
	wrong(['sell'], /'sell' cannot be measured/);
	wrong(['poll', '--user', '5'], /unknown option '--user'/);
	wrong(['poll', '--waiting', 'many'], /--waiting needs a whole number/);
	wrong(['poll', '--waiting'], /--waiting needs a value/);
	wrong(['onsale', '--give-up', '101'], /--give-up needs a whole number from 0 to 100/);
	wrong(['healthz', '--url', 'http://192.0.2.1:80'], /--allow-remote/);
	wrong(['healthz', '--url', 'https://[2001:db8::1]'], /--allow-remote/);
	wrong(['healthz', '--url', 'ftp://127.0.0.1'], /--url needs http:\/\/ or https:\/\//);
	wrong(['healthz', '--url', 'http://127.0.0.1:8080/api'], /--url takes a server, and no path/);
	wrong(['healthz', '--ca-file', 'ca.pem'], /--ca-file is for a server with https/);
	wrong(['onsale', '--admin-key', 'a-key-that-others-could-read'], /does not belong on the command line/);
	wrong(['healthz', 'more'], /unexpected argument 'more'/);
	wrong(['healthz'], /JARI_BENCH_DURATION needs a whole number/, { JARI_BENCH_DURATION: 'x' });

	wrong(['poll'], /JARI_BENCH_URL needs http:\/\/ or https:\/\//, { JARI_BENCH_URL: 'foo' });
	wrong(['poll'], /JARI_BENCH_CA_FILE is for a server with https/, { JARI_BENCH_CA_FILE: 'ca.pem' });
	wrong(['request'], /JARI_BENCH_PATH needs a path/, { JARI_BENCH_PATH: 'x' });
	wrong(['request', '--method', 'G T'], /--method needs a word/);
	wrong(['healthz', '--json', '-', '--html', '-'], /--json and --html cannot both go to standard output/);
	wrong(['healthz', '--json', 'same', '--html', 'same'], /--json and --html cannot both go to same/);

	it('a report that cannot be written is told before anything is measured', async () => {
		for (const option of ['--json', '--html']) {
			const r = await bench(['healthz', '--url', 'http://127.0.0.1:1', option, path.join(tempFolder(), 'nowhere', 'report')]);
			assert.equal(r.status, 1, said(r));
			assert.match(r.stderr, /^jari: cannot write [^\n]*report: No such file or directory\n$/, said(r));
		}
	});

	it('a report that was there stays as it was until there is another', async () => {
		const file = path.join(tempFolder(), 'report.json');
		const none = path.join(tempFolder(), 'none.html');
		fs.writeFileSync(file, 'of yesterday');
		const r = await bench(['healthz', '--url', 'http://127.0.0.1:1', '--json', file, '--html', none]);
		assert.equal(r.status, 1, said(r));
		assert.equal(fs.readFileSync(file, 'utf8'), 'of yesterday');
		assert.equal(fs.existsSync(none), false, 'and none is left that has nothing in it');
	});

	it('either report goes to standard output, and the table out of its way', async () => {
		const server = http.createServer((_, answer) => answer.end('{}'));
		await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
		try {
			for (const [option, begin, end] of [['--json', '{', '}'], ['--html', '<!doctype html>', '</html>']]) {
				const r = await bench(['healthz', '--url', `http://127.0.0.1:${server.address().port}`, '--warmup', '0', '--requests', '10', option, '-']);
				assert.equal(r.status, 0, said(r));
				assert.ok(r.stdout.startsWith(begin) && r.stdout.trimEnd().endsWith(end), said(r));
				assert.match(r.stderr, /no errors/, said(r));
			}
		} finally {
			server.closeAllConnections();
			server.close();
		}
	});

	it('version is status 0, as of every command', () => {
		const { stdout } = jari(['--version']);
		for (const args of [['--version'], ['onsale', '--version'], ['poll', '--waiting', '3', '--version']]) {
			const r = jari(['bench', ...args]);
			assert.deepEqual([r.status, r.stdout, r.stderr], [0, stdout, ''], said(r));
		}
	});

	it('help is status 0', () => {
		for (const args of [['--help'], ['onsale', '--help']]) {
			const r = jari(['bench', ...args]);
			assert.deepEqual([r.status, r.stderr], [0, ''], said(r));
			assert.match(r.stdout, /^Usage: jari bench/);
		}
	});

	it('a name that nobody knows is status 1, with one line', async () => {
		const r = await bench(['healthz', '--url', 'https://nobody.invalid', '--requests', '1']);
		assert.equal(r.status, 1, said(r));
		assert.match(r.stderr, /^jari: no address is known for nobody\.invalid: [^\n]+\n$/, said(r));
	});

	it('a server that is not there is status 1, with one line', async () => {
		const r = await bench(['healthz', '--url', 'http://127.0.0.1:1', '--requests', '1']);
		assert.equal(r.status, 1, said(r));
		assert.match(r.stderr, /^jari: [^\n]+\n$/, said(r));
	});
});
