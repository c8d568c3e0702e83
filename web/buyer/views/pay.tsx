// A reservation: held and to be paid in time, paid, or ended.
import { useRef, useState } from 'preact/hooks';
import { asRefusal, type Concert, type Refusal, type Reservation } from '../../shared/api.ts';
import { clockText } from '../../shared/format.ts';
import { announce, Bar, Notice, ViewTitle } from '../../shared/ui/index.tsx';
import { anyToken, api, me, retried, texts } from '../here.ts';
import { useLoad } from '../load.ts';
import { CHARGE_MOST, charge, pay } from '../money.ts';
import {
	beginsText,
	NotYet,
	Poster,
	Problem,
	Steps,
	SureButton,
	seatList,
	useDeadline,
	useMinuteWarning,
	VenueDate,
} from '../parts.tsx';
import { go, to } from '../route.ts';

interface Shown {
	reservation: Reservation;
	concert: Concert;
	balance: number;
}

async function look(reservationId: number): Promise<Shown> {
	const token = anyToken();
	const reservation = await api.get<Reservation>(`api/reservations/${reservationId}`, { token });
	const [concert, user] = await Promise.all([
		api.get<Concert>(`api/concerts/${reservation.concertId}`),
		api.get<{ balance: number }>(`api/${reservation.userId}`, { token }),
	]);
	return { reservation, concert, balance: user.balance };
}

export function PayView({ reservationId }: { reservationId: number }) {
	const t = texts.use();
	const { value, refusal, again, set } = useLoad(`reservation ${reservationId} ${me.value?.userId}`, () => look(reservationId));
	if (!value)
		return (
			<NotYet refusal={refusal} again={again}>
				<a class="button" href={to.mine}>
					{t.text('do.toMine')}
				</a>
			</NotYet>
		);
	const { reservation, concert } = value;
	if (reservation.status === 'PAID') return <Paid reservation={reservation} concert={concert} />;
	if (reservation.status !== 'HELD') return <Over reservation={reservation} />;
	return <Held shown={value} set={set} again={again} />;
}

function Facts({ reservation, concert }: { reservation: Reservation; concert: Concert }) {
	const t = texts.use();
	return (
		<div class="ticket-head">
			<Poster concert={concert} />
			<div class="stack tight">
				<p class="concert-title" dir="auto">
					{concert.title}
				</p>
				<p dir="auto">{concert.artist}</p>
				<p class="soft small" dir="auto">
					{concert.venue}
				</p>
				<dl class="facts">
					<div>
						<dt>{t.text('pay.date')}</dt>
						<dd>
							{`${beginsText(reservation)} `}
							<VenueDate of={reservation} />
						</dd>
					</div>
					<div>
						<dt>{t.text('pay.seats')}</dt>
						<dd class="number seat-numbers">{seatList(reservation.seatNumbers)}</dd>
					</div>
				</dl>
			</div>
		</div>
	);
}

type Act = 'pay' | 'charge' | 'give';
interface Wrong {
	refusal: Refusal;
	act: Act;
}
// The reservation is not as it is shown.
const CHANGED = ['HOLD_EXPIRED', 'NOT_HELD', 'ALREADY_PAID', 'AMOUNT_MISMATCH'];

