// What the page has once: the API, the connection, the texts, who one is.
import { Api, type Concert, Refusal, type Ticket } from '../shared/api.ts';
import { ServerClock } from '../shared/clock.ts';
import { en } from '../shared/i18n/en.ts';
import { Texts } from '../shared/i18n/index.tsx';
import { ko } from '../shared/i18n/ko.ts';
import { Cell, kept } from '../shared/state.ts';
import { signedIn } from './signin.ts';

export const texts = new Texts({ en, ko });

// ---- the connection ----

const PROBE = 2500;

// Counts how often the connection came back, or this device woke up: who shows something of the server's looks again then.
export const lost = new Cell(false);
export const returns = new Cell(0);
let probing = 0;

function heard(answered: boolean): void {
	if (answered === !lost.value) return;
	lost.set(!answered);
	if (answered) {
		clearInterval(probing);
		returns.set(returns.value + 1);
	} else {
		probing = setInterval(probe, PROBE);
	}
}

function probe(): void {
	api.fetch('GET', 'healthz', { ms: PROBE * 2 }).catch(() => {});
}

export const clock = new ServerClock();
export const api = new Api(clock, heard);

addEventListener('offline', () => heard(false));
addEventListener('online', probe);

// ---- waking up ----

const LOOK = 1000;

// Counts how often this device woke up, as far as one can tell: what is shown is old then, and so is the notion of the server's time.
export const wakings = new Cell(0);
let jumps = clock.jumps();

function woken(): void {
	wakings.set(wakings.value + 1);
	returns.set(returns.value + 1);
	probe();
}

function look(): void {
	const now = clock.jumps();
	if (now === jumps) return;
	jumps = now;
	woken();
}

for (const name of ['pageshow', 'focus', 'online']) addEventListener(name, look);
document.addEventListener('visibilitychange', look);
setInterval(look, LOOK);
// A page that the browser had put away, and shows again as it was.
addEventListener('pageshow', (e) => e.persisted && woken());

// ---- who one is ----

// A place in a queue, as this browser remembers it.
export interface Place {
	queueId: number;
	token: string;
	first: number; // how many were ahead at the beginning
}
export interface Me {
	userId: number;
	username: string;
	places: Place[]; // the newest last
}

const ME = 'jari.me';
const PLACES_KEPT = 20;

export const me = new Cell<Me | null>(kept.get<Me>(ME));

// Another tab of this browser may have taken a place.
addEventListener('storage', (e) => {
	if (e.key === ME) me.set(kept.get<Me>(ME));
});

function remember(next: Me | null): void {
	if (next) kept.set(ME, next);
	else kept.drop(ME);
	me.set(next);
}

export function forget(): void {
	remember(null);
}

// Who signs in as somebody else has nothing to do with who was here before.
function compare(): void {
	const sub = signedIn.value?.sub;
	if (sub && me.value && me.value.username !== sub) forget();
}
compare();
signedIn.watch(compare);

export function placeIn(queueId: number): Place | undefined {
	return me.value?.places.find((place) => place.queueId === queueId);
}

// The token that opens the wallet: any of one's own does for a day.
export function anyToken(): string | undefined {
	return me.value?.places.at(-1)?.token;
}

export function dropPlace(token: string): void {
	const now = me.value;
	if (now) remember({ ...now, places: now.places.filter((place) => place.token !== token) });
}

// How one says who one is: with a name, or with the token of the organiser's sign-in.
export type Who = { username: string } | { token: string };

export async function takePlace(concert: Concert, who: Who): Promise<Ticket> {
	const concertId = concert.concertId;
	const ask = 'token' in who ? { token: who.token, body: { concertId } } : { body: { username: who.username, concertId } };
	const ticket = (await retried(() => api.ask<Ticket>('POST', 'api/getToken', ask))).value;
	const before = me.value?.userId === ticket.userId ? me.value.places : [];
	const old = before.find((place) => place.token === ticket.token);
	const place = { queueId: ticket.queueId, token: ticket.token, first: Math.max(old?.first ?? 0, ticket.ahead) };
	const others = before.filter((p) => p.queueId !== ticket.queueId).slice(-PLACES_KEPT);
	remember({ userId: ticket.userId, username: ticket.username, places: [...others, place] });
	return ticket;
}

// ---- trying again ----

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const TRIES = 4;

// Sends until it is answered with success, or a refusal has no pause after which it is worth another try.
async function repeated<T>(send: () => Promise<T>, pauseAfter: (refusal: Refusal, n: number) => number | null): Promise<T> {
	for (let n = 1; ; n++) {
		try {
			return await send();
		} catch (e) {
			const pause = e instanceof Refusal ? pauseAfter(e, n) : null;
			if (pause === null) throw e;
			await sleep(pause);
		}
	}
}

// Sends what may be sent again (a GET, or a request with a key) some times, while what is wrong is only the moment.
export function retried<T>(send: () => Promise<T>): Promise<T> {
	return repeated(send, (refusal, n) =>
		refusal.passing && n < TRIES
			? Math.min(5000, (refusal.retryAfter ?? 0.4 * 2 ** n) * 1000) * (0.8 + Math.random() * 0.4)
			: null,
	);
}

const EARLY_TRIES = 6;
const EARLY_PAUSE = 250;

// Sends what the server takes only once sales are open. A page's notion of the server's time may be early by up to a second: who presses as the
// countdown ends is not told that sales have not opened, it is sent again.
export function onceOpen<T>(send: () => Promise<T>): Promise<T> {
	return repeated(send, (refusal, n) => {
		const wasPutOff = Date.parse(refusal.members.salesOpenAt ?? '') > clock.now();
		return refusal.code === 'SALES_NOT_OPEN' && !wasPutOff && n < EARLY_TRIES ? EARLY_PAUSE : null;
	});
}
