// Texts in the reader's language. Nothing is written in the code: a key names a text of a catalogue, {name} in it stands for what is put in.
//
// A page makes its own with createTexts({ en, ko }), where each catalogue has the shared texts and the page's. A key with ".one" and ".other" forms is
// asked for without them and with `count`.
import type { ComponentChildren } from 'preact';
import { Format } from '../format.ts';
import { Cell, kept, useCell } from '../state.ts';

export type Language = 'en' | 'ko';
export const LANGUAGES: Language[] = ['ko', 'en'];
export const languageNames: Record<Language, string> = { ko: '한국어', en: 'English' };

const KEPT = 'jari.language';

function preferred(): Language {
	const chosen = kept.get<Language>(KEPT);
	if (chosen && LANGUAGES.includes(chosen)) return chosen;
	for (const language of navigator.languages) {
		const found = LANGUAGES.find((known) => language.toLowerCase().split('-')[0] === known);
		if (found) return found;
	}
	return 'en';
}

type Base<K extends string> = K extends `${infer B}.one` | `${infer B}.other` ? B : K;
export type Values = Record<string, string | number>;

export class Texts<K extends string> {
	readonly language: Cell<Language>;
	private formats: Record<Language, Format>;
	private plurals: Record<Language, Intl.PluralRules>;

	constructor(private catalogues: Record<Language, Record<K, string>>) {
		this.language = new Cell(preferred());
		// The browser's own region, where it speaks the language: en-GB writes dates otherwise than en-US.
		const locale = (of: Language) => navigator.languages.find((l) => l.toLowerCase().split('-')[0] === of) ?? of;
		this.formats = { en: new Format(locale('en')), ko: new Format(locale('ko')) };
		this.plurals = { en: new Intl.PluralRules('en'), ko: new Intl.PluralRules('ko') };
		document.documentElement.lang = this.language.value;
	}

	choose(language: Language): void {
		kept.set(KEPT, language);
		document.documentElement.lang = language;
		this.language.set(language);
	}

	get format(): Format {
		return this.formats[this.language.value];
	}

	private raw(key: Base<K>, values: Values): string {
		const catalogue = this.catalogues[this.language.value] as Record<string, string>;
		const form = typeof values.count === 'number' ? this.plurals[this.language.value].select(values.count) : 'other';
		return catalogue[key] ?? catalogue[`${key}.${form}`] ?? catalogue[`${key}.other`] ?? key;
	}

	// Numbers are written in the reader's form.
	text(key: Base<K>, values: Values = {}): string {
		return this.raw(key, values).replace(/\{(\w+)\}/g, (_, name: string) => this.show(values[name]));
	}

	// The same with pieces of the page put in.
	rich(key: Base<K>, pieces: Record<string, ComponentChildren>, values: Values = {}): ComponentChildren[] {
		return this.raw(key, values)
			.split(/(\{\w+\})/)
			.map((part) => {
				const name = /^\{(\w+)\}$/.exec(part)?.[1];
				return name === undefined ? part : name in pieces ? pieces[name] : this.show(values[name]);
			});
	}

	private show(value: string | number | undefined): string {
		return typeof value === 'number' ? this.format.number(value) : (value ?? '');
	}

	// Draws the component again when the language changes.
	use(): this {
		useCell(this.language);
		return this;
	}
}
