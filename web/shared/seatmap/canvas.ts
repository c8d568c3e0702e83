// Draws a plan on a canvas, and moves about in it by touch, mouse and wheel. It knows nothing of the page around it.
//
// Only what is in view is drawn, seats of one look in one path, at most once a frame.
import type { Seat } from '../api.ts';
import { GAP, type Plan, type Section, seatAt } from './geometry.ts';

export interface Look {
	sections: string[];
	taken: string;
	ink: string;
	soft: string;
	surface: string;
	sunken: string;
	accent: string;
	onAccent: string;
	font: string;
}

const TOUCHABLE = 20; // pixels: a smaller seat is not chosen by a tap; the tap brings it nearer
const LARGEST = 46;
const NUMBERED = 21;
const SLOP = 7; // pixels that a finger may tremble

type Point = { x: number; y: number };

export class SeatCanvas {
	private seats: Seat[] = [];
	private chosen: ReadonlySet<number> = new Set();
	private cursor = -1;
	private showCursor = false;
	private look: Look;
	private scale = 1;
	private x = 0; // of the plan's point at the canvas's corner
	private y = 0;
	private width = 0;
	private height = 0;
	private smallest = 1;
	private frame = 0;
	private pointers = new Map<number, Point>();
	private moved = false;
	private ends: (() => void)[] = [];
	drawn = 0; // for measuring: how often, …
	drawing = 0; // … and for how long in all, in milliseconds

	constructor(
		private canvas: HTMLCanvasElement,
		private plan: Plan,
		private stageName: () => string,
		private sectionName: (section: Section) => string,
		private onPick: (seat: number) => void,
		private onZoom: (whole: boolean) => void,
	) {
		this.look = readLook();
		const resize = new ResizeObserver(() => this.fitSize());
		resize.observe(canvas);
		const dark = matchMedia('(prefers-color-scheme: dark)');
		const recolour = () => {
			this.look = readLook();
			this.redraw();
		};
		dark.addEventListener('change', recolour);
		this.ends.push(
			() => resize.disconnect(),
			() => dark.removeEventListener('change', recolour),
			() => cancelAnimationFrame(this.frame),
		);
		this.listen();
		this.fitSize();
	}

	end(): void {
		for (const end of this.ends) end();
	}

	show(seats: Seat[], chosen: ReadonlySet<number>, cursor: number, showCursor: boolean): void {
		const same = seats === this.seats && chosen === this.chosen && cursor === this.cursor && showCursor === this.showCursor;
		if (same) return;
		this.seats = seats;
		this.chosen = chosen;
		this.cursor = cursor;
		this.showCursor = showCursor;
		this.redraw();
	}

	// ---- where one looks ----

	private fitSize(): void {
		const { clientWidth, clientHeight } = this.canvas;
		if (!clientWidth || !clientHeight) return;
		const first = this.width === 0;
		const whole = first || this.isWhole();
		this.width = clientWidth;
		this.height = clientHeight;
		const density = Math.min(3, devicePixelRatio || 1);
		this.canvas.width = Math.round(clientWidth * density);
		this.canvas.height = Math.round(clientHeight * density);
		this.smallest = Math.min(clientWidth / this.plan.width, clientHeight / this.plan.height, LARGEST);
		if (whole) this.showWhole();
		else this.moveTo(this.scale, this.x, this.y);
		if (first) this.onZoom(true);
	}

	isWhole(): boolean {
		return this.scale <= this.smallest * 1.01;
	}

	showWhole(): void {
		this.moveTo(this.smallest, 0, 0);
	}

	// Zooms about a point of the canvas; its middle by default.
	zoom(factor: number, at: Point = { x: this.width / 2, y: this.height / 2 }): void {
		const scale = Math.min(LARGEST, Math.max(this.smallest, this.scale * factor));
		const planX = this.x + at.x / this.scale;
		const planY = this.y + at.y / this.scale;
		this.moveTo(scale, planX - at.x / scale, planY - at.y / scale);
	}

