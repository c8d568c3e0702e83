// The HTTP API: what it answers, and one way to ask it. Tokens travel in a header alone.
import type { ServerClock } from './clock.ts';

export type TicketStatus = 'WAITING' | 'ACTIVE' | 'EXPIRED';
export interface Ticket {
	token: string;
	userId: number;
	username: string;
	queueId: number;
	number: number;
	status: TicketStatus;
	reason: 'PAID' | 'TIMED_OUT' | 'LEFT' | 'ABANDONED' | null;
	position: number;
	ahead: number;
	etaSeconds: number | null;
	retryAfterSeconds: number;
	issuedAt: string;
	expiresAt: string | null;
	queuePaused?: boolean;
}
export interface SignIn {
	auth: 'name' | 'jwt';
}
export interface Concert {
	concertId: number;
	title: string;
	artist: string;
	venue: string;
	queueId: number;
	salesOpenAt: string | null;
}
export interface Show {
	date: string;
	showId: number;
	startsAt: string;
	totalSeats: number;
	availableSeats: number;
	closed: boolean;
}
export type SeatStatus = 'AVAILABLE' | 'HELD' | 'SOLD';
export interface Seat {
	seatNumber: number;
	section: string;
	price: number;
	status: SeatStatus;
}
export interface Seats {
	concertId: number;
	showId: number;
	date: string;
	startsAt: string;
	version: number;
	closed: boolean;
	seats: Seat[];
}
export interface SeatStatuses {
	date: string;
	startsAt: string;
	version: number;
	closed: boolean;
	statuses: string; // a letter for each seat: A, H, S
}
export interface Reservation {
	reservationId: number;
	userId: number;
	concertId: number;
	showId: number;
	date: string;
	startsAt: string;
	seatNumbers: number[];
	totalPrice: number;
	status: 'HELD' | 'PAID' | 'EXPIRED' | 'CANCELLED' | 'REFUNDED';
	heldUntil: string | null;
	createdAt: string;
	paidAt: string | null;
}
export interface Payment {
	paymentId: number;
	reservationId: number;
	amount: number;
	balance: number;
	paidAt: string;
	seatNumbers: number[];
}
export interface History {
	historyId: number;
	type: 'CHARGE' | 'PAYMENT' | 'REFUND';
	amount: number;
	balanceAfter: number;
	reservationId: number | null;
	createdAt: string;
}

// Every code of the contract. The catalogues have a sentence for each.
export const CODES = [
	'INVALID_REQUEST',
	'TOKEN_REQUIRED',
	'TOKEN_INVALID',
	'INSUFFICIENT_BALANCE',
	'NOT_ADMITTED',
	'WRONG_QUEUE',
	'SALES_CLOSED',
	'SALES_NOT_OPEN',
	'NOT_FOUND',
	'CONCERT_NOT_FOUND',
	'SHOW_NOT_FOUND',
	'SEAT_NOT_FOUND',
	'USER_NOT_FOUND',
	'RESERVATION_NOT_FOUND',
	'METHOD_NOT_ALLOWED',
	'BODY_TOO_LARGE',
	'UNSUPPORTED_MEDIA_TYPE',
	'HEADERS_TOO_LARGE',
	'NOT_IMPLEMENTED',
	'SEAT_TAKEN',
	'ALREADY_YOURS',
	'LIMIT_EXCEEDED',
	'ALREADY_PAID',
	'AMOUNT_MISMATCH',
	'NOT_HELD',
	'AMBIGUOUS_DATE',
	'BALANCE_LIMIT',
	'HOLD_EXPIRED',
	'IDEMPOTENCY_KEY_REUSED',
	'RATE_LIMITED',
	'OVERLOADED',
	'STOPPING',
	'STORE_UNAVAILABLE',
] as const;
// And three of the page's own: no answer came; something between here and the server failed and answered in its place; an answer that is none of
// Jari's.
export type Code = (typeof CODES)[number] | 'NO_ANSWER' | 'GATEWAY' | 'UNKNOWN';

// What a refusal brings besides its code.
export interface ProblemMembers {
	conflicts?: number[];
	balance?: number;
	required?: number;
	reservationId?: number;
	salesOpenAt?: string;
	limit?: number;
	ticketStatus?: TicketStatus;
	position?: number;
}

export class Refusal extends Error {
	constructor(
		public code: Code,
		public status: number,
		public members: ProblemMembers = {},
		public retryAfter: number | null = null, // seconds
	) {
		super(code);
	}

