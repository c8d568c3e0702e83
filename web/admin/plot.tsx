// One plot: a figure with a name, the value now, and its course. uPlot draws; its legend is left out, since it would be written as markup.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { useCell } from '../shared/state.ts';
import { form, texts } from './texts.ts';

export interface Line {
	label: string;
	values: (number | null)[];
	colour: string; // the name of a colour of the look
	fill?: boolean;
	dash?: boolean;
}
export interface PlotProps {
	title: string;
	now: string; // the value now, in words
	times: number[];
	lines: Line[];
	seconds: number; // how far back it reaches
	value: (n: number) => string;
	axis?: (n: number) => string;
	wall?: boolean;
	top?: number; // the axis reaches at least to it
}

const HEIGHT = 170;
const WALL_FONT = 0.024; // of the screen's height

function look(element: HTMLElement, name: string): string {
	return getComputedStyle(element).getPropertyValue(name).trim();
}

function faded(colour: string): string {
	return /^#[0-9a-f]{6}$/i.test(colour) ? `${colour}2e` : 'transparent';
}

// Room at the left for the longest number of the axis.
function roomFor(font: number) {
	return (_: uPlot, values: string[] | null) => Math.max(3, ...(values ?? []).map((v) => v.length)) * font * 0.62 + 14;
}

function optionsOf(
	element: HTMLElement,
	props: PlotProps,
	size: { width: number; height: number },
	pointed: (i: number | null) => void,
) {
	const font = props.wall ? Math.round(Math.max(14, innerHeight * WALL_FONT)) : 12;
	const text = `500 ${font}px ${look(element, '--font')}`;
	const axis: uPlot.Axis = {
		stroke: look(element, '--soft'),
		font: text,
		grid: { stroke: look(element, '--line'), width: 1 },
		ticks: { show: false },
		gap: 6,
	};
	const options: uPlot.Options = {
		...size,
		legend: { show: false },
		padding: [font, 12, 0, 0],
		cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
		scales: {
			x: { time: false, range: (u) => [(u.data[0].at(-1) ?? 0) - props.seconds, u.data[0].at(-1) ?? 1] },
			y: { range: (_, __, max) => [0, Math.max(1, props.top ?? 0, (max ?? 0) * 1.08)] },
		},
		axes: [
			{
				...axis,
				size: font * 2,
				space: font * 8,
				incrs: [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600],
				values: (_, at) => at.map(form.clock),
			},
			{
				...axis,
				size: roomFor(font),
				space: font * 2.4,
				incrs: props.axis
					? undefined
					: [1, 2, 5, 10, 20, 50, ...Array.from({ length: 8 }, (_, k) => [1, 2, 5].map((m) => m * 10 ** (k + 2))).flat()],
				values: (_, at) => at.map(props.axis ?? form.compact),
			},
		],
		series: [
			{},
			...props.lines.map((line) => {
				const colour = look(element, line.colour);
				return {
					stroke: colour,
					width: props.wall ? 4 : 2,
					dash: line.dash ? [6, 6] : undefined,
					fill: line.fill ? faded(colour) : undefined,
					points: { show: false },
					spanGaps: false,
				};
			}),
		],
		hooks: { setCursor: [(u) => pointed(u.cursor.idx ?? null)] },
	};
	return options;
}

// The look changes with the reader's choice of dark or light.
function useScheme(): boolean {
	const query = matchMedia('(prefers-color-scheme: dark)');
	const [dark, set] = useState(query.matches);
	useEffect(() => {
		const changed = () => set(query.matches);
		query.addEventListener('change', changed);
		return () => query.removeEventListener('change', changed);
	}, []);
	return dark;
}

export function Plot(props: PlotProps) {
	const t = texts.use();
	const language = useCell(texts.language);
	const dark = useScheme();
	const place = useRef<HTMLDivElement>(null);
	const plot = useRef<uPlot | null>(null);
	const [at, point] = useState<number | null>(null);
	const data = [props.times, ...props.lines.map((line) => line.values)] as uPlot.AlignedData;
	const latest = useRef(data);
	latest.current = data;

	useEffect(() => {
		const element = place.current!;
		const size = () => ({
			width: Math.max(60, element.clientWidth),
			height: props.wall ? Math.max(80, element.clientHeight) : HEIGHT,
		});
		const drawn = new uPlot(optionsOf(element, props, size(), point), latest.current, element);
		plot.current = drawn;
		const observer = new ResizeObserver(() => drawn.setSize(size()));
		observer.observe(element);
		return () => {
			observer.disconnect();
			drawn.destroy();
			plot.current = null;
		};
	}, [dark, language, props.seconds, props.lines.length, props.wall]);

	useEffect(() => {
		if (props.times.length) plot.current?.setData(data);
	}, [props.times, props.times.length, props.times.at(-1), props.lines]);

	const values = props.lines[0]?.values.filter((v) => v !== null) ?? [];
	const told = values.length
		? t.text('plot.told', {
				title: props.title,
				low: props.value(values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
				high: props.value(values.reduce((a, b) => Math.max(a, b), 0)),
				now: props.now,
			})
		: t.text('plot.empty', { title: props.title });
	const read = at !== null && props.times[at] !== undefined;
	return (
		<figure class={`plot${props.wall ? ' wall' : ''}`}>
			<figcaption>
				<span class="name">{props.title}</span>
				<span class="now number">{props.now}</span>
				{props.wall ? null : (
					<span class="read number soft small" aria-hidden="true">
						{read
							? `${form.clockSeconds(props.times[at!]!)}  ${props.lines.map((line) => `${props.lines.length > 1 ? `${line.label} ` : ''}${line.values[at!] == null ? '–' : props.value(line.values[at!]!)}`).join('  ')}`
							: props.lines.length > 1
								? props.lines.map((line) => (
										<span class="key" key={line.label}>
											<i class={`mark ${line.colour.slice(2)}`} /> {line.label}
										</span>
									))
								: ' '}
					</span>
				)}
			</figcaption>
			<div class="drawing" ref={place} role="img" aria-label={told} />
			{values.length ? null : <p class="none soft small">{t.text('plot.none')}</p>}
		</figure>
	);
}
