// Choosing seats: the map or the list, what is chosen, the best ones in one step; availability as it changes, told apart by its version.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import {
	asRefusal,
	type Concert,
	Refusal,
	type Reservation,
	type Seat,
	type SeatStatus,
	type SeatStatuses,
	type Seats,
	type Ticket,
} from '../../shared/api.ts';
import { nearestFree, type Plan, planOf, pricesOf } from '../../shared/seatmap/geometry.ts';
import { SeatMap } from '../../shared/seatmap/SeatMap.tsx';
import { newKey } from '../../shared/state.ts';
import { announce, Notice, Spinner, ViewTitle } from '../../shared/ui/index.tsx';
import { api, clock, onceOpen, retried, texts } from '../here.ts';
import { useLoad } from '../load.ts';
import { beginsText, Problem, Steps, seatList, useSalesOpen, VenueDate } from '../parts.tsx';
import { go, to } from '../route.ts';
import { SeatListView } from './seatlist.tsx';

const AGAIN = 2000;
const BEST_MOST = 4; // until the server has said how many one person may have
const GAP = 12; // between what has the focus and the tray

const STATUS: Record<string, SeatStatus> = { A: 'AVAILABLE', H: 'HELD', S: 'SOLD' };

// After how many milliseconds the seats themselves are asked for again, at least, and how many more for each seat: soon where something else than a
// status has changed, and late where that may be.
const WHOLE_AGAIN = { soon: [2000, 0.1], late: [30000, 3] } as const;

const lettersOf = (seats: Seat[]) => seats.map((seat) => seat.status[0]).join('');

// The seats once, and from then on their statuses alone: a letter a seat, and nothing at all while nothing has changed. A price is no status: where the
// version grew and the letters stayed, or the show was moved, the seats are asked for anew; and now and then while the version grows, since
// statuses may have changed with the prices.
class SeatsFollowed {
	private now: Seats | null = null;
	private etag: string | null = null;
	private statuses = { version: 0, letters: '' }; // the newest that are known
	private wholeAt = 0;
	private wholeVersion = 0;
	private suspect = false; // something else than a status has changed

	constructor(
		private path: string,
		private showId: number,
	) {}

	private async whole(token: string): Promise<Seats> {
		const got = await api.get<Seats>(`${this.path}/seats?showId=${this.showId}`, { token });
		this.wholeAt = clock.localNow();
		this.wholeVersion = got.version;
		this.suspect = false;
		this.statuses = { version: got.version, letters: lettersOf(got.seats) };
		this.now = { ...got, seats: sameWhereEqual(this.now?.seats ?? [], got.seats) };
		return this.now;
	}

	private isDue(): boolean {
		if (this.statuses.version === this.wholeVersion) return false;
		const [ms, perSeat] = this.suspect ? WHOLE_AGAIN.soon : WHOLE_AGAIN.late;
		return clock.localNow() - this.wholeAt >= Math.max(ms, perSeat * this.statuses.letters.length);
	}

	// Undefined where all is as it was.
	async look(token: string): Promise<Seats | undefined> {
		const before = this.now ?? (await this.whole(token));
		const ask = { token, etag: this.etag ?? undefined };
		const answer = await api.ask<SeatStatuses>('GET', `${this.path}/statuses?showId=${this.showId}`, ask);
		if (answer.status !== 304) {
			const { version, statuses: letters, date, startsAt, closed } = answer.value;
			const { statuses } = this;
			this.suspect ||= (version !== statuses.version && letters === statuses.letters) || startsAt !== before.startsAt;
			this.etag = answer.etag;
			this.statuses = { version, letters };
			this.now = { ...before, date, startsAt, closed, seats: withStatuses(before.seats, letters) };
		}
		if (this.isDue()) return this.whole(token);
		return answer.status === 304 ? undefined : this.now!;
	}
}

function useSeats(concert: Concert, showId: number, token: string) {
	const followed = useMemo(() => new SeatsFollowed(`api/booking/${concert.concertId}/list`, showId), [concert.concertId, showId]);
	return useLoad(`seats ${showId}`, () => followed.look(token), AGAIN);
}

// Seats that stay as they were stay the same objects.
function withStatuses(seats: Seat[], statuses: string): Seat[] {
	return seats.map((seat, i) => {
		const status = STATUS[statuses[i] ?? ''] ?? seat.status;
		return status === seat.status ? seat : { ...seat, status };
	});
}