	// The same request may succeed in a moment: nothing is wrong with it.
	get passing(): boolean {
		const { status } = this;
		return this.code === 'NO_ANSWER' || status === 429 || (status >= 500 && status !== 501);
	}

	// Nobody knows here whether it was done: no answer came, or none of Jari's, or the store was lost while it was being written. Every other refusal says
	// that it was not.
	get unsure(): boolean {
		return this.code === 'NO_ANSWER' || this.code === 'GATEWAY' || this.code === 'STORE_UNAVAILABLE';
	}
}

export interface Ask {
	token?: string;
	body?: unknown;
	key?: string; // Idempotency-Key
	etag?: string;
	signal?: AbortSignal;
	ms?: number; // how long to wait for the answer
}
export interface Answer<T> {
	status: number;
	value: T; // undefined with 204 and 304
	etag: string | null;
	replayed: boolean; // an answer that was given before: what it says was so then
}

const PATIENCE = 15000;

// The scripts lie in assets/, the API beside it: so the page also works where a proxy adds a path.
const root = new URL(/* @vite-ignore */ '../', import.meta.url);

export class Api {
	// `heard` is told after each request whether the server answered.
	constructor(
		readonly clock: ServerClock,
		private heard: (answered: boolean) => void = () => {},
	) {}

	// The bare request; throws a Refusal for NO_ANSWER and for every error status.
	async fetch(method: string, path: string, ask: Ask = {}, accept = 'application/json'): Promise<Response> {
		const headers: Record<string, string> = { Accept: accept };
		if (ask.token) headers.Authorization = `Bearer ${ask.token}`;
		if (ask.body !== undefined) headers['Content-Type'] = 'application/json';
		if (ask.key) headers['Idempotency-Key'] = ask.key;
		if (ask.etag) headers['If-None-Match'] = ask.etag;
		const patience = new AbortController();
		const timer = setTimeout(() => patience.abort(), ask.ms ?? PATIENCE);
		const give_up = () => patience.abort();
		ask.signal?.addEventListener('abort', give_up);
		const sent = this.clock.localNow();
		let response: Response;
		try {
			response = await fetch(new URL(path, root), {
				method,
				headers,
				body: ask.body === undefined ? undefined : JSON.stringify(ask.body),
				signal: patience.signal,
				cache: 'no-store',
				credentials: 'same-origin',
				redirect: 'error',
			});
		} catch {
			if (!ask.signal?.aborted) this.heard(false);
			throw new Refusal('NO_ANSWER', 0);
		} finally {
			clearTimeout(timer);
		}
		this.clock.observe(response.headers.get('Date'), sent, this.clock.localNow());
		this.heard(true);
		if (response.status >= 400) throw await refusalOf(response);
		return response;
	}

	async ask<T>(method: string, path: string, ask: Ask = {}): Promise<Answer<T>> {
		const response = await this.fetch(method, path, ask);
		let value: unknown;
		if (response.status !== 204 && response.status !== 304) {
			try {
				value = await response.json();
			} catch {
				throw new Refusal('NO_ANSWER', 0); // it broke off
			}
		}
		const replayed = response.headers.get('Idempotent-Replayed') === 'true';
		return { status: response.status, value: value as T, etag: response.headers.get('ETag'), replayed };
	}

	async get<T>(path: string, ask: Ask = {}): Promise<T> {
		return (await this.ask<T>('GET', path, ask)).value;
	}
}

function isCode(code: unknown): code is Code {
	return (CODES as readonly unknown[]).includes(code);
}

// What a proxy means by its own answer. One that gave up waiting does not know whether the server went on.
function othersCode(status: number): Code {
	return status === 429 ? 'RATE_LIMITED' : status >= 500 ? 'GATEWAY' : 'UNKNOWN';
}

async function refusalOf(response: Response): Promise<Refusal> {
	const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
	let problem: Record<string, unknown> = {};
	try {
		problem = await response.json();
	} catch {
		// not one of Jari's: a proxy's page, perhaps
	}
	const code = isCode(problem.code) ? problem.code : othersCode(response.status);
	return new Refusal(code, response.status, problem as ProblemMembers, Number.isFinite(seconds) ? seconds : null);
}

export function asRefusal(e: unknown): Refusal {
	if (e instanceof Refusal) return e;
	console.error(e);
	return new Refusal('UNKNOWN', 0);
}
