// A reservation: held and to be paid in time, paid, or ended.
import { useRef, useState } from 'preact/hooks';
import { asRefusal, type Concert, type Refusal, type Reservation } from '../../shared/api.ts';
import { clockText } from '../../shared/format.ts';
import { announce, Bar, Notice, ViewTitle } from '../../shared/ui/index.tsx';
import { anyToken, api, me, retried, texts } from '../here.ts';
import { useLoad } from '../load.ts';
import { charge, pay } from '../money.ts';
import { LocalDate, NotYet, Poster, Problem, Steps, SureButton, seatList, useDeadline, useMinuteWarning } from '../parts.tsx';
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
							{`${t.format.day(reservation.date)} · ${t.format.weekday(reservation.date)} · ${t.format.zoned(reservation.startsAt)} `}
							<LocalDate of={reservation} />
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

function Held({ shown, set, again }: { shown: Shown; set: (shown: Shown) => void; again: () => void }) {
	const t = texts.use();
	const { reservation, concert, balance } = shown;
	const left = useDeadline(reservation.heldUntil, again);
	const [busy, setBusy] = useState(false);
	const [unsure, setUnsure] = useState(false);
	const [wrong, setWrong] = useState<Refusal | null>(null);
	useMinuteWarning(left, t.text('pay.minute'));
	const payButton = useRef<HTMLButtonElement>(null);
	const missing = reservation.totalPrice - balance;
	const whole = Date.parse(reservation.heldUntil!) - Date.parse(reservation.createdAt);

	const act = async (what: () => Promise<void>, paying = false) => {
		if (busy) return;
		setBusy(true);
		setWrong(null);
		setUnsure(false);
		try {
			await what();
		} catch (e) {
			const refusal = asRefusal(e);
			if (refusal.code === 'INSUFFICIENT_BALANCE') set({ ...shown, balance: refusal.members.balance ?? balance });
			else if (['HOLD_EXPIRED', 'NOT_HELD', 'ALREADY_PAID', 'AMOUNT_MISMATCH'].includes(refusal.code)) again();
			else if (paying && refusal.passing) setUnsure(true);
			else setWrong(refusal);
		}
		setBusy(false);
	};
	const payNow = () =>
		act(async () => {
			const paid = await pay(reservation);
			set({ ...shown, balance: paid.balance, reservation: { ...reservation, status: 'PAID', paidAt: paid.paidAt } });
		}, true);
	// The button that was pressed goes away with what was missing: it goes on at the one that pays.
	const chargeMissing = () =>
		act(async () => {
			set({ ...shown, balance: await charge(missing) });
			announce(t.text('wallet.charged', { amount: t.format.won(missing) }));
			payButton.current?.focus();
		});
	const giveBack = () =>
		act(async () => {
			await retried(() => api.ask('DELETE', `api/reservations/${reservation.reservationId}`, { token: anyToken() }));
			go(to.seats(reservation.concertId, reservation.showId));
		});

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
							<button type="button" class="button main" aria-disabled={busy} onClick={chargeMissing}>
								{t.text('pay.chargeMissing', { amount: t.format.won(missing) })}
							</button>
						}
					>
						<p data-code="INSUFFICIENT_BALANCE">{t.text('pay.missing', { amount: t.format.won(missing) })}</p>
					</Notice>
				) : null}
				{unsure ? (
					<Notice
						tone="warn"
						actions={
							<button
								type="button"
								class="button main"
								onClick={() => {
									payButton.current?.focus();
									void payNow();
								}}
							>
								{t.text('pay.again')}
							</button>
						}
					>
						<p data-code="NO_ANSWER">{t.text('pay.unsure')}</p>
					</Notice>
				) : null}
				{wrong ? <Problem refusal={wrong} again={again} /> : null}
				<button
					type="button"
					class="button main whole"
					ref={payButton}
					aria-disabled={busy || missing > 0}
					onClick={() => missing <= 0 && payNow()}
				>
					{busy ? t.text('pay.paying') : t.text('pay.go', { amount: t.format.won(reservation.totalPrice) })}
				</button>
			</div>
			<SureButton
				label={t.text('pay.giveBack')}
				question={t.text('pay.giveBackSure')}
				yes={t.text('pay.giveBackYes')}
				no={t.text('pay.giveBackNo')}
				act={giveBack}
			/>
		</section>
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
