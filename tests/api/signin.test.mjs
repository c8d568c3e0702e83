// Signing in with tokens of an identity provider (--auth jwt): who is let in, as whom, and every way in which a token can be wrong.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { eventually, jari, many, serverHere, sleep, tempFolder, vetTicket } from './harness.mjs';
import { AUDIENCE, b64, claimsOf, ISSUER, keySet, newKey, token } from './tokens.mjs';

const rs = newKey('RS256', 'r');
const es = newKey('ES256', 'e');
const ed = newKey('EdDSA', 'd');

function withKeys(set) {
	const dir = tempFolder();
	const file = path.join(dir, 'keys.json');
	fs.writeFileSync(file, set);
	return { dir, file, args: ['--auth', 'jwt', '--jwks', file, '--jwt-issuer', ISSUER, '--jwt-audience', AUDIENCE] };
}

const signIn = (s, jwt, status = 201, body = {}) => s.ok(status, 'POST', '/api/getToken', { token: jwt, body });

// A refusal of a sign-in token; gives the sentence.
async function refused(s, jwt, sentence) {
	const problem = await s.no('TOKEN_INVALID', 'POST', '/api/getToken', { token: jwt, body: {} });
	assert.match(problem.reply.headers['www-authenticate'], /^Bearer\b.*\berror="invalid_token"/);
	if (sentence) assert.match(problem.detail, sentence);
	return problem.detail;
}

