// A catalogue as a form fills it and as a file brings it: made, checked as far as the page can, and the places that the server names found again. Pure.
import type { Concert, Seat } from '../shared/api.ts';
import { withOffset } from './instants.ts';
import type { NewIds, Stats } from './model.ts';
import type { Key } from './texts.ts';

export interface SectionFields {
	section: string;
	from: string;
	to: string;
	price: string;
}
export interface ConcertFields {
	title: string;
	artist: string;
	venue: string;
	queue: string; // '' the default queue, NEW_QUEUE a new one, else a name behind NAMED
	queueName: string;
	queueCapacity: string;
	offset: string;
	salesOpenAt: string;
	dates: string[];
	sections: SectionFields[];
}
export interface SeatsEntry {
	section: string;
	from: number;
	to: number;
	price: number;
}
export interface Catalogue {
	queues?: { name: string; capacity: number }[];
	concerts: {
		title: string;
		artist: string;
		venue: string;
		queue?: string;
		salesOpenAt?: string;
		shows: { startsAt: string; seats: SeatsEntry[] }[];
	}[];
}
export interface Wrong {
	key: Key;
	values?: Record<string, number>;
}

export const NEW_QUEUE = 'new';
export const NAMED = 'name:';
export const SEATS_MAX = 100_000;
export const FILE_MAX = 1 << 20;
const NUMBER_MAX = 1_000_000_000;
const CAPACITY_MAX = 10_000_000;

