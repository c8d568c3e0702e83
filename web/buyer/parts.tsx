// Pieces of the buyers' page.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Code, Concert, Refusal } from '../shared/api.ts';
import { clockText, type ShowTime } from '../shared/format.ts';
import { useTick } from '../shared/state.ts';
import { announce, Notice, Spinner } from '../shared/ui/index.tsx';
import { clock, texts } from './here.ts';
import { to } from './route.ts';

// What stands where something is still to come, or could not be had.
export function NotYet({
	refusal,
	again,
	children,
}: {
	refusal: Refusal | null;
	again: () => void;
	children?: ComponentChildren;
}) {
	const t = texts.use();
	if (!refusal) return <Spinner label={t.text('app.loading')} />;
	return (
		<Problem refusal={refusal} again={again}>
			{children}
		</Problem>
	);
}

// This page and the server do not agree about something: what helps is the page as the server has it now.
const RELOAD: readonly Code[] = [
	'INVALID_REQUEST',
	'METHOD_NOT_ALLOWED',
	'UNSUPPORTED_MEDIA_TYPE',
	'HEADERS_TOO_LARGE',
	'NOT_IMPLEMENTED',
	'AMOUNT_MISMATCH',
	'IDEMPOTENCY_KEY_REUSED',
	'UNKNOWN',
];

// What went wrong, in a sentence that says what to do, with the next step as a button. `again` sends the same once more; `says` is for who knows more
// of it than the code.
export function Problem({
	refusal,
	again,
	says,
	children,
}: {
	refusal: Refusal;
	again?: () => void;
	says?: string;
	children?: ComponentChildren;
}) {
	const t = texts.use();
	const reload = RELOAD.includes(refusal.code);
	return (
		<Notice
			tone={refusal.passing ? 'warn' : 'bad'}
			actions={
				<>
					{children}
					{again && refusal.passing ? (
						<button type="button" class="button" onClick={again}>
							{t.text('do.retry')}
						</button>
					) : null}
					{reload ? (
						<button type="button" class="button" onClick={() => location.reload()}>
							{t.text('do.reload')}
						</button>
					) : null}
					{!children && !reload && !(again && refusal.passing) ? (
						<a class="button" href={to.home}>
							{t.text('do.home')}
						</a>
					) : null}
				</>
			}
		>
			<p data-code={refusal.code}>{says ?? t.text(`error.${refusal.code}`)}</p>
		</Notice>
	);
}

