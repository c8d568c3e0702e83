import type { Concert, Reservation } from '../../shared/api.ts';
import { useCell } from '../../shared/state.ts';
import { ViewTitle } from '../../shared/ui/index.tsx';
import { anyToken, api, me, texts } from '../here.ts';
import { useLoad } from '../load.ts';
import { beginsText, NotYet, seatList, useDeadline, VenueDate } from '../parts.tsx';
import { to } from '../route.ts';
import { Nobody } from './wallet.tsx';

interface Shown {
	reservations: Reservation[];
	concerts: Concert[];
}

async function look(userId: number, token: string): Promise<Shown> {
	const [mine, all] = await Promise.all([
		api.get<{ reservations: Reservation[] }>(`api/${userId}/reservations?limit=100`, { token }),
		api.get<{ concerts: Concert[] }>('api/concerts'),
	]);
	return { reservations: mine.reservations, concerts: all.concerts };
}

export function MineView() {
	const t = texts.use();
	const someone = useCell(me);
	const token = anyToken();
	return (
		<section class="stack">
			<ViewTitle>{t.text('mine.title')}</ViewTitle>
			{someone && token ? <Mine userId={someone.userId} token={token} /> : <Nobody />}
		</section>
	);
}

function Mine({ userId, token }: { userId: number; token: string }) {
	const t = texts.use();
	const { value, refusal, again } = useLoad(`mine ${userId}`, () => look(userId, token));
	if (!value) return <NotYet refusal={refusal} again={again} />;
	if (!value.reservations.length) return <p>{t.text('mine.none')}</p>;
	return (
		<ul class="stack">
			{value.reservations.map((r) => {
				const concert = value.concerts.find((c) => c.concertId === r.concertId);
				return (
					<li key={r.reservationId}>
						<a class="card mine" href={to.pay(r.reservationId)}>
							<span class="stack tight">
								<strong dir="auto">{concert?.title}</strong>
								<span>{`${beginsText(r, false)} · ${t.text('seats.seat', { number: seatList(r.seatNumbers) })}`}</span>
								<VenueDate of={r} />
							</span>
							<Badge reservation={r} again={again} />
						</a>
					</li>
				);
			})}
		</ul>
	);
}

// What has become of it; a hold ends by itself while it is looked at.
function Badge({ reservation: r, again }: { reservation: Reservation; again: () => void }) {
	const t = texts.use();
	const left = useDeadline(r.status === 'HELD' ? r.heldUntil : null, again);
	const held = r.status === 'HELD' && left > 0;
	return (
		<span class={`badge ${r.status === 'PAID' || held ? 'open' : ''}`}>
			{held
				? t.text('mine.HELD', { time: t.format.time(r.heldUntil!) })
				: t.text(`mine.${r.status === 'HELD' ? 'EXPIRED' : r.status}`)}
		</span>
	);
}
