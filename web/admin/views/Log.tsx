// Who changed what, when: newest first, a page at a time.
import { useEffect, useRef, useState } from 'preact/hooks';
import { asRefusal, type Refusal } from '../../shared/api.ts';
import { Notice, Spinner, ViewTitle } from '../../shared/ui/index.tsx';
import { actionText, detailText, targetText } from '../audit.ts';
import type { AuditEntry, AuditLog } from '../model.ts';
import { ask } from '../session.ts';
import { form, texts } from '../texts.ts';
import { refusalText, Scroll } from '../ui.tsx';

const PAGE = 25;

export function Log() {
	const t = texts.use();
	const [entries, setEntries] = useState<AuditEntry[]>([]);
	const [next, setNext] = useState<number | null | undefined>(undefined);
	const [wrong, setWrong] = useState<Refusal | null>(null);
	const [busy, setBusy] = useState(false);
	const again = useRef<HTMLButtonElement>(null);
	const table = useRef<HTMLTableSectionElement>(null);
	const load = async (before?: number | null) => {
		setBusy(true);
		setWrong(null);
		try {
			const page = await ask<AuditLog>('GET', `api/admin/audit-log?limit=${PAGE}${before ? `&before=${before}` : ''}`);
			setEntries((old) => (before ? [...old, ...page.entries] : page.entries));
			setNext(page.nextBefore);
			// At the end the button for older ones is gone: it goes on at the first of those that came.
			if (before && !page.nextBefore) setTimeout(() => table.current?.rows[entries.length]?.focus({ preventScroll: true }));
		} catch (e) {
			setWrong(asRefusal(e));
		}
		setBusy(false);
	};
	useEffect(() => void load(), []);
	return (
		<main class="stack wide">
			<div class="row between">
				<ViewTitle>{t.text('nav.log')}</ViewTitle>
				<button type="button" class="button" ref={again} onClick={() => load()} aria-disabled={busy}>
					{t.text('log.again')}
				</button>
			</div>
			{wrong ? (
				<Notice
					tone="bad"
					actions={
						<button
							type="button"
							class="button"
							onClick={() => {
								again.current?.focus();
								void load(entries.length ? next : null);
							}}
						>
							{t.text('log.retry')}
						</button>
					}
				>
					{refusalText(wrong)}
				</Notice>
			) : null}
			{next === undefined && !wrong ? <Spinner label={t.text('loading')} /> : null}
			{next !== undefined && entries.length === 0 ? <p class="card soft">{t.text('log.empty')}</p> : null}
			{entries.length ? (
				<Scroll card label={t.text('nav.log')}>
					<table class="log">
						<thead>
							<tr>
								<th scope="col">{t.text('log.at')}</th>
								<th scope="col">{t.text('log.actor')}</th>
								<th scope="col">{t.text('log.action')}</th>
								<th scope="col">{t.text('log.target')}</th>
								<th scope="col">{t.text('log.detail')}</th>
							</tr>
						</thead>
						<tbody ref={table}>
							{entries.map((entry) => (
								<tr key={entry.auditId} tabIndex={-1}>
									<td class="number">{form.exact(entry.at)}</td>
									<td>{entry.actor}</td>
									<td>{actionText(entry)}</td>
									<td>{targetText(entry)}</td>
									<td class="detail">{detailText(entry.detail)}</td>
								</tr>
							))}
						</tbody>
					</table>
				</Scroll>
			) : null}
			{next ? (
				<div>
					<button type="button" class="button" onClick={() => load(next)} aria-disabled={busy}>
						{t.text('log.older')}
					</button>
				</div>
			) : null}
		</main>
	);
}
