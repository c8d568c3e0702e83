// Looking at something of the server's: once, again when the connection is back, and again from time to time where that is wanted.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asRefusal, type Refusal } from '../shared/api.ts';
import { useCell } from '../shared/state.ts';
import { retried, returns } from './here.ts';

export interface Loaded<T> {
	value: T | null;
	refusal: Refusal | null;
	again: () => void;
	set: (value: T) => void;
}

// `what` names what is looked at: when it changes, the look begins anew. `load` may give undefined for "as before".
export function useLoad<T>(what: string, load: () => Promise<T | undefined>, everyMs = 0): Loaded<T> {
	const [value, setValue] = useState<T | null>(null);
	const [refusal, setRefusal] = useState<Refusal | null>(null);
	const [turn, setTurn] = useState(0);
	const back = useCell(returns);
	const latest = useRef(load);
	latest.current = load;
	const shown = useRef(what);

	useEffect(() => {
		let stopped = false;
		let timer = 0;
		if (shown.current !== what) setValue(null);
		shown.current = what;
		const look = async () => {
			const began = performance.now();
			try {
				const got = document.hidden && everyMs ? undefined : await retried(() => latest.current());
				if (stopped) return;
				if (got !== undefined) setValue(got);
				setRefusal(null);
			} catch (e) {
				if (stopped) return;
				setRefusal(asRefusal(e));
			}
			// Who is slow asks more seldom.
			if (everyMs) timer = setTimeout(look, Math.max(everyMs, (performance.now() - began) * 4));
		};
		void look();
		return () => {
			stopped = true;
			clearTimeout(timer);
		};
	}, [what, turn, back, everyMs]);

	const again = useCallback(() => setTurn((n) => n + 1), []);
	return { value, refusal, again, set: setValue };
}
