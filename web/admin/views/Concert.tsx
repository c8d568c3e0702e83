// What is said of a concert: title, artist, venue, and when its sale opens.
import { useState } from 'preact/hooks';
import { asRefusal } from '../../shared/api.ts';
import { announce, Notice, ViewTitle } from '../../shared/ui/index.tsx';
import { placeOf } from '../catalogue.ts';
import { localIn, OWN, withOffset } from '../instants.ts';
import type { OrganiserConcert } from '../model.ts';
import { usePoll } from '../poll.ts';
import { hrefOf } from '../route.ts';
import { ask, detailOf } from '../session.ts';
import { form, texts } from '../texts.ts';
import { Field, Loading, OffsetChoice, refusalText, VenueDate } from '../ui.tsx';
import { SalesFile } from './Shows.tsx';

interface Change {
	title?: string;
	artist?: string;
	venue?: string;
	salesOpenAt?: string | null; // null: sales are open
}
const NAMES = ['title', 'artist', 'venue'] as const;

function Edit({ concert, changed }: { concert: OrganiserConcert; changed: () => void }) {
	const t = texts.use();
	const [edited, setEdited] = useState<Record<string, string>>({});
	const [offset, setOffset] = useState(OWN);
	const [wrong, setWrong] = useState<Record<string, string>>({});
	const [told, setTold] = useState('');
	const [trouble, setTrouble] = useState('');
	const [busy, setBusy] = useState(false);
	const opens = concert.salesOpenAt ? localIn(concert.salesOpenAt, offset) : '';
	const edit = (name: string) => (value: string) => setEdited({ ...edited, [name]: value });
	const submit = async (e: Event) => {
		e.preventDefault();
		if (busy) return;
		const change: Change = {};
		for (const name of NAMES) {
			const value = edited[name]?.trim();
			if (value !== undefined && value !== concert[name]) change[name] = value;
		}
		const typed = edited.salesOpenAt;
		if (typed !== undefined && typed !== opens) change.salesOpenAt = typed ? withOffset(typed, offset) : null;
		setTold('');
		setTrouble('');
		const empty = NAMES.filter((name) => change[name] === '');
		setWrong(Object.fromEntries(empty.map((name) => [name, t.text('wrong.empty')])));
		if (empty[0]) {
			document.getElementById(empty[0])?.focus();
			return;
		}
		if (!Object.keys(change).length) {
			setTold(t.text('controls.same'));
			return;
		}
		setBusy(true);
		try {
			await ask('PATCH', `api/admin/concerts/${concert.concertId}`, change);
			setEdited({});
			setTold(t.text('concert.saved'));
			announce(t.text('concert.saved'));
			changed();
		} catch (e) {
			const refusal = asRefusal(e);
			const { place, says } = placeOf(detailOf(refusal));
			if (place && refusal.status === 400) setWrong({ [place]: t.text('error.server', { detail: says }) });
			else setTrouble(refusal.unsure ? t.text('error.unsure') : refusalText(refusal));
		}
		setBusy(false);
	};
	return (
		<form class="card stack" onSubmit={submit} noValidate>
			{NAMES.map((name) => (
				<Field
					key={name}
					id={name}
					label={t.text(`concert.${name}`)}
					maxLength={200}
					autoComplete="off"
					value={edited[name] ?? concert[name]}
					set={edit(name)}
					error={wrong[name]}
				/>
			))}
			<div class="pair">
				<Field
					id="salesOpenAt"
					type="datetime-local"
					label={t.text('concert.salesOpenAt')}
					hint={t.text('concert.salesOpenAt.edit')}
					value={edited.salesOpenAt ?? opens}
					set={edit('salesOpenAt')}
					error={wrong.salesOpenAt}
				/>
				<OffsetChoice label="offset.shown" value={offset} set={setOffset} />
			</div>
			{trouble ? <Notice tone="bad">{trouble}</Notice> : null}
			{told ? <Notice>{told}</Notice> : null}
			<div class="row">
				<button type="submit" class="button main" aria-disabled={busy}>
					{t.text(busy ? 'working' : 'save')}
				</button>
				<SalesFile concertId={concert.concertId} title={concert.title} />
			</div>
		</form>
	);
}

export function ConcertView({ id }: { id: number }) {
	const t = texts.use();
	const concert = usePoll<OrganiserConcert>(`api/admin/concerts/${id}`, 10000);
	return (
		<main class="stack wide narrow">
			<header class="stack tight">
				<p>
					<a href={hrefOf('shows')}>{t.text('back.shows')}</a>
				</p>
				<ViewTitle>{concert.value?.title ?? t.text('concert.edit')}</ViewTitle>
			</header>
			{concert.value ? (
				<>
					<Edit concert={concert.value} changed={concert.again} />
					<section class="card stack" aria-labelledby="dates">
						<h2 id="dates">{t.text('concert.dates')}</h2>
						<ul class="stack tight">
							{concert.value.shows.map((show) => (
								<li key={show.showId}>
									<a href={hrefOf('show', show.showId)}>{form.when(show.startsAt)}</a> <VenueDate of={show} />{' '}
									{show.closed ? <span class="chip warn">{t.text('show.closed.short')}</span> : null}
								</li>
							))}
						</ul>
					</section>
				</>
			) : (
				<Loading polled={concert} />
			)}
		</main>
	);
}