describe('signing in with tokens', () => {
	const at = withKeys(keySet(rs, es, ed));
	const s = serverHere({ dir: at.dir, args: at.args });

	it('says so', async () => {
		assert.deepEqual(await s.ok(200, 'GET', '/api/sign-in'), { auth: 'jwt' });
		const doc = await s.ok(200, 'GET', '/openapi.json');
		assert.deepEqual(doc.paths['/api/getToken'].post.security, [{ signIn: [] }]);
		assert.equal(doc.components.securitySchemes.signIn.bearerFormat, 'JWT');
	});

	it('takes RS256, ES256 and EdDSA, and the user is the token’s', async () => {
		for (const key of [rs, es, ed]) {
			const ticket = vetTicket(await signIn(s, token(key, claimsOf(`user of ${key.alg}`))));
			assert.equal(ticket.username, `user of ${key.alg}`);
			const again = vetTicket(await signIn(s, token(key, claimsOf(`user of ${key.alg}`)), 200));
			assert.equal(again.token, ticket.token);
		}
	});

	it('goes on with the ticket’s token: the whole way to the payment', async () => {
		const concert = await s.makeConcert();
		const ticket = await signIn(s, token(es, claimsOf('buyer')), 201, { concertId: concert.concertId });
		await s.charge(ticket, 100000);
		const r = await s.hold(ticket, concert, { seatNumber: 1 });
		assert.equal((await s.pay(ticket, r)).status, 'PAID');
		assert.equal(await s.balance(ticket), 50000);
	});

	it('takes no sign-in token where the ticket’s is asked for, and no ticket’s where one signs in', async () => {
		const jwt = token(es, claimsOf('two tokens'));
		const ticket = await signIn(s, jwt);
		await s.no('TOKEN_INVALID', 'GET', '/api/check', { token: jwt });
		await s.no('TOKEN_INVALID', 'GET', `/api/${ticket.userId}`, { token: jwt });
		await s.no('TOKEN_INVALID', 'GET', '/api/admin/stats', { token: jwt });
		await refused(s, ticket.token, /signed token/);
		await refused(s, s.adminKey);
	});

	it('tells two people of the same name apart, and knows one whose name has changed', async () => {
		const one = await signIn(s, token(es, claimsOf('id-1', { name: 'Kim', preferred_username: 'kim' })));
		const two = await signIn(s, token(es, claimsOf('id-2', { name: 'Kim', preferred_username: 'kim' })));
		assert.notEqual(one.userId, two.userId);
		const renamed = await signIn(s, token(ed, claimsOf('id-1', { name: 'Lee' })), 200);
		assert.equal(renamed.userId, one.userId);
		assert.equal(renamed.token, one.token);
	});

	it('asks for a token', async () => {
		for (const options of [{ body: {} }, { body: { username: 'kim' } }, { headers: { authorization: 'Bearer' }, body: {} }]) {
			const problem = await s.no('TOKEN_REQUIRED', 'POST', '/api/getToken', options);
			assert.match(problem.detail, /organiser's sign-in/);
			assert.doesNotMatch(problem.reply.headers['www-authenticate'], /error=/);
		}
	});

	it('takes no name', async () => {
		const jwt = token(es, claimsOf('named'));
		const problem = await s.no('INVALID_REQUEST', 'POST', '/api/getToken', { token: jwt, body: { username: 'somebody else' } });
		assert.match(problem.detail, /"username"/);
		await s.no('INVALID_REQUEST', 'POST', '/api/getToken', { token: jwt, body: { concertId: 'x' } });
		await s.no('CONCERT_NOT_FOUND', 'POST', '/api/getToken', { token: jwt, body: { concertId: 999999 } });
		assert.equal((await s.ok(201, 'POST', '/api/getToken', { token: jwt })).username, 'named');
	});

	it('reads no token from the address', async () => {
		const jwt = token(es, claimsOf('in the address'));
		for (const name of ['token', 'access_token', 'jwt', 'id_token'])
			await s.no('TOKEN_REQUIRED', 'POST', `/api/getToken?${name}=${jwt}`, { body: {} });
	});

	it('checks the token before the body', async () => {
		await s.no('TOKEN_REQUIRED', 'POST', '/api/getToken', { raw: '{', type: 'application/json' });
		await s.no('TOKEN_REQUIRED', 'POST', '/api/getToken', { raw: 'x', type: 'text/plain' });
		await s.no('UNSUPPORTED_MEDIA_TYPE', 'POST', '/api/getToken', { token: token(es, claimsOf('u')), raw: 'x', type: 'text/plain' });
	});

	// What a token can lie about. Each is signed with the real key, unless it says otherwise.
	const c = () => claimsOf('attacker');
	const hmac = (secret) => (bytes) => crypto.createHmac('sha256', secret).update(bytes).digest();
	const other = newKey('ES256', 'e');
	const later = Math.floor(Date.now() / 1000) + 300;
	const lies = {
		'alg none, no signature': [() => token(es, c(), { header: { alg: 'none' }, sign: () => '' }), /another algorithm/],
		'alg none in other letters': [() => token(es, c(), { header: { alg: 'nOnE' }, sign: () => '' }), /another algorithm/],
		'no signature': [() => token(es, c(), { sign: () => '' }), /signature/],
		'HS256 with the public key as PEM': [() => token(rs, c(), { header: { alg: 'HS256' }, sign: hmac(rs.publicKey.export({ type: 'spki', format: 'pem' })) }), /another algorithm/],
		'HS256 with the public key as JWK': [() => token(rs, c(), { header: { alg: 'HS256' }, sign: hmac(JSON.stringify(rs.jwk())) }), /another algorithm/],
		'an HMAC that calls itself RS256': [() => token(rs, c(), { sign: hmac(rs.publicKey.export({ type: 'spki', format: 'der' })) }), /signature/],
		'RS256 under the name of the EC key': [() => token(rs, c(), { header: { kid: 'e' } }), /another algorithm/],
		'ES256 under the name of the RSA key': [() => token(es, c(), { header: { kid: 'r' } }), /another algorithm/],
		'ES256 under the name of the Ed25519 key': [() => token(es, c(), { header: { kid: 'd' } }), /another algorithm/],
		'PS256': [() => token(rs, c(), { header: { alg: 'PS256' } }), /another algorithm/],
		'RS512': [() => token(rs, c(), { header: { alg: 'RS512' } }), /another algorithm/],
		'another key': [() => token(other, c()), /signature/],
		'a name that no key has': [() => token(es, c(), { header: { kid: 'x' } }), /not known here/],
		'no name': [() => token(es, c(), { header: { kid: undefined } }), /not known here/],
		'a name that is a number': [() => token(es, c(), { header: { kid: 7 } })],
		'a key in the header': [() => token(other, c(), { header: { kid: undefined, jwk: other.jwk() } }), /not known here/],
		'a key set to be fetched': [() => token(other, c(), { header: { kid: 'x', jku: 'http://127.0.0.1:1/keys' } }), /not known here/],
		'crit': [() => token(es, c(), { header: { crit: ['b64'], b64: false } }), /header/],
		'crit of a known claim': [() => token(es, c(), { header: { crit: ['exp'], exp: later } }), /header/],
		'a token for something else': [() => token(es, c(), { header: { typ: 'logout+jwt' } }), /header/],
		'a header member twice': [() => token(es, c(), { header: '{"alg":"none","alg":"ES256","kid":"e"}' })],
		'a claim twice': [() => token(es, JSON.stringify(c()).replace('{', '{"sub":"victim",'))],
		'claims that are no object': [() => token(es, '[]')],
		'claims that are no JSON': [() => token(es, '{"iss":')],
		'ES256 in DER': [() => token(es, c(), { sign: (bytes) => es.sign(bytes, 'der') }), /signature/],
		'padding': [() => `${token(es, c())}==`],
		'a byte behind it': [() => `${token(es, c())}A`],
		'a fourth part': [() => `${token(es, c())}.AAAA`],
		'two parts': [() => token(es, c()).split('.').slice(0, 2).join('.')],
		'one part': [() => 'abc'],
		'a last character that means the same bytes': [
			() => {
				const jwt = token(es, c());
				const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
				return jwt.slice(0, -1) + digits[digits.indexOf(jwt.at(-1)) + 1];
			},
		],
		'plain base64': [() => token(es, c()).replace(/-/g, '+').replace(/_/g, '/').replace(/\./g, '.') + '+'],
		'changed claims': [
			() => {
				const [head, , signature] = token(es, c()).split('.');
				return `${head}.${b64(claimsOf('victim'))}.${signature}`;
			},
			/signature/,
		],
		'too long': [() => token(es, { ...c(), pad: 'x'.repeat(8192) }), /longer/],
		'another issuer': [() => token(es, { ...c(), iss: 'https://id.example.evil' }), /another issuer/],
		'an issuer with a slash more': [() => token(es, { ...c(), iss: `${ISSUER}/` }), /another issuer/],
		'no issuer': [() => token(es, { ...c(), iss: undefined }), /"iss"/],
		'another audience': [() => token(es, { ...c(), aud: 'shop' }), /another site/],
		'other audiences': [() => token(es, { ...c(), aud: ['shop', 'jari2'] }), /another site/],
		'no audience': [() => token(es, { ...c(), aud: undefined }), /"aud"/],
		'an end that is past': [() => token(es, { ...c(), exp: later - 300 - 61 }), /run out/],
		'no end': [() => token(es, { ...c(), exp: undefined }), /"exp"/],
		'an end that is a text': [() => token(es, { ...c(), exp: String(later) }), /"exp"/],
		'a beginning to come': [() => token(es, { ...c(), nbf: later }), /not valid yet/],
		'no subject': [() => token(es, { ...c(), sub: undefined }), /"sub"/],
		'an empty subject': [() => token(es, { ...c(), sub: '' }), /"sub"/],
		'a long subject': [() => token(es, { ...c(), sub: 'x'.repeat(65) }), /"sub"/],
		'a subject with a line break': [() => token(es, { ...c(), sub: 'a\nb' }), /"sub"/],
	};
	for (const [what, [make, sentence]] of Object.entries(lies)) it(`refuses: ${what}`, () => refused(s, make(), sentence));

	it('gave none of them a place', async () => {
		const stats = await s.ok(200, 'GET', '/api/admin/queues', { admin: true });
		const before = stats.queues.find((q) => q.queueId === 1).lastNumber;
		await refused(s, token(other, c()));
		const after = await s.ok(200, 'GET', '/api/admin/queues', { admin: true });
		assert.equal(after.queues.find((q) => q.queueId === 1).lastNumber, before);
		assert.equal((await signIn(s, token(es, claimsOf('attacker')))).username, 'attacker');
	});

	it('allows clocks to be a minute off', async () => {
		const now = Math.floor(Date.now() / 1000);
		await signIn(s, token(es, claimsOf('late', { exp: now - 30 })));
		await signIn(s, token(es, claimsOf('early', { nbf: now + 30 })));
	});

	it('takes an audience among others', () => signIn(s, token(es, claimsOf('many audiences', { aud: ['shop', AUDIENCE] }))));

	it('writes no token into the log', () => {
		assert.doesNotMatch(s.log, /eyJ/);
	});
});

describe('signing in without end', () => {
	const at = withKeys(keySet(ed));
	const s = serverHere({ dir: at.dir, args: [...at.args, '--rate-user', '6'] });

	it('meets the limit of the user, whatever the token and the address; others do not', async () => {
		const ask = (sub) => s.api('POST', '/api/getToken', { token: token(ed, claimsOf(sub)), body: {}, headers: { 'x-forwarded-for': '203.0.113.9' } });
		for (let i = 0; i < 6; i++) assert.equal((await ask('eager')).status, i ? 200 : 201);
		let reply;
		for (let i = 0; i < 3 && reply?.status !== 429; i++) reply = await ask('eager');
		assert.equal(reply.json.code, 'RATE_LIMITED');
		assert.equal(reply.headers['ratelimit-policy'], '"user";q=6;w=60');
		assert.equal((await ask('calm')).status, 201);
		for (let i = 0; i < 8; i++) await refused(s, token(ed, claimsOf('eager', { aud: 'another' })));
	});
});

describe('keys that change', () => {
	const first = newKey('ES256', 'first');
	const second = newKey('EdDSA', 'second');
	const at = withKeys(keySet(first));
	const s = serverHere({ dir: at.dir, args: at.args });

	it('are taken within a second or so, and old ones go', async () => {
		await refused(s, token(second, claimsOf('b')), /not known here/);
		fs.writeFileSync(at.file, keySet(first, second));
		await eventually('the new key is taken', async () => (await s.api('POST', '/api/getToken', { token: token(second, claimsOf('b')), body: {} })).status === 201, 10000, 100);
		fs.writeFileSync(`${at.file}.new`, keySet(second));
		fs.renameSync(`${at.file}.new`, at.file);
		await eventually('the old key is gone', async () => (await s.api('POST', '/api/getToken', { token: token(first, claimsOf('a')), body: {} })).status === 401, 10000, 100);
		await signIn(s, token(second, claimsOf('c')));
	});

	it('stay when the file is broken or gone, and the log says so once', async () => {
		const said = () => s.log.match(/ error sign_in_keys_kept [^\n]*/g) ?? [];
		for (const [broken, why] of [
			['{"keys":[', /not valid JSON/],
			[keySet({ kty: 'oct', k: b64('secret') }), /no key for RS256/],
			[keySet(newKey('RS256', 'weak', crypto.generateKeyPairSync('rsa', { modulusLength: 1024 }))), /1024 bits/],
			[keySet({ ...second.privateKey.export({ format: 'jwk' }) }), /private key/],
			[keySet(second, second), /two keys have the same/],
			[null, /No such file/],
		]) {
			const before = said().length;
			if (broken === null) fs.unlinkSync(at.file);
			else fs.writeFileSync(at.file, broken);
			await eventually('the log says it', () => said().length > before, 10000, 50);
			assert.match(said().at(-1), why);
			await signIn(s, token(second, claimsOf(s.name())));
		}
		const before = said().length;
		await sleep(2500);
		assert.equal(said().length, before, 'a file that is as it was is not news');
		fs.writeFileSync(at.file, keySet(second));
		await eventually('the log says that keys were taken', () => /info sign_in_keys taken="?1 from/.test(s.log.slice(s.log.lastIndexOf('sign_in_keys_kept'))), 10000, 50);
		assert.doesNotMatch(s.log, new RegExp(second.privateKey.export({ format: 'jwk' }).d));
	});

	it('change while tokens are checked with them', async () => {
		const third = newKey('RS256', 'third');
		let changes = 0;
		const changing = setInterval(() => {
			fs.writeFileSync(`${at.file}.new`, changes++ % 2 ? keySet(second) : keySet(third, second));
			fs.renameSync(`${at.file}.new`, at.file);
			s.child.kill('SIGHUP');
		}, 20);
		try {
			await many(400, 16, async () => {
				await signIn(s, token(second, claimsOf(s.name('meanwhile'))));
			});
		} finally {
			clearInterval(changing);
		}
		assert.ok(changes > 5, `${changes} changes`);
		fs.writeFileSync(at.file, keySet(second));
	});

	it('are read when SIGHUP asks, and the server goes on', async () => {
		const before = (s.log.match(/sign_in_keys /g) ?? []).length;
		s.child.kill('SIGHUP');
		await eventually('the log says it', () => (s.log.match(/sign_in_keys /g) ?? []).length > before, 10000, 50);
		await signIn(s, token(second, claimsOf('after SIGHUP')));
	});
});

describe('a key set of one key without a name', () => {
	const only = newKey('ES256', undefined);
	const at = withKeys(keySet(only));
	const s = serverHere({ dir: at.dir, args: at.args });

	it('takes tokens without a name, and none with one', async () => {
		await signIn(s, token(only, claimsOf('u')));
		await refused(s, token(only, claimsOf('u'), { header: { kid: 'x' } }), /not known here/);
	});
});

describe('without sign-in', () => {
	const s = serverHere();

	it('a name is enough, and a sign-in token is nothing', async () => {
		assert.deepEqual(await s.ok(200, 'GET', '/api/sign-in'), { auth: 'name' });
		assert.equal((await s.join('kim')).username, 'kim');
		assert.equal((await s.join('lee', undefined, 201, { token: token(es, claimsOf('x')) })).username, 'lee');
		await s.no('INVALID_REQUEST', 'POST', '/api/getToken', { token: token(es, claimsOf('x')), body: {} });
	});

	it('SIGHUP ends nothing', async () => {
		s.child.kill('SIGHUP');
		await sleep(300);
		await s.ok(200, 'GET', '/healthz');
	});
});

describe('starting with sign-in', () => {
	const at = withKeys(keySet(es));
	const start = (...args) => jari(['serve', '--listen', '127.0.0.1:0', '--store', 'memory:', ...args], { timeout: 20000 });

	it('refuses what is missing, or of no use', () => {
		for (const [args, why] of [
			[['--auth', 'oauth'], /--auth needs name or jwt/],
			[['--auth', 'jwt'], /--jwks FILE/],
			[['--auth', 'jwt', '--jwks', at.file], /--jwt-issuer NAME/],
			[['--auth', 'jwt', '--jwks', at.file, '--jwt-issuer', ISSUER], /--jwt-audience NAME/],
			[['--jwks', at.file], /--jwks is of no use without --auth jwt/],
			[['--jwt-audience', 'x'], /--jwt-audience is of no use/],
		]) {
			const r = start(...args);
			assert.equal(r.status, 2, r.stderr);
			assert.match(r.stderr, why);
		}
	});

	it('refuses keys that can’t be used', () => {
		for (const [content, why] of [
			[null, /No such file/],
			['{}', /"keys"/],
			[keySet(newKey('RS256', 'weak', crypto.generateKeyPairSync('rsa', { modulusLength: 1024 }))), /key 1 is an RSA key of 1024 bits; 2048 are the least/],
			[' '.repeat(300000), /[Ff]ile too large/],
		]) {
			const file = path.join(at.dir, 'other.json');
			fs.rmSync(file, { force: true });
			if (content !== null) fs.writeFileSync(file, content);
			const r = start('--auth', 'jwt', '--jwks', file, '--jwt-issuer', ISSUER, '--jwt-audience', AUDIENCE);
			assert.equal(r.status, 1, r.stderr);
			assert.match(r.stderr, why);
			assert.equal(r.stderr.trim().split('\n').length, 1, r.stderr);
		}
	});
});

// A server that is started in another way by mistake must not give people's wallets to others.
describe('the accounts of a store', () => {
	const at = withKeys(keySet(es));
	const elsewhere = [...at.args.slice(0, 5), 'https://other.example', ...at.args.slice(6)];
	const s = serverHere({ dir: at.dir });
	const start = (...args) => jari(['serve', '--listen', '127.0.0.1:0', '--store', s.store, ...args], { env: { JARI_ADMIN_KEY: 'k'.repeat(32) }, timeout: 20000 });
	const refusedWith = (args, why) => {
		const r = start(...args);
		assert.equal(r.status, 1, r.stderr);
		assert.match(r.stderr, why);
		assert.match(r.stderr, /^jari: the accounts of this store [^\n]+--change-auth[^\n]+\n$/m);
	};
	const again = async (args) => {
		await s.stop();
		s.args = args;
		await s.start();
	};

	it('while there are none, the way to sign in may change', async () => {
		await again(at.args);
		await again(elsewhere);
		await again([]);
		await s.join('kim');
	});

	it('that were opened by name are not those of a provider', async () => {
		await s.stop();
		refusedWith(at.args, /were opened by name \(--auth name\): who has the same name at this one/);
		await s.start();
		await s.join('lee');
	});

	it('are, when it is said so, once', async () => {
		const said = () => s.log.split('accounts_changed').length - 1;
		await again([...at.args, '--change-auth']);
		assert.equal(said(), 1, s.log);
		await again(at.args);
		assert.equal(said(), 1, 'the second start changes nothing');
		assert.equal((await signIn(s, token(es, claimsOf('kim')), 200)).userId, 1); // the place that kim took by name
	});

	it('of people who sign in are nobody’s who says their names, nor another provider’s', async () => {
		await s.stop();
		refusedWith([], /belong to people who sign in \(--auth jwt\): whoever says one of their names/);
		refusedWith(['--auth', 'name'], /belong to people who sign in/);
		refusedWith(elsewhere, /are those of another --jwt-issuer/);
		await s.start();
		s.audit();
	});
});