function Held({ shown, set, again }: { shown: Shown; set: (shown: Shown) => void; again: () => void }) {
	const t = texts.use();
	const { reservation, concert, balance } = shown;
	const left = useDeadline(reservation.heldUntil, again);
	const [busy, setBusy] = useState<Act | null>(null);
	const [wrong, setWrong] = useState<Wrong | null>(null);
	useMinuteWarning(left, t.text('pay.minute'));
	const payButton = useRef<HTMLButtonElement>(null);
	const missing = reservation.totalPrice - balance;
	const next = Math.min(missing, CHARGE_MOST);
	const whole = Date.parse(reservation.heldUntil!) - Date.parse(reservation.createdAt);

	const acts: Record<Act, () => Promise<void>> = {
		pay: async () => {
			const paid = await pay(reservation);
			set({ ...shown, balance: paid.balance, reservation: { ...reservation, status: 'PAID', paidAt: paid.paidAt } });
		},
		charge: async () => {
			const now = missing > 0 ? await charge(next) : null;
			if (now === null) again();
			else {
				set({ ...shown, balance: now });
				announce(t.text('wallet.charged', { amount: t.format.won(next) }));
				// The button that was pressed goes away with what was missing: it goes on at the one that pays.
				if (now >= reservation.totalPrice) payButton.current?.focus();
			}
		},
		give: async () => {
			await retried(() => api.ask('DELETE', `api/reservations/${reservation.reservationId}`, { token: anyToken() }));
			go(to.seats(reservation.concertId, reservation.showId));
		},
	};
	const act = async (what: Act) => {
		if (busy) return;
		setBusy(what);
		setWrong(null);
		try {
			await acts[what]();
		} catch (e) {
			const refusal = asRefusal(e);
			if (refusal.code === 'INSUFFICIENT_BALANCE') set({ ...shown, balance: refusal.members.balance ?? balance });
			else if (CHANGED.includes(refusal.code)) again();
			else setWrong({ refusal, act: what });
		}
		setBusy(null);
	};
	// What says so goes away, with its button.
	const retry = (what: Act) => {
		payButton.current?.focus({ preventScroll: true });
		void act(what);
	};

	return (
		<section class="stack">
			<Steps at="pay" />
			<ViewTitle>{t.text('pay.title')}</ViewTitle>
			<div class={`hold-time stack tight ${left < 60000 ? 'soon' : ''}`}>
				<p class="lead number" role="timer">
					{t.rich('pay.left', { time: <strong class="countdown">{clockText(left)}</strong> })}
				</p>
				<Bar part={left / whole} label={t.text('pay.bar')} />
			</div>
			<div class="card stack">
				<Facts reservation={reservation} concert={concert} />
				<dl class="sums">
					<div>
						<dt>{t.text('pay.wallet')}</dt>
						<dd class="number">{t.format.won(balance)}</dd>
					</div>
					<div class="total">
						<dt>{t.text('pay.total')}</dt>
						<dd class="number">{t.format.won(reservation.totalPrice)}</dd>
					</div>
				</dl>
				{missing > 0 ? (
					<Notice
						tone="warn"
						actions={
							<button type="button" class="button main" aria-disabled={!!busy} onClick={() => act('charge')}>
								{busy === 'charge' ? t.text('wallet.charging') : t.text('pay.chargeMissing', { amount: t.format.won(next) })}
							</button>
						}
					>
						<p data-code="INSUFFICIENT_BALANCE">{t.text('pay.missing', { amount: t.format.won(missing) })}</p>
					</Notice>
				) : null}
				{wrong ? <WentWrong wrong={wrong} amount={next} again={() => retry(wrong.act)} /> : null}
				<button
					type="button"
					class="button main whole"
					ref={payButton}
					aria-disabled={!!busy || missing > 0}
					onClick={() => missing <= 0 && act('pay')}
				>
					{busy === 'pay' ? t.text('pay.paying') : t.text('pay.go', { amount: t.format.won(reservation.totalPrice) })}
				</button>
			</div>
			<SureButton
				label={t.text('pay.giveBack')}
				question={t.text('pay.giveBackSure')}
				yes={t.text('pay.giveBackYes')}
				no={t.text('pay.giveBackNo')}
				act={() => act('give')}
			/>
		</section>
	);
}

// What was asked and got no answer may have been done: only that is said so, and asking again does it once. What was clearly refused was not done.
function WentWrong({ wrong, amount, again }: { wrong: Wrong; amount: number; again: () => void }) {
	const t = texts.use();
	const { refusal, act } = wrong;
	if (!refusal.unsure || act === 'give') return <Problem refusal={refusal} again={again} />;
	return (
		<Notice
			tone="warn"
			actions={
				<button type="button" class="button main" onClick={again}>
					{t.text('pay.again')}
				</button>
			}
		>
			<p data-code="NO_ANSWER">
				{act === 'pay' ? t.text('pay.unsure') : t.text('wallet.pending', { amount: t.format.won(amount) })}
			</p>
		</Notice>
	);
}

function Paid({ reservation, concert }: { reservation: Reservation; concert: Concert }) {
	const t = texts.use();
	return (
		<section class="stack">
			<div class="done">
				<span class="tick" aria-hidden="true">
					✓
				</span>
				<ViewTitle>{t.text('done.title')}</ViewTitle>
				{reservation.paidAt ? <p class="soft">{t.text('done.lead', { when: t.format.instant(reservation.paidAt) })}</p> : null}
			</div>
			<div class="card stack stub">
				<Facts reservation={reservation} concert={concert} />
				<dl class="sums">
					<div class="total">
						<dt>{t.text('done.number', { number: String(reservation.reservationId) })}</dt>
						<dd class="number">{t.format.won(reservation.totalPrice)}</dd>
					</div>
				</dl>
			</div>
			<div class="row">
				<a class="button main" href={to.mine}>
					{t.text('do.toMine')}
				</a>
				<a class="button" href={to.home}>
					{t.text('done.more')}
				</a>
			</div>
		</section>
	);
}

function Over({ reservation }: { reservation: Reservation }) {
	const t = texts.use();
	const late = reservation.status === 'EXPIRED';
	return (
		<section class="card stack">
			<ViewTitle>
				{late ? t.text('pay.expired') : reservation.status === 'REFUNDED' ? t.text('pay.refunded') : t.text('pay.cancelled')}
			</ViewTitle>
			{late ? <p data-code="HOLD_EXPIRED">{t.text('pay.expiredHelp')}</p> : null}
			<div class="row">
				<a class="button main" href={to.seats(reservation.concertId, reservation.showId)}>
					{t.text('pay.toMap')}
				</a>
				<a class="button" href={to.mine}>
					{t.text('do.toMine')}
				</a>
			</div>
		</section>
	);
}
