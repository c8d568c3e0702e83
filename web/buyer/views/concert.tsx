// One concert, from the line to the seats. What is shown follows from the ticket alone: none (take a place), waiting, active (dates, seats), ended.
import { useEffect, useRef, useState } from 'preact/hooks';
import { asRefusal, type Concert, type Refusal, type Reservation, type Ticket } from '../../shared/api.ts';
import { clockText } from '../../shared/format.ts';
import { useCell } from '../../shared/state.ts';
import { announce, Notice, Spinner, ViewTitle } from '../../shared/ui/index.tsx';
import { Follower, type How } from '../follow.ts';
import { api, dropPlace, me, placeIn, takePlace, texts, wakings } from '../here.ts';
import { useLoad } from '../load.ts';
import { NotYet, Poster, Problem, SalesCountdown, seatList, useCountdown, useMinuteWarning } from '../parts.tsx';
import { go, to } from '../route.ts';
import { signedIn } from '../signin.ts';
import { DatesView } from './dates.tsx';
import { JoinView } from './join.tsx';
import { SeatsView } from './seats.tsx';
import { WaitView } from './wait.tsx';

const AGAIN = 20000;

interface Following {
	ticket: Ticket | null;
	how: How | null;
	ended: Refusal | null;
}

// The ticket of a token, as it is now and at every change.
function useTicket(token: string | undefined): Following {
	const nothing: Following = { ticket: null, how: null, ended: null };
	const [state, set] = useState<Following & { token?: string }>(nothing);
	useEffect(() => {
		if (!token) return;
		const follower = new Follower(
			api,
			token,
			(ticket, how) => set({ ticket, how, ended: null, token }),
			(ended) => set({ ticket: null, how: null, ended, token }),
		);
		const deaf = wakings.watch(() => follower.again());
		return () => {
			deaf();
			follower.stop();
		};
	}, [token]);
	return state.token === token ? state : nothing;
}

export function ConcertView({ concertId, showId }: { concertId: number; showId: number | null }) {
	const t = texts.use();
	// The organiser may open the sales earlier, or put them off, while people wait for that.
	const load = () => api.get<Concert>(`api/concerts/${concertId}`);
	const { value: concert, refusal, again } = useLoad(`concert ${concertId}`, load, AGAIN);
	if (!concert)
		return (
			<NotYet refusal={refusal} again={again}>
				<a class="button" href={to.home}>
					{t.text('do.home')}
				</a>
			</NotYet>
		);
	return (
		<div class="stack wide">
			<ConcertHead concert={concert} small={showId !== null} />
			<Booking concert={concert} showId={showId} changed={again} />
		</div>
	);
}

function ConcertHead({ concert, small }: { concert: Concert; small: boolean }) {
	const t = texts.use();
	return (
		<div class={`concert-head ${small ? 'small' : ''}`}>
			<Poster concert={concert} />
			<div class="words">
				<p>
					<a href={to.home}>
						<span aria-hidden="true">‹ </span>
						{t.text('concert.back')}
					</a>
				</p>
				<p class="concert-title" dir="auto">
					{concert.title}
				</p>
				<p dir="auto">{concert.artist}</p>
				<p class="soft small" dir="auto">
					{concert.venue}
				</p>
			</div>
		</div>
	);
}

function Booking({ concert, showId, changed }: { concert: Concert; showId: number | null; changed: () => void }) {
	const t = texts.use();
	useCell(me);
	const place = placeIn(concert.queueId);
	const { ticket, how, ended } = useTicket(place?.token);
	useTurn(ticket);
	if (!place) return <JoinView concert={concert} />;
	if (ended) return <Ended concert={concert} reason="unknown" refusal={ended} token={place.token} />;
	if (!ticket) return <Spinner label={t.text('app.loading')} />;
	if (ticket.status === 'WAITING')
		return (
			<>
				<SalesCountdown concert={concert} />
				<WaitView ticket={ticket} place={place} how={how} />
			</>
		);
	return (
		<>
			<LiveHold concert={concert} token={place.token} userId={ticket.userId} />
			{ticket.status === 'EXPIRED' ? (
				<Ended concert={concert} reason={ticket.reason ?? 'unknown'} token={place.token} />
			) : (
				<>
					<SalesCountdown concert={concert} />
					<ActiveTime until={ticket.expiresAt} />
					{showId === null ? (
						<DatesView concert={concert} ticket={ticket} />
					) : (
						<SeatsView key={showId} concert={concert} showId={showId} ticket={ticket} changed={changed} />
					)}
				</>
			)}
		</>
	);
}

