// The seats as a list, section by section: for who can't use a map, or does not want to.
import { useState } from 'preact/hooks';
import type { Seat } from '../../shared/api.ts';
import { type Plan, pricesOf, type Section } from '../../shared/seatmap/geometry.ts';
import { texts } from '../here.ts';

const SHOWN = 60; // of a section at first, and more with each step

interface Props {
	seats: Seat[];
	plan: Plan;
	chosen: ReadonlySet<number>;
	onToggle: (seat: Seat) => void;
	describe: (seat: Seat, chosen: boolean) => string;
}

export function SeatListView(props: Props) {
	const t = texts.use();
	const [freeOnly, setFreeOnly] = useState(true);
	return (
		<div class="stack">
			<label class="check">
				<input type="checkbox" checked={freeOnly} onChange={(e) => setFreeOnly(e.currentTarget.checked)} />
				{t.text('seats.freeOnly')}
			</label>
			{props.plan.sections.map((section, i) => (
				<SectionList key={section.name} {...props} section={section} freeOnly={freeOnly} open={i === 0} />
			))}
		</div>
	);
}

function SectionList({
	section,
	freeOnly,
	open,
	seats,
	chosen,
	onToggle,
	describe,
}: Props & { section: Section; freeOnly: boolean; open: boolean }) {
	const t = texts.use();
	const [shown, setShown] = useState(SHOWN);
	const [isOpen, setOpen] = useState(open);
	const all = section.seats.map((i) => seats[i]!);
	const free = all.filter((seat) => seat.status === 'AVAILABLE').length;
	const wanted = all.filter((seat) => !freeOnly || seat.status === 'AVAILABLE' || chosen.has(seat.seatNumber));
	// When nothing more is left the button is gone, and the first of the seats that came has the focus.
	const more = (e: { currentTarget: HTMLElement }) => {
		const list = e.currentTarget.previousElementSibling;
		setShown(shown + SHOWN);
		if (wanted.length <= shown + SHOWN)
			setTimeout(() => list?.querySelectorAll<HTMLElement>('.seat-button')[shown]?.focus({ preventScroll: true }));
	};
	return (
		<details class="card section-list" open={isOpen} onToggle={(e) => setOpen(e.currentTarget.open)}>
			<summary>
				<i class={`tier-${(section.tier % 6) + 1}`} aria-hidden="true" />
				<strong dir="auto">{section.name}</strong>
				<span class="number">{t.format.wonRange(pricesOf(section, seats))}</span>
				<span class="soft small">{t.text('seats.free', { count: free })}</span>
			</summary>
			{isOpen ? (
				<>
					<ul class="seat-buttons">
						{wanted.slice(0, shown).map((seat) => (
							<li key={seat.seatNumber}>
								<button
									type="button"
									class={`seat-button ${seat.status === 'AVAILABLE' ? '' : 'gone'}`}
									aria-pressed={chosen.has(seat.seatNumber)}
									aria-disabled={seat.status !== 'AVAILABLE'}
									onClick={() => onToggle(seat)}
								>
									<span class="number" aria-hidden="true">
										{`${seat.seatNumber} ${chosen.has(seat.seatNumber) ? '✓' : seat.status === 'AVAILABLE' ? '' : '✕'}`}
									</span>
									<span class="hidden">{describe(seat, chosen.has(seat.seatNumber))}</span>
								</button>
							</li>
						))}
					</ul>
					{wanted.length > shown ? (
						<button type="button" class="button" onClick={more}>
							{t.text('seats.more')}
						</button>
					) : null}
				</>
			) : null}
		</details>
	);
}
