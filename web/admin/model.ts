// What the organiser's routes answer.
import type { Concert, Seat, SeatStatus } from '../shared/api.ts';

export interface Queue {
	queueId: number;
	name: string;
	capacity: number;
	ratePerSecond: number;
	paused: boolean;
	waiting: number;
	active: number;
	admitted: number;
	lastNumber: number;
}
export interface ShowFigures {
	showId: number;
	concertId: number;
	title: string;
	date: string;
	startsAt: string;
	closed: boolean;
	totalSeats: number;
	available: number;
	held: number;
	sold: number;
	revenue: number;
}
export interface Stats {
	queues: Queue[];
	shows: ShowFigures[];
}
export interface Section {
	section: string;
	totalSeats: number;
	available: number;
	held: number;
	sold: number;
	revenue: number;
	lowestPrice: number;
	highestPrice: number;
	numbers?: [number, number][];
	states?: string;
	priceRuns?: [number, number][];
}
export interface Hall {
	showId: number;
	concertId: number;
	date: string;
	startsAt: string;
	closed: boolean;
	version: number;
	totalSeats: number;
	available: number;
	held: number;
	sold: number;
	revenue: number;
	sections: Section[];
}
export interface OrganiserConcert extends Concert {
	shows: Hall[];
}
export interface AuditEntry {
	auditId: number;
	at: string;
	actor: string;
	action: string;
	target: string;
	detail: unknown;
}
export interface AuditLog {
	entries: AuditEntry[];
	nextBefore: number | null;
}
export interface NewIds {
	queueIds: number[];
	concertIds: number[];
	showIds: number[];
}

const STATES: Record<string, SeatStatus> = { A: 'AVAILABLE', H: 'HELD', S: 'SOLD' };

// The seats of a hall in the order of their numbers, as the map wants them.
export function seatsOf(hall: Hall): Seat[] {
	const seats: Seat[] = [];
	for (const section of hall.sections) {
		const prices = (section.priceRuns ?? []).map(([count, price]) => ({ count, price }));
		let i = 0;
		for (const [from, to] of section.numbers ?? [])
			for (let n = from; n <= to; n++, i++) {
				while (prices[0]?.count === 0) prices.shift();
				const run = prices[0];
				if (run) run.count--;
				seats.push({
					seatNumber: n,
					section: section.section,
					price: run?.price ?? section.lowestPrice,
					status: STATES[section.states?.[i] ?? 'A'] ?? 'AVAILABLE',
				});
			}
	}
	return seats.sort((a, b) => a.seatNumber - b.seatNumber);
}

export interface Total {
	seats: number;
	sold: number;
	held: number;
	available: number;
	revenue: number;
}
export function totalOf(shows: ShowFigures[]): Total {
	const total = { seats: 0, sold: 0, held: 0, available: 0, revenue: 0 };
	for (const show of shows) {
		total.seats += show.totalSeats;
		total.sold += show.sold;
		total.held += show.held;
		total.available += show.available;
		total.revenue += show.revenue;
	}
	return total;
}
