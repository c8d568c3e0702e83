// What a change of a queue will do, from what is known now. The server decides; these sentences say what to expect. Pure.
import type { Queue } from './model.ts';
import type { AdminTexts } from './texts.ts';

export interface Change {
	capacity?: number;
	ratePerSecond?: number;
	paused?: boolean;
}

// How many are let in when the queue is like this, and whether the rate spreads them.
function admitting(queue: Queue): number {
	return queue.paused ? 0 : Math.min(queue.waiting, Math.max(0, queue.capacity - queue.active));
}

export function effectsOf(t: AdminTexts, now: Queue, change: Change): string[] {
	const next: Queue = { ...now, ...change };
	const says: string[] = [];
	if (change.paused === true) {
		says.push(t.text('effect.pause'));
		says.push(t.text('effect.pause.inside', { inside: now.active, waiting: now.waiting }));
		return says;
	}
	if (change.paused === false) says.push(t.text('effect.resume'));
	if (change.capacity !== undefined) says.push(t.text('effect.capacity', { from: now.capacity, to: next.capacity }));
	if (change.ratePerSecond !== undefined)
		says.push(next.ratePerSecond === 0 ? t.text('effect.rate.none') : t.text('effect.rate', { n: next.ratePerSecond }));
	const enter = admitting(next);
	if (next.paused) says.push(t.text('effect.stays_paused'));
	else if (next.active > next.capacity) says.push(t.text('effect.too_many', { count: next.active - next.capacity }));
	else if (enter === 0) says.push(t.text(next.waiting === 0 ? 'effect.nobody_waits' : 'effect.no_room'));
	else if (next.ratePerSecond > 0 && enter > next.ratePerSecond)
		says.push(
			t.text('effect.enter_slowly', { count: enter, rate: next.ratePerSecond, seconds: Math.ceil(enter / next.ratePerSecond) }),
		);
	else says.push(t.text('effect.enter', { count: enter }));
	return says;
}
