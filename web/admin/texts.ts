// The organisers' texts, and the forms of numbers and instants that only this page needs.

import { en as sharedEn } from '../shared/i18n/en.ts';
import { type Language, Texts } from '../shared/i18n/index.tsx';
import { ko as sharedKo } from '../shared/i18n/ko.ts';
import { en } from './i18n/en.ts';
import { ko } from './i18n/ko.ts';

export const texts = new Texts({ en: { ...sharedEn, ...en }, ko: { ...sharedKo, ...ko } });
export type AdminTexts = typeof texts;
export type Key = Parameters<AdminTexts['text']>[0];

interface Forms {
	compact: Intl.NumberFormat;
	percent: Intl.NumberFormat;
	fine: Intl.NumberFormat;
	clock: Intl.DateTimeFormat;
	clockSeconds: Intl.DateTimeFormat;
	exact: Intl.DateTimeFormat;
	day: Intl.DateTimeFormat;
	time: Intl.DateTimeFormat;
	when: Intl.DateTimeFormat;
	moment: Intl.DateTimeFormat;
}
const DAY = { year: 'numeric', month: 'long', day: 'numeric' } as const;
const TIME = { hour: 'numeric', minute: '2-digit', timeZoneName: 'short' } as const;

function formsOf(language: Language): Forms {
	return {
		compact: new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 }),
		percent: new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }),
		fine: new Intl.NumberFormat(language, { maximumSignificantDigits: 3 }),
		clock: new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
		clockSeconds: new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }),
		exact: new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }),
		day: new Intl.DateTimeFormat(language, DAY),
		time: new Intl.DateTimeFormat(language, { weekday: 'long', ...TIME }),
		when: new Intl.DateTimeFormat(language, { ...DAY, ...TIME, weekday: 'long' }),
		moment: new Intl.DateTimeFormat(language, { ...DAY, ...TIME, month: 'short' }),
	};
}
const all: Record<Language, Forms> = { en: formsOf('en'), ko: formsOf('ko') };
const forms = () => all[texts.language.value];

export const form = {
	compact: (n: number) => forms().compact.format(n),
	percent: (part: number) => forms().percent.format(part),
	// Of microseconds, in milliseconds.
	milliseconds: (us: number) => texts.text('unit.ms', { n: forms().fine.format(us / 1000) }),
	clock: (seconds: number) => forms().clock.format(new Date(seconds * 1000)),
	clockSeconds: (seconds: number) => forms().clockSeconds.format(new Date(seconds * 1000)),
	exact: (instant: string) => forms().exact.format(new Date(instant)),
	// Each in the reader's zone; all but the day name it.
	day: (instant: string) => forms().day.format(new Date(instant)),
	time: (instant: string) => forms().time.format(new Date(instant)),
	when: (instant: string) => forms().when.format(new Date(instant)),
	moment: (instant: string) => forms().moment.format(new Date(instant)),
	// How long ago something was, in words: seconds at first, then minutes, then hours.
	age(ms: number): string {
		const s = Math.max(1, Math.floor(ms / 1000));
		const [n, unit] = s < 120 ? [s, 'second'] : s < 7200 ? [Math.floor(s / 60), 'minute'] : [Math.floor(s / 3600), 'hour'];
		return new Intl.NumberFormat(texts.language.value, { style: 'unit', unit, unitDisplay: 'long' }).format(n);
	},
};
