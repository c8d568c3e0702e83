// The texts that both pages share, in Korean. en.ts has the same keys.
import type { en } from './en.ts';

export const ko: Record<keyof typeof en, string> = {
	'app.name': '자리',
	'app.tagline': '모두의 자리를, 순서대로.',
	'admin.title': '주최자',
};
