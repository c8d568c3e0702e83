// Time series: what the server recorded, kept in the page and continued.
import { useEffect, useRef, useState } from 'preact/hooks';
import { repeat } from './poll.ts';
import { ask, clock } from './session.ts';

type Column = (number | null)[];
interface Reply {
	step: number;
	t0: string;
	count: number;
	next: string;
	server: Record<string, Column>;
	queues: ({ queueId: number } & Record<string, Column | number>)[];
	shows: ({ showId: number } & Record<string, Column | number>)[];
}

export type Span = 'minutes' | 'hour' | 'day';
interface Reach {
	resolution: 'second' | 'minute';
	seconds: number;
	every: number; // milliseconds between two questions
}
export const SPANS: Record<Span, Reach> = {
	minutes: { resolution: 'second', seconds: 600, every: 2000 },
	hour: { resolution: 'second', seconds: 3600, every: 4000 },
	day: { resolution: 'minute', seconds: 86400, every: 20000 },
};
const NAMED_MAX = 8; // queues and shows in one question
const MINUTE = 60;

// Columns of equal length, by names such as "queue.1.waiting".
export class Points {
	times: number[] = []; // seconds since 1970
	private columns = new Map<string, Column>();

	constructor(
		readonly step: number,
		private reach: number, // seconds that are kept
	) {}

	add(reply: Reply): void {
		const t0 = Math.floor(Date.parse(reply.t0) / 1000);
		const last = this.times.at(-1);
		const skip = last === undefined ? 0 : Math.max(0, Math.round((last + this.step - t0) / this.step));
		const fresh = reply.count - skip;
		if (fresh <= 0) return;
		const told = new Map<string, Column>();
		const take = (prefix: string, columns: Record<string, Column | number>) => {
			for (const [name, values] of Object.entries(columns)) if (Array.isArray(values)) told.set(prefix + name, values);
		};
		take('server.', reply.server);
		for (const queue of reply.queues) take(`queue.${queue.queueId}.`, queue);
		for (const show of reply.shows) take(`show.${show.showId}.`, show);
		const before = this.times.length;
		for (let i = skip; i < reply.count; i++) this.times.push(t0 + i * this.step);
		for (const name of told.keys()) if (!this.columns.has(name)) this.columns.set(name, new Array(before).fill(null));
		for (const [name, column] of this.columns) {
			const values = told.get(name);
			for (let i = skip; i < reply.count; i++) column.push(values?.[i] ?? null);
		}
		this.trim();
	}

	private trim(): void {
		const keep = Math.ceil(this.reach / this.step) + MINUTE;
		const extra = this.times.length - keep;
		if (extra <= 0) return;
		this.times.splice(0, extra);
		for (const column of this.columns.values()) column.splice(0, extra);
	}

	column(name: string): Column {
		return this.columns.get(name) ?? new Array(this.times.length).fill(null);
	}

	last(name: string): number | null {
		const column = this.columns.get(name);
		for (let i = (column?.length ?? 0) - 1; i >= 0; i--) if (column![i] !== null) return column![i]!;
		return null;
	}

	sum(names: string[]): Column {
		if (names.length === 1) return this.column(names[0]!);
		const columns = names.map((name) => this.column(name));
		return this.times.map((_, i) => columns.reduce<number | null>((sum, c) => (c[i] === null ? sum : (sum ?? 0) + c[i]!), null));
	}

	// Of a count that goes up: how much it grew within the last `seconds`, times `scale`. What began anew counts from 0.
	growth(name: string, seconds: number, scale = 1): Column {
		const column = this.column(name);
		const width = Math.max(1, Math.round(seconds / this.step));
		const grown = new Array<number>(column.length).fill(0);
		let previous: number | null = null;
		let total = 0;
		for (let i = 0; i < column.length; i++) {
			const value = column[i]!;
			if (value !== null) {
				if (previous !== null) total += value >= previous ? value - previous : value;
				previous = value;
			}
			grown[i] = total;
		}
		return grown.map((sum, i) => (column[i] === null || i < 1 ? null : (sum - grown[Math.max(0, i - width)]!) * scale));
	}

	// The quotient of two growths: a mean.
	mean(sum: string, count: string, seconds: number): Column {
		const above = this.growth(sum, seconds);
		const below = this.growth(count, seconds);
		return above.map((a, i) => (a === null || !below[i] ? null : a / below[i]!));
	}
}

function merge(replies: Reply[]): Reply {
	const [first] = replies as [Reply];
	return { ...first, queues: replies.flatMap((r) => r.queues), shows: replies.flatMap((r) => r.shows) };
}

function questions(queues: number[], shows: number[]): string[] {
	const out: string[] = [];
	const ids = [...queues.map((id) => ['queueId', id] as const), ...shows.map((id) => ['showId', id] as const)];
	for (let i = 0; i < ids.length || i === 0; i += NAMED_MAX) {
		const part = ids.slice(i, i + NAMED_MAX);
		const of = (kind: string) => part.filter(([k]) => k === kind).map(([, id]) => id);
		const named = [['queueId', of('queueId')] as const, ['showId', of('showId')] as const].filter(([, list]) => list.length);
		out.push(named.map(([name, list]) => `&${name}=${list.join(',')}`).join(''));
	}
	return out;
}

// `n` changes when points came. Nothing is named before the ids are known.
export function useSeries(queues: number[] | null, shows: number[] | null, span: Span): { points: Points; n: number } {
	const reach = SPANS[span];
	const wanted = queues && shows ? JSON.stringify([queues, shows]) : null;
	const points = useRef(new Points(1, reach.seconds));
	const [n, count] = useState(0);
	useEffect(() => {
		const fresh = new Points(reach.resolution === 'second' ? 1 : MINUTE, reach.seconds);
		points.current = fresh;
		count((x) => x + 1);
		if (!wanted) return;
		const [queueIds, showIds] = JSON.parse(wanted) as [number[], number[]];
		let since = new Date(clock.now() - (reach.seconds + MINUTE) * 1000).toISOString();
		return repeat(reach.every, async (signal) => {
			const base = `api/admin/series?resolution=${reach.resolution}&since=${encodeURIComponent(since)}`;
			const replies: Reply[] = [];
			for (const question of questions(queueIds, showIds))
				replies.push(await ask<Reply>('GET', base + question, undefined, signal));
			const reply = merge(replies);
			fresh.add(reply);
			since = reply.next;
			if (reply.count) count((x) => x + 1);
		}).stop;
	}, [wanted, span]);
	return { points: points.current, n };
}
