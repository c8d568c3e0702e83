// Writes the package's copyright file: what is built into the binary, with the notices that its authors want to go along, from where npm has put
// them. Use: node packaging/copyright.mjs >debian/copyright
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const BUILT_IN = ['preact', 'uplot', 'swagger-ui-dist'];
const COMMON = new Map([['Apache-2.0', 'On Debian systems the whole text is in /usr/share/common-licenses/Apache-2.0.']]);

const read = (name, file) => fs.readFileSync(path.join(root, 'node_modules', name, file), 'utf8');
// A text of many lines in a field of a control file: indented, and a dot where a line is empty.
const field = (text) =>
	text
		.trim()
		.split('\n')
		.map((line) => ` ${line.trim() === '' ? '.' : line.trimEnd()}`)
		.join('\n');

const own = ['LICENSE', 'COPYING'].map((name) => path.join(root, name)).find((file) => fs.existsSync(file));
const paragraphs = [
	'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: jari',
	`Files: *\nCopyright: its authors\nLicense: as-its-repository-says\n${field(own ? fs.readFileSync(own, 'utf8') : 'The repository that this was built from has no licence file.')}`,
];
for (const name of BUILT_IN) {
	const { license, version } = JSON.parse(read(name, 'package.json'));
	const notice = fs.existsSync(path.join(root, 'node_modules', name, 'NOTICE')) ? read(name, 'NOTICE') : read(name, 'LICENSE');
	const holders = notice.match(/^copyright .*/gim);
	if (!license || !holders) throw new Error(`${name}: no licence, or nobody who holds the copyright`);
	const terms = COMMON.get(license) ?? read(name, 'LICENSE');
	paragraphs.push(
		`Files: built-in/${name}/*\nCopyright: ${holders.map((line) => line.replace(/^copyright\s*(\(c\))?\s*/i, '').trim()).join('\n ')}\n` +
			`License: ${license === 'MIT' ? `MIT-${name}` : license}\n${field(terms)}\nComment: ${name} ${version}, built into the binary.`,
	);
}
process.stdout.write(`${paragraphs.join('\n\n')}\n`);
