// One show: the map of its seats by state, its sections, its sales, and what may be changed.
import { useMemo, useState } from 'preact/hooks';
import { Notice, ViewTitle } from '../../shared/ui/index.tsx';
import { HeatMap } from '../heat.tsx';
import { localIn, OWN, withOffset } from '../instants.ts';
import { type Hall, type OrganiserConcert, type Section, seatsOf } from '../model.ts';
import { usePoll } from '../poll.ts';
import { hrefOf } from '../route.ts';
import { type Span, useSeries } from '../series.ts';
import { ask } from '../session.ts';
import { form, type Key, texts } from '../texts.ts';
import { Confirm, Field, Loading, OffsetChoice, Scroll, VenueDate } from '../ui.tsx';
import { SalesPlot } from './charts.tsx';
import { SpanSwitch } from './Queues.tsx';
import { Totals } from './Shows.tsx';

export const PRICE_MAX = 1_000_000_000;

function priceText(section: Section): string {
	const low = texts.format.won(section.lowestPrice);
	return section.lowestPrice === section.highestPrice
		? low
		: texts.text('price.range', { low, high: texts.format.won(section.highestPrice) });
}

function Sections({ hall }: { hall: Hall }) {
	const t = texts.use();
	return (
		<Scroll label={t.text('sections.title')}>
			<table class="sections">
				<caption class="hidden">{t.text('sections.title')}</caption>
				<thead>
					<tr>
						<th scope="col">{t.text('section')}</th>
						<th scope="col" class="right">
							{t.text('price')}
						</th>
						<th scope="col" class="right">
							{t.text('state.sold')}
						</th>
						<th scope="col" class="right">
							{t.text('state.held')}
						</th>
						<th scope="col" class="right">
							{t.text('state.free')}
						</th>
						<th scope="col" class="right">
							{t.text('revenue')}
						</th>
					</tr>
				</thead>
				<tbody class="number">
					{hall.sections.map((section) => (
						<tr key={section.section}>
							<th scope="row">{section.section}</th>
							<td class="right">{priceText(section)}</td>
							<td class="right">{t.format.number(section.sold)}</td>
							<td class="right">{t.format.number(section.held)}</td>
							<td class="right">{t.format.number(section.available)}</td>
							<td class="right">{t.format.won(section.revenue)}</td>
						</tr>
					))}
				</tbody>
			</table>
		</Scroll>
	);
}

interface ShowChange {
	startsAt?: string;
	closed?: boolean;
	prices?: { section: string; price: number }[];
}
interface Asking {
	title: string;
	says: string[];
	yes: Key;
	change: ShowChange;
}

const SECTIONS_MAX = 100; // whose prices one request may change

