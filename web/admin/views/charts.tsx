// The plots that several views and the wall show.

import { Plot } from '../plot.tsx';
import { type Points, SPANS, type Span } from '../series.ts';
import { form, texts } from '../texts.ts';

const PER_MINUTE = 60;

export interface ChartProps {
	points: Points;
	span: Span;
	wall?: boolean;
}

export function QueuePlots({ points, span, wall, queueId, capacity }: ChartProps & { queueId: number; capacity: number }) {
	const t = texts.use();
	const number = (n: number) => t.format.number(Math.round(n));
	const common = { times: points.times, seconds: SPANS[span].seconds, value: number, wall };
	const last = (name: string) => points.last(`queue.${queueId}.${name}`);
	const told = (n: number | null | undefined) => (n === null || n === undefined ? '–' : number(n));
	const admitted = points.growth(
		`queue.${queueId}.admitted`,
		Math.max(PER_MINUTE, points.step),
		PER_MINUTE / Math.max(PER_MINUTE, points.step),
	);
	return (
		<>
			<Plot
				{...common}
				title={t.text('plot.waiting')}
				now={told(last('waiting'))}
				lines={[
					{ label: t.text('plot.waiting'), values: points.column(`queue.${queueId}.waiting`), colour: '--seat-4', fill: true },
				]}
			/>
			<Plot
				{...common}
				title={t.text('plot.active')}
				now={told(last('active'))}
				top={capacity <= 4 * Math.max(1, last('active') ?? 0) ? capacity : undefined}
				lines={[
					{ label: t.text('plot.active'), values: points.column(`queue.${queueId}.active`), colour: '--seat-1', fill: true },
				]}
			/>
			<Plot
				{...common}
				title={t.text('plot.admitted')}
				now={told(admitted.filter((v) => v !== null).at(-1))}
				lines={[{ label: t.text('plot.admitted'), values: admitted, colour: '--seat-2', fill: true }]}
			/>
		</>
	);
}

export function SalesPlot({ points, span, wall, shows }: ChartProps & { shows: number[] }) {
	const t = texts.use();
	const names = shows.map((id) => `show.${id}.sold`);
	const sold = names.length ? points.sum(names) : [];
	const number = (n: number) => t.format.number(Math.round(n));
	const last = sold.filter((v) => v !== null).at(-1);
	return (
		<Plot
			times={points.times}
			seconds={SPANS[span].seconds}
			value={number}
			wall={wall}
			title={t.text('plot.sold')}
			now={last === undefined ? '–' : number(last)}
			lines={[
				{ label: t.text('plot.sold'), values: sold.length ? sold : points.times.map(() => null), colour: '--seat-3', fill: true },
			]}
		/>
	);
}

// How the server itself does.
export function ServerPlots({ points, span }: ChartProps) {
	const t = texts.use();
	const window = Math.max(10, points.step);
	const common = { times: points.times, seconds: SPANS[span].seconds };
	const requests = points.growth('server.requests', window, 1 / window);
	const errors = points.growth(
		'server.errors',
		Math.max(PER_MINUTE, points.step),
		PER_MINUTE / Math.max(PER_MINUTE, points.step),
	);
	const refused = points.growth(
		'server.refused',
		Math.max(PER_MINUTE, points.step),
		PER_MINUTE / Math.max(PER_MINUTE, points.step),
	);
	const commit = points.mean('server.commitUs', 'server.commits', window);
	const lastOf = (column: (number | null)[]) => column.filter((v) => v !== null).at(-1) ?? null;
	const ms = (us: number | null) => (us === null ? '–' : form.milliseconds(us));
	const count = (n: number | null) => (n === null ? '–' : t.format.number(Math.round(n)));
	return (
		<>
			<Plot
				{...common}
				title={t.text('plot.latency')}
				now={`${ms(lastOf(points.column('server.p50Us')))} · ${ms(lastOf(points.column('server.p99Us')))}`}
				value={form.milliseconds}
				axis={form.milliseconds}
				lines={[
					{ label: t.text('plot.p50'), values: points.column('server.p50Us'), colour: '--seat-1' },
					{ label: t.text('plot.p99'), values: points.column('server.p99Us'), colour: '--seat-5' },
				]}
			/>
			<Plot
				{...common}
				title={t.text('plot.requests')}
				now={count(lastOf(requests))}
				value={count}
				lines={[{ label: t.text('plot.requests'), values: requests, colour: '--seat-4', fill: true }]}
			/>
			<Plot
				{...common}
				title={t.text('plot.commit')}
				now={ms(lastOf(commit))}
				value={form.milliseconds}
				axis={form.milliseconds}
				lines={[{ label: t.text('plot.commit'), values: commit, colour: '--seat-2' }]}
			/>
			<Plot
				{...common}
				title={t.text('plot.errors')}
				now={`${count(lastOf(refused))} · ${count(lastOf(errors))}`}
				value={count}
				lines={[
					{ label: t.text('plot.refused'), values: refused, colour: '--seat-3' },
					{ label: t.text('plot.failed'), values: errors, colour: '--seat-5' },
				]}
			/>
		</>
	);
}
