// The seat map: a canvas to look at, and for a keyboard and a screen reader a list box that has the seat at hand as its option.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Seat } from '../api.ts';
import { SeatCanvas } from './canvas.ts';
import { type Plan, type Section, seatTowards } from './geometry.ts';

export interface MapTexts {
	name: string; // of the whole map
	stage: string;
	section: (section: Section) => string; // its name and price
	nearer: string;
	farther: string;
	whole: string;
	seat: (seat: Seat, chosen: boolean) => string; // a seat with its state and price
}

export interface SeatMapProps {
	seats: Seat[];
	plan: Plan;
	chosen: ReadonlySet<number>; // seat numbers
	onToggle: (seat: Seat) => void;
	texts: MapTexts;
	reveal?: number; // the number of a seat to bring into view
}

const STEPS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function SeatMap(props: SeatMapProps) {
	const { seats, plan, chosen, texts } = props;
	const canvas = useRef<HTMLCanvasElement>(null);
	const drawing = useRef<SeatCanvas | null>(null);
	const now = useRef(props);
	now.current = props;
	const [cursor, setCursor] = useState(0);
	const [focused, setFocused] = useState(false);
	const [whole, setWhole] = useState(true);

	useEffect(() => {
		const drawn = new SeatCanvas(
			canvas.current!,
			plan,
			() => now.current.texts.stage,
			(section) => now.current.texts.section(section),
			(i) => {
				setCursor(i);
				const seat = now.current.seats[i];
				if (seat) now.current.onToggle(seat);
			},
			setWhole,
		);
		drawing.current = drawn;
		drawn.show(now.current.seats, now.current.chosen, -1, false);
		(canvas.current as HTMLCanvasElement & { drawn?: SeatCanvas }).drawn = drawn; // the tests find seats by it
		return () => drawn.end();
	}, [plan]);

	useEffect(() => drawing.current?.show(seats, chosen, cursor, focused), [seats, chosen, cursor, focused]);

	useEffect(() => {
		const i = props.reveal === undefined ? -1 : now.current.seats.findIndex((seat) => seat.seatNumber === props.reveal);
		if (i < 0) return;
		setCursor(i);
		drawing.current?.reveal(i);
	}, [props.reveal]);

	const go = (i: number) => {
		setCursor(i);
		drawing.current?.reveal(i);
	};
	const onKeyDown = (e: KeyboardEvent) => {
		const step = STEPS[e.key];
		const section = plan.places[cursor]?.section ?? 0;
		if (step) go(seatTowards(plan, cursor, ...step));
		else if (e.key === 'Home') go(0);
		else if (e.key === 'End') go(seats.length - 1);
		else if (e.key === 'PageDown') go(plan.sections[Math.min(section + 1, plan.sections.length - 1)]!.seats[0]!);
		else if (e.key === 'PageUp') go(plan.sections[Math.max(section - 1, 0)]!.seats[0]!);
		else if (e.key === 'Enter' || e.key === ' ') props.onToggle(seats[cursor]!);
		else if (e.key === '+' || e.key === '=') drawing.current?.zoom(1.5);
		else if (e.key === '-') drawing.current?.zoom(1 / 1.5);
		else return;
		e.preventDefault();
	};
	const at = seats[cursor];
	return (
		<div class="seatmap">
			<div
				class="ground"
				role="listbox"
				tabIndex={0}
				aria-label={texts.name}
				aria-multiselectable="true"
				aria-activedescendant={at ? `seat-${at.seatNumber}` : undefined}
				onKeyDown={onKeyDown}
				onFocus={(e) => setFocused((e.currentTarget as HTMLElement).matches(':focus-visible'))}
				onBlur={() => setFocused(false)}
			>
				<canvas ref={canvas} class={whole ? 'whole' : ''} aria-hidden="true" />
				{at ? (
					<div
						key={at.seatNumber}
						id={`seat-${at.seatNumber}`}
						class="hidden"
						role="option"
						tabIndex={-1}
						aria-selected={chosen.has(at.seatNumber)}
						aria-disabled={at.status !== 'AVAILABLE'}
						aria-posinset={cursor + 1}
						aria-setsize={seats.length}
					>
						{texts.seat(at, chosen.has(at.seatNumber))}
					</div>
				) : null}
			</div>
			<div class="zoom">
				<button type="button" class="button" aria-label={texts.nearer} onClick={() => drawing.current?.zoom(1.6)}>
					<span aria-hidden="true">+</span>
				</button>
				<button
					type="button"
					class="button"
					aria-label={texts.farther}
					disabled={whole}
					onClick={() => drawing.current?.zoom(1 / 1.6)}
				>
					<span aria-hidden="true">−</span>
				</button>
				<button
					type="button"
					class="button"
					aria-label={texts.whole}
					disabled={whole}
					onClick={() => drawing.current?.showWhole()}
				>
					<span aria-hidden="true">⤢</span>
				</button>
			</div>
		</div>
	);
}
