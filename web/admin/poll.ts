// Asking again and again: while the view is shown and the page is looked at. A server that is away is asked less often, and the view goes on by
// itself when it is back.
import { useEffect, useRef, useState } from 'preact/hooks';
import { asRefusal, type Refusal } from '../shared/api.ts';
import { Cell } from '../shared/state.ts';
import { askTagged } from './session.ts';

const SLOWEST = 10000;
const FIRST = 2000; // after a failure also what is asked for seldom is asked again soon

// What is asked again and again and is not had just now. `since` is when it was had last, by performance.now(); null: never.
export interface Failing {
	since: number | null;
	refusal: Refusal;
}
const failing = new Map<() => void, Failing>(); // by how it is asked again
// The one that is had no more for the longest, of all that the page asks for.
export const trouble = new Cell<Failing | null>(null);

function tell(again: () => void, now: Failing | null): void {
	if (now) failing.set(again, now);
	// The server is back for one: so it may be for the others.
	else if (failing.delete(again)) for (const other of [...failing.keys()]) other();
	const told = [...failing.values()].filter(({ since, refusal }) => refusal.passing || since !== null);
	const oldest = Math.min(...told.map(({ since }) => since ?? Number.POSITIVE_INFINITY));
	trouble.set(told.find(({ since }) => since === oldest) ?? told[0] ?? null);
}

// Calls `run` now and then every `ms` until told to stop.
export function repeat(ms: number, run: (signal: AbortSignal) => Promise<void>): { again(): void; stop(): void } {
	const stopped = new AbortController();
	let timer: ReturnType<typeof setTimeout> | undefined;
	let busy = false;
	let soon = false;
	let failures = 0;
	let since: number | null = null;
	const once = async () => {
		clearTimeout(timer);
		if (busy) {
			soon = true;
			return;
		}
		busy = true;
		try {
			if (!document.hidden) {
				await run(stopped.signal);
				since = performance.now();
				tell(again, null);
			}
			failures = 0;
		} catch (e) {
			failures++;
			if (!stopped.signal.aborted) tell(again, { since, refusal: asRefusal(e) });
		}
		busy = false;
		if (stopped.signal.aborted) return;
		const later = Math.max(Math.min(ms, FIRST), Math.min(SLOWEST, 1000 * 2 ** (failures - 1)));
		timer = setTimeout(once, soon ? 0 : failures ? later : ms);
		soon = false;
	};
	const again = () => void once();
	const seen = () => {
		if (!document.hidden) void once();
	};
	document.addEventListener('visibilitychange', seen);
	void once();
	return {
		again,
		stop() {
			clearTimeout(timer);
			document.removeEventListener('visibilitychange', seen);
			stopped.abort();
			failing.delete(again);
			tell(again, null);
		},
	};
}

export interface Polled<T> {
	value: T | null;
	refusal: Refusal | null; // of the last time
	again(): void;
}

// Without a path nothing is asked.
export function usePoll<T>(path: string | null, ms: number): Polled<T> {
	const [state, set] = useState<{ path: string | null; value: T | null; refusal: Refusal | null }>({
		path,
		value: null,
		refusal: null,
	});
	const again = useRef(() => {});
	useEffect(() => {
		if (!path) return;
		let etag: string | null = null;
		const polling = repeat(ms, async (signal) => {
			try {
				const answer = await askTagged<T>(path, etag, signal);
				etag = answer.etag;
				set((old) => ({ path, value: answer.value ?? (old.path === path ? old.value : null), refusal: null }));
			} catch (e) {
				if (!signal.aborted) set((old) => ({ path, value: old.path === path ? old.value : null, refusal: asRefusal(e) }));
				throw e;
			}
		});
		again.current = polling.again;
		return polling.stop;
	}, [path, ms]);
	const here = state.path === path;
	return { value: here ? state.value : null, refusal: here ? state.refusal : null, again: () => again.current() };
}
