import type { Concert } from '../../shared/api.ts';
import { Spinner, ViewTitle } from '../../shared/ui/index.tsx';
import { api, texts } from '../here.ts';
import { useLoad } from '../load.ts';
import { Poster, Problem, useSalesOpen } from '../parts.tsx';
import { to } from '../route.ts';

const AGAIN = 30000;

function ConcertCard({ concert }: { concert: Concert }) {
	const t = texts.use();
	const open = useSalesOpen(concert);
	return (
		<li>
			<a class="card concert" href={to.concert(concert.concertId)}>
				<Poster concert={concert} />
				<div class="words">
					<h2 dir="auto">{concert.title}</h2>
					<p dir="auto">{concert.artist}</p>
					<p class="soft small" dir="auto">
						{concert.venue}
					</p>
					<p class={`badge ${open ? 'open' : ''}`}>
						{open ? t.text('home.onSale') : t.text('home.opens', { when: t.format.instant(concert.salesOpenAt!) })}
					</p>
				</div>
			</a>
		</li>
	);
}

export function HomeView() {
	const t = texts.use();
	const { value, refusal, again } = useLoad('concerts', () => api.get<{ concerts: Concert[] }>('api/concerts'), AGAIN);
	return (
		<div class="stack wide">
			<div class="stack tight">
				<ViewTitle>{t.text('home.title')}</ViewTitle>
				<p class="lead soft">{t.text('home.lead')}</p>
			</div>
			{refusal ? <Problem refusal={refusal} again={again} /> : null}
			{!value && !refusal ? <Spinner label={t.text('app.loading')} /> : null}
			{value && !value.concerts.length ? <p>{t.text('home.none')}</p> : null}
			<ul class="concerts">
				{value?.concerts.map((concert) => (
					<ConcertCard key={concert.concertId} concert={concert} />
				))}
			</ul>
		</div>
	);
}
