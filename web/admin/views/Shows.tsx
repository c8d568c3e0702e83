// Every concert with its shows: what is sold, what it brings.
import { useState } from 'preact/hooks';
import { asRefusal, type Concert } from '../../shared/api.ts';
import { announce, Notice, ViewTitle } from '../../shared/ui/index.tsx';
import { type ShowFigures, type Stats, totalOf } from '../model.ts';
import { usePoll } from '../poll.ts';
import { hrefOf } from '../route.ts';
import { download } from '../session.ts';
import { form, texts } from '../texts.ts';
import { Figure, Loading, refusalText, SeatBar, VenueDate } from '../ui.tsx';
import { FirstSteps } from './Queues.tsx';

export function SalesFile({ concertId, title }: { concertId: number; title: string }) {
	const t = texts.use();
	const [busy, setBusy] = useState(false);
	const [wrong, setWrong] = useState('');
	const save = async () => {
		if (busy) return;
		setBusy(true);
		setWrong('');
		try {
			await download(`api/admin/concerts/${concertId}/sales.csv`, `sales-${concertId}.csv`);
			announce(t.text('csv.saved'));
		} catch (e) {
			setWrong(refusalText(asRefusal(e)));
		}
		setBusy(false);
	};
	return (
		<>
			<button type="button" class="button" onClick={save} aria-disabled={busy}>
				{t.text(busy ? 'working' : 'csv.save')}
				<span class="hidden">{t.text('csv.of', { title })}</span>
			</button>
			{wrong ? <Notice tone="bad">{wrong}</Notice> : null}
		</>
	);
}

export function Totals({ shows }: { shows: ShowFigures[] }) {
	const t = texts.use();
	const total = totalOf(shows);
	return (
		<dl class="figures">
			<Figure
				label={t.text('state.sold')}
				value={t.format.number(total.sold)}
				note={t.text('seats.part', { part: form.percent(total.seats ? total.sold / total.seats : 0), seats: total.seats })}
			/>
			<Figure label={t.text('state.held')} value={t.format.number(total.held)} />
			<Figure label={t.text('state.free')} value={t.format.number(total.available)} />
			<Figure label={t.text('revenue')} value={t.format.won(total.revenue)} />
		</dl>
	);
}

function ShowRow({ show }: { show: ShowFigures }) {
	const t = texts.use();
	return (
		<li>
			<a class="showrow" href={hrefOf('show', show.showId)}>
				<span>
					<b>{form.day(show.startsAt)}</b> <span class="soft small">{form.time(show.startsAt)}</span> <VenueDate of={show} />
					{show.closed ? <span class="chip warn">{t.text('show.closed.short')}</span> : null}
				</span>
				<SeatBar
					sold={show.sold}
					held={show.held}
					total={show.totalSeats}
					label={t.text('seats.told', { sold: show.sold, held: show.held, free: show.available, total: show.totalSeats })}
				/>
				<span class="number small">{t.text('seats.brief', { sold: show.sold, held: show.held, free: show.available })}</span>
				<b class="number money">{t.format.won(show.revenue)}</b>
			</a>
		</li>
	);
}

export function Shows() {
	const t = texts.use();
	const stats = usePoll<Stats>('api/admin/stats', 3000);
	const concerts = usePoll<{ concerts: Concert[] }>('api/concerts', 10000);
	const shows = stats.value?.shows;
	const list = concerts.value?.concerts;
	return (
		<main class="stack wide">
			<ViewTitle>{t.text('nav.shows')}</ViewTitle>
			{!shows || !list ? (
				<Loading polled={stats.value ? concerts : stats} />
			) : list.length === 0 ? (
				<FirstSteps />
			) : (
				<>
					<section class="card" aria-label={t.text('shows.total')}>
						<Totals shows={shows} />
					</section>
					{list.map((concert) => {
						const ours = shows.filter((show) => show.concertId === concert.concertId);
						return (
							<section key={concert.concertId} class="card stack" aria-labelledby={`concert-${concert.concertId}`}>
								<div class="row between">
									<div>
										<h2 id={`concert-${concert.concertId}`}>{concert.title}</h2>
										<p class="soft">{t.text('concert.by', { artist: concert.artist, venue: concert.venue })}</p>
										{concert.salesOpenAt ? (
											<p class="soft small">{t.text('concert.opens', { at: form.moment(concert.salesOpenAt) })}</p>
										) : null}
									</div>
									<div class="row">
										<a
											class="button"
											href={hrefOf('concert', concert.concertId)}
											aria-label={t.text('concert.edit.label', { title: concert.title })}
										>
											{t.text('concert.edit')}
										</a>
										<SalesFile concertId={concert.concertId} title={concert.title} />
									</div>
								</div>
								{ours.length ? (
									<ul class="shows">
										{ours.map((show) => (
											<ShowRow key={show.showId} show={show} />
										))}
									</ul>
								) : (
									<p class="soft">{t.text('shows.none')}</p>
								)}
							</section>
						);
					})}
				</>
			)}
		</main>
	);
}
