// Pieces that both pages use.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { LANGUAGES, type Language, languageNames, type Texts } from '../i18n/index.tsx';
import { Cell, useCell } from '../state.ts';

// What is read aloud, once: a person who does not look at the screen must hear of it.
const said = new Cell<{ text: string; n: number }>({ text: '', n: 0 });
export function announce(text: string): void {
	said.set({ text, n: said.value.n + 1 });
}

export function Announcer() {
	const { text, n } = useCell(said);
	return (
		<div class="hidden" role="status" aria-live="assertive" data-said={n}>
			{text}
		</div>
	);
}

export type Tone = 'calm' | 'warn' | 'bad';
export function Notice({
	tone = 'calm',
	children,
	actions,
}: {
	tone?: Tone;
	children: ComponentChildren;
	actions?: ComponentChildren;
}) {
	return (
		<div class={`notice ${tone}`} role={tone === 'calm' ? 'status' : 'alert'}>
			<div>{children}</div>
			{actions ? <div class="row">{actions}</div> : null}
		</div>
	);
}

// A heading that gets the focus when its view appears, so that a keyboard and a screen reader begin there.
export function ViewTitle({ children, focus = true }: { children: ComponentChildren; focus?: boolean }) {
	const ref = useRef<HTMLHeadingElement>(null);
	useEffect(() => {
		if (!focus) return;
		ref.current?.focus({ preventScroll: true });
		scrollTo(0, 0);
	}, [focus]);
	return (
		<h1 ref={ref} tabIndex={-1}>
			{children}
		</h1>
	);
}

export function LanguageSwitch<K extends string>({ texts, label }: { texts: Texts<K>; label: string }) {
	const now = useCell(texts.language);
	return (
		<fieldset class="switch languages">
			<legend class="hidden">{label}</legend>
			{LANGUAGES.map((language: Language) => (
				<label key={language} lang={language}>
					<input type="radio" name="language" checked={language === now} onChange={() => texts.choose(language)} />
					{languageNames[language]}
				</label>
			))}
		</fieldset>
	);
}

export function Bar({ part, label }: { part: number; label: string }) {
	const percent = Math.round(Math.min(1, Math.max(0, part)) * 100);
	return (
		<div class="bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
			<div style={{ width: `${percent}%` }} />
		</div>
	);
}

export function Spinner({ label }: { label: string }) {
	return (
		<p class="spinner soft" role="status">
			<span class="dots" aria-hidden="true">
				<i />
				<i />
				<i />
			</span>
			{label}
		</p>
	);
}

export function Wordmark({ name }: { name: string }) {
	return (
		<span class="wordmark">
			<svg viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
				<path d="M7 7v12a5 5 0 0 0 5 5h9" fill="none" stroke="currentColor" stroke-width="3.6" stroke-linecap="round" />
				<circle class="dot" cx="21" cy="12" r="5" />
			</svg>
			<span class="word">{name}</span>
		</span>
	);
}
