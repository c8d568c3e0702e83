// How the server itself does: how long it takes to answer, how much it is asked, how long a commit takes.
import { useState } from 'preact/hooks';
import { ViewTitle } from '../../shared/ui/index.tsx';
import { type Span, useSeries } from '../series.ts';
import { texts } from '../texts.ts';
import { ServerPlots } from './charts.tsx';
import { SpanSwitch } from './Queues.tsx';

const NONE: number[] = [];

export function Server() {
	const t = texts.use();
	const [span, setSpan] = useState<Span>('minutes');
	const { points } = useSeries(NONE, NONE, span);
	return (
		<main class="stack wide">
			<div class="row between">
				<ViewTitle>{t.text('nav.server')}</ViewTitle>
				<SpanSwitch span={span} set={setSpan} />
			</div>
			<p class="soft">{t.text('server.about')}</p>
			<div class="plots">
				<ServerPlots points={points} span={span} />
			</div>
		</main>
	);
}
