import type { Concert, Show, Ticket } from '../../shared/api.ts';
import { Spinner, ViewTitle } from '../../shared/ui/index.tsx';
import { api, clock, texts } from '../here.ts';
import { useLoad } from '../load.ts';
import { Problem, Steps, VenueDate } from '../parts.tsx';
import { to } from '../route.ts';

const AGAIN = 5000;

export function showDates(concertId: number, token: string): Promise<Show[]> {
	return api.get<{ dates: Show[] }>(`api/booking/${concertId}/list/time?all=true`, { token }).then(({ dates }) => dates);
}

function DateRow({ concert, show }: { concert: Concert; show: Show }) {
	const t = texts.use();
	const free = !show.closed && show.availableSeats > 0;
	const begins = t.format.begins(show);
	const inside = (
		<>
			<span class="when">
				<strong>{begins.day}</strong>
				<span>
					{begins.weekday} · {begins.time}
				</span>
				<VenueDate of={show} />
			</span>
			<span class={`left ${free ? '' : 'none'}`}>
				{free ? t.text('dates.left', { count: show.availableSeats }) : t.text(show.closed ? 'dates.closed' : 'dates.soldOut')}
			</span>
		</>
	);
	return (
		<li>
			{free ? (
				<a class="card date" href={to.seats(concert.concertId, show.showId)}>
					{inside}
				</a>
			) : (
				<div class="card date gone">{inside}</div>
			)}
		</li>
	);
}

export function DatesView({ concert, ticket }: { concert: Concert; ticket: Ticket }) {
	const t = texts.use();
	const { value, refusal, again } = useLoad(
		`dates ${concert.concertId}`,
		() => showDates(concert.concertId, ticket.token),
		AGAIN,
	);
	const coming = value?.filter((show) => Date.parse(show.startsAt) > clock.now());
	return (
		<section class="stack">
			<Steps at="date" />
			<ViewTitle>{t.text('dates.title')}</ViewTitle>
			{refusal ? <Problem refusal={refusal} again={again} /> : null}
			{!coming && !refusal ? <Spinner label={t.text('app.loading')} /> : null}
			{coming && !coming.length ? <p>{t.text('dates.none')}</p> : null}
			<ul class="stack">
				{coming?.map((show) => (
					<DateRow key={show.showId} concert={concert} show={show} />
				))}
			</ul>
		</section>
	);
}
