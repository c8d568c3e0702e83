// certificates.mjs: certificates that a test signs by itself, with the openssl program.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

function openssl(...args) {
	const r = spawnSync('openssl', args, { encoding: 'utf8', timeout: 60000 });
	if (r.error) throw r.error;
	if (r.status !== 0) throw new Error(`openssl ${args.join(' ')}\n${r.stderr}`);
}

const KINDS = { ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['-newkey', 'rsa:2048'], weak: ['-newkey', 'rsa:1024'] };

// A new pair in a folder: `cert` and `key` are its files, `pem` the certificate itself. `password` seals the key, `names` are who it is for.
export function newCertificate(dir, name, { kind = 'ec', days = 2, password, names = 'DNS:localhost,IP:127.0.0.1' } = {}) {
	const cert = path.join(dir, `${name}.pem`);
	const key = path.join(dir, `${name}.key`);
	const seal = password ? ['-passout', `pass:${password}`] : ['-nodes'];
	openssl('req', '-x509', ...KINDS[kind], ...seal, '-days', String(days), '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', cert);
	return { cert, key, pem: fs.readFileSync(cert, 'utf8') };
}
