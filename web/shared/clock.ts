// The server's clock as seen from here. A phone's own clock may be wrong by hours; what counts is when the server ends a hold.
//
// Each answer carries a Date, cut to the second: when it was written, the server's time lay between that second and the next, and that was between
// sending and receiving. Each answer so gives bounds of the difference to our own monotonic clock, and together they become narrow.
//
// On many devices the monotonic clock stands still while they sleep, and the one on the wall does not. So what the two are apart is looked at each
// time: where that has grown, the device has slept, or its clock was set. Until an answer says which, it counts as slept.
const SECOND = 1000;
const JUMP = 1000; // more than a clock that is being adjusted gains between two looks

export class ServerClock {
	private low = Number.NEGATIVE_INFINITY;
	private high = Number.POSITIVE_INFINITY;
	private apart: number; // how far the wall's clock was ahead of the monotonic one
	private guessed = false; // the bounds are from before a jump, and moved by it
	private since = Number.NEGATIVE_INFINITY; // what was sent before says nothing of now
	private count = 0;

	// `local` measures in milliseconds and is never set; `fallback` is used until the first answer; `wall` is the device's own clock.
	constructor(
		private local: () => number = () => performance.now(),
		private fallback: () => number = () => Date.now(),
		private wall: () => number = () => Date.now(),
	) {
		this.apart = this.wall() - this.local();
	}

	// How often the device's clocks went apart: after each time the server should be asked anew.
	jumps(): number {
		const apart = this.wall() - this.local();
		const by = apart - this.apart;
		if (Math.abs(by) < JUMP) return this.count;
		this.apart = apart;
		this.count++;
		// A clock that was set back says nothing against what is known.
		if (by > 0) {
			this.high += by;
			this.low = Number.NEGATIVE_INFINITY;
			this.guessed = true;
			this.since = this.local();
		}
		return this.count;
	}

	observe(date: string | null, sent: number, received: number): void {
		this.jumps();
		const at = date ? Date.parse(date) : Number.NaN;
		if (Number.isNaN(at) || sent < this.since) return;
		const low = at - received;
		const high = at + SECOND - sent;
		// Bounds that exclude each other: a clock was set, or this device has slept. Begin anew.
		if (this.guessed || low > this.high || high < this.low) {
			this.guessed = false;
			this.low = low;
			this.high = high;
			return;
		}
		this.low = Math.max(this.low, low);
		this.high = Math.min(this.high, high);
	}

	// Milliseconds since 1970, as the server would say. Rather a little late than early: a countdown must not promise time that is not there.
	now(): number {
		this.jumps();
		if (this.high === Number.POSITIVE_INFINITY) return this.fallback();
		return this.local() + this.high;
	}

	localNow(): number {
		return this.local();
	}
}