function sameWhereEqual(before: Seat[], now: Seat[]): Seat[] {
	return now.map((seat, i) => {
		const old = before[i];
		const same =
			old?.seatNumber === seat.seatNumber &&
			old.section === seat.section &&
			old.price === seat.price &&
			old.status === seat.status;
		return same ? old : seat;
	});
}

// The same seats stand at the same place, whatever becomes of them.
function usePlan(seats: Seat[] | undefined): Plan | null {
	const shape = seats ? `${seats.length} ${seats[0]?.seatNumber} ${seats.at(-1)?.seatNumber}` : '';
	const latest = useRef(seats);
	latest.current = seats;
	return useMemo(() => (shape && latest.current ? planOf(latest.current) : null), [shape]);
}

// Keeps what gets the focus, or is scrolled to, from behind the tray that lies over the foot of the page.
function useRoomFor(shown: boolean) {
	const tray = useRef<HTMLDivElement>(null);
	useEffect(() => {
		const page = document.documentElement;
		const { current } = tray;
		if (!current) return;
		const measure = () => {
			const lies = getComputedStyle(current).position === 'sticky';
			page.style.scrollPaddingBottom = lies ? `${current.offsetHeight + GAP}px` : '';
		};
		const watch = new ResizeObserver(measure);
		watch.observe(current);
		return () => {
			watch.disconnect();
			page.style.scrollPaddingBottom = '';
		};
	}, [shown]);
	return tray;
}

// Which seats of the show are one's own: held and still to be paid, or paid.
function useOwn(ticket: Ticket, showId: number): (seatNumber: number) => boolean {
	const { value } = useLoad(`own ${ticket.userId} ${showId}`, () =>
		api.get<{ reservations: Reservation[] }>(`api/${ticket.userId}/reservations?limit=100`, { token: ticket.token }),
	);
	return (seatNumber) =>
		!!value?.reservations.some(
			(r) =>
				r.showId === showId &&
				r.seatNumbers.includes(seatNumber) &&
				(r.status === 'PAID' || (r.status === 'HELD' && Date.parse(r.heldUntil!) > clock.now())),
		);
}

interface Taken {
	numbers: number[];
	nearest: number[];
	prices: { price: string; before: string } | null; // where those offered cost otherwise
}

interface Wrong {
	refusal: Refusal;
	again: () => void;
}

