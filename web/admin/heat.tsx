// The seats of a show as a map that shows their state: where people sit, where holds are, where nobody buys.
//
// Each state has a shape besides its colour: free is an outline, held a ring that is full in the middle, sold is full. The sections stand beside it
// as a table, which says the same to who does not see the map.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Seat } from '../shared/api.ts';
import { type Plan, planOf, seatAt } from '../shared/seatmap/geometry.ts';
import { texts } from './texts.ts';

interface Look {
	ink: string;
	soft: string;
	surface: string;
	sunken: string;
	line: string;
	edge: string;
	sold: string;
	held: string;
	font: string;
}
interface View {
	scale: number;
	left: number;
	top: number;
}

const SHAPED = 7; // pixels: smaller seats are plain squares
const TALLEST = 0.7; // of the window

function lookOf(element: HTMLElement): Look {
	const style = getComputedStyle(element);
	const read = (name: string) => style.getPropertyValue(name).trim();
	return {
		ink: read('--ink'),
		soft: read('--soft'),
		surface: read('--surface'),
		sunken: read('--sunken'),
		line: read('--line'),
		edge: read('--edge'),
		sold: read('--accent'),
		held: read('--heat-held'),
		font: read('--font'),
	};
}

function viewOf(plan: Plan, width: number, height: number): View {
	const scale = Math.min(width / plan.width, height / plan.height, 30);
	return {
		scale,
		left: (width - plan.width * scale) / 2 - plan.left * scale,
		top: (height - plan.height * scale) / 2 - plan.top * scale,
	};
}

function seatPaths(plan: Plan, seats: Seat[], view: View) {
	const paths = { AVAILABLE: new Path2D(), HELD: new Path2D(), SOLD: new Path2D(), core: new Path2D() };
	const shaped = view.scale >= SHAPED;
	const size = view.scale * (shaped ? 0.76 : 0.86);
	seats.forEach((seat, i) => {
		const place = plan.places[i]!;
		const x = place.x * view.scale + view.left;
		const y = place.y * view.scale + view.top;
		const path = paths[seat.status];
		if (shaped) path.roundRect(x - size / 2, y - size / 2, size, size, size * 0.25);
		else path.rect(x - size / 2, y - size / 2, size, size);
		if (shaped && seat.status === 'HELD') {
			paths.core.moveTo(x + size * 0.22, y);
			paths.core.arc(x, y, size * 0.22, 0, 2 * Math.PI);
		}
	});
	return paths;
}

function drawSeats(ctx: CanvasRenderingContext2D, look: Look, plan: Plan, seats: Seat[], view: View): void {
	const paths = seatPaths(plan, seats, view);
	ctx.lineWidth = Math.max(0.8, view.scale * 0.07);
	ctx.fillStyle = look.sold;
	ctx.fill(paths.SOLD);
	ctx.fillStyle = look.sunken;
	ctx.fill(paths.AVAILABLE);
	ctx.strokeStyle = look.edge;
	if (view.scale >= 4) ctx.stroke(paths.AVAILABLE);
	if (view.scale < SHAPED) {
		ctx.fillStyle = look.held;
		ctx.fill(paths.HELD);
		return;
	}
	ctx.lineWidth *= 1.8;
	ctx.strokeStyle = ctx.fillStyle = look.held;
	ctx.stroke(paths.HELD);
	ctx.fill(paths.core);
}

