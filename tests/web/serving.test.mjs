// How the pages come: what is kept, what is compressed, what the browser is told to forbid.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import zlib from 'node:zlib';
import { serverHere } from '../api/harness.mjs';
import { browserHere } from './browser.mjs';

const get = (server, path, headers = {}) => server.api('GET', path, { headers });
const assetsOf = (html) => [...html.matchAll(/(?:src|href)="\.{1,2}\/(assets\/[^"]+)"/g)].map((m) => m[1]);

describe('the pages as files', () => {
	const server = serverHere();

	for (const path of ['/', '/admin', '/admin/live'])
		it(`${path} is asked for again each time, and comes only when it has changed`, async () => {
			const page = await get(server, path);
			assert.equal(page.status, 200);
			assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
			assert.equal(page.headers['cache-control'], 'no-cache');
			assert.equal(page.headers.vary, 'Accept-Encoding');
			const again = await get(server, path, { 'if-none-match': page.headers.etag });
			assert.equal(again.status, 304);
			assert.equal(again.text, '');
		});

	it('what a page loads is named by its content, and stays for good', async () => {
		for (const path of ['/', '/admin']) {
			const assets = assetsOf((await get(server, path)).text);
			assert.ok(assets.length >= 2, 'a page has a script and an icon');
			for (const asset of assets) {
				assert.match(asset, /^assets\/[\w.]+-[\w-]{8}\.(js|css|svg)$/);
				const reply = await get(server, `/${asset}`);
				assert.equal(reply.status, 200);
				assert.equal(reply.headers['cache-control'], 'public, max-age=31536000, immutable');
				assert.match(reply.headers['content-type'], /^(text\/(javascript|css); charset=utf-8|image\/svg\+xml)$/);
			}
		}
	});

	it('each client gets a form that it can read', async () => {
		const plain = await get(server, '/');
		assert.equal(plain.headers['content-encoding'], undefined);
		const cases = [
			['gzip, deflate, br', 'br'],
			['BR;q=1.0', 'br'],
			['gzip;q=0.5, br;q=0', 'gzip'],
			['br ; q=0.000 , gzip ; q=1', 'gzip'],
			['deflate, zstd', undefined],
			['gzip;q=0', undefined],
			['', undefined],
			['xbr, brx, ,;', undefined],
		];
		const tags = new Set();
		for (const [accept, coding] of cases) {
			const reply = await get(server, '/', { 'accept-encoding': accept });
			assert.equal(reply.headers['content-encoding'], coding, accept);
			const read = { br: zlib.brotliDecompressSync, gzip: zlib.gunzipSync }[coding] ?? ((bytes) => bytes);
			assert.ok(read(reply.bytes).equals(plain.bytes), accept);
			tags.add(reply.headers.etag);
		}
		assert.equal(tags.size, 3, 'each form has a tag of its own');
	});

	it('nothing else is there', async () => {
		const script = `/${assetsOf((await get(server, '/')).text)[0]}`;
		for (const path of [
			'/index.html',
			'/assets/',
			'/assets/index.html',
			'/assets/nothing.js',
			`${script}.br`,
			'/assets/..%2findex.html',
			'/admin/',
			'/admin/x',
		])
			assert.notEqual(
				(await server.no('NOT_FOUND', 'GET', path)).reply.headers['cache-control'],
				'public, max-age=31536000, immutable',
				path,
			);
		await server.no('METHOD_NOT_ALLOWED', 'POST', '/');
	});

	it('the policy forbids what the pages do not need', async () => {
		for (const path of ['/', '/admin', '/admin/live']) {
			const { headers } = await get(server, path);
			const policy = headers['content-security-policy'];
			assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/);
			assert.match(policy, /frame-ancestors 'none'/);
			assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/);
			assert.equal(headers['x-content-type-options'], 'nosniff');
			assert.equal(headers['referrer-policy'], 'no-referrer');
		}
	});
});

describe('the pages in a frame', () => {
	const server = serverHere({ args: ['--frame-ancestors', 'https://tickets.example https://example.org:8443'] });

	it('are allowed to the sites that the organiser names', async () => {
		const { headers } = await get(server, '/');
		assert.match(
			headers['content-security-policy'],
			/frame-ancestors https:\/\/tickets\.example https:\/\/example\.org:8443(,|$)/,
		);
	});
});

describe('the pages in a browser', () => {
	const server = serverHere();
	const browser = browserHere();

	it('both come up under their policy', async () => {
		for (const path of ['/', '/admin', '/admin/live']) {
			const page = await browser.open(`${server.address}${path}`);
			await page.locator('h1').first().waitFor();
			await page.context().close();
		}
	});
});