function ShowControls({ hall, changed }: { hall: Hall; changed: () => void }) {
	const t = texts.use();
	const [offset, setOffset] = useState(OWN);
	const [startsAt, setStartsAt] = useState<string | null>(null);
	const [prices, setPrices] = useState<Record<string, string>>({});
	const [wrong, setWrong] = useState<Record<string, string>>({});
	const [asking, setAsking] = useState<Asking | null>(null);
	const [told, setTold] = useState('');
	// The offset that the instant was given with is not kept, only the venue's date: it tells that this is another.
	const elsewhere = localIn(hall.startsAt, offset).slice(0, 10) !== hall.date;
	const shownPrice = (s: Section) => prices[s.section] ?? (s.lowestPrice === s.highestPrice ? String(s.lowestPrice) : '');

	const submit = (e: Event) => {
		e.preventDefault();
		setTold('');
		const change: ShowChange = {};
		const says: string[] = [];
		const errors: Record<string, string> = {};
		if (startsAt === '') errors.starts = t.text('wrong.instant');
		else if (startsAt !== null && startsAt !== localIn(hall.startsAt, offset)) {
			change.startsAt = withOffset(startsAt, offset);
			says.push(t.text('effect.starts', { at: form.moment(change.startsAt) }));
			says.push(t.text('effect.starts.date', { day: t.format.day(startsAt.slice(0, 10)) }));
		}
		hall.sections.forEach((section, i) => {
			const typed = prices[section.section]?.trim();
			if (typed === undefined || typed === '') return;
			const price = /^\d{1,10}$/.test(typed) ? Number(typed) : Number.NaN;
			if (!(price <= PRICE_MAX)) errors[`price-${i}`] = t.text('wrong.range', { low: 0, high: PRICE_MAX });
			else if (price !== section.lowestPrice || price !== section.highestPrice) {
				change.prices = [...(change.prices ?? []), { section: section.section, price }];
				says.push(t.text('effect.price', { section: section.section, price: t.format.won(price), count: section.available }));
			}
		});
		if (change.prices) says.push(t.text('effect.price.kept'));
		setWrong(errors);
		const first = Object.keys(errors)[0];
		if (first) document.getElementById(first)?.focus();
		else if (says.length === 0) setTold(t.text('controls.same'));
		else setAsking({ title: t.text('confirm.show'), says, yes: 'confirm.change.yes', change });
	};
	const toggle = () =>
		setAsking(
			hall.closed
				? {
						title: t.text('confirm.reopen'),
						says: [t.text('effect.reopen', { count: hall.available })],
						yes: 'confirm.reopen.yes',
						change: { closed: false },
					}
				: {
						title: t.text('confirm.close'),
						says: [t.text('effect.close'), t.text('effect.close.held', { count: hall.held })],
						yes: 'confirm.close.yes',
						change: { closed: true },
					},
		);
	const run = async () => {
		const done = await ask<Hall & { repriced: number; pricesKept: number }>(
			'PATCH',
			`api/admin/shows/${hall.showId}`,
			asking!.change,
		);
		if (asking!.change.prices) setTold(t.text('show.repriced', { n: done.repriced, kept: done.pricesKept }));
	};
	const close = (done: boolean) => {
		if (done) {
			setStartsAt(null);
			setPrices({});
		}
		setAsking(null);
		changed();
	};
	return (
		<section class="card stack" aria-labelledby="show-controls">
			<h2 id="show-controls">{t.text('show.change')}</h2>
			{hall.closed ? <Notice tone="warn">{t.text('show.closed')}</Notice> : null}
			<form class="stack" onSubmit={submit} noValidate>
				<div class="pair">
					<Field
						id="starts"
						type="datetime-local"
						label={t.text('show.starts')}
						value={startsAt ?? localIn(hall.startsAt, offset)}
						set={setStartsAt}
						hint={elsewhere ? t.text('show.elsewhere', { day: t.format.day(hall.date) }) : undefined}
						error={wrong.starts}
					/>
					<OffsetChoice label="offset.shown" value={offset} set={setOffset} />
				</div>
				<fieldset class="stack tight">
					<legend>{t.text('show.prices')}</legend>
					<div class="prices">
						{hall.sections.slice(0, SECTIONS_MAX).map((section, i) => (
							<Field
								key={section.section}
								id={`price-${i}`}
								inputMode="numeric"
								autoComplete="off"
								label={section.section}
								value={shownPrice(section)}
								set={(value) => setPrices({ ...prices, [section.section]: value })}
								error={wrong[`price-${i}`]}
							/>
						))}
					</div>
				</fieldset>
				<div class="row">
					<button type="submit" class="button main">
						{t.text('controls.apply')}
					</button>
					<button type="button" class="button" onClick={toggle}>
						{t.text(hall.closed ? 'show.reopen' : 'show.close')}
					</button>
				</div>
			</form>
			{told ? <Notice>{told}</Notice> : null}
			{asking ? <Confirm title={asking.title} says={asking.says} yes={asking.yes} run={run} close={close} /> : null}
		</section>
	);
}

function ShowDetail({ hall, concert, again }: { hall: Hall; concert: OrganiserConcert | null; again: () => void }) {
	const t = texts.use();
	const [span, setSpan] = useState<Span>('hour');
	const seats = useMemo(() => seatsOf(hall), [hall]);
	const { points } = useSeries([], [hall.showId], span);
	const figures = { ...hall, title: concert?.title ?? '' };
	return (
		<>
			<header class="stack tight">
				<p>
					<a href={hrefOf('shows')}>{t.text('back.shows')}</a>
				</p>
				<ViewTitle>{concert?.title ?? t.text('show.title')}</ViewTitle>
				<p class="soft">
					{form.when(hall.startsAt)}
					{concert ? ` · ${concert.venue}` : ''} <VenueDate of={hall} />
				</p>
			</header>
			<section class="card" aria-label={t.text('shows.total')}>
				<Totals shows={[figures]} />
			</section>
			<section class="card stack" aria-labelledby="map">
				<h2 id="map">{t.text('map.title')}</h2>
				<HeatMap
					seats={seats}
					label={t.text('seats.told', { sold: hall.sold, held: hall.held, free: hall.available, total: hall.totalSeats })}
				/>
				<Sections hall={hall} />
			</section>
			<section class="stack" aria-labelledby="course">
				<div class="row between">
					<h2 id="course">{t.text('show.course')}</h2>
					<SpanSwitch span={span} set={setSpan} />
				</div>
				<SalesPlot points={points} span={span} shows={[hall.showId]} />
			</section>
			<ShowControls hall={hall} changed={again} />
		</>
	);
}

export function Show({ id }: { id: number }) {
	const hall = usePoll<Hall>(`api/admin/shows/${id}`, 3000);
	const concert = usePoll<OrganiserConcert>(hall.value ? `api/admin/concerts/${hall.value.concertId}` : null, 20000);
	return (
		<main class="stack wide">
			{hall.value ? <ShowDetail hall={hall.value} concert={concert.value} again={hall.again} /> : <Loading polled={hall} />}
		</main>
	);
}
