// Where the seats stand. The API numbers seats and names sections; a plan of the hall it has not. So one is drawn: sections of one price beside each
// other, the next price behind them, rows that bend towards the stage. The same catalogue always gives the same plan.
//
// Units: a seat is 1 wide. y grows away from the stage. Pure.
import type { Seat } from '../api.ts';

export interface Place {
	x: number; // the middle of the seat
	y: number;
	section: number; // index in sections
	row: number; // within the section, 0 next to the stage
}
export interface Section {
	name: string;
	price: number; // of its first seat: where it stands and its colour go by it. What its seats cost now, pricesOf says
	tier: number; // which of the prices, for its colour
	seats: number[]; // indices of the seats
	x: number; // the middle of its label
	y: number;
	left: number;
	right: number;
	top: number;
	bottom: number;
	front: number; // where its first row begins, in the middle
}
export interface Plan {
	places: Place[]; // by index of the seat
	sections: Section[];
	left: number;
	top: number;
	width: number;
	height: number;
	stage: { x: number; y: number; width: number; height: number };
}

const ROW = 1.16;
const AISLE = 1.6; // between sections side by side
export const GAP = 1.3; // between prices
const ACROSS = 4; // sections side by side, at most
const WIDE = 1.7; // how much wider than deep a hall is
const BEND = 0.16;
const STAGE = 2.2;

function sectionsOf(seats: Seat[]): Section[] {
	const byName = new Map<string, Section>();
	const prices: number[] = [];
	seats.forEach((seat, i) => {
		let section = byName.get(seat.section);
		if (!section) {
			if (!prices.includes(seat.price)) prices.push(seat.price);
			const tier = prices.indexOf(seat.price);
			section = {
				name: seat.section,
				price: seat.price,
				tier,
				seats: [],
				x: 0,
				y: 0,
				left: 0,
				right: 0,
				top: 0,
				bottom: 0,
				front: 0,
			};
			byName.set(seat.section, section);
		}
		section.seats.push(i);
	});
	return [...byName.values()];
}

// Sections that stand in one band: neighbours of one price.
function bandsOf(sections: Section[]): Section[][] {
	const bands: Section[][] = [];
	for (const section of sections) {
		const last = bands.at(-1);
		if (last && last.length < ACROSS && last[0]?.price === section.price) last.push(section);
		else bands.push([section]);
	}
	return bands;
}

function bandWidth(total: number, k: number, bands: number): number {
	const middle = Math.sqrt(total * WIDE);
	return Math.max(6, middle * (bands > 1 ? 0.8 + (0.4 * k) / (bands - 1) : 1));
}

export function planOf(seats: Seat[]): Plan {
	const sections = sectionsOf(seats);
	const places: Place[] = new Array(seats.length);
	const bands = bandsOf(sections);
	let y = STAGE + 0.8;
	let widest = 0;
	bands.forEach((band, k) => {
		const width = bandWidth(seats.length, k, bands.length);
		const count = band.reduce((n, section) => n + section.seats.length, 0);
		const room = width - AISLE * (band.length - 1);
		const rows = Math.max(1, Math.round(count / Math.max(1, room)));
		const columns = band.map((section) => Math.ceil(section.seats.length / rows));
		const whole = columns.reduce((a, b) => a + b, 0) + AISLE * (band.length - 1);
		let left = -whole / 2;
		band.forEach((section, s) => {
			placeSection(section, sections.indexOf(section), columns[s]!, left, y, places);
			left += columns[s]! + AISLE;
		});
		widest = Math.max(widest, whole);
		y += rows * ROW + GAP;
	});
	return bend(places, sections, widest, y - GAP);
}

function placeSection(section: Section, index: number, columns: number, left: number, top: number, places: Place[]): void {
	section.seats.forEach((seat, i) => {
		const row = Math.floor(i / columns);
		const inRow = Math.min(columns, section.seats.length - row * columns);
		// A row that is not full stands in the middle.
		const x = left + (columns - inRow) / 2 + (i % columns) + 0.5;
		places[seat] = { x, y: top + row * ROW + ROW / 2, section: index, row };
	});
}

