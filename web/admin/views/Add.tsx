// Adding a concert: by a form, or by a catalogue file.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Refusal } from '../../shared/api.ts';
import { Cell, useCell } from '../../shared/state.ts';
import { announce, Notice, ViewTitle } from '../../shared/ui/index.tsx';
import { type Adding, useAdding } from '../adding.ts';
import {
	type ConcertFields,
	check,
	documentOf,
	entriesOf,
	excerptOf,
	FILE_MAX,
	fieldOf,
	NAMED,
	NEW_QUEUE,
	placeOf,
	previewOf,
	type SectionFields,
	summaryOf,
} from '../catalogue.ts';
import { HeatMap } from '../heat.tsx';
import { OWN, ownOffset } from '../instants.ts';
import type { NewIds, Queue } from '../model.ts';
import { usePoll } from '../poll.ts';
import { hrefOf } from '../route.ts';
import { detailOf, key } from '../session.ts';
import { type Key, texts } from '../texts.ts';
import { Choice, Field, OffsetChoice, refusalText, Switch } from '../ui.tsx';

interface Done {
	ids: NewIds;
	late: boolean; // its answer was lost
}

function Added({ ids, late, more }: Done & { more: () => void }) {
	const t = texts.use();
	return (
		<section class="card stack">
			{late ? <Notice>{t.text('add.present')}</Notice> : null}
			<Notice>
				{t.text('add.done', { concerts: ids.concertIds.length, shows: ids.showIds.length, queues: ids.queueIds.length })}
			</Notice>
			<div class="row">
				<a class="button main" href={hrefOf('shows')}>
					{t.text('add.look')}
				</a>
				<button type="button" class="button" onClick={more}>
					{t.text('add.more')}
				</button>
			</div>
		</section>
	);
}

// What is told while it is not known whether something was added, and when it turns out that it was not.
function Outcome({ adding }: { adding: Adding }) {
	const t = texts.use();
	if (adding.looking) return <Notice tone="warn">{t.text('add.looking')}</Notice>;
	if (!adding.absent) return null;
	return (
		<Notice tone="warn">
			<p>{t.text('add.absent')}</p>
			<ul class="stack tight">
				{adding.absent.map(({ title, shows }, i) => (
					<li key={i}>
						<b>{title}</b> <span class="soft">{shows.map((show) => t.format.day(show.date)).join(' · ')}</span>
					</li>
				))}
			</ul>
		</Notice>
	);
}

const unsentText = (refusal: Refusal) => (refusal.code === 'NO_ANSWER' ? texts.text('add.unsent') : refusalText(refusal));

const fresh = (): ConcertFields => ({
	title: '',
	artist: '',
	venue: '',
	queue: '',
	queueName: '',
	queueCapacity: '100',
	offset: OWN,
	salesOpenAt: '',
	dates: [''],
	sections: [{ section: 'A', from: '1', to: '50', price: '50000' }],
});

// What is filled in stays while another view is looked at, as long as one is signed in.
const draft = new Cell<ConcertFields>(fresh());
key.watch(() => draft.set(fresh()));

// The fields of a section, and what they are called.
const SECTION_FIELDS: [keyof SectionFields, Key][] = [
	['section', 'section'],
	['from', 'add.from'],
	['to', 'add.to'],
	['price', 'price.won'],
];
const DATES_MAX = 100;
const SECTIONS_MAX = 200;

// The next section begins where the last one ends.
function nextSection(fields: ConcertFields) {
	const last = fields.sections.at(-1);
	const from = Number(last?.to ?? 0) + 1 || 1;
	const letter = String.fromCharCode(65 + (fields.sections.length % 26));
	return { section: letter, from: String(from), to: String(from + 49), price: last?.price ?? '50000' };
}