	// Brings a seat into view, near enough to read its number.
	reveal(seat: number): void {
		const place = this.plan.places[seat];
		if (!place || !this.width) return;
		const scale = Math.max(this.scale, Math.min(LARGEST, TOUCHABLE + 6));
		const px = (place.x - this.x) * this.scale;
		const py = (place.y - this.y) * this.scale;
		const margin = 40;
		const inView = px > margin && py > margin && px < this.width - margin && py < this.height - margin;
		if (scale === this.scale && inView) return;
		this.moveTo(scale, place.x - this.width / scale / 2, place.y - this.height / scale / 2);
	}

	// Where the corner may be: the plan fills the canvas, or stands in its middle.
	private moveTo(scale: number, x: number, y: number): void {
		const wasWhole = this.isWhole();
		const within = (wish: number, from: number, size: number, room: number) =>
			size <= room ? from - (room - size) / 2 : Math.min(from + size - room, Math.max(from, wish));
		this.scale = scale;
		this.x = within(x, this.plan.left, this.plan.width, this.width / scale);
		this.y = within(y, this.plan.top, this.plan.height, this.height / scale);
		if (wasWhole !== this.isWhole()) this.onZoom(this.isWhole());
		this.redraw();
	}

	// Where a seat is on the canvas, in its pixels.
	pointOf(seat: number): Point {
		const place = this.plan.places[seat]!;
		return { x: (place.x - this.x) * this.scale, y: (place.y - this.y) * this.scale };
	}

	// ---- fingers and mice ----

	private point(e: PointerEvent | WheelEvent): Point {
		const box = this.canvas.getBoundingClientRect();
		return { x: e.clientX - box.left, y: e.clientY - box.top };
	}

	private listen(): void {
		const { canvas } = this;
		const on = <K extends keyof HTMLElementEventMap>(name: K, act: (e: HTMLElementEventMap[K]) => void, passive = true) => {
			canvas.addEventListener(name, act, { passive });
			this.ends.push(() => canvas.removeEventListener(name, act));
		};
		on('pointerdown', (e) => {
			if (e.button !== 0) return;
			this.pointers.set(e.pointerId, this.point(e));
			if (this.pointers.size === 1) this.moved = false;
		});
		on('pointermove', (e) => this.drag(e));
		on('pointerup', (e) => this.lift(e));
		on('pointercancel', (e) => this.pointers.delete(e.pointerId));
		on('wheel', (e) => this.wheel(e), false);
	}

	private drag(e: PointerEvent): void {
		const before = this.pointers.get(e.pointerId);
		if (!before) return;
		const now = this.point(e);
		if (this.pointers.size === 1) {
			if (!this.moved && Math.hypot(now.x - before.x, now.y - before.y) < SLOP) return;
			if (!this.moved) this.canvas.setPointerCapture(e.pointerId);
			this.moved = true;
			this.moveTo(this.scale, this.x - (now.x - before.x) / this.scale, this.y - (now.y - before.y) / this.scale);
		} else {
			this.moved = true;
			const other = [...this.pointers].find(([id]) => id !== e.pointerId)?.[1];
			if (other) this.pinch(before, now, other);
		}
		this.pointers.set(e.pointerId, now);
	}

