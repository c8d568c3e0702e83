// The screen on the wall: large, dark, nothing to touch. Several queues take turns.
import { useEffect, useState } from 'preact/hooks';
import type { Concert } from '../../shared/api.ts';
import { useTick } from '../../shared/state.ts';
import { Spinner, Wordmark } from '../../shared/ui/index.tsx';
import { type Queue, type Stats, totalOf } from '../model.ts';
import { usePoll } from '../poll.ts';
import { useSeries } from '../series.ts';
import { clock } from '../session.ts';
import { form, texts } from '../texts.ts';
import { Trouble } from '../ui.tsx';
import { QueuePlots, SalesPlot } from './charts.tsx';

const TURN = 20; // seconds that one queue is shown

// Busy queues only, when there are any.
function turnsOf(queues: Queue[]): Queue[] {
	const busy = queues.filter((queue) => queue.waiting > 0 || queue.active > 0);
	return busy.length ? busy : queues.slice(0, 1);
}

function Board({ queue, shows }: { queue: Queue; shows: Stats['shows'] }) {
	const t = texts.use();
	const ids = shows.map((show) => show.showId).slice(0, 63);
	const { points } = useSeries([queue.queueId], ids, 'minutes');
	const total = totalOf(shows);
	return (
		<>
			<div class="walltop">
				<h1>{queue.name}</h1>
				{queue.paused ? <span class="chip warn">{t.text('queue.paused')}</span> : null}
				<p class="number">
					{t.text('live.sold', {
						sold: total.sold,
						seats: total.seats,
						part: form.percent(total.seats ? total.sold / total.seats : 0),
					})}
				</p>
				<p class="number">{t.format.won(total.revenue)}</p>
			</div>
			<div class="wallplots">
				<QueuePlots points={points} span="minutes" wall queueId={queue.queueId} capacity={queue.capacity} />
				<SalesPlot points={points} span="minutes" wall shows={ids} />
			</div>
		</>
	);
}

export function Live() {
	const t = texts.use();
	useTick(1000);
	const stats = usePoll<Stats>('api/admin/stats', 2000);
	const concerts = usePoll<{ concerts: Concert[] }>('api/concerts', 20000);
	const [turn, setTurn] = useState(0);
	useEffect(() => {
		const timer = setInterval(() => setTurn((n) => n + 1), TURN * 1000);
		return () => clearInterval(timer);
	}, []);
	const queues = stats.value ? turnsOf(stats.value.queues) : [];
	const queue = queues[turn % Math.max(1, queues.length)];
	const ours = new Set(concerts.value?.concerts.filter((c) => c.queueId === queue?.queueId).map((c) => c.concertId));
	return (
		<main class="live">
			<header class="row between">
				<Wordmark name={t.text('app.name')} />
				<time class="number">{form.clockSeconds(clock.now() / 1000)}</time>
			</header>
			<Trouble />
			{queue && concerts.value ? (
				<Board key={queue.queueId} queue={queue} shows={stats.value!.shows.filter((show) => ours.has(show.concertId))} />
			) : (
				<>
					<h1 class="hidden">{t.text('live.title')}</h1>
					<Spinner label={t.text('loading')} />
				</>
			)}
		</main>
	);
}