function Form({ adding }: { adding: Adding }) {
	const t = texts.use();
	const queues = usePoll<{ queues: Queue[] }>('api/admin/queues', 30000);
	const fields = useCell(draft);
	const setFields = (next: (old: ConcertFields) => ConcertFields) => draft.set(next(draft.value));
	const [wrong, setWrong] = useState<Record<string, string>>({});
	const [trouble, setTrouble] = useState('');
	const busy = adding.busy || adding.looking;
	const set =
		<K extends keyof ConcertFields>(name: K) =>
		(value: ConcertFields[K]) =>
			setFields((old) => ({ ...old, [name]: value }));
	const setSection = (i: number, part: Partial<ConcertFields['sections'][number]>) =>
		setFields((old) => ({ ...old, sections: old.sections.map((s, k) => (k === i ? { ...s, ...part } : s)) }));
	const shape = JSON.stringify(entriesOf(fields));
	const preview = useMemo(() => previewOf(entriesOf(fields)), [shape]);
	const others = (queues.value?.queues ?? []).filter((queue) => queue.queueId !== 1);
	const usual = queues.value?.queues.find((queue) => queue.queueId === 1)?.name ?? '';

	const fail = (errors: Record<string, string>) => {
		setWrong(errors);
		const [first, why] = Object.entries(errors)[0] ?? [];
		if (first) setTimeout(() => document.getElementById(first)?.focus());
		if (why) announce(t.text('wrong.some', { count: Object.keys(errors).length }));
	};
	const submit = async (e: Event) => {
		e.preventDefault();
		if (busy) return;
		setTrouble('');
		const found = check(fields);
		fail(Object.fromEntries([...found].map(([id, w]) => [id, t.text(w.key, w.values)])));
		if (found.size) return;
		const refusal = await adding.send(documentOf(fields));
		if (!refusal) return;
		const { place, says } = placeOf(detailOf(refusal));
		const field = refusal.status === 400 ? fieldOf(place, fields.sections.length) : null;
		if (field) fail({ [field]: t.text('error.server', { detail: says }) });
		else setTrouble(unsentText(refusal));
	};
	// The button that was pressed is gone: a field beside it has the focus then.
	const remove = (name: 'dates' | 'sections', i: number) => {
		const next = { ...fields, [name]: fields[name].filter((_: unknown, k: number) => k !== i) };
		setFields(() => next);
		const field = name === 'dates' ? 'date' : 'section';
		setTimeout(() => document.getElementById(`${field}-${Math.min(i, next[name].length - 1)}`)?.focus());
	};

	return (
		<form class="adding" onSubmit={submit} noValidate>
			<div class="stack wide">
				<section class="card stack" aria-labelledby="what">
					<h2 id="what">{t.text('add.what')}</h2>
					<Field
						id="title"
						label={t.text('concert.title')}
						maxLength={200}
						autoComplete="off"
						value={fields.title}
						set={set('title')}
						error={wrong.title}
					/>
					<div class="pair">
						<Field
							id="artist"
							label={t.text('concert.artist')}
							maxLength={200}
							autoComplete="off"
							value={fields.artist}
							set={set('artist')}
							error={wrong.artist}
						/>
						<Field
							id="venue"
							label={t.text('concert.venue')}
							maxLength={200}
							autoComplete="off"
							value={fields.venue}
							set={set('venue')}
							error={wrong.venue}
						/>
					</div>
				</section>
				<section class="card stack" aria-labelledby="when">
					<h2 id="when">{t.text('add.when')}</h2>
					<OffsetChoice label="offset" hint={t.text('offset.hint')} value={fields.offset} set={set('offset')} />
					{fields.dates.map((date, i) => (
						<div class="with" key={i}>
							<Field
								id={`date-${i}`}
								type="datetime-local"
								label={t.text('add.date', { n: i + 1 })}
								hint={date && fields.offset === OWN ? t.text('offset.utc', { offset: ownOffset(date) }) : undefined}
								value={date}
								set={(value) => set('dates')(fields.dates.map((d, k) => (k === i ? value : d)))}
								error={wrong[`date-${i}`]}
							/>
							{fields.dates.length > 1 ? (
								<button
									type="button"
									class="button"
									aria-label={t.text('add.date.remove', { n: i + 1 })}
									onClick={() => remove('dates', i)}
								>
									{t.text('remove')}
								</button>
							) : null}
						</div>
					))}
					{fields.dates.length < DATES_MAX ? (
						<div>
							<button type="button" class="button" onClick={() => set('dates')([...fields.dates, fields.dates.at(-1) ?? ''])}>
								{t.text('add.date.more')}
							</button>
						</div>
					) : null}
					<Field
						id="salesOpenAt"
						type="datetime-local"
						label={t.text('concert.salesOpenAt')}
						hint={t.text('concert.salesOpenAt.hint')}
						value={fields.salesOpenAt}
						set={set('salesOpenAt')}
						error={wrong.salesOpenAt}
					/>
				</section>
				<section class="card stack" aria-labelledby="line">
					<h2 id="line">{t.text('add.line')}</h2>
					<Choice
						id="queue"
						label={t.text('add.queue')}
						hint={t.text('add.queue.hint')}
						value={fields.queue}
						set={set('queue')}
						options={[
							['', t.text('add.queue.usual', { name: usual })],
							...others.map((queue): [string, string] => [NAMED + queue.name, queue.name]),
							[NEW_QUEUE, t.text('add.queue.new')],
						]}
					/>
					{wrong.queue ? <span class="wrong">{wrong.queue}</span> : null}
					{fields.queue === NEW_QUEUE ? (
						<div class="pair">
							<Field
								id="queueName"
								label={t.text('add.queue.name')}
								maxLength={64}
								autoComplete="off"
								value={fields.queueName}
								set={set('queueName')}
								error={wrong.queueName}
							/>
							<Field
								id="queueCapacity"
								label={t.text('queue.capacity')}
								inputMode="numeric"
								autoComplete="off"
								value={fields.queueCapacity}
								set={set('queueCapacity')}
								error={wrong.queueCapacity}
							/>
						</div>
					) : null}
				</section>
			</div>
			<div class="stack wide">
				<section class="card stack" aria-labelledby="seats">
					<h2 id="seats">{t.text('add.seats')}</h2>
					<p class="soft small">{t.text('add.seats.hint')}</p>
					{fields.sections.map((section, i) => (
						<fieldset class="section" key={i}>
							<legend>{t.text('add.section', { n: i + 1 })}</legend>
							{SECTION_FIELDS.map(([name, label]) => (
								<Field
									key={name}
									id={`${name}-${i}`}
									label={t.text(label)}
									inputMode={name === 'section' ? undefined : 'numeric'}
									maxLength={name === 'section' ? 64 : undefined}
									autoComplete="off"
									value={section[name]}
									set={(v) => setSection(i, { [name]: v })}
									error={wrong[`${name}-${i}`]}
								/>
							))}
							{fields.sections.length > 1 ? (
								<button
									type="button"
									class="button"
									aria-label={t.text('add.section.remove', { n: i + 1 })}
									onClick={() => remove('sections', i)}
								>
									{t.text('remove')}
								</button>
							) : null}
						</fieldset>
					))}
					{fields.sections.length < SECTIONS_MAX ? (
						<div>
							<button type="button" class="button" onClick={() => set('sections')([...fields.sections, nextSection(fields)])}>
								{t.text('add.section.more')}
							</button>
						</div>
					) : null}
				</section>
				<section class="card stack" aria-labelledby="preview">
					<h2 id="preview">{t.text('add.preview')}</h2>
					{preview.length ? (
						<>
							<HeatMap seats={preview} preview label={t.text('add.preview.told', { count: preview.length })} />
							<p class="number">
								{t.text('add.preview.sum', {
									count: preview.length,
									total: t.format.won(preview.reduce((n, s) => n + s.price, 0)),
								})}
							</p>
						</>
					) : (
						<p class="soft">{t.text('add.preview.none')}</p>
					)}
				</section>
				{trouble ? <Notice tone="bad">{trouble}</Notice> : null}
				<Outcome adding={adding} />
				<button type="submit" class="button main whole" aria-disabled={busy}>
					{t.text(busy ? 'working' : 'add.submit')}
				</button>
			</div>
		</form>
	);
}

