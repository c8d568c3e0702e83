// How the pages are built, and what `npx vite --config web/vite.config.mjs` serves while one works on them (the API comes from a running `jari serve`).
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const page = (name) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
	root: page('.'),
	base: './', // a proxy may add a path
	publicDir: false,
	esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
	build: {
		target: ['es2021', 'chrome94', 'firefox93', 'safari15.4'],
		modulePreload: { polyfill: false }, // it would be an inline script
		assetsInlineLimit: 0, // and these data: addresses; the policy allows neither
		reportCompressedSize: false,
		rollupOptions: { input: { index: page('index.html'), admin: page('admin.html') } },
	},
	server: { host: '127.0.0.1', proxy: { '/api': process.env.JARI ?? 'http://127.0.0.1:8080' } },
});
