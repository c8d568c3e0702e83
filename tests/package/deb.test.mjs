// The Debian package: what is in it, that the same source gives the same bytes, and what an installation, an upgrade, a removal and a purge do. It
// is installed below a folder of the test's own, as dpkg can: nothing of this machine is touched.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ADMIN_KEY, cleanEnv, jari, releaseBinary, ROOT, Server, tempFolder } from '../api/harness.mjs';

const dir = tempFolder();
after(() => fs.rmSync(dir, { recursive: true, force: true }));

function run(command, args, options = {}) {
	const r = spawnSync(command, args, { encoding: 'utf8', timeout: 300000, maxBuffer: 64 << 20, env: cleanEnv({ LC_ALL: 'C.UTF-8' }), ...options });
	assert.equal(r.error, undefined, `${command} is there (script/bootstrap)`);
	const said = `${command} ${args.join(' ')}\n  status: ${r.status}\n  stdout: ${r.stdout}\n  stderr: ${r.stderr}`;
	return { ...r, said };
}

function must(command, args, options) {
	const r = run(command, args, options);
	assert.equal(r.status, 0, r.said);
	return r.stdout;
}

const debOf = (folder) => {
	const all = fs.readdirSync(folder).filter((name) => /^jari_.*\.deb$/.test(name));
	assert.equal(all.length, 1, `one package: ${all}`);
	return path.join(folder, all[0]);
};
const sha = (file) => crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
const read = (...parts) => fs.readFileSync(path.join(...parts), 'utf8');