interface Chosen {
	name: string;
	doc: unknown;
}

function File({ adding }: { adding: Adding }) {
	const t = texts.use();
	const [chosen, setChosen] = useState<Chosen | null>(null);
	const [unreadable, setUnreadable] = useState('');
	const [trouble, setTrouble] = useState<{ place: string; says: string } | null>(null);
	const busy = adding.busy || adding.looking;
	const summary = useMemo(() => (chosen ? summaryOf(chosen.doc) : null), [chosen]);
	const choose = async (file: globalThis.File | undefined) => {
		setChosen(null);
		setTrouble(null);
		setUnreadable('');
		if (!file) return;
		if (file.size > FILE_MAX) {
			setUnreadable(t.text('file.large'));
			return;
		}
		try {
			setChosen({ name: file.name, doc: JSON.parse(await file.text()) });
		} catch (e) {
			setUnreadable(e instanceof SyntaxError ? t.text('file.json', { why: e.message }) : t.text('file.unread'));
		}
	};
	const submit = async (e: Event) => {
		e.preventDefault();
		if (busy || !chosen) return;
		setTrouble(null);
		const refusal = await adding.send(chosen.doc);
		if (refusal) setTrouble(refusal.status === 400 ? placeOf(detailOf(refusal)) : { place: '', says: unsentText(refusal) });
	};
	return (
		<form class="stack wide narrow" onSubmit={submit} noValidate>
			<section class="card stack">
				<div class="field">
					<label for="file">{t.text('file.label')}</label>
					<input
						id="file"
						type="file"
						accept=".json,application/json"
						aria-describedby={unreadable ? 'file-hint file-error' : 'file-hint'}
						aria-invalid={unreadable ? 'true' : undefined}
						onChange={(e) => {
							void choose(e.currentTarget.files?.[0]);
							e.currentTarget.value = ''; // so that the same file, corrected, is a change when it is chosen again
						}}
					/>
					<span class="soft small" id="file-hint">
						{t.text('file.hint')}
					</span>
					{unreadable ? (
						<span class="wrong" id="file-error" role="alert">
							{unreadable}
						</span>
					) : null}
				</div>
				<pre class="sample soft small">{SAMPLE}</pre>
			</section>
			{summary ? (
				<section class="card stack" aria-labelledby="file-has">
					<h2 id="file-has">{t.text('file.has', { name: chosen!.name })}</h2>
					<ul class="stack tight">
						{summary.queues ? <li>{t.text('file.queues', { count: summary.queues })}</li> : null}
						{summary.concerts.slice(0, 20).map((concert, i) => (
							<li key={i}>
								<b>{concert.title || '–'}</b>{' '}
								<span class="soft number">{t.text('file.concert', { shows: concert.shows, seats: concert.seats })}</span>
							</li>
						))}
						{summary.concerts.length > 20 ? <li>{t.text('file.more', { count: summary.concerts.length - 20 })}</li> : null}
					</ul>
					{summary.preview.length ? (
						<HeatMap seats={summary.preview} preview label={t.text('add.preview.told', { count: summary.preview.length })} />
					) : null}
					{trouble ? (
						<Notice tone="bad">
							<p>{trouble.place ? t.text('file.wrong', { place: trouble.place }) : trouble.says}</p>
							{trouble.place ? <p>{t.text('error.server', { detail: trouble.says })}</p> : null}
							{trouble.place ? (
								<ul class="excerpt" aria-label={t.text('file.excerpt')}>
									{excerptOf(chosen!.doc, trouble.place).map(({ line, wrong }) => (
										<li key={line} class={wrong ? 'here' : ''}>
											{line}
										</li>
									))}
								</ul>
							) : null}
						</Notice>
					) : null}
					<Outcome adding={adding} />
					<button type="submit" class="button main" aria-disabled={busy}>
						{t.text(busy ? 'working' : 'file.submit')}
					</button>
				</section>
			) : null}
		</form>
	);
}