// `changed` is called when the concert is no longer as it is shown.
export function SeatsView(props: { concert: Concert; showId: number; ticket: Ticket; changed: () => void }) {
	const { concert, showId, ticket, changed } = props;
	const t = texts.use();
	const { value, refusal, again, set } = useSeats(concert, showId, ticket.token);
	const plan = usePlan(value?.seats);
	const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
	const [asList, setAsList] = useState(false);
	const [taken, setTaken] = useState<Taken | null>(null);
	const [gone, setGone] = useState<number[]>([]);
	const [wrong, setWrong] = useState<Wrong | null>(null);
	const [busy, setBusy] = useState(false);
	const [reveal, setReveal] = useState<number | undefined>();
	const [limit, setLimit] = useState(BEST_MOST);
	const open = useSalesOpen(concert) && !value?.closed;
	const view = useRef<HTMLElement>(null);
	const holdButton = useRef<HTMLButtonElement>(null);
	const tray = useRoomFor(!!value && !!plan);
	// What was asked for and may have been done: asked for once more it goes by the same key, and no more seats are held.
	const unanswered = useRef<{ name: string; key: string } | null>(null);
	const byNumber = useMemo(() => new Map(value?.seats.map((seat) => [seat.seatNumber, seat])), [value]);

	// What somebody else has taken meanwhile is chosen no longer.
	useEffect(() => {
		if (busy || wrong?.refusal.unsure) return; // it may be oneself who has them
		const away = [...chosen].filter((n) => byNumber.size && byNumber.get(n)?.status !== 'AVAILABLE');
		if (!away.length) return;
		setChosen(new Set([...chosen].filter((n) => !away.includes(n))));
		setGone(away);
	}, [byNumber, chosen, busy, wrong]);

	const isOwn = useOwn(ticket, showId);
	const stateOf = (seat: Seat) =>
		seat.status !== 'AVAILABLE' && isOwn(seat.seatNumber) ? t.text('seats.own') : t.text(`seats.${seat.status}`);
	const describe = (seat: Seat, mine: boolean) =>
		t.text('seats.full', {
			number: String(seat.seatNumber),
			section: seat.section,
			price: t.format.won(seat.price),
			state: mine ? t.text('seats.chosen') : stateOf(seat),
		});

	const toggle = (seat: Seat) => {
		setGone([]);
		setWrong(null);
		const next = new Set(chosen);
		if (next.delete(seat.seatNumber)) announce(describe(seat, false));
		else if (seat.status !== 'AVAILABLE') {
			announce(t.text('seats.unchanged', { number: String(seat.seatNumber) }));
			return;
		} else {
			next.add(seat.seatNumber);
			announce(describe(seat, true));
		}
		setChosen(next);
	};

	const markTaken = (numbers: number[]) => {
		if (!value || !plan) return;
		const seats = value.seats.map((seat) => (numbers.includes(seat.seatNumber) ? { ...seat, status: 'HELD' as const } : seat));
		const left = new Set([...chosen].filter((n) => !numbers.includes(n)));
		const except = new Set(left);
		const nearest = numbers.flatMap((n) => {
			const found = nearestFree(
				plan,
				seats,
				seats.findIndex((seat) => seat.seatNumber === n),
				1,
				except,
			).map((i) => seats[i]!.seatNumber);
			for (const number of found) except.add(number);
			return found;
		});
		const cost = (which: number[]) => which.reduce((sum, n) => sum + (byNumber.get(n)?.price ?? 0), 0);
		const [price, before] = [cost(nearest), cost(numbers.slice(0, nearest.length))];
		const prices = price === before ? null : { price: t.format.won(price), before: t.format.won(before) };
		set({ ...value, seats });
		setChosen(left);
		setTaken({ numbers, nearest, prices });
		setReveal(nearest[0] ?? numbers[0]);
	};

	const hold = async (what: { seatNumbers: number[] } | { bestAvailable: { count: number; section?: string } }) => {
		if (busy || !open) return;
		// What offered it goes away.
		if (document.activeElement?.closest('.tray .told')) holdButton.current?.focus({ preventScroll: true });
		setBusy(true);
		setWrong(null);
		setTaken(null);
		setGone([]);
		const name = JSON.stringify(what);
		const key = unanswered.current?.name === name ? unanswered.current.key : newKey();
		unanswered.current = { name, key };
		const ask = { token: ticket.token, key, body: { showId, ...what } };
		try {
			const send = () => api.ask<Reservation>('POST', `api/booking/${concert.concertId}/seat`, ask);
			const held = await onceOpen(() => retried(send));
			go(to.pay(held.value.reservationId));
		} catch (e) {
			const refusal = asRefusal(e);
			const conflicts = refusal.members.conflicts ?? [];
			if (!refusal.passing) unanswered.current = null;
			if (refusal.members.limit) setLimit(refusal.members.limit);
			if (refusal.code === 'SALES_NOT_OPEN') changed();
			if (refusal.code === 'SEAT_TAKEN' && conflicts.length) markTaken(conflicts);
			else setWrong({ refusal, again: () => hold(what) });
			setBusy(false);
			again();
		}
	};

	const useInstead = (numbers: number[]) => {
		setChosen(new Set([...chosen, ...numbers]));
		setTaken(null);
		holdButton.current?.focus({ preventScroll: true });
	};

	// It goes on where seats are chosen. A screen that is touched stays as it is; for a keyboard, what has the focus must be seen.
	const clear = (e: MouseEvent) => {
		const places = '.seat-button[aria-pressed="true"], .seatmap [role="listbox"]';
		const back = view.current?.querySelector<HTMLElement>(places);
		setChosen(new Set());
		(back ?? view.current?.querySelector<HTMLElement>('.switch input:checked'))?.focus({ preventScroll: e.detail > 0 });
	};

	const told = gone.length > 0 || taken !== null || wrong !== null;
	const price = [...chosen].reduce((sum, n) => sum + (byNumber.get(n)?.price ?? 0), 0);
	return (
		<section class="stack seats" ref={view}>
			<Steps at="seat" />
			<div class="row between">
				<ViewTitle>{t.text('seats.title')}</ViewTitle>
				<a href={to.concert(concert.concertId)}>{t.text('seats.otherDate')}</a>
			</div>
			{value ? (
				<p class="soft">
					{`${beginsText(value)} `}
					<VenueDate of={value} />
				</p>
			) : null}
			{refusal ? (
				<Problem refusal={refusal} again={again}>
					<a class="button" href={to.concert(concert.concertId)}>
						{t.text('seats.otherDate')}
					</a>
				</Problem>
			) : null}
			{value?.closed ? (
				<Problem refusal={new Refusal('SALES_CLOSED', 403)}>
					<a class="button" href={to.concert(concert.concertId)}>
						{t.text('seats.otherDate')}
					</a>
				</Problem>
			) : null}
			{value && plan ? (
				<>
					<Best seats={value.seats} plan={plan} limit={limit} busy={busy || !open} hold={hold} />
					<div class="row between">
						<fieldset class="switch">
							<legend class="hidden">{t.text('seats.view')}</legend>
							<label>
								<input type="radio" name="view" checked={!asList} onChange={() => setAsList(false)} />
								{t.text('seats.map')}
							</label>
							<label>
								<input type="radio" name="view" checked={asList} onChange={() => setAsList(true)} />
								{t.text('seats.list')}
							</label>
						</fieldset>
						<Key />
					</div>
					{asList ? (
						<SeatListView seats={value.seats} plan={plan} chosen={chosen} onToggle={toggle} describe={describe} />
					) : (
						<SeatMap
							seats={value.seats}
							plan={plan}
							chosen={chosen}
							onToggle={toggle}
							reveal={reveal}
							texts={{
								name: t.text('seats.mapName'),
								stage: t.text('seats.stage'),
								section: (section) => `${section.name} · ${t.format.wonRange(pricesOf(section, value.seats))}`,
								nearer: t.text('seats.nearer'),
								farther: t.text('seats.farther'),
								whole: t.text('seats.whole'),
								seat: describe,
							}}
						/>
					)}
					<Legend seats={value.seats} plan={plan} />
					<div class={`tray ${chosen.size || told ? '' : 'empty'}`} ref={tray}>
						{told ? (
							<div class="told stack tight">
								<Messages concert={concert} taken={taken} gone={gone} wrong={wrong} use={useInstead} />
							</div>
						) : null}
						<p class="number sum">
							{chosen.size ? (
								<>
									<strong>{t.text('seats.sum', { count: chosen.size, price: t.format.won(price) })}</strong>
									<span class="soft small">{t.text('seats.seat', { number: seatList([...chosen].sort((a, b) => a - b)) })}</span>
								</>
							) : (
								<span class="soft">{t.text('seats.noneChosen')}</span>
							)}
						</p>
						{chosen.size ? (
							<button type="button" class="button plain" onClick={clear}>
								{t.text('seats.clear')}
							</button>
						) : null}
						<button
							type="button"
							class="button main"
							ref={holdButton}
							aria-disabled={!chosen.size || busy || !open}
							onClick={() => chosen.size && hold({ seatNumbers: [...chosen] })}
						>
							{busy ? t.text('seats.holding') : t.text('seats.hold')}
						</button>
					</div>
				</>
			) : refusal ? null : (
				<Spinner label={t.text('app.loading')} />
			)}
		</section>
	);
}

