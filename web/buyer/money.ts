// Charging and paying, so that a lost answer never costs twice: the key of what was asked is kept until its answer is known, and is used again.
import { type Payment, Refusal, type Reservation } from '../shared/api.ts';
import { Cell, kept, newKey } from '../shared/state.ts';
import { anyToken, api, me, retried } from './here.ts';

interface Pending {
	userId: number;
	amount: number;
	key: string;
}

const CHARGE = 'jari.charge';
const payKey = (id: number) => `jari.pay.${id}`;

// A charge whose answer is not known.
export const pendingCharge = new Cell<Pending | null>(kept.get<Pending>(CHARGE));

function setPending(pending: Pending | null): void {
	if (pending) kept.set(CHARGE, pending);
	else kept.drop(CHARGE);
	pendingCharge.set(pending);
}

// Sends what is pending, or a new charge. Its balance.
export async function charge(amount: number): Promise<number> {
	const userId = me.value!.userId;
	const old = pendingCharge.value;
	const pending = old && old.userId === userId && old.amount === amount ? old : { userId, amount, key: newKey() };
	kept.set(CHARGE, pending);
	const ask = { token: anyToken(), key: pending.key, body: { amount } };
	try {
		const answer = await retried(() => api.ask<{ balance: number }>('POST', `api/${userId}/charge`, ask));
		setPending(null);
		return answer.value.balance;
	} catch (e) {
		setPending(e instanceof Refusal && e.passing ? pending : null);
		throw e;
	}
}

export async function pay(reservation: Reservation): Promise<Payment> {
	const name = payKey(reservation.reservationId);
	const key = kept.get<string>(name) ?? newKey();
	kept.set(name, key);
	const ask = { token: anyToken(), key, body: { amount: reservation.totalPrice } };
	try {
		const answer = await retried(() => api.ask<Payment>('POST', `api/${reservation.reservationId}/payment`, ask));
		kept.drop(name);
		return answer.value;
	} catch (e) {
		if (!(e instanceof Refusal && e.passing)) kept.drop(name);
		throw e;
	}
}