// Milliseconds until an instant, by the server's clock.
export function useCountdown(until: string | null): number {
	useTick(250);
	return until ? Date.parse(until) - clock.now() : Number.POSITIVE_INFINITY;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30000;

// Counts down to what the server ends, and asks for how it ended: again and again, with pauses that grow, as long as it is shown as standing. Once
// would not do, since a page's notion of the server's time may be early by up to a second, and since an answer may get lost.
export function useDeadline(until: string | null, ask: () => void): number {
	const left = useCountdown(until);
	const asked = useRef({ until: '', next: 0, pause: 0 });
	useEffect(() => {
		if (!until || left > 0) return;
		const { current } = asked;
		const now = clock.localNow();
		if (current.until === until && now < current.next) return;
		const pause = current.until === until ? Math.min(2 * current.pause, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
		asked.current = { until, next: now + pause, pause };
		ask();
	});
	return left;
}

// Says a sentence aloud once, when less than a minute is left.
export function useMinuteWarning(left: number, sentence: string): void {
	const said = useRef(false);
	useEffect(() => {
		if (left > 60000) said.current = false;
		else if (left > 0 && !said.current) {
			said.current = true;
			announce(sentence);
		}
	});
}

export function SalesCountdown({ concert }: { concert: Concert }) {
	const t = texts.use();
	const left = useCountdown(concert.salesOpenAt);
	if (!concert.salesOpenAt || left <= 0) return null;
	return (
		<Notice tone="warn">
			<p class="number lead" role="timer">
				<strong>{t.text('concert.opensIn', { time: longTime(left) })}</strong>
			</p>
			<p class="soft">{t.text('concert.opensAt', { when: t.format.instant(concert.salesOpenAt) })}</p>
		</Notice>
	);
}

const DAY = 86400000;

// With days in front where there are any.
function longTime(ms: number): string {
	const days = Math.floor(ms / DAY);
	if (!days) return clockText(ms);
	const unit = new Intl.NumberFormat(texts.language.value, { style: 'unit', unit: 'day', unitDisplay: 'long' });
	return `${unit.format(days)} ${clockText(ms % DAY)}`;
}

export function useSalesOpen(concert: Concert | null): boolean {
	const left = useCountdown(concert?.salesOpenAt ?? null);
	return !concert?.salesOpenAt || left <= 0;
}

const STEPS = ['line', 'date', 'seat', 'pay'] as const;
export function Steps({ at }: { at: (typeof STEPS)[number] }) {
	const t = texts.use();
	const now = STEPS.indexOf(at);
	return (
		<ol class="steps" aria-label={t.text('steps.name')}>
			{STEPS.map((step, i) => (
				<li key={step} class={i < now ? 'past' : i === now ? 'now' : ''} aria-current={i === now ? 'step' : undefined}>
					<span class="mark" aria-hidden="true">
						{i < now ? '✓' : i + 1}
					</span>
					{t.text(`steps.${step}`)}
				</li>
			))}
		</ol>
	);
}

// Asks once more before something is given up.
export function SureButton(props: { label: string; question: string; yes: string; no: string; act: () => void }) {
	const [asking, setAsking] = useState<boolean | null>(null); // null: it was not asked yet
	const asker = useRef<HTMLButtonElement>(null);
	const first = useRef<HTMLButtonElement>(null);
	useEffect(() => {
		if (asking !== null) (asking ? first : asker).current?.focus();
	}, [asking]);
	if (!asking)
		return (
			<button type="button" class="button plain" ref={asker} onClick={() => setAsking(true)}>
				{props.label}
			</button>
		);
	return (
		<Notice
			tone="warn"
			actions={
				<>
					<button type="button" class="button" ref={first} onClick={() => setAsking(false)}>
						{props.no}
					</button>
					<button type="button" class="button" onClick={props.act}>
						{props.yes}
					</button>
				</>
			}
		>
			<p>{props.question}</p>
		</Notice>
	);
}

// A poster for a concert that has none: rows of seats before a stage, one of them lit. Each concert has its own, always the same.
export function Poster({ concert }: { concert: Concert }) {
	const n = concert.concertId;
	const hue = (n * 67 + 150) % 360;
	const rows = 6;
	const lit = { row: 1 + ((n * 5) % (rows - 2)), seat: (n * 7) % 9 };
	const dots = [];
	for (let row = 0; row < rows; row++) {
		const count = 9 + row;
		const radius = 34 + row * 15;
		for (let i = 0; i < count; i++) {
			const angle = Math.PI * (0.16 + (0.68 * i) / (count - 1));
			const on = row === lit.row && i === lit.seat;
			const x = 80 + radius * Math.cos(angle);
			const y = -16 + radius * Math.sin(angle);
			dots.push(
				<circle
					key={`${row}-${i}`}
					class={on ? 'lit' : ''}
					cx={x.toFixed(1)}
					cy={y.toFixed(1)}
					r={on ? 5.4 : 3.6}
					fill={on ? '#f3c76a' : `hsl(${hue} 34% ${68 - row * 5}%)`}
				/>,
			);
		}
	}
	return (
		<svg class="poster" viewBox="0 0 160 100" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
			<rect width="160" height="100" fill={`hsl(${hue} 38% 20%)`} />
			<rect x="52" y="-4" width="56" height="9" rx="3" fill={`hsl(${hue} 30% 88%)`} />
			{dots}
		</svg>
	);
}

export function seatList(numbers: number[]): string {
	return numbers.join(', '); // names, not amounts
}

// When a show begins, in a line.
export function beginsText(show: ShowTime, weekday = true): string {
	const { day, weekday: name, time } = texts.format.begins(show);
	return [day, ...(weekday ? [name] : []), time].join(' · ');
}

// The date where it is played, for a reader to whom it begins on another.
export function VenueDate({ of }: { of: ShowTime }) {
	const t = texts.use();
	const { venue } = t.format.begins(of);
	return venue ? <span class="small venue-date">{t.text('dates.venue', { date: venue })}</span> : null;
}