function Messages({
	concert,
	taken,
	gone,
	wrong,
	use,
}: {
	concert: Concert;
	taken: Taken | null;
	gone: number[];
	wrong: Wrong | null;
	use: (numbers: number[]) => void;
}) {
	const t = texts.use();
	return (
		<>
			{gone.length ? (
				<Notice tone="warn">
					<p>{t.text('seats.wentAway', { seats: seatList(gone) })}</p>
				</Notice>
			) : null}
			{taken ? (
				<Notice
					tone="warn"
					actions={
						taken.nearest.length ? (
							<button type="button" class="button main" onClick={() => use(taken.nearest)}>
								{t.text('seats.takenUse', { seats: seatList(taken.nearest) })}
							</button>
						) : null
					}
				>
					<p data-code="SEAT_TAKEN">
						{t.text('seats.takenNow', { seats: seatList(taken.numbers) })} {takenOffer(taken)}
					</p>
				</Notice>
			) : null}
			{wrong ? (
				<Problem
					refusal={wrong.refusal}
					again={wrong.again}
					says={wrong.refusal.members.limit ? t.text('seats.limit', { count: wrong.refusal.members.limit }) : undefined}
				>
					<NextStep refusal={wrong.refusal} concert={concert} />
				</Problem>
			) : null}
		</>
	);
}

function takenOffer({ nearest, prices }: Taken): string {
	if (!nearest.length) return texts.text('seats.takenNone');
	const seats = seatList(nearest);
	return prices ? texts.text('seats.takenOtherPrice', { seats, ...prices }) : texts.text('seats.takenOffer', { seats });
}

