// Builds the pages into a folder, as they are built into the binary. Ninja calls it when a file in web/ has changed.
//
// Use: node web/build.mjs OUT_FOLDER STAMP DEPFILE
//
// Beside each file that compresses lie its forms for gzip (.gz) and brotli (.br). The depfile names everything that was read.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

const SMALLEST = 256; // bytes; below that compression gains nothing worth a file
const COMPRESSED = new Set(['.html', '.js', '.css', '.svg']);
const here = path.dirname(fileURLToPath(import.meta.url));
const [out, stamp, depfile] = process.argv.slice(2);
if (!depfile) {
	console.error('use: node web/build.mjs OUT_FOLDER STAMP DEPFILE');
	process.exit(2);
}

function filesIn(folder) {
	return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const file = path.join(folder, entry.name);
		return entry.isDirectory() ? filesIn(file) : [file];
	});
}

async function vite() {
	try {
		return await import('vite');
	} catch (e) {
		if (e.code !== 'ERR_MODULE_NOT_FOUND') throw e;
		console.error('web: the packages of package-lock.json are not there; script/bootstrap brings them');
		process.exit(1);
	}
}

// Keeps the smaller form only where it is smaller.
function compress(file) {
	const bytes = fs.readFileSync(file);
	if (!COMPRESSED.has(path.extname(file)) || bytes.length < SMALLEST) return;
	const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
	const params = { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_SIZE_HINT]: bytes.length };
	const forms = { '.gz': zlib.gzipSync(bytes, { level: 9 }), '.br': zlib.brotliCompressSync(bytes, { params }) };
	for (const [ending, form] of Object.entries(forms)) if (form.length < bytes.length) fs.writeFileSync(file + ending, form);
}

const { build } = await vite();
await build({
	configFile: path.join(here, 'vite.config.mjs'),
	logLevel: 'warn',
	build: { outDir: path.resolve(out), emptyOutDir: true },
});
// The wall display lies a folder deeper than the page that it is.
const admin = fs.readFileSync(path.join(out, 'admin.html'), 'utf8');
fs.writeFileSync(path.join(out, 'live.html'), admin.replaceAll('"./assets/', '"../assets/'));
filesIn(out).forEach(compress);
const read = [...filesIn(here), path.join(here, '../package-lock.json')];
fs.writeFileSync(depfile, `${stamp}: ${read.map((file) => file.replaceAll(' ', '\\ ')).join(' ')}\n`);
fs.writeFileSync(stamp, '');
