// Pieces of the organisers' views.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { asRefusal, type Refusal } from '../shared/api.ts';
import type { ShowTime } from '../shared/format.ts';
import { useCell, useTick } from '../shared/state.ts';
import { announce, Notice, Spinner } from '../shared/ui/index.tsx';
import { OWN, offsets, ownZone } from './instants.ts';
import { type Polled, trouble } from './poll.ts';
import { detailOf } from './session.ts';
import { form, type Key, texts } from './texts.ts';

// Why something did not work, in the reader's language; with the server's own words where they say more.
export function refusalText(refusal: Refusal): string {
	const t = texts;
	if (refusal.code === 'NO_ANSWER') return t.text('error.noAnswer');
	if (refusal.status === 503 || refusal.status === 429) return t.text('error.busy');
	const detail = detailOf(refusal);
	return detail ? t.text('error.server', { detail }) : t.text('error.unknown');
}

// What a view shows until there is something, and when there will be nothing.
export function Loading({ polled }: { polled: Polled<unknown> }) {
	const t = texts.use();
	const { refusal } = polled;
	if (refusal && refusal.status === 404) return <Notice tone="warn">{t.text('error.gone')}</Notice>;
	// What passes by itself is told by `Trouble`.
	if (refusal && !refusal.passing) return <Notice tone="bad">{refusalText(refusal)}</Notice>;
	return <Spinner label={t.text('loading')} />;
}

// Says that what a view shows comes no more, and how old it is. The age is not in what is read aloud: it changes all the time.
export function Trouble() {
	const t = texts.use();
	const now = useCell(trouble);
	useTick(1000);
	if (!now) return null;
	return (
		<section class="away" aria-label={t.text('error.label')}>
			<Notice tone="warn">{t.text(now.refusal.code === 'NO_ANSWER' ? 'error.away' : 'error.stale')}</Notice>
			{now.since === null ? null : (
				<p class="number small">{t.text('error.age', { age: form.age(performance.now() - now.since) })}</p>
			)}
		</section>
	);
}

// The venue's date of a show that begins on another for the reader.
export function VenueDate({ of }: { of: ShowTime }) {
	const t = texts.use();
	const { venue } = t.format.begins(of);
	return venue === null ? null : <span class="small venue">{t.text('show.venueDate', { day: venue })}</span>;
}

export function OffsetChoice({
	label,
	hint,
	value,
	set,
}: {
	label: Key;
	hint?: string;
	value: string;
	set: (value: string) => void;
}) {
	const t = texts.use();
	const own: [string, string] = [OWN, t.text('offset.own', { zone: ownZone() })];
	return (
		<Choice
			id="offset"
			label={t.text(label)}
			hint={hint}
			value={value}
			set={set}
			options={[own, ...offsets().map((offset): [string, string] => [offset, t.text('offset.utc', { offset })])]}
		/>
	);
}

export function Figure({ label, value, note, tone }: { label: string; value: string; note?: string; tone?: 'warn' }) {
	return (
		<div class={`figure${tone ? ` ${tone}` : ''}`}>
			<dt>{label}</dt>
			<dd class="number">{value}</dd>
			{note ? <dd class="soft small number">{note}</dd> : null}
		</div>
	);
}

export interface FieldProps {
	id: string;
	label: string;
	value: string;
	set: (value: string) => void;
	hint?: string;
	error?: string;
	type?: 'text' | 'password' | 'datetime-local';
	inputMode?: 'numeric';
	autoComplete?: string;
	spellcheck?: boolean;
	maxLength?: number;
}
export function Field({ id, label, value, set, hint, error, ...input }: FieldProps) {
	const about = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
	return (
		<div class="field">
			<label for={id}>{label}</label>
			<input
				{...(input as Record<string, unknown>)}
				id={id}
				value={value}
				onInput={(e) => set(e.currentTarget.value)}
				aria-invalid={error ? 'true' : undefined}
				aria-describedby={about || undefined}
			/>
			{hint ? (
				<span class="soft small" id={`${id}-hint`}>
					{hint}
				</span>
			) : null}
			{error ? (
				<span class="wrong" id={`${id}-error`}>
					{error}
				</span>
			) : null}
		</div>
	);
}

