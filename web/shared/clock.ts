// The server's clock as seen from here. A phone's own clock may be wrong by hours; what counts is when the server ends a hold.
//
// Each answer carries a Date, cut to the second: when it was written, the server's time lay between that second and the next, and that was between
// sending and receiving. Each answer so gives bounds of the difference to our own monotonic clock, and together they become narrow.
const SECOND = 1000;

export class ServerClock {
	private low = Number.NEGATIVE_INFINITY;
	private high = Number.POSITIVE_INFINITY;

	// `local` measures in milliseconds and is never set; `fallback` is used until the first answer.
	constructor(
		private local: () => number = () => performance.now(),
		private fallback: () => number = () => Date.now(),
	) {}

	observe(date: string | null, sent: number, received: number): void {
		const at = date ? Date.parse(date) : Number.NaN;
		if (Number.isNaN(at)) return;
		const low = at - received;
		const high = at + SECOND - sent;
		// Bounds that exclude each other: a clock was set, or this device has slept. Begin anew.
		if (low > this.high || high < this.low) {
			this.low = low;
			this.high = high;
			return;
		}
		this.low = Math.max(this.low, low);
		this.high = Math.min(this.high, high);
	}

	// Milliseconds since 1970, as the server would say. Rather a little late than early: a countdown must not promise time that is not there.
	now(): number {
		if (this.high === Number.POSITIVE_INFINITY) return this.fallback();
		return this.local() + this.high;
	}

	localNow(): number {
		return this.local();
	}
}
