// Sending a catalogue, once. The API takes it without a key, so what is sent again is added again: when an answer is lost, the page looks what is
// there before anything else is sent.
import { useEffect, useState } from 'preact/hooks';
import { asRefusal, type Concert, type Refusal } from '../shared/api.ts';
import { Cell, useCell } from '../shared/state.ts';
import { addedSince } from './catalogue.ts';
import type { NewIds, ShowFigures, Stats } from './model.ts';
import { repeat } from './poll.ts';
import { ask } from './session.ts';

interface Unanswered {
	doc: unknown;
	before: Set<number>; // the concerts that were there when it was sent
	looks: number; // how often it was looked for, and not found
}

// It stays when one goes to another view and comes back.
const unanswered = new Cell<Unanswered | null>(null);

const LOOKS = 2; // one may come too early: the server may still be at it
const BETWEEN = 3000;
const NEWEST = 10;

export interface Newest {
	title: string;
	shows: ShowFigures[];
}

async function whatIsThere(): Promise<{ concerts: Concert[]; stats: Stats }> {
	const [{ concerts }, stats] = await Promise.all([
		ask<{ concerts: Concert[] }>('GET', 'api/concerts'),
		ask<Stats>('GET', 'api/admin/stats'),
	]);
	return { concerts, stats };
}

export interface Adding {
	busy: boolean;
	looking: boolean;
	absent: Newest[] | null; // what was sent was not added; these are there
	// Sends, and returns the refusal when there is one to be told.
	send(doc: unknown): Promise<Refusal | null>;
}

// `added` is told what was added; `late` is true when that is known by looking.
export function useAdding(added: (ids: NewIds, late: boolean) => void): Adding {
	const open = useCell(unanswered);
	const [busy, setBusy] = useState(false);
	const [absent, setAbsent] = useState<Newest[] | null>(null);
	const looking = open !== null && open.looks < LOOKS;

	// Whether it is there; then it is done with.
	const found = (of: Unanswered, there: { concerts: Concert[]; stats: Stats }): boolean => {
		const ids = addedSince(of.doc, of.before, there.concerts, there.stats);
		if (!ids) return false;
		unanswered.set(null);
		added(ids, true);
		return true;
	};

	useEffect(() => {
		if (!looking) return;
		return repeat(BETWEEN, async () => {
			const there = await whatIsThere();
			const now = unanswered.value;
			if (!now || now.looks >= LOOKS || found(now, there)) return;
			unanswered.set({ ...now, looks: now.looks + 1 });
			if (now.looks + 1 < LOOKS) return;
			const newest = [...there.concerts].sort((a, b) => b.concertId - a.concertId).slice(0, NEWEST);
			setAbsent(
				newest.map(({ concertId, title }) => ({
					title,
					shows: there.stats.shows.filter((show) => show.concertId === concertId),
				})),
			);
		}).stop;
	}, [looking]);

	const send = async (doc: unknown): Promise<Refusal | null> => {
		if (busy || looking) return null;
		setBusy(true);
		setAbsent(null);
		let before: Set<number> | null = null;
		try {
			const there = await whatIsThere();
			// What was not there when it was looked for may have been added since.
			if (open && found(open, there)) return null;
			before = new Set(there.concerts.map(({ concertId }) => concertId));
			const ids = await ask<NewIds>('POST', 'api/admin/catalogue', doc);
			unanswered.set(null);
			added(ids, false);
			return null;
		} catch (e) {
			const refusal = asRefusal(e);
			if (!before || !refusal.unsure) return refusal;
			unanswered.set({ doc, before, looks: 0 });
			return null;
		} finally {
			setBusy(false);
		}
	};
	return { busy, looking, absent, send };
}