// Says that it is one's turn: aloud, and in the title of a tab that is not looked at.
function useTurn(ticket: Ticket | null): void {
	const t = texts.use();
	const before = useRef<string | null>(null);
	useEffect(() => {
		if (before.current === 'WAITING' && ticket?.status === 'ACTIVE') {
			announce(t.text('wait.turn'));
			navigator.vibrate?.(200);
		}
		before.current = ticket?.status ?? null;
		const name = t.text('app.name');
		document.title =
			ticket?.status === 'ACTIVE'
				? `★ ${t.text('wait.turn')} · ${name}`
				: ticket?.status === 'WAITING'
					? `${t.format.number(ticket.position)} · ${name}`
					: name;
	}, [ticket, t, t.language.value]);
	useEffect(
		() => () => {
			document.title = t.text('app.name');
		},
		[t],
	);
}

function ActiveTime({ until }: { until: string | null }) {
	const t = texts.use();
	const left = useCountdown(until);
	useMinuteWarning(left, t.text('active.soon'));
	if (!until) return null;
	return (
		<p class={`active-time number ${left < 60000 ? 'soon' : ''}`} role="timer">
			{t.text('active.left', { time: clockText(left) })}
		</p>
	);
}

// Seats of this concert that are held and wait for payment.
function LiveHold({ concert, token, userId }: { concert: Concert; token: string; userId: number }) {
	const t = texts.use();
	const { value } = useLoad(`holds ${userId} ${concert.concertId}`, () =>
		api.get<{ reservations: Reservation[] }>(`api/${userId}/reservations`, { token }),
	);
	const held = value?.reservations.find((r) => r.concertId === concert.concertId && r.status === 'HELD');
	const left = useCountdown(held?.heldUntil ?? null);
	if (!held?.heldUntil || left <= 0) return null;
	return (
		<Notice
			actions={
				<a class="button main" href={to.pay(held.reservationId)}>
					{t.text('hold.goPay')}
				</a>
			}
		>
			<p>
				{t.text('hold.open', {
					seats: t.text('seats.seat', { number: seatList(held.seatNumbers) }),
					time: t.format.time(held.heldUntil),
				})}
			</p>
		</Notice>
	);
}

function Ended(props: {
	concert: Concert;
	reason: 'PAID' | 'TIMED_OUT' | 'LEFT' | 'ABANDONED' | 'unknown';
	token: string;
	refusal?: Refusal;
}) {
	const t = texts.use();
	const [refusal, setRefusal] = useState<Refusal | null>(null);
	const again = async () => {
		const name = me.value?.username;
		try {
			if (name && !props.refusal && !signedIn.value) await takePlace(props.concert, { username: name });
			else dropPlace(props.token);
			go(to.concert(props.concert.concertId));
		} catch (e) {
			// Where one must sign in anew, the view of who has no place says so.
			const why = asRefusal(e);
			if (why.status === 401) dropPlace(props.token);
			else setRefusal(why);
		}
	};
	return (
		<section class="card stack">
			<ViewTitle>{t.text('ended.title')}</ViewTitle>
			<p>{props.refusal ? t.text(`error.${props.refusal.code}`) : t.text(`ended.${props.reason}`)}</p>
			{refusal ? <Problem refusal={refusal} /> : null}
			<div class="row">
				<button type="button" class="button main" onClick={again}>
					{t.text('ended.again')}
				</button>
				<a class="button" href={to.mine}>
					{t.text('do.toMine')}
				</a>
			</div>
		</section>
	);
}
