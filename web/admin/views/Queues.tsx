// The waiting lines: how they do, and what an organiser may change about them.
import { useState } from 'preact/hooks';
import type { Concert } from '../../shared/api.ts';
import { Bar, Notice, ViewTitle } from '../../shared/ui/index.tsx';
import { type Change, effectsOf } from '../effects.ts';
import type { Queue, Stats } from '../model.ts';
import { type Polled, usePoll } from '../poll.ts';
import { hrefOf } from '../route.ts';
import { type Span, useSeries } from '../series.ts';
import { ask } from '../session.ts';
import { type Key, texts } from '../texts.ts';
import { Confirm, Empty, Field, Figure, Loading, Switch } from '../ui.tsx';
import { QueuePlots, SalesPlot } from './charts.tsx';

export const CAPACITY_MAX = 10_000_000;
const RATE_MAX = 1_000_000;

export function SpanSwitch({ span, set }: { span: Span; set: (span: Span) => void }) {
	const t = texts.use();
	return (
		<Switch
			name="span"
			label={t.text('span.label')}
			value={span}
			set={set}
			options={[
				['minutes', t.text('span.minutes')],
				['hour', t.text('span.hour')],
				['day', t.text('span.day')],
			]}
		/>
	);
}

export function StateChip({ queue }: { queue: Queue }) {
	const t = texts.use();
	return <span class={`chip ${queue.paused ? 'warn' : 'good'}`}>{t.text(queue.paused ? 'queue.paused' : 'queue.open')}</span>;
}

function QueueList({ queues, chosen }: { queues: Queue[]; chosen: number }) {
	const t = texts.use();
	return (
		<nav aria-label={t.text('queues.list')} class="queues">
			{queues.map((queue) => (
				<a
					key={queue.queueId}
					class="card queue"
					href={hrefOf('queues', queue.queueId)}
					aria-current={queue.queueId === chosen ? 'true' : undefined}
				>
					<span class="row between">
						<b>{queue.name}</b>
						<StateChip queue={queue} />
					</span>
					<span class="soft small number">
						{t.text('queue.brief', { waiting: queue.waiting, active: queue.active, capacity: queue.capacity })}
					</span>
				</a>
			))}
		</nav>
	);
}

function whole(text: string, low: number, high: number): number | null {
	if (!/^\d{1,10}$/.test(text.trim())) return null;
	const n = Number(text);
	return n >= low && n <= high ? n : null;
}

interface Asking {
	title: string;
	yes: Key;
	change: Change;
}

function Controls({ queue, changed }: { queue: Queue; changed: () => void }) {
	const t = texts.use();
	const [capacity, setCapacity] = useState<string | null>(null);
	const [rate, setRate] = useState<string | null>(null);
	const [wrong, setWrong] = useState<{ capacity?: string; rate?: string }>({});
	const [asking, setAsking] = useState<Asking | null>(null);
	const [same, setSame] = useState(false);

	const submit = (e: Event) => {
		e.preventDefault();
		const c = whole(capacity ?? String(queue.capacity), 1, CAPACITY_MAX);
		const r = whole(rate ?? String(queue.ratePerSecond), 0, RATE_MAX);
		setSame(false);
		setWrong({
			capacity: c === null ? t.text('wrong.range', { low: 1, high: CAPACITY_MAX }) : undefined,
			rate: r === null ? t.text('wrong.range', { low: 0, high: RATE_MAX }) : undefined,
		});
		if (c === null || r === null) {
			document.getElementById(c === null ? 'capacity' : 'rate')?.focus();
			return;
		}
		const change: Change = {};
		if (c !== queue.capacity) change.capacity = c;
		if (r !== queue.ratePerSecond) change.ratePerSecond = r;
		if (Object.keys(change).length)
			setAsking({ title: t.text('confirm.change', { name: queue.name }), yes: 'confirm.change.yes', change });
		else setSame(true);
	};
	const pause = () =>
		setAsking(
			queue.paused
				? { title: t.text('confirm.resume', { name: queue.name }), yes: 'confirm.resume.yes', change: { paused: false } }
				: { title: t.text('confirm.pause', { name: queue.name }), yes: 'confirm.pause.yes', change: { paused: true } },
		);
	const close = (done: boolean) => {
		if (done) {
			setCapacity(null);
			setRate(null);
		}
		setAsking(null);
		changed();
	};
	return (
		<section class="card stack" aria-labelledby="controls">
			<h2 id="controls">{t.text('controls.title')}</h2>
			<form class="controls" onSubmit={submit} noValidate>
				<Field
					id="capacity"
					inputMode="numeric"
					autoComplete="off"
					label={t.text('queue.capacity')}
					hint={t.text('queue.capacity.hint')}
					value={capacity ?? String(queue.capacity)}
					set={setCapacity}
					error={wrong.capacity}
				/>
				<Field
					id="rate"
					inputMode="numeric"
					autoComplete="off"
					label={t.text('queue.rate')}
					hint={t.text('queue.rate.hint')}
					value={rate ?? String(queue.ratePerSecond)}
					set={setRate}
					error={wrong.rate}
				/>
				<div class="row">
					<button type="submit" class="button main">
						{t.text('controls.apply')}
					</button>
					<button type="button" class="button" onClick={pause}>
						{t.text(queue.paused ? 'controls.resume' : 'controls.pause')}
					</button>
				</div>
			</form>
			{same ? <Notice>{t.text('controls.same')}</Notice> : null}
			{asking ? (
				<Confirm
					title={asking.title}
					says={effectsOf(t, queue, asking.change)}
					yes={asking.yes}
					run={async () => {
						await ask('PATCH', `api/admin/queues/${queue.queueId}`, asking.change);
					}}
					close={close}
				/>
			) : null}
		</section>
	);
}