const SAMPLE = `{
  "queues": [{ "name": "spring", "capacity": 200 }],
  "concerts": [{
    "title": "…", "artist": "…", "venue": "…",
    "queue": "spring",
    "salesOpenAt": "2027-03-01T20:00:00+09:00",
    "shows": [{
      "startsAt": "2027-04-10T19:00:00+09:00",
      "seats": [
        { "section": "A", "from": 1, "to": 50, "price": 110000 }
      ]
    }]
  }]
}`;

export function Add() {
	const t = texts.use();
	const [way, setWay] = useState<'form' | 'file'>('form');
	const [done, setDone] = useState<Done | null>(null);
	const first = useRef(true);
	useEffect(() => {
		if (!first.current) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
		first.current = false;
	}, [done]);
	const adding = useAdding((ids, late) => {
		setDone({ ids, late });
		if (way === 'form') draft.set(fresh());
		announce(t.text('add.done', { concerts: ids.concertIds.length, shows: ids.showIds.length, queues: ids.queueIds.length }));
		scrollTo(0, 0);
	});
	return (
		<main class="stack wide">
			<div class="row between">
				<ViewTitle>{t.text('nav.add')}</ViewTitle>
				{done ? null : (
					<Switch
						name="way"
						label={t.text('add.way')}
						value={way}
						set={setWay}
						options={[
							['form', t.text('add.form')],
							['file', t.text('add.file')],
						]}
					/>
				)}
			</div>
			{done ? (
				<Added {...done} more={() => setDone(null)} />
			) : way === 'form' ? (
				<Form adding={adding} />
			) : (
				<File adding={adding} />
			)}
		</main>
	);
}
