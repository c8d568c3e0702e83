// What RFC 9112 (HTTP/1.1) and RFC 9110 ask of a server, requirement by requirement, on a bare socket. Where the RFC leaves a choice, the row says which one
// Jari has taken; where Jari is stricter than it must be, the row says so too.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { serverHere, show, vetRaw } from './harness.mjs';

describe('RFC 9112', () => {
	const s = serverHere();
	let t;

	before(async () => {
		t = await s.join('wire');
	});

	const head = (...lines) => `${lines.join('\r\n')}\r\n\r\n`;
	const get = (...headers) => head('GET /healthz HTTP/1.1', 'Host: x', ...headers);
	const post = (...headers) => head(`POST /api/${t.userId}/charge HTTP/1.1`, 'Host: x', `Authorization: Bearer ${t.token}`, 'Content-Type: application/json', ...headers);
	const body = '{"amount":1}';
	const chunked = (...pieces) => post('Transfer-Encoding: chunked') + pieces.join('');
	const ask = async (bytes, options) => s.raw(typeof bytes === 'function' ? bytes() : bytes, { until: 99, wait: 1500, end: true, ...options });

	// [section, what is asked, bytes, statuses of all the answers, whether the connection is closed by the server after them]
	const STAYS = false;
	const CLOSES = true;
	const rows = [
		// ---- 2: messages ----
		['2.2', 'at least one empty line before the request line is ignored (two are)', `\r\n${get()}`, [200], STAYS],
		['2.2', 'more empty lines than that are refused', `\r\n\r\n\r\n${get()}`, [400], CLOSES],
		['2.2', 'a bare CR is invalid: in a header', get('X: a\rb'), [400], CLOSES],
		['2.2', 'a bare CR is invalid: in the request line', 'GET /healthz\r HTTP/1.1\r\nHost: x\r\n\r\n', [400], CLOSES],
		['2.2', 'a bare LF may be taken for a line’s end; it is refused', 'GET /healthz HTTP/1.1\nHost: x\n\n', [400], CLOSES],
		['2.2', 'whitespace between the request line and the first header is refused', 'GET /healthz HTTP/1.1\r\n Host: x\r\n\r\n', [400], CLOSES],
		['2.2', 'what is no request is answered 400 and closed', 'hello\r\n\r\n', [400], CLOSES],
		['2.3', 'the version is case-sensitive', 'GET /healthz http/1.1\r\nHost: x\r\n\r\n', [400], CLOSES],
		['2.3', 'another major version is refused', 'GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n', [400], CLOSES],
		['2.3', 'HTTP/1.0 is served', 'GET /healthz HTTP/1.0\r\n\r\n', [200], CLOSES],
		// ---- 3: the request line ----
		['3', 'one space between its parts, not more', 'GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n', [400], CLOSES],
		['3', 'a tab is no space', 'GET\t/healthz\tHTTP/1.1\r\nHost: x\r\n\r\n', [400], CLOSES],
		['3', 'nothing behind the version', 'GET /healthz HTTP/1.1 \r\nHost: x\r\n\r\n', [400], CLOSES],
		['3', 'an invalid request line is not corrected: a space in the target', 'GET /health z HTTP/1.1\r\nHost: x\r\n\r\n', [400], CLOSES],
		['3', 'a request line longer than what is read is refused (431, as all that is too long)', () => `GET /${'a'.repeat(40000)} HTTP/1.1\r\nHost: x\r\n\r\n`, [431], CLOSES],
		['3', 'request lines of 8000 octets are taken', () => `GET /healthz?x=${'a'.repeat(7970)} HTTP/1.1\r\nHost: x\r\n\r\n`, [200], STAYS],
		['3.1', 'the method is case-sensitive', 'get /healthz HTTP/1.1\r\nHost: x\r\n\r\n', [405], STAYS],
		['3.1', 'a method that nobody knows is refused', 'BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n', [405], STAYS],
		['3.2', 'no Host is 400', head('GET /healthz HTTP/1.1'), [400], CLOSES],
		['3.2', 'two Hosts are 400', head('GET /healthz HTTP/1.1', 'Host: x', 'Host: x'), [400], CLOSES],
		['3.2', 'an invalid Host is 400: a slash', head('GET /healthz HTTP/1.1', 'Host: x/y'), [400], CLOSES],
		['3.2', 'an invalid Host is 400: a user', head('GET /healthz HTTP/1.1', 'Host: u@x'), [400], CLOSES],
		['3.2', 'an invalid Host is 400: two in one', head('GET /healthz HTTP/1.1', 'Host: x, y'), [400], CLOSES],
		['3.2', 'an invalid Host is 400: a port that is none', head('GET /healthz HTTP/1.1', 'Host: x:http'), [400], CLOSES],
		['3.2', 'an invalid Host is 400: two ports', head('GET /healthz HTTP/1.1', 'Host: x:1:2'), [400], CLOSES],
		['3.2', 'an invalid Host is 400: half a bracket', head('GET /healthz HTTP/1.1', 'Host: [::1'), [400], CLOSES],
		['3.2', 'an invalid Host is 400: a bracket inside', head('GET /healthz HTTP/1.1', 'Host: a[b]'), [400], CLOSES],
		['3.2', 'Host: a name with a port', head('GET /healthz HTTP/1.1', 'Host: jari.example:8080'), [200], STAYS],
		['3.2', 'Host: an IPv6 address with a port', head('GET /healthz HTTP/1.1', 'Host: [2001:db8::1]:8080'), [200], STAYS],
		['3.2', 'Host: an empty port', head('GET /healthz HTTP/1.1', 'Host: x:'), [200], STAYS],
		['3.2', 'Host: empty', head('GET /healthz HTTP/1.1', 'Host:'), [200], STAYS],
		['3.2', 'HTTP/1.0 may name two Hosts no more than 1.1', head('GET /healthz HTTP/1.0', 'Host: x', 'Host: x'), [400], CLOSES],
		['3.2.1', 'an empty path of an absolute form is "/"', head('GET http://x HTTP/1.1', 'Host: x'), [200], STAYS],
		['3.2.2', 'the absolute form is taken, whatever Host says', head('GET http://other/healthz HTTP/1.1', 'Host: x'), [200], STAYS],
		['3.2.2', 'a user in it is refused', head('GET http://u:p@x/healthz HTTP/1.1', 'Host: x'), [400], CLOSES],
		['3.2.3', 'the authority form, which is for proxies, is refused', head('CONNECT x:443 HTTP/1.1', 'Host: x:443'), [400], CLOSES],
		['3.2.4', 'the asterisk form is for OPTIONS', head('OPTIONS * HTTP/1.1', 'Host: x'), [204], STAYS],
		['3.2.4', 'the asterisk form is for OPTIONS alone', head('GET * HTTP/1.1', 'Host: x'), [400], CLOSES],
		// ---- 5: fields ----
		['5.1', 'whitespace before the colon is 400', get('X : y'), [400], CLOSES],
		['5.1', 'a tab before the colon is 400', get('Content-Length\t: 0'), [400], CLOSES],
		['5.1', 'whitespace around the value is no part of it', get('X: \t y \t', 'Connection: \tclose '), [200], CLOSES],
		['5.1', 'a name is a token', get('X(y): z'), [400], CLOSES],
		['5.2', 'obs-fold is 400', get('X: a', '\tb'), [400], CLOSES],
		['9110 5.5', 'CR, LF and NUL in a value are refused: NUL', get('X: a\0b'), [400], CLOSES],
		['9110 5.5', 'other control characters may be kept; they are refused', get('X: a\x07b'), [400], CLOSES],
		['9110 5.5', 'bytes over 127 are opaque', get('X: \xc3\xa9'), [200], STAYS],
		['9110 5.3', 'fields that are not lists and come twice are refused: Authorization', get('Authorization: a', 'Authorization: b'), [400], CLOSES],
		// ---- 6: the body ----
		['6.1', 'chunked is understood, in any case', () => `${post('Transfer-Encoding: cHuNkEd')}c\r\n${body}\r\n0\r\n\r\n`, [200], STAYS],
		['6.1', 'a coding that is not understood is 501', () => `${post('Transfer-Encoding: gzip, chunked')}c\r\n${body}\r\n0\r\n\r\n`, [501], CLOSES],
		['6.1', 'the same over two headers', () => `${post('Transfer-Encoding: gzip', 'Transfer-Encoding: chunked')}c\r\n${body}\r\n0\r\n\r\n`, [501], CLOSES],
		['6.1', 'chunked is not applied twice', () => `${post('Transfer-Encoding: chunked, chunked')}c\r\n${body}\r\n0\r\n\r\n`, [400], CLOSES],
		['6.1', 'both Transfer-Encoding and Content-Length: refused and closed', () => `${post('Content-Length: 12', 'Transfer-Encoding: chunked')}c\r\n${body}\r\n0\r\n\r\n`, [400], CLOSES],
		['6.1', 'Transfer-Encoding of HTTP/1.0 is faulty framing', () => `${post('Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0')}c\r\n${body}\r\n0\r\n\r\n`, [400], CLOSES],
		['6.3.4', 'chunked is not the last coding: 400 and closed', () => post('Transfer-Encoding: chunked, gzip'), [400], CLOSES],
		['6.3.4', 'chunked is not there at all: 400 and closed', () => post('Transfer-Encoding: gzip'), [400], CLOSES],
		['6.3.4', 'what only looks like chunked is not it: a parameter', () => post('Transfer-Encoding: chunked;x=1'), [400], CLOSES],
		['6.3.4', 'what only looks like chunked is not it: a vertical tab', () => post('Transfer-Encoding: \x0bchunked'), [400], CLOSES],
		['6.3.4', 'an empty list of codings', () => post('Transfer-Encoding: ,'), [400], CLOSES],
		['6.3.5', 'a length that is no number', () => post('Content-Length: a') + body, [400], CLOSES],
		['6.3.5', 'a length with a sign', () => post('Content-Length: +12') + body, [400], CLOSES],
		['6.3.5', 'a length beyond 64 bits', () => post('Content-Length: 18446744073709551628') + body, [400], CLOSES],
		['6.3.5', 'two different lengths', () => post('Content-Length: 12', 'Content-Length: 11') + body, [400], CLOSES],
		['6.3.5', 'a list of the same length may be taken; it is refused', () => post('Content-Length: 12, 12') + body, [400], CLOSES],
		['6.3.6', 'a body of its length', () => post('Content-Length: 12') + body, [200], STAYS],
		['6.3.6', 'a body that ends before its length is no request', () => post('Content-Length: 13') + body, [], CLOSES],
		['6.3.7', 'neither: there is no body', () => post(), [400], STAYS],
		['6.3', 'a request body where none is wanted is read and ignored', `${get('Content-Length: 3')}abc${get()}`, [200, 200], STAYS],
		// ---- 7: chunks ----
		['7.1', 'chunks, with sizes in hexadecimal of any case, and leading zeros', () => chunked('0A\r\n', body.slice(0, 10), '\r\n', '002\r\n', body.slice(10), '\r\n0\r\n\r\n'), [200], STAYS],
		['7.1', 'a size that overflows is an error', () => chunked('ffffffffffffffffc\r\n', body, '\r\n0\r\n\r\n'), [400], CLOSES],
		['7.1', 'a size that is none', () => chunked('g\r\n', body, '\r\n0\r\n\r\n'), [400], CLOSES],
		['7.1', 'a size with 0x', () => chunked('0xc\r\n', body, '\r\n0\r\n\r\n'), [400], CLOSES],
		['7.1', 'a chunk that is not ended by CR LF', () => chunked('c\r\n', body, 'XX0\r\n\r\n'), [400], CLOSES],
		['7.1', 'a size ended by a bare LF', () => chunked('c\n', body, '\r\n0\r\n\r\n'), [400], CLOSES],
		['7.1', 'a body without its last chunk is no request', () => chunked('c\r\n', body, '\r\n'), [], CLOSES],
		['7.1.1', 'unknown extensions are ignored', () => chunked('c;a=b;c="d e"\r\n', body, '\r\n0;x\r\n\r\n'), [200], STAYS],
		['7.1.1', 'all extensions together are bounded', () => chunked(`c;${'a'.repeat(5000)}\r\n`, body, '\r\n0\r\n\r\n'), [400], CLOSES],
		['7.1.2', 'trailers are dropped and change nothing', () => chunked('c\r\n', body, '\r\n0\r\nContent-Length: 99\r\nAuthorization: x\r\n\r\n'), [200], STAYS],
		['7.1.2', 'trailers are bounded', () => chunked('c\r\n', body, `\r\n0\r\n${'X: y\r\n'.repeat(2000)}\r\n`), [431], CLOSES],
		['7.1.2', 'a trailer with NUL', () => chunked('c\r\n', body, '\r\n0\r\nX: \0\r\n\r\n'), [400], CLOSES],
		['7.1.2', 'a trailer without a colon', () => chunked('c\r\n', body, '\r\n0\r\nX\r\n\r\n'), [400], CLOSES],
		['7.1.2', 'a space before the colon of a trailer', () => chunked('c\r\n', body, '\r\n0\r\nX : y\r\n\r\n'), [400], CLOSES],
		['7.1.2', 'a trailer that is none', () => chunked('c\r\n', body, '\r\n0\r\n X: y\r\n\r\n'), [400], CLOSES],
		// ---- 9: connections ----
		['9.3', 'a connection of HTTP/1.1 stays', get() + get(), [200, 200], STAYS],
		['9.3', '"close" ends it, and what comes behind is not answered', get('Connection: close') + get(), [200], CLOSES],
		['9.3', '"close" in a list, in any case', get('Connection: x, CLOSE ,y') + get(), [200], CLOSES],
		['9.3', 'HTTP/1.0 ends', `GET /healthz HTTP/1.0\r\n\r\n${get()}`, [200], CLOSES],
		['9.3', 'HTTP/1.0 with "keep-alive" stays', `GET /healthz HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n${get()}`, [200, 200], STAYS],
		['9.3', '"close" wins over "keep-alive"', get('Connection: keep-alive, close') + get(), [200], CLOSES],
		['9.3.2', 'requests sent at once are answered in their order', get() + head('GET /nothing HTTP/1.1', 'Host: x') + head('OPTIONS * HTTP/1.1', 'Host: x') + get(), [200, 404, 204, 200], STAYS],
		['9.3.2', 'after a refusal of the framing nothing is answered', get() + get('X : y') + get(), [200, 400], CLOSES],
		['9.8', 'who has sent all and closed that side is still answered', get(), [200], STAYS],
		// ---- RFC 9110 ----
		['9110 7.8', 'an upgrade may be ignored, and is', get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'), [200], STAYS],
		['9110 10.1.1', 'an expectation that is not known is ignored', get('Expect: the-best'), [200], STAYS],
		['9110 10.1.1', 'HTTP/1.0 has no 100 (Continue)', () => post('Content-Length: 12', 'Expect: 100-continue').replace('HTTP/1.1', 'HTTP/1.0') + body, [200], CLOSES],
		['9110 15.5.6', '405 says what is allowed', head('DELETE /healthz HTTP/1.1', 'Host: x'), [405], STAYS],
	];

	// A close by the server is told from the end that the client asks for: one more request is sent behind and must be answered, or must not.
	for (const [section, what, bytes, statuses, closes] of rows)
		it(`${section}: ${what}`, async () => {
			const sent = typeof bytes === 'function' ? bytes() : bytes;
			const whole = statuses.length > 0;
			const { text, closed, replies } = whole ? await ask([sent, closes ? '' : head('GET /api/concerts HTTP/1.1', 'Host: x', 'X-Last: 1')], { end: !closes, until: closes ? 99 : statuses.length + 1 }) : await ask(sent);
			const say = `\n  sent: ${show(sent, 400)}\n  came: ${show(text, 600)}`;
			assert.deepEqual(replies.map((r) => r.status), closes || !whole ? statuses : [...statuses, 200], say);
			if (closes && whole) assert.ok(closed, `the server closes it: ${say}`);
			if (closes && whole) assert.match(replies.at(-1).headers.connection ?? '', /close/i, `the last answer says so: ${say}`);
			for (const r of replies) {
				r.asked = what;
				if (r.status !== 204) vetRaw(r);
				assert.ok(r.headers.date, `9110 6.6.1: it has a Date: ${say}`);
			}
		});

	it('9112 6.3.1, 9110 9.3.2: HEAD has the headers of GET, and no body', async () => {
		for (const path of ['/healthz', '/', '/api/concerts', '/nothing', '/openapi.json']) {
			const { text } = await s.raw(head(`HEAD ${path} HTTP/1.1`, 'Host: x', 'Connection: close'), { until: 99 });
			const got = await s.raw(head(`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close'), { until: 99 });
			const length = (answer) => /\r\ncontent-length: (\d+)\r\n/i.exec(answer)?.[1];
			assert.ok(text.endsWith('\r\n\r\n') && text.indexOf('\r\n\r\n') === text.length - 4, `HEAD ${path}: no body: ${show(text)}`);
			assert.equal(length(text), length(got.text), `HEAD ${path}: the length is that of GET`);
			assert.equal(text.split('\r\n')[0], got.text.split('\r\n')[0], `HEAD ${path}: the status is that of GET`);
		}
	});

	it('9112 6.1, 6.2: 204 and 304 have neither a length nor a coding', async () => {
		const { text } = await s.raw(head('OPTIONS /healthz HTTP/1.1', 'Host: x', 'Connection: close'), { until: 99 });
		assert.match(text, /^HTTP\/1\.1 204 /);
		assert.doesNotMatch(text, /content-length|transfer-encoding/i);
		const first = await s.raw(head('GET /openapi.json HTTP/1.1', 'Host: x'));
		const again = await s.raw(head('GET /openapi.json HTTP/1.1', 'Host: x', `If-None-Match: ${first.replies[0].headers.etag}`, 'Connection: close'), { until: 99 });
		assert.match(again.text, /^HTTP\/1\.1 304 /);
		assert.ok(again.text.endsWith('\r\n\r\n'));
		assert.doesNotMatch(again.text, /transfer-encoding/i);
	});

	it('9110 10.1.1: 100 (Continue) comes before the body is sent, and not when the answer is known without it', async () => {
		const waits = await s.raw([post('Content-Length: 12', 'Expect: 100-continue')], { wait: 400 });
		assert.equal(waits.text, 'HTTP/1.1 100 Continue\r\n\r\n');
		const refused = await s.raw(head('POST /api/1/charge HTTP/1.1', 'Host: x', 'Content-Length: 12', 'Expect: 100-continue'), { until: 99, wait: 1500 });
		assert.match(refused.text, /^HTTP\/1\.1 401 /);
		assert.ok(refused.closed, 'what would follow is not known to be a request');
	});

	it('9112 7.1: an answer to HTTP/1.0 is not chunked', async () => {
		const c = await s.makeConcert();
		const { text, closed } = await s.raw(head(`GET /api/admin/concerts/${c.concertId}/sales.csv HTTP/1.0`, `Authorization: Bearer ${s.adminKey}`), { until: 99 });
		assert.match(text, /^HTTP\/1\.1 200 /);
		assert.doesNotMatch(text, /transfer-encoding/i);
		assert.ok(closed);
	});

	it('the server is well after all of this', async () => {
		await s.ok(200, 'GET', '/healthz');
	});
});