// Bends the rows, and measures.
function bend(places: Place[], sections: Section[], widest: number, depth: number): Plan {
	const half = widest / 2 || 1;
	const lift = BEND * Math.min(half, depth);
	for (const place of places) place.y -= lift * (place.x / half) ** 2;
	const lowest = Math.min(...sections.map((section) => measure(section, places)));
	const width = Math.max(6, widest * 0.46);
	const height = Math.max(STAGE * 0.7, depth * 0.045);
	const top = Math.min(0, lowest - height - 1.4);
	return {
		places,
		sections,
		left: -half - 1,
		top: top - 0.6,
		width: widest + 2,
		height: depth + 1 - (top - 0.6),
		stage: { x: -width / 2, y: top, width, height },
	};
}

function measure(section: Section, places: Place[]): number {
	section.left = section.top = Number.POSITIVE_INFINITY;
	section.right = section.bottom = Number.NEGATIVE_INFINITY;
	for (const seat of section.seats) {
		const { x, y } = places[seat]!;
		section.left = Math.min(section.left, x - 0.5);
		section.right = Math.max(section.right, x + 0.5);
		section.top = Math.min(section.top, y - ROW / 2);
		section.bottom = Math.max(section.bottom, y + ROW / 2);
	}
	section.x = (section.left + section.right) / 2;
	section.y = (section.top + section.bottom) / 2;
	const first = section.seats.map((seat) => places[seat]!).filter((place) => place.row === 0);
	const off = (place: Place) => Math.abs(place.x - section.x);
	section.front = first.reduce((a, b) => (off(b) < off(a) ? b : a)).y - ROW / 2;
	return section.top;
}

// The seat nearest to a point, or -1 when none is within `reach`.
export function seatAt(plan: Plan, x: number, y: number, reach = 0.75): number {
	let best = -1;
	let least = reach * reach;
	for (let i = 0; i < plan.places.length; i++) {
		const place = plan.places[i]!;
		const d = (place.x - x) ** 2 + (place.y - y) ** 2;
		if (d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}

// The seat that one comes to from another by an arrow key; itself when there is none.
export function seatTowards(plan: Plan, from: number, dx: number, dy: number): number {
	const here = plan.places[from];
	if (!here) return from;
	let best = from;
	let least = Number.POSITIVE_INFINITY;
	plan.places.forEach((place, i) => {
		const along = (place.x - here.x) * dx + (place.y - here.y) * dy;
		const aside = Math.abs((place.x - here.x) * dy) + Math.abs((place.y - here.y) * dx);
		if (i === from || along < 0.3 || (dx !== 0 && aside > 1)) return; // sideways one stays in the row
		const d = along + aside * 2.5;
		if (d < least) {
			least = d;
			best = i;
		}
	});
	return best;
}

// What a section's free seats cost: the least and the most. Seats that are held or sold keep the price that they were taken at. Where none is free,
// of all.
export function pricesOf(section: Section, seats: Seat[]): [number, number] {
	const all = section.seats.map((i) => seats[i]!);
	const free = all.filter((seat) => seat.status === 'AVAILABLE');
	const prices = (free.length ? free : all).map((seat) => seat.price);
	// There may be more than a call takes arguments.
	return prices.reduce<[number, number]>(
		([low, high], price) => [Math.min(low, price), Math.max(high, price)],
		[prices[0]!, prices[0]!],
	);
}

// The free seats nearest to one: in its section at its price first, then at its price, then in its section, then anywhere.
export function nearestFree(
	plan: Plan,
	seats: Seat[],
	to: number,
	count: number,
	except: ReadonlySet<number> = new Set(),
): number[] {
	const here = plan.places[to];
	const wish = seats[to];
	if (!here || !wish) return [];
	const far = plan.width + plan.height;
	return seats
		.map((seat, i) => {
			const place = plan.places[i]!;
			const away = Math.hypot(place.x - here.x, place.y - here.y);
			const others = (seat.price === wish.price ? 0 : 2) + (seat.section === wish.section ? 0 : 1);
			return { i, seat, cost: away + others * far };
		})
		.filter(({ i, seat }) => seat.status === 'AVAILABLE' && i !== to && !except.has(seat.seatNumber))
		.sort((a, b) => a.cost - b.cost)
		.slice(0, count)
		.map(({ i }) => i);
}
