// Looking at something of the server's: once, again when the connection is back, and again from time to time where that is wanted.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asRefusal, type Refusal } from '../shared/api.ts';
import { useCell } from '../shared/state.ts';
import { retried, returns } from './here.ts';

const SPREAD = 0.4;

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
	const latest = useRef({ load, everyMs });
	latest.current = { load, everyMs };
	const polls = everyMs > 0;
	const shown = useRef(what);
	const has = useRef(false);

	useEffect(() => {
		let stopped = false;
		let timer = 0;
		let looked = 0;
		let looking = false;
		if (shown.current !== what) {
			setValue(null);
			has.current = false;
		}
		shown.current = what;
		const look = async () => {
			looking = true;
			const began = performance.now();
			try {
				// What nobody looks at stays as it is.
				if (!(document.hidden && polls && has.current)) {
					looked = began;
					const got = await retried(() => latest.current.load());
					if (stopped) return;
					has.current = true;
					if (got !== undefined) setValue(got);
				}
				setRefusal(null);
			} catch (e) {
				if (stopped) return;
				setRefusal(asRefusal(e));
			}
			looking = false;
			// Who is slow asks more seldom. And not all at once who began at once, as when a server was away for a moment.
			const pause = latest.current.everyMs * (1 + SPREAD * (Math.random() - 0.5));
			if (polls) timer = setTimeout(look, Math.max(pause, (performance.now() - began) * 4));
		};
		// Who comes back to a page that was not looked at does not see what is old for a whole pause.
		const seen = () => {
			if (document.hidden || looking || !polls || performance.now() - looked < latest.current.everyMs) return;
			clearTimeout(timer);
			void look();
		};
		document.addEventListener('visibilitychange', seen);
		void look();
		return () => {
			stopped = true;
			clearTimeout(timer);
			document.removeEventListener('visibilitychange', seen);
		};
	}, [what, turn, back, polls]);

	const again = useCallback(() => setTurn((n) => n + 1), []);
	return { value, refusal, again, set: setValue };
}
