// Lines of the audit log in the reader's words. What this page does not know is shown as the server says it.
import type { AuditEntry } from './model.ts';
import { form, type Key, texts } from './texts.ts';

const ACTIONS: Record<string, Key> = {
	ADD_CATALOGUE: 'action.ADD_CATALOGUE',
	PATCH_QUEUE: 'action.PATCH_QUEUE',
	PATCH_CONCERT: 'action.PATCH_CONCERT',
	PATCH_SHOW: 'action.PATCH_SHOW',
};
const TARGETS: Record<string, Key> = { queue: 'target.queue', concert: 'target.concert', show: 'target.show' };
const MEMBERS: Record<string, Key> = {
	capacity: 'queue.capacity',
	ratePerSecond: 'queue.rate',
	paused: 'member.paused',
	title: 'concert.title',
	artist: 'concert.artist',
	venue: 'concert.venue',
	salesOpenAt: 'concert.salesOpenAt',
	startsAt: 'show.starts',
	closed: 'member.closed',
	prices: 'price',
	repriced: 'member.repriced',
	pricesKept: 'member.pricesKept',
	queues: 'nav.queues',
	concerts: 'member.concerts',
	shows: 'member.shows',
	firstQueueId: 'member.firstQueueId',
	firstConcertId: 'member.firstConcertId',
	firstShowId: 'member.firstShowId',
};
const INSTANTS = ['salesOpenAt', 'startsAt'];

function priceText(price: unknown): string {
	const { section, price: won } = price as { section: string; price: number };
	return `${section} ${texts.format.won(won)}`;
}

// A change of a value reads as one: 60 → 75.
function valueText(name: string, value: unknown): string {
	if (Array.isArray(value) && name === 'prices') return value.map(priceText).join('; ');
	if (typeof value === 'object' && value !== null && 'from' in value && 'to' in value)
		return `${valueText(name, value.from)} → ${valueText(name, value.to)}`;
	if (value === null) return texts.text('member.none');
	if (typeof value === 'boolean') return texts.text(value ? 'member.yes' : 'member.no');
	if (typeof value === 'number') return name.endsWith('Id') ? String(value) : texts.format.number(value);
	if (typeof value === 'string') return INSTANTS.includes(name) ? form.exact(value) : value;
	return JSON.stringify(value) ?? '';
}

export function detailText(detail: unknown): string {
	if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return valueText('', detail ?? '');
	return Object.entries(detail)
		.map(([name, value]) => `${MEMBERS[name] ? texts.text(MEMBERS[name]) : name}: ${valueText(name, value)}`)
		.join(', ');
}

export function actionText(entry: AuditEntry): string {
	const key = ACTIONS[entry.action];
	return key ? texts.text(key) : entry.action;
}

export function targetText(entry: AuditEntry): string {
	const [, kind, id] = /^(\w+) (\d+)$/.exec(entry.target) ?? [];
	const key = kind ? TARGETS[kind] : undefined;
	if (key && id) return texts.text(key, { id });
	return entry.target === 'catalogue' ? texts.text('target.catalogue') : entry.target;
}
