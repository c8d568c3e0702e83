// Charging and paying, so that a lost answer never costs twice: the key of what was asked is kept until its answer is known, and is used again.
//
// The server knows a key for 24 hours. What was sent before that and never answered is not sent again: it would be done a second time.
import { type Payment, Refusal, type Reservation } from '../shared/api.ts';
import { Cell, kept, newKey } from '../shared/state.ts';
import { anyToken, api, clock, me, retried } from './here.ts';

// What was sent, and whose answer was lost or is still on its way.
interface Sent {
	userId: number;
	key: string;
	at: number; // when it was sent first, by the server's clock
}
interface Charge extends Sent {
	amount: number;
}

export const CHARGE_MOST = 1_000_000_000; // in one step
const CHARGE = 'jari.charge';
const PAY = 'jari.pay.';
const KEY_LIFE = 23 * 3600_000; // an hour less than the server knows it: a request may be long on its way

const payName = (id: number) => `${PAY}${id}`;
// Nobody remembers its key: to send it would be to do it anew.
export const isOld = (sent: Sent) => !(clock.now() - sent.at < KEY_LIFE);
const isMine = (sent: Sent) => sent.userId === me.value?.userId;

// A charge of this person whose answer is not known.
export const pendingCharge = new Cell<Charge | null>(null);

function showPending(): void {
	const left = kept.get<Charge>(CHARGE);
	pendingCharge.set(left && isMine(left) ? left : null);
}

// For who has looked what became of it.
export function forgetPending(): void {
	kept.drop(CHARGE);
	showPending();
}

// What somebody else left in this browser is neither shown nor sent, and does not stay.
function sweep(): void {
	const left = kept.get<Charge>(CHARGE);
	if (left && !isMine(left)) kept.drop(CHARGE);
	showPending();
	for (const name of kept.names(PAY)) {
		const payment = kept.get<Sent>(name);
		if (!payment || !isMine(payment) || isOld(payment)) kept.drop(name);
	}
}
sweep();
me.watch(sweep);

// Another tab of this browser may have had the answer.
addEventListener('storage', (e) => {
	if (e.key === CHARGE && e.newValue === null) showPending();
});

// Sends what has a key of its own. `sentBefore`: it was sent before, and its answer was lost; then a refusal does not say what became of it.
// `keep` is told whether it must be remembered.
async function send<T>(sentBefore: boolean, keep: (open: boolean) => void, ask: () => Promise<T>): Promise<T> {
	let unsure = sentBefore;
	keep(true); // the page may be closed at any moment
	try {
		const answer = await retried(async () => {
			try {
				return await ask();
			} catch (e) {
				unsure ||= e instanceof Refusal && e.unsure;
				throw e;
			}
		});
		keep(false);
		return answer;
	} catch (e) {
		// Who is not known any more is refused before it is looked what was sent.
		const open = unsure && e instanceof Refusal && (e.passing || e.status === 401);
		keep(open);
		throw open && e.passing && !e.unsure ? new Refusal('NO_ANSWER', 0) : e;
	}
}

// Sends what is pending, or a new charge. The balance after it, or null where that is not known.
export async function charge(amount: number): Promise<number | null> {
	const userId = me.value!.userId;
	const old = kept.get<Charge>(CHARGE);
	const pending = old && isMine(old) && old.amount === amount && !isOld(old) ? old : null;
	const sent = pending ?? { userId, amount, key: newKey(), at: clock.now() };
	const ask = { token: anyToken(), key: sent.key, body: { amount } };
	const keep = (open: boolean) => {
		if (me.value?.userId !== userId) return;
		if (open) kept.set(CHARGE, sent);
		else kept.drop(CHARGE);
	};
	const post = () => api.ask<{ balance: number }>('POST', `api/${userId}/charge`, ask);
	const answer = await send(!!pending, keep, post).finally(showPending);
	if (!answer.replayed) return answer.value.balance;
	// That is the balance of when it was charged.
	return retried(() => api.get<{ balance: number }>(`api/${userId}`, { token: ask.token })).then(
		(user) => user.balance,
		() => null,
	);
}

export async function pay(reservation: Reservation): Promise<Payment> {
	const userId = me.value!.userId;
	const name = payName(reservation.reservationId);
	const old = kept.get<Sent>(name);
	const pending = old && isMine(old) && !isOld(old) ? old : null;
	const sent = pending ?? { userId, key: newKey(), at: clock.now() };
	const ask = { token: anyToken(), key: sent.key, body: { amount: reservation.totalPrice } };
	const keep = (open: boolean) => {
		if (open && me.value?.userId === userId) kept.set(name, sent);
		else kept.drop(name);
	};
	return (await send(!!pending, keep, () => api.ask<Payment>('POST', `api/${reservation.reservationId}/payment`, ask))).value;
}
