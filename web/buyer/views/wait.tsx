// The waiting room: where one stands, how long it may take, what comes next, and that nothing is lost by reloading.
import { useState } from 'preact/hooks';
import { asRefusal, type Refusal, type Ticket } from '../../shared/api.ts';
import { Bar, Notice, ViewTitle } from '../../shared/ui/index.tsx';
import type { How } from '../follow.ts';
import { api, type Place, retried, texts } from '../here.ts';
import { Problem, Steps, SureButton } from '../parts.tsx';

function roughly(seconds: number): string {
	if (seconds < 60) return texts.text('wait.soon');
	if (seconds < 5400) return texts.text('wait.minutes', { count: Math.round(seconds / 60) });
	return texts.text('wait.hours', { count: Math.round(seconds / 3600) });
}

export function WaitView({ ticket, place, how }: { ticket: Ticket; place: Place; how: How | null }) {
	const t = texts.use();
	const [refusal, setRefusal] = useState<Refusal | null>(null);
	const first = Math.max(place.first, ticket.ahead);
	const part = (first - ticket.ahead + 0.4) / (first + 1);

	const leave = async () => {
		try {
			await retried(() => api.ask('DELETE', 'api/token', { token: ticket.token }));
		} catch (e) {
			setRefusal(asRefusal(e));
		}
	};

	return (
		<>
			<Steps at="line" />
			<section class="card stack waiting">
				<ViewTitle>{t.text('wait.title')}</ViewTitle>
				<p class="ahead" role="status">
					{ticket.ahead === 0
						? t.text('wait.next')
						: t.rich(
								'wait.ahead',
								{ count: <strong class="huge number">{t.format.number(ticket.ahead)}</strong> },
								{ count: ticket.ahead },
							)}
				</p>
				<Bar part={part} label={t.text('wait.bar')} />
				<p class="row between soft">
					<span>
						{ticket.etaSeconds === null ? t.text('wait.etaUnknown') : t.text('wait.eta', { time: roughly(ticket.etaSeconds) })}
					</span>
					<span class="number">{t.text('wait.place', { number: ticket.number })}</span>
				</p>
				{ticket.queuePaused ? (
					<Notice tone="warn">
						<p>
							<strong>{t.text('wait.paused')}</strong> {t.text('wait.pausedHelp')}
						</p>
					</Notice>
				) : null}
				<p class="safe">
					<span class="tick" aria-hidden="true">
						✓
					</span>
					{t.text('wait.safe')}
				</p>
			</section>
			<section class="stack">
				<h2>{t.text('wait.then')}</h2>
				<ol class="then">
					<li>{t.text('wait.then1')}</li>
					<li>{t.text('wait.then2')}</li>
					<li>{t.text('wait.then3')}</li>
				</ol>
				{how ? (
					<p class="soft small how">{how.live ? t.text('wait.live') : t.text('wait.polled', { count: how.seconds })}</p>
				) : null}
			</section>
			{refusal ? <Problem refusal={refusal} again={leave} /> : null}
			<SureButton
				label={t.text('wait.leave')}
				question={t.text('wait.leaveSure')}
				yes={t.text('wait.leaveYes')}
				no={t.text('wait.leaveNo')}
				act={leave}
			/>
		</>
	);
}
