// Dates and times of a form: what a field holds (local, without an offset) and what the API takes (with the offset of the venue). Pure.
const MINUTE = 60000;

// Instead of an offset: the one that this device has on the day in question. Where the clocks are set in summer, that is not the one of today.
export const OWN = 'own';

function offsetText(minutes: number): string {
	const two = (n: number) => String(n).padStart(2, '0');
	const size = Math.abs(minutes);
	return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function offsetMinutes(offset: string): number {
	const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
	return (offset[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

// Of this device, such as Asia/Seoul.
export function ownZone(): string {
	return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

// Of this device: at a local time as a field holds it, or at an instant.
export function ownOffset(at: string | number): string {
	return offsetText(-new Date(at).getTimezoneOffset());
}

// Those that are used somewhere.
export function offsets(): string[] {
	const odd = [-570, -210, 210, 270, 330, 345, 390, 525, 570, 630, 765];
	const all = [...Array.from({ length: 27 }, (_, i) => (i - 12) * 60), ...odd];
	return all.sort((a, b) => a - b).map(offsetText);
}

export function withOffset(local: string, offset: string): string {
	return `${local.length === 16 ? `${local}:00` : local}${offset === OWN ? ownOffset(local) : offset}`;
}

// What a field shows for an instant, in that offset.
export function localIn(instant: string, offset: string): string {
	const at = Date.parse(instant);
	return new Date(at + offsetMinutes(offset === OWN ? ownOffset(at) : offset) * MINUTE).toISOString().slice(0, 16);
}
