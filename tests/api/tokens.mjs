// tokens.mjs: an identity provider for tests: keys that are made here, and tokens signed with them by node:crypto, right or wrong on purpose.
import crypto from 'node:crypto';

export const ISSUER = 'https://id.example';
export const AUDIENCE = 'jari';

export const b64 = (value) => Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url');

const KINDS = {
	RS256: { make: () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }), hash: 'sha256' },
	ES256: { make: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), hash: 'sha256' },
	EdDSA: { make: () => crypto.generateKeyPairSync('ed25519'), hash: null },
};

// A key of the identity provider: its public form for the set, and a way to sign.
export function newKey(alg, kid, pair = KINDS[alg].make()) {
	return {
		alg,
		kid,
		...pair,
		jwk: (more = {}) => ({ ...pair.publicKey.export({ format: 'jwk' }), ...(kid ? { kid } : {}), alg, use: 'sig', ...more }),
		sign: (bytes, dsaEncoding = 'ieee-p1363') => crypto.sign(KINDS[alg].hash, bytes, { key: pair.privateKey, dsaEncoding }),
	};
}

export const keySet = (...keys) => JSON.stringify({ keys: keys.map((key) => (key.jwk ? key.jwk() : key)) });

// What a good token says, valid for some minutes from now.
export function claimsOf(sub, more = {}) {
	const now = Math.floor(Date.now() / 1000);
	return { iss: ISSUER, aud: AUDIENCE, sub, iat: now, exp: now + 300, ...more };
}

// A token. `header` and `claims` may be texts, which then go in as they are; `sign` makes the signature from the bytes before it.
export function token(key, claims, { header = {}, sign = key.sign } = {}) {
	const head = typeof header === 'string' ? header : { alg: key.alg, ...(key.kid ? { kid: key.kid } : {}), typ: 'JWT', ...header };
	const before = `${b64(head)}.${b64(claims)}`;
	return `${before}.${b64(sign(Buffer.from(before)))}`;
}