export function Choice({
	id,
	label,
	value,
	set,
	options,
	hint,
}: {
	id: string;
	label: string;
	value: string;
	set: (value: string) => void;
	options: [string, string][];
	hint?: string;
}) {
	return (
		<div class="field">
			<label for={id}>{label}</label>
			<select
				id={id}
				value={value}
				onChange={(e) => set(e.currentTarget.value)}
				aria-describedby={hint ? `${id}-hint` : undefined}
			>
				{options.map(([name, text]) => (
					<option key={name} value={name}>
						{text}
					</option>
				))}
			</select>
			{hint ? (
				<span class="soft small" id={`${id}-hint`}>
					{hint}
				</span>
			) : null}
		</div>
	);
}

export function Switch<T extends string>({
	name,
	label,
	value,
	set,
	options,
}: {
	name: string;
	label: string;
	value: T;
	set: (value: T) => void;
	options: [T, string][];
}) {
	return (
		<fieldset class="switch">
			<legend class="hidden">{label}</legend>
			{options.map(([option, text]) => (
				<label key={option}>
					<input type="radio" name={name} checked={option === value} onChange={() => set(option)} />
					{text}
				</label>
			))}
		</fieldset>
	);
}

// Asks before something is done, and says what it will do. `run` does it; when it is refused, the question stays and says why.
export function Confirm({
	title,
	says,
	yes,
	run,
	close,
}: {
	title: string;
	says: string[];
	yes: Key;
	run: () => Promise<void>;
	close: (done: boolean) => void;
}) {
	const t = texts.use();
	const dialog = useRef<HTMLDialogElement>(null);
	const [busy, setBusy] = useState(false);
	const [wrong, setWrong] = useState('');
	useEffect(() => {
		dialog.current?.showModal();
	}, []);
	const confirmed = async () => {
		if (busy) return;
		setBusy(true);
		setWrong('');
		try {
			await run();
			announce(t.text('done'));
			dialog.current?.close();
			close(true);
		} catch (e) {
			const refusal = asRefusal(e);
			setWrong(refusal.unsure ? t.text('error.unsure') : refusalText(refusal));
			setBusy(false);
		}
	};
	// Closed as a dialog, it gives the focus back to what had it before.
	const leave = () => {
		if (busy) return;
		dialog.current?.close();
		close(false);
	};
	return (
		<dialog
			ref={dialog}
			aria-labelledby="confirm-title"
			aria-describedby="confirm-says"
			onCancel={(e) => {
				e.preventDefault();
				leave();
			}}
		>
			<div class="stack">
				<h2 id="confirm-title">{title}</h2>
				<ul id="confirm-says" class="stack tight says">
					{says.map((say) => (
						<li key={say}>{say}</li>
					))}
				</ul>
				{wrong ? <Notice tone="bad">{wrong}</Notice> : null}
				<div class="row end">
					<button type="button" class="button" onClick={leave} aria-disabled={busy}>
						{t.text('cancel')}
					</button>
					<button type="button" class="button main" onClick={confirmed} aria-disabled={busy}>
						{busy ? t.text('working') : t.text(yes)}
					</button>
				</div>
			</div>
		</dialog>
	);
}

// Sold, held and free of a show as one bar.
export function SeatBar({ sold, held, total, label }: { sold: number; held: number; total: number; label: string }) {
	const part = (n: number) => `${total ? (100 * n) / total : 0}%`;
	return (
		<div class="seatbar" role="img" aria-label={label}>
			<div class="sold" style={{ width: part(sold) }} />
			<div class="held" style={{ width: part(held) }} />
		</div>
	);
}

export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
	return (
		<section class="card empty stack">
			<h2>{title}</h2>
			{children}
		</section>
	);
}

// What may be wider than the screen. It takes the focus so that a keyboard can move it.
export function Scroll({ label, card = false, children }: { label: string; card?: boolean; children: ComponentChildren }) {
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: without it a keyboard can't scroll it
		<section class={`scroll${card ? ' card' : ''}`} tabIndex={0} aria-label={label}>
			{children}
		</section>
	);
}