function whole(text: string): number {
	return /^\d{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN;
}

// The fields that are wrong, by the id of the field, in the order in which they stand.
export function check(fields: ConcertFields): Map<string, Wrong> {
	const wrong = new Map<string, Wrong>();
	const range = (id: string, text: string, low: number, high: number) => {
		const n = whole(text);
		if (!(n >= low && n <= high)) wrong.set(id, { key: 'wrong.range', values: { low, high } });
		return n;
	};
	for (const name of ['title', 'artist', 'venue'] as const) if (!fields[name].trim()) wrong.set(name, { key: 'wrong.empty' });
	fields.dates.forEach((date, i) => {
		if (!date) wrong.set(`date-${i}`, { key: 'wrong.instant' });
	});
	if (fields.queue === NEW_QUEUE) {
		if (!fields.queueName.trim()) wrong.set('queueName', { key: 'wrong.empty' });
		range('queueCapacity', fields.queueCapacity, 1, CAPACITY_MAX);
	}
	const taken: [number, number][] = [];
	let seats = 0;
	fields.sections.forEach((section, i) => {
		if (!section.section.trim()) wrong.set(`section-${i}`, { key: 'wrong.empty' });
		const from = range(`from-${i}`, section.from, 1, NUMBER_MAX);
		const to = range(`to-${i}`, section.to, Number.isNaN(from) ? 1 : from, NUMBER_MAX);
		range(`price-${i}`, section.price, 0, NUMBER_MAX);
		if (!(from <= to)) return;
		seats += to - from + 1;
		if (seats > SEATS_MAX) wrong.set(`to-${i}`, { key: 'wrong.seats', values: { n: SEATS_MAX } });
		if (taken.some(([a, b]) => from <= b && a <= to)) wrong.set(`from-${i}`, { key: 'wrong.twice' });
		taken.push([from, to]);
	});
	return wrong;
}

export function documentOf(fields: ConcertFields): Catalogue {
	const seats = fields.sections.map((s) => ({
		section: s.section.trim(),
		from: whole(s.from),
		to: whole(s.to),
		price: whole(s.price),
	}));
	const queue =
		fields.queue === NEW_QUEUE
			? fields.queueName.trim()
			: fields.queue.startsWith(NAMED)
				? fields.queue.slice(NAMED.length)
				: undefined;
	return {
		...(fields.queue === NEW_QUEUE ? { queues: [{ name: fields.queueName.trim(), capacity: whole(fields.queueCapacity) }] } : {}),
		concerts: [
			{
				title: fields.title.trim(),
				artist: fields.artist.trim(),
				venue: fields.venue.trim(),
				...(queue !== undefined ? { queue } : {}),
				...(fields.salesOpenAt ? { salesOpenAt: withOffset(fields.salesOpenAt, fields.offset) } : {}),
				shows: fields.dates.map((date) => ({ startsAt: withOffset(date, fields.offset), seats })),
			},
		],
	};
}

// `"concerts[0].title" must be …` taken apart.
export function placeOf(detail: string): { place: string; says: string } {
	const [, place = '', says = detail] = /^"([\w.[\]]{1,120})" (.*)$/s.exec(detail) ?? [];
	return { place, says };
}

// The field of the form that a place of the document came from.
export function fieldOf(place: string, sections: number): string | null {
	const seat = /^concerts\[0\]\.shows\[\d+\]\.seats\[(\d+)\]\.(section|from|to|price)$/.exec(place);
	if (seat) return Number(seat[1]) < sections ? `${seat[2]}-${seat[1]}` : null;
	const date = /^concerts\[0\]\.shows\[(\d+)\]\.startsAt$/.exec(place);
	if (date) return `date-${date[1]}`;
	if (/^concerts\[0\]\.shows(\[\d+\]\.seats)?$/.test(place)) return 'from-0';
	const names: Record<string, string> = {
		'queues[0].name': 'queueName',
		'queues[0].capacity': 'queueCapacity',
		'concerts[0].queue': 'queue',
		'concerts[0].title': 'title',
		'concerts[0].artist': 'artist',
		'concerts[0].venue': 'venue',
		'concerts[0].salesOpenAt': 'salesOpenAt',
	};
	return names[place] ?? null;
}

// The seats that entries make, all free, for a preview: as far as they make sense, the first 100 000.
export function previewOf(entries: SeatsEntry[]): Seat[] {
	const seats = new Map<number, Seat>();
	for (const { section, from, to, price } of entries) {
		if (!(from >= 1 && from <= to && to <= NUMBER_MAX)) continue;
		for (let n = from; n <= to && seats.size < SEATS_MAX; n++)
			seats.set(n, { seatNumber: n, section: section || '?', price: Math.max(0, price) || 0, status: 'AVAILABLE' });
	}
	return [...seats.values()].sort((a, b) => a.seatNumber - b.seatNumber);
}

export function entriesOf(fields: ConcertFields): SeatsEntry[] {
	return fields.sections.map((s) => ({ section: s.section.trim(), from: whole(s.from), to: whole(s.to), price: whole(s.price) }));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown, name: string): unknown[] =>
	isObject(value) && Array.isArray(value[name]) ? (value[name] as unknown[]) : [];

export interface Summary {
	queues: number;
	concerts: { title: string; shows: number; seats: number }[];
	preview: Seat[]; // of the first show
}

// What a file has, as far as it can be read. The server decides whether it is right.
export function summaryOf(doc: unknown): Summary {
	const entry = (value: unknown): SeatsEntry => {
		const seat = isObject(value) ? value : {};
		const number = (name: string) => (typeof seat[name] === 'number' ? (seat[name] as number) : Number.NaN);
		return { section: String(seat.section ?? ''), from: number('from'), to: number('to'), price: number('price') };
	};
	const seatCount = (show: unknown) =>
		listOf(show, 'seats').length
			? listOf(show, 'seats').reduce<number>((n, s) => n + Math.max(0, entry(s).to - entry(s).from + 1 || 0), 0)
			: 50;
	const concerts = listOf(doc, 'concerts');
	const first = listOf(concerts[0], 'shows')[0];
	return {
		queues: listOf(doc, 'queues').length,
		concerts: concerts.map((concert) => ({
			title: isObject(concert) ? String(concert.title ?? '') : '',
			shows: listOf(concert, 'shows').length,
			seats: listOf(concert, 'shows').reduce<number>((n, show) => n + seatCount(show), 0),
		})),
		preview: previewOf(listOf(first, 'seats').map(entry)),
	};
}

// What a document has added, when all of it is there that was not there before: known by titles, names and the instants of the shows. Null: it is not
// there. What has no concert is known by the names of its queues, of which no two are the same.
export function addedSince(doc: unknown, before: ReadonlySet<number>, concerts: Concert[], stats: Stats): NewIds | null {
	const text = (value: unknown) => String(value ?? '').trim();
	const sameText = (member: 'title' | 'artist' | 'venue', wanted: unknown, concert: Concert) =>
		isObject(wanted) && text(wanted[member]) === concert[member].trim();
	const instants = (shows: unknown[]) =>
		shows
			.map((show) => (isObject(show) ? Date.parse(text(show.startsAt)) : Number.NaN))
			.sort((a, b) => a - b)
			.join();
	const showsOf = (id: number) => stats.shows.filter((show) => show.concertId === id);
	const fresh = concerts.filter(({ concertId }) => !before.has(concertId));
	const ids: NewIds = { queueIds: [], concertIds: [], showIds: [] };
	for (const wanted of listOf(doc, 'concerts')) {
		const found = fresh.find(
			(concert) =>
				!ids.concertIds.includes(concert.concertId) &&
				(['title', 'artist', 'venue'] as const).every((member) => sameText(member, wanted, concert)) &&
				instants(listOf(wanted, 'shows')) === instants(showsOf(concert.concertId)),
		);
		if (!found) return null;
		ids.concertIds.push(found.concertId);
		ids.showIds.push(...showsOf(found.concertId).map(({ showId }) => showId));
	}
	for (const wanted of listOf(doc, 'queues')) {
		const found = stats.queues.find(({ name }) => isObject(wanted) && text(wanted.name) === name.trim());
		if (!found) return null;
		ids.queueIds.push(found.queueId);
	}
	return ids.concertIds.length || ids.queueIds.length ? ids : null;
}

// The part of a document that a place names, written out with the member that is wrong: the innermost object around it.
export function excerptOf(doc: unknown, place: string): { line: string; wrong: boolean }[] {
	const steps = place.split(/[.[\]]+/).filter(Boolean);
	let around: unknown = doc;
	let parent: unknown = doc;
	for (const step of steps) {
		parent = around;
		around = isObject(around) ? around[step] : Array.isArray(around) ? around[Number(step)] : undefined;
	}
	const member = steps.at(-1) ?? '';
	if (!isObject(parent)) return [];
	const short = (value: unknown) => {
		const text = JSON.stringify(value) ?? '';
		return text.length > 100 ? `${text.slice(0, 100)}…` : text;
	};
	const lines = Object.entries(parent).map(([name, value]) => ({
		line: `${JSON.stringify(name)}: ${short(value)}`,
		wrong: name === member,
	}));
	if (!(member in parent)) lines.push({ line: `${JSON.stringify(member)}: …`, wrong: true });
	return lines;
}