export function FirstSteps() {
	const t = texts.use();
	return (
		<Empty title={t.text('empty.title')}>
			<p>{t.text('empty.text')}</p>
			<div class="row">
				<a class="button main" href={hrefOf('add')}>
					{t.text('empty.add')}
				</a>
			</div>
		</Empty>
	);
}

function QueueDetail({ queue, stats, concerts }: { queue: Queue; stats: Polled<Stats>; concerts: Concert[] | null }) {
	const t = texts.use();
	const [span, setSpan] = useState<Span>('minutes');
	const ours = new Set(concerts?.filter((c) => c.queueId === queue.queueId).map((c) => c.concertId));
	const shows = stats.value!.shows.filter((show) => ours.has(show.concertId));
	const ids = shows.map((show) => show.showId).slice(0, 63);
	const { points } = useSeries([queue.queueId], concerts ? ids : null, span);
	return (
		<div class="stack wide">
			<section class="card stack" aria-labelledby="queue-name">
				<div class="row between">
					<h2 id="queue-name">{queue.name}</h2>
					<StateChip queue={queue} />
				</div>
				<dl class="figures">
					<Figure label={t.text('queue.waiting')} value={t.format.number(queue.waiting)} />
					<Figure
						label={t.text('queue.active')}
						value={t.format.number(queue.active)}
						note={t.text('queue.of_capacity', { capacity: queue.capacity })}
					/>
					<Figure label={t.text('queue.admitted')} value={t.format.number(queue.admitted)} note={t.text('queue.admitted.note')} />
					<Figure
						label={t.text('queue.rate.short')}
						value={queue.ratePerSecond ? t.format.number(queue.ratePerSecond) : t.text('queue.rate.none')}
						note={queue.ratePerSecond ? t.text('queue.rate.note') : undefined}
					/>
				</dl>
				<Bar part={queue.active / queue.capacity} label={t.text('queue.full')} />
			</section>
			<Controls key={queue.queueId} queue={queue} changed={stats.again} />
			<section class="stack" aria-labelledby="course">
				<div class="row between">
					<h2 id="course">{t.text('queue.course')}</h2>
					<SpanSwitch span={span} set={setSpan} />
				</div>
				<div class="plots">
					<QueuePlots points={points} span={span} queueId={queue.queueId} capacity={queue.capacity} />
					<SalesPlot points={points} span={span} shows={ids} />
				</div>
			</section>
		</div>
	);
}

export function Queues({ id }: { id: number | null }) {
	const t = texts.use();
	const stats = usePoll<Stats>('api/admin/stats', 2000);
	const concerts = usePoll<{ concerts: Concert[] }>('api/concerts', 20000);
	const queues = stats.value?.queues;
	const queue = queues?.find((q) => q.queueId === id) ?? queues?.[0];
	return (
		<main class="stack wide">
			<ViewTitle>{t.text('nav.queues')}</ViewTitle>
			{queues && queue ? (
				<>
					{concerts.value?.concerts.length === 0 ? <FirstSteps /> : null}
					{queues.length > 1 ? <QueueList queues={queues} chosen={queue.queueId} /> : null}
					<QueueDetail key={queue.queueId} queue={queue} stats={stats} concerts={concerts.value?.concerts ?? null} />
				</>
			) : (
				<Loading polled={stats} />
			)}
		</main>
	);
}