	private pinch(before: Point, now: Point, other: Point): void {
		const was = Math.hypot(before.x - other.x, before.y - other.y);
		const is = Math.hypot(now.x - other.x, now.y - other.y);
		if (was > 0) this.zoom(is / was, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
		this.moveTo(this.scale, this.x - (now.x - before.x) / 2 / this.scale, this.y - (now.y - before.y) / 2 / this.scale);
	}

	private lift(e: PointerEvent): void {
		if (!this.pointers.delete(e.pointerId) || this.moved) return;
		const at = this.point(e);
		const seat = seatAt(this.plan, this.x + at.x / this.scale, this.y + at.y / this.scale, Math.max(0.75, 14 / this.scale));
		const tooSmall = e.pointerType !== 'mouse' && this.scale < TOUCHABLE;
		if (tooSmall) this.zoom((TOUCHABLE + 8) / this.scale, at);
		else if (seat >= 0) this.onPick(seat);
	}

	// Alone the wheel moves the page, as long as all is in view.
	private wheel(e: WheelEvent): void {
		if (!e.ctrlKey && !e.metaKey && this.isWhole()) return;
		e.preventDefault();
		this.zoom(Math.exp(-e.deltaY * (e.ctrlKey ? 0.01 : 0.0015)), this.point(e));
	}

	// ---- drawing ----

	private redraw(): void {
		this.frame ||= requestAnimationFrame(() => {
			this.frame = 0;
			const began = performance.now();
			this.draw();
			this.drawn++;
			this.drawing += performance.now() - began;
		});
	}

	private draw(): void {
		const ctx = this.canvas.getContext('2d');
		if (!ctx || !this.width) return;
		const density = this.canvas.width / this.width;
		ctx.setTransform(density, 0, 0, density, 0, 0);
		ctx.clearRect(0, 0, this.width, this.height);
		this.drawStage(ctx);
		for (const section of this.plan.sections) {
			const left = (section.left - this.x) * this.scale;
			const top = (section.top - this.y) * this.scale;
			const right = (section.right - this.x) * this.scale;
			const bottom = (section.bottom - this.y) * this.scale;
			if (right < 0 || bottom < 0 || left > this.width || top > this.height) continue;
			this.drawSection(ctx, section.seats, this.look.sections[section.tier % this.look.sections.length]!);
		}
		this.drawChosen(ctx);
		this.drawNames(ctx);
		this.drawCursor(ctx);
	}

	private drawStage(ctx: CanvasRenderingContext2D): void {
		const { x, y, width, height } = this.plan.stage;
		const left = (x - this.x) * this.scale;
		const top = (y - this.y) * this.scale;
		const h = height * this.scale;
		ctx.fillStyle = this.look.sunken;
		ctx.beginPath();
		ctx.roundRect(left, top, width * this.scale, h, Math.min(10, h / 2));
		ctx.fill();
		if (h < 11) return;
		ctx.fillStyle = this.look.soft;
		ctx.font = `600 ${Math.min(16, h * 0.55)}px ${this.look.font}`;
		ctx.textAlign = 'center';
		ctx.textBaseline = 'middle';
		ctx.fillText(this.stageName(), left + (width * this.scale) / 2, top + h / 2);
	}

	private inView(i: number): Point | null {
		const place = this.plan.places[i]!;
		const x = (place.x - this.x) * this.scale;
		const y = (place.y - this.y) * this.scale;
		const edge = this.scale;
		return x < -edge || y < -edge || x > this.width + edge || y > this.height + edge ? null : { x, y };
	}

	private box(path: Path2D, at: Point, size: number): void {
		if (size < 7) path.rect(at.x - size / 2, at.y - size / 2, size, size);
		else path.roundRect(at.x - size / 2, at.y - size / 2, size, size, [size * 0.42, size * 0.42, size * 0.2, size * 0.2]);
	}

	// Free seats are full, taken ones an outline that is struck through.
	private drawSection(ctx: CanvasRenderingContext2D, indices: number[], colour: string): void {
		const free = new Path2D();
		const taken = new Path2D();
		const size = this.scale * 0.8;
		const named: [Point, number][] = [];
		for (const i of indices) {
			const at = this.inView(i);
			const seat = this.seats[i];
			if (!at || !seat || this.chosen.has(seat.seatNumber)) continue;
			if (seat.status === 'AVAILABLE') {
				this.box(free, at, size);
				if (this.scale >= NUMBERED) named.push([at, seat.seatNumber]);
			} else if (size >= 5) {
				this.box(taken, at, size * 0.8);
				taken.moveTo(at.x - size * 0.22, at.y - size * 0.22);
				taken.lineTo(at.x + size * 0.22, at.y + size * 0.22);
			} else {
				taken.rect(at.x - size * 0.15, at.y - size * 0.15, size * 0.3, size * 0.3);
			}
		}
		ctx.fillStyle = colour;
		ctx.fill(free);
		ctx.strokeStyle = this.look.taken;
		ctx.lineWidth = Math.max(0.7, size * 0.07);
		ctx.stroke(taken);
		this.drawNumbers(ctx, named, this.look.surface);
	}

	private drawNumbers(ctx: CanvasRenderingContext2D, named: [Point, number][], colour: string): void {
		if (!named.length) return;
		ctx.fillStyle = colour;
		ctx.font = `600 ${Math.round(this.scale * 0.32)}px ${this.look.font}`;
		ctx.textAlign = 'center';
		ctx.textBaseline = 'middle';
		for (const [at, n] of named) ctx.fillText(String(n), at.x, at.y + 0.5);
	}

	// One's own: larger, with a tick.
	private drawChosen(ctx: CanvasRenderingContext2D): void {
		this.seats.forEach((seat, i) => {
			const at = this.chosen.has(seat.seatNumber) ? this.inView(i) : null;
			if (!at) return;
			const size = Math.max(14, this.scale * 0.98);
			const path = new Path2D();
			this.box(path, at, size);
			ctx.fillStyle = this.look.ink;
			ctx.fill(path);
			ctx.strokeStyle = this.look.surface;
			ctx.lineWidth = Math.max(2, size * 0.09);
			ctx.lineCap = ctx.lineJoin = 'round';
			ctx.beginPath();
			ctx.moveTo(at.x - size * 0.22, at.y + size * 0.02);
			ctx.lineTo(at.x - size * 0.05, at.y + size * 0.19);
			ctx.lineTo(at.x + size * 0.25, at.y - size * 0.17);
			ctx.stroke();
		});
	}

	private drawNames(ctx: CanvasRenderingContext2D): void {
		if (this.plan.sections.length < 2) return;
		ctx.font = `700 13px ${this.look.font}`;
		ctx.textAlign = 'center';
		ctx.textBaseline = 'middle';
		if (this.scale >= NUMBERED) this.drawNamesBefore(ctx);
		else this.drawNamesOver(ctx);
	}

	// Where seats have numbers, a section's name and price stand before its first row.
	private drawNamesBefore(ctx: CanvasRenderingContext2D): void {
		ctx.fillStyle = this.look.soft;
		for (const section of this.plan.sections) {
			const text = [this.sectionName(section), section.name].find(
				(t) => ctx.measureText(t).width <= (section.right - section.left + 1) * this.scale,
			);
			if (text) ctx.fillText(text, (section.x - this.x) * this.scale, (section.front - GAP / 2 - this.y) * this.scale);
		}
	}

	private drawNamesOver(ctx: CanvasRenderingContext2D): void {
		for (const section of this.plan.sections) {
			const wide = (section.right - section.left) * this.scale;
			const text = ctx.measureText(section.name).width;
			if (wide < text * 0.9) continue;
			const x = (section.x - this.x) * this.scale;
			const y = (section.y - this.y) * this.scale;
			ctx.fillStyle = this.look.surface;
			ctx.beginPath();
			ctx.roundRect(x - text / 2 - 8, y - 11, text + 16, 22, 11);
			ctx.fill();
			ctx.fillStyle = this.look.ink;
			ctx.fillText(section.name, x, y + 0.5);
		}
	}

	private drawCursor(ctx: CanvasRenderingContext2D): void {
		if (!this.showCursor || this.cursor < 0) return;
		const at = this.inView(this.cursor);
		if (!at) return;
		const size = Math.max(16, this.scale * 1.12);
		const path = new Path2D();
		path.roundRect(at.x - size / 2, at.y - size / 2, size, size, 5);
		ctx.strokeStyle = this.look.surface;
		ctx.lineWidth = 6;
		ctx.stroke(path);
		ctx.strokeStyle = this.look.ink;
		ctx.lineWidth = 3;
		ctx.stroke(path);
	}
}

function readLook(): Look {
	const style = getComputedStyle(document.documentElement);
	const read = (name: string) => style.getPropertyValue(name).trim();
	return {
		sections: [1, 2, 3, 4, 5, 6].map((n) => read(`--seat-${n}`)),
		taken: read('--seat-taken'),
		ink: read('--ink'),
		soft: read('--soft'),
		surface: read('--surface'),
		sunken: read('--sunken'),
		accent: read('--accent'),
		onAccent: read('--on-accent'),
		font: read('--font'),
	};
}