function drawNames(ctx: CanvasRenderingContext2D, look: Look, plan: Plan, view: View, stage: string): void {
	const { x, y, width, height } = plan.stage;
	const h = Math.max(18, height * view.scale);
	const middle = (y + height / 2) * view.scale + view.top;
	ctx.textAlign = 'center';
	ctx.textBaseline = 'middle';
	ctx.fillStyle = look.line;
	ctx.beginPath();
	ctx.roundRect(x * view.scale + view.left, middle - h / 2, width * view.scale, h, 6);
	ctx.fill();
	ctx.fillStyle = look.ink;
	ctx.font = `600 12px ${look.font}`;
	ctx.fillText(stage, (x + width / 2) * view.scale + view.left, middle);
	ctx.font = `700 12px ${look.font}`;
	for (const section of plan.sections) {
		const room = (section.right - section.left) * view.scale;
		let name = section.name;
		while (name.length > 1 && ctx.measureText(name).width > room - 12) name = name.slice(0, -1);
		if (name !== section.name) name = `${name.slice(0, -1)}…`;
		const text = ctx.measureText(name).width;
		const at = { x: section.x * view.scale + view.left, y: section.y * view.scale + view.top };
		ctx.fillStyle = look.surface;
		ctx.beginPath();
		ctx.roundRect(at.x - text / 2 - 7, at.y - 10, text + 14, 20, 10);
		ctx.fill();
		ctx.strokeStyle = look.line;
		ctx.lineWidth = 1;
		ctx.stroke();
		ctx.fillStyle = look.ink;
		ctx.fillText(name, at.x, at.y + 0.5);
	}
}

export function HeatMap({ seats, label, preview = false }: { seats: Seat[]; label: string; preview?: boolean }) {
	const t = texts.use();
	const ref = useRef<HTMLCanvasElement>(null);
	const view = useRef<View>({ scale: 1, left: 0, top: 0 });
	const [at, point] = useState(-1);
	// Where seats stand depends on their numbers, sections and prices, not on who has them.
	const standing = useMemo(() => seats.map((s) => `${s.seatNumber}${s.section}${s.price}`).join(), [seats]);
	const plan = useMemo(() => planOf(seats), [standing]);

	useEffect(() => {
		const canvas = ref.current!;
		const draw = () => {
			const width = canvas.clientWidth;
			if (!width) return;
			const height = Math.min(
				Math.max(150, (width * plan.height) / plan.width, 0),
				innerHeight * TALLEST,
				preview ? 380 : 620,
				plan.height * 30 + 20,
			);
			const ratio = devicePixelRatio || 1;
			canvas.style.height = `${Math.round(height)}px`;
			canvas.width = Math.round(width * ratio);
			canvas.height = Math.round(height * ratio);
			const ctx = canvas.getContext('2d')!;
			ctx.scale(ratio, ratio);
			view.current = viewOf(plan, width, height);
			const look = lookOf(canvas);
			drawSeats(ctx, look, plan, seats, view.current);
			drawNames(ctx, look, plan, view.current, t.text('map.stage'));
		};
		draw();
		const observer = new ResizeObserver(draw);
		observer.observe(canvas);
		const scheme = matchMedia('(prefers-color-scheme: dark)');
		scheme.addEventListener('change', draw);
		// The tests read which seat is drawn where.
		(canvas as HTMLCanvasElement & { drawn?: unknown }).drawn = { plan, view };
		return () => {
			observer.disconnect();
			scheme.removeEventListener('change', draw);
		};
	}, [seats, plan, t.language.value]);

	const pointed = (e: PointerEvent) => {
		const { scale, left, top } = view.current;
		point(seatAt(plan, (e.offsetX - left) / scale, (e.offsetY - top) / scale));
	};
	const seat = seats[at];
	return (
		<div class="heat stack tight">
			<canvas
				ref={ref}
				role="img"
				aria-label={label}
				onPointerMove={pointed}
				onPointerDown={pointed}
				onPointerLeave={(e) => e.pointerType === 'mouse' && point(-1)}
			/>
			<div class="row between small">
				{preview ? null : (
					<ul class="row legend">
						<li>
							<i class="mark free" /> {t.text('state.free')}
						</li>
						<li>
							<i class="mark held" /> {t.text('state.held')}
						</li>
						<li>
							<i class="mark sold" /> {t.text('state.sold')}
						</li>
					</ul>
				)}
				<span class="soft number pointed">
					{seat
						? t.text(preview ? 'map.seat.preview' : 'map.seat', {
								n: seat.seatNumber,
								section: seat.section,
								price: t.format.won(seat.price),
								state: t.text(seat.status === 'SOLD' ? 'state.sold' : seat.status === 'HELD' ? 'state.held' : 'state.free'),
							})
						: t.text('map.point')}
				</span>
			</div>
		</div>
	);
}