// Where it goes on after a hold was refused. For the rest it goes on at the map below.
function NextStep({ refusal, concert }: { refusal: Refusal; concert: Concert }) {
	const t = texts.use();
	switch (refusal.code) {
		case 'ALREADY_YOURS':
		case 'LIMIT_EXCEEDED': {
			const mine = refusal.members.reservationId;
			return (
				<a class="button" href={mine ? to.pay(mine) : to.mine}>
					{t.text('do.toMine')}
				</a>
			);
		}
		case 'SHOW_NOT_FOUND':
		case 'SALES_CLOSED':
		case 'AMBIGUOUS_DATE':
		case 'CONCERT_NOT_FOUND':
			return (
				<a class="button" href={to.concert(concert.concertId)}>
					{t.text('seats.otherDate')}
				</a>
			);
		case 'TOKEN_REQUIRED':
		case 'TOKEN_INVALID':
		case 'NOT_ADMITTED':
		case 'WRONG_QUEUE':
			return (
				<a class="button" href={to.concert(concert.concertId)}>
					{t.text('do.toLine')}
				</a>
			);
		default:
			return <span />;
	}
}

type Hold = (what: { bestAvailable: { count: number; section?: string } }) => void;

function Best(props: { seats: Seat[]; plan: Plan; limit: number; busy: boolean; hold: Hold }) {
	const { seats, plan, limit, busy, hold } = props;
	const t = texts.use();
	const [count, setCount] = useState(2);
	const [section, setSection] = useState('');
	const free = seats.filter((seat) => seat.status === 'AVAILABLE' && (!section || seat.section === section)).length;
	const most = Math.max(1, Math.min(limit, free));
	const wanted = Math.min(count, most);
	const none = !free;
	return (
		<div class="best card">
			<div>
				<h2>{t.text('seats.best')}</h2>
				<p class="soft small">{t.text('seats.bestHelp')}</p>
			</div>
			<div class="row">
				<label class="pick">
					<span class="small">{t.text('seats.howMany')}</span>
					<select class="select" value={wanted} onChange={(e) => setCount(Number(e.currentTarget.value))}>
						{Array.from({ length: most }, (_, i) => (
							<option key={i} value={i + 1}>
								{i + 1}
							</option>
						))}
					</select>
				</label>
				<label class="pick wide">
					<span class="small">{t.text('seats.section')}</span>
					<select class="select" value={section} onChange={(e) => setSection(e.currentTarget.value)}>
						<option value="">{t.text('seats.anySection')}</option>
						{plan.sections.map((s) => (
							<option key={s.name} value={s.name}>
								{`${s.name} · ${t.format.wonRange(pricesOf(s, seats))}`}
							</option>
						))}
					</select>
				</label>
				<button
					type="button"
					class="button main"
					aria-disabled={busy || none}
					onClick={() => !none && hold({ bestAvailable: section ? { count: wanted, section } : { count: wanted } })}
				>
					{none ? t.text('dates.soldOut') : t.text('seats.bestGo', { count: wanted })}
				</button>
			</div>
		</div>
	);
}

function Key() {
	const t = texts.use();
	return (
		<ul class="key small soft">
			<li>
				<i class="free" aria-hidden="true" />
				{t.text('seats.keyFree')}
			</li>
			<li>
				<i class="taken" aria-hidden="true" />
				{t.text('seats.keyTaken')}
			</li>
			<li>
				<i class="chosen" aria-hidden="true">
					✓
				</i>
				{t.text('seats.keyChosen')}
			</li>
		</ul>
	);
}

function Legend({ seats, plan }: { seats: Seat[]; plan: Plan }) {
	const t = texts.use();
	return (
		<section>
			<h2 class="hidden">{t.text('seats.legend')}</h2>
			<ul class="legend">
				{plan.sections.map((section) => (
					<li key={section.name}>
						<i class={`tier-${(section.tier % 6) + 1}`} aria-hidden="true" />
						<span dir="auto">{section.name}</span>
						<span class="number">{t.format.wonRange(pricesOf(section, seats))}</span>
						<span class="soft small">
							{t.text('seats.free', { count: section.seats.filter((i) => seats[i]?.status === 'AVAILABLE').length })}
						</span>
					</li>
				))}
			</ul>
		</section>
	);
}