describe('the package', () => {
	const made = path.join(dir, 'made');
	const tree = path.join(dir, 'tree');
	let deb;
	before(() => {
		must('script/package', [made], { cwd: ROOT });
		deb = debOf(made);
		must('dpkg-deb', ['-x', deb, tree]);
	}, { timeout: 300000 });

	it('has everything in its place, and nothing else', () => {
		const found = must('dpkg-deb', ['-c', deb]).trim().split('\n').map((line) => line.trim().split(/\s+/));
		for (const [mode, owner, , , , name] of found) {
			assert.equal(owner, 'root/root', name);
			assert.ok(mode === (name.endsWith('/') ? 'drwxr-xr-x' : name === './usr/bin/jari' ? '-rwxr-xr-x' : '-rw-r--r--'), `${mode} ${name}`);
		}
		const files = found.map((words) => words[5]).filter((name) => !name.endsWith('/'));
		const elsewhere = files.filter((name) => !name.startsWith('./usr/share/doc/jari/'));
		assert.deepEqual(elsewhere.sort(), [
			'./etc/jari/jari.conf',
			'./lib/systemd/system/jari.service',
			'./usr/bin/jari',
			'./usr/lib/sysusers.d/jari.conf',
			'./usr/share/man/man1/jari.1.gz',
		]);
		for (const name of ['operations.md', 'SECURITY.md', 'copyright', 'changelog.gz', 'monitoring/prometheus-rules.yml', 'examples/keys.conf'])
			assert.ok(files.includes(`./usr/share/doc/jari/${name}`), `${name} is there`);
		assert.equal(read(tree, 'lib/systemd/system/jari.service'), read(ROOT, 'packaging/jari.service'));
		assert.equal(read(tree, 'etc/jari/jari.conf'), read(ROOT, 'packaging/jari.conf'));
	});

	it('has documents whose links lead to what is in it, and names its own example', () => {
		const folder = path.join(tree, 'usr/share/doc/jari');
		const documents = fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.md'));
		const dead = [];
		let followed = 0;
		for (const name of documents)
			for (const [, to] of read(folder, name).replace(/^```[\s\S]*?^```$/gm, '').matchAll(/\]\(([^)\s]+)\)/g)) {
				const [place] = to.split('#');
				if (/^[a-z]+:/.test(to) || place === '') continue;
				followed += 1;
				const target = path.join(folder, path.dirname(name), place);
				if (!target.startsWith(folder) || !fs.existsSync(target)) dead.push(`${name}: ${to}`);
			}
		assert.deepEqual(dead, []);
		assert.ok(followed > 50, `${followed} links were followed`);
		const [example] = read(folder, 'operations.md').match(/\/usr\/share\/doc\/jari\/examples\/[\w-]+\.json/) ?? [];
		assert.ok(example && fs.existsSync(path.join(tree, example)), `${example} is there`);
	});

	it('says whose work is built in', () => {
		const copyright = read(tree, 'usr/share/doc/jari/copyright');
		for (const name of ['preact', 'uplot', 'swagger-ui-dist']) assert.ok(copyright.includes(`Files: built-in/${name}/*`), name);
		assert.match(copyright, /Permission is hereby granted, free of charge/);
		assert.match(copyright, /Apache-2\.0/);
	});

	it('has a program that serves, and is the one that was built', async () => {
		const bin = path.join(tree, 'usr/bin/jari');
		assert.equal(jari(['--version'], { bin }).stdout, jari(['--version'], { bin: releaseBinary() }).stdout);
		const s = await new Server({ bin, args: ['--demo'] }).start();
		assert.equal((await s.ok(200, 'GET', '/api/concerts')).concerts.length > 0, true);
		await s.end();
	});

	it('tells nothing of the folder that it was built in', () => {
		const debug = path.join(dir, 'debug');
		for (const name of fs.readdirSync(made).filter((n) => n.endsWith('.deb'))) must('dpkg-deb', ['-x', path.join(made, name), debug]);
		const told = run('grep', ['-rlF', ROOT, debug]);
		assert.equal(told.stdout, '', told.said);
	});

	it('is made of the same bytes again', () => {
		const again = path.join(dir, 'again');
		must('script/package', [again], { cwd: ROOT });
		assert.equal(sha(debOf(again)), sha(deb));
	});

	it('names options that there are in its configuration', () => {
		const help = jari(['serve', '--help'], { bin: releaseBinary() }).stdout;
		const names = [...read(ROOT, 'packaging/jari.conf').matchAll(/^#?(JARI_\w+)=(.*)$/gm)];
		assert.ok(names.length > 5);
		// Some need others; with PostgreSQL the keys must be given.
		const keys = { JARI_ADMIN_KEY: ADMIN_KEY, JARI_TOKEN_KEY: '0123456789abcdef'.repeat(4) };
		const all = { ...keys, ...Object.fromEntries(names.map(([, name, value]) => [name, value])) };
		for (const [line, name, value] of names) {
			assert.ok(help.includes(name), `${name} is an environment variable of jari serve`);
			const r = jari(['serve', '--listen', '127.0.0.1'], { bin: releaseBinary(), env: { ...all, [name]: value } });
			assert.match(r.stderr, /^jari: --listen/, `${line}: nothing is wrong with the values, only with what the test adds\n${r.stderr}`);
		}
		for (const [, name] of read(ROOT, 'packaging/keys.conf').matchAll(/^Environment=(\w+)=/gm)) assert.ok(help.includes(name), name);
	});

	it('leaves lintian nothing to say', () => {
		const changes = fs.readdirSync(made).find((name) => name.endsWith('.changes'));
		// The package is made where it is used: it has no address that is anybody's for good, and says so.
		const tags = ['bogus-mail-host', 'bogus-mail-host-in-debian-changelog', 'root-in-contact'];
		const r = run('lintian', ['--allow-root', '--fail-on', 'warning', '--suppress-tags', tags.join(','), path.join(made, changes)]);
		assert.equal(r.status, 0, r.said);
		assert.equal(r.stdout.replace(/^N: .*\n/gm, ''), '', r.said);
	});

	describe('below a folder of its own', () => {
		const root = path.join(dir, 'root');
		const stubs = path.join(dir, 'stubs');
		const conf = path.join(root, 'etc/jari/jari.conf');
		const store = path.join(root, 'var/lib/jari/jari.db');

		// The package's scripts may call these, which would mean the services of this machine.
		before(() => {
			for (const folder of ['var/lib/dpkg/info', 'var/lib/dpkg/updates', 'var/lib/dpkg/triggers', 'etc']) fs.mkdirSync(path.join(root, folder), { recursive: true });
			for (const name of ['status', 'available']) fs.writeFileSync(path.join(root, 'var/lib/dpkg', name), '');
			fs.mkdirSync(stubs);
			for (const name of ['systemctl', 'deb-systemd-invoke']) fs.writeFileSync(path.join(stubs, name), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
		});

		// Its dependencies are this machine's.
		function dpkg(...args) {
			const force = ['--force-depends', '--force-script-chrootless', '--force-confold', '--no-debsig', '--log=/dev/null'];
			const r = run('fakeroot', ['dpkg', `--root=${root}`, ...force, ...args], { env: cleanEnv({ LC_ALL: 'C.UTF-8', PATH: `${stubs}:/usr/sbin:/usr/bin:/sbin:/bin` }) });
			assert.equal(r.status, 0, r.said);
			return r.stdout + r.stderr;
		}
		const enabled = () => fs.existsSync(path.join(root, 'etc/systemd/system/multi-user.target.wants')) &&
			fs.readdirSync(path.join(root, 'etc/systemd/system/multi-user.target.wants')).includes('jari.service');

		it('an installation brings the user, and the service is enabled', () => {
			dpkg('-i', deb);
			assert.match(read(root, 'etc/passwd'), /^jari:/m);
			assert.ok(enabled());
			assert.ok(fs.existsSync(path.join(root, 'usr/bin/jari')));
			assert.ok(!fs.existsSync(path.dirname(store)), 'the folder of the store is made by systemd, for the user, at the first start');
		});

		it('an upgrade keeps the settings, their mode, and the store', () => {
			fs.mkdirSync(path.dirname(store), { recursive: true });
			assert.equal(jari(['migrate', '--store', `sqlite:${store}`], { bin: path.join(root, 'usr/bin/jari') }).status, 0);
			fs.writeFileSync(conf, 'JARI_HOLD_SECONDS=420\n');
			fs.chmodSync(conf, 0o600);

			const newer = path.join(dir, 'newer');
			must('dpkg-deb', ['-R', deb, newer]);
			const control = path.join(newer, 'DEBIAN/control');
			fs.writeFileSync(control, read(control).replace(/^Version: .*$/m, 'Version: 99.0.0'));
			fs.appendFileSync(path.join(newer, 'etc/jari/jari.conf'), '\n# new words\n');
			must('fakeroot', ['dpkg-deb', '-b', newer, path.join(dir, 'newer.deb')]);
			dpkg('-i', path.join(dir, 'newer.deb'));

			assert.match(must('dpkg-query', [`--admindir=${root}/var/lib/dpkg`, '-W', '-f', '${Version} ${db:Status-Status}', 'jari']), /^99\.0\.0 installed$/);
			assert.equal(read(conf), 'JARI_HOLD_SECONDS=420\n');
			assert.equal(fs.statSync(conf).mode & 0o777, 0o600);
			assert.ok(enabled());
			assert.equal(jari(['audit', '--store', `sqlite:${store}`], { bin: path.join(root, 'usr/bin/jari') }).status, 0);
		});

		it('a removal keeps the settings and the store', () => {
			dpkg('-r', 'jari');
			assert.ok(!fs.existsSync(path.join(root, 'usr/bin/jari')));
			assert.equal(read(conf), 'JARI_HOLD_SECONDS=420\n');
			assert.ok(fs.existsSync(store));
		});

		it('a purge keeps the store all the same, and says so', () => {
			const said = dpkg('-P', 'jari');
			assert.match(said, /the store in \/var\/lib\/jari is kept/);
			assert.ok(fs.existsSync(store));
			assert.ok(!fs.existsSync(conf));
			assert.ok(!enabled());
			assert.equal(jari(['audit', '--store', `sqlite:${store}`], { bin: releaseBinary() }).status, 0);
		});
	});
});
