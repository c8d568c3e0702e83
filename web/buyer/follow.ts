// Follows a ticket: by its stream of events, and where none comes through by asking exactly when the server says.
//
//   stream ──breaks──> wait as `retry:` says ──> stream
//      └──no event comes──> ask, wait retryAfterSeconds, ask … and try the stream again after a while
//
// The token goes in a header, so the stream is a fetch and no EventSource.
import { type Api, asRefusal, type Refusal, type Ticket } from '../shared/api.ts';

const FIRST_EVENT = 8000; // a stream that has said nothing by then does not come through
const SILENCE = 40000; // the server says something every 15 seconds
const STREAM_AGAIN = 60000;
const RETRY = 3000; // until the stream says otherwise
const LOST_MOST = 15000;

export type How = { live: true } | { live: false; seconds: number };

export class Follower {
	private stopped = new AbortController();
	private streamAfter = 0;
	private retry = RETRY;
	private failures = 0;
	private wake: () => void = () => {};
	private cut: () => void = () => {};

	constructor(
		private api: Api,
		private token: string,
		private onTicket: (ticket: Ticket, how: How) => void,
		private onEnd: (refusal: Refusal) => void,
	) {
		addEventListener('online', this.woken);
		void this.run();
	}

	private woken = () => this.wake();

	// The device has slept: nobody knows whether a stream that was open still is, and what it would have said is old.
	again(): void {
		this.cut();
		this.wake();
	}

	stop(): void {
		removeEventListener('online', this.woken);
		this.stopped.abort();
		this.wake();
	}

	private wait(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}

	private async run(): Promise<void> {
		let going = true;
		while (going && !this.stopped.signal.aborted) {
			try {
				going = performance.now() >= this.streamAfter ? await this.stream() : await this.poll();
				this.failures = 0;
			} catch (e) {
				going = await this.refused(asRefusal(e));
			}
		}
	}

	// After a refusal: false when it is for good.
	private async refused(refusal: Refusal): Promise<boolean> {
		if (this.stopped.signal.aborted) return false;
		if (!refusal.passing) {
			this.onEnd(refusal);
			return false;
		}
		const backoff = Math.min(LOST_MOST, 700 * 2 ** this.failures++) * (0.75 + Math.random() * 0.5);
		await this.wait(refusal.retryAfter === null ? backoff : refusal.retryAfter * 1000);
		return true;
	}

	private async poll(): Promise<boolean> {
		const ticket = await this.api.get<Ticket>('api/check', { token: this.token });
		if (this.stopped.signal.aborted) return false;
		this.onTicket(ticket, { live: false, seconds: ticket.retryAfterSeconds });
		if (ticket.status === 'EXPIRED') return false;
		await this.wait(Math.max(1, ticket.retryAfterSeconds) * 1000);
		return true;
	}

	// False when the ticket has ended.
	private async stream(): Promise<boolean> {
		const silence = new AbortController();
		const stop = () => silence.abort();
		let slept = false;
		this.cut = () => {
			slept = true;
			stop();
		};
		this.stopped.signal.addEventListener('abort', stop);
		let timer = setTimeout(stop, FIRST_EVENT);
		let events = 0;
		try {
			const response = await this.api.fetch(
				'GET',
				'api/check/events',
				{ token: this.token, signal: silence.signal, ms: FIRST_EVENT },
				'text/event-stream',
			);
			const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
			let text = '';
			for (;;) {
				const { done, value } = await reader.read();
				if (done) break;
				const pieces = (text + value).split('\n\n');
				text = pieces.pop() ?? '';
				for (const piece of pieces) {
					const ticket = this.read(piece);
					if (!ticket) continue;
					events++;
					this.failures = 0;
					this.onTicket(ticket, { live: true });
					if (ticket.status === 'EXPIRED') return false;
				}
				// Only now: what came may have been the first event.
				if (events) {
					clearTimeout(timer);
					timer = setTimeout(stop, SILENCE);
				}
			}
		} catch (e) {
			// A refusal is told; a stream that broke off is opened again.
			if (!events && !silence.signal.aborted) throw e;
		} finally {
			clearTimeout(timer);
			this.cut = () => {};
			this.stopped.signal.removeEventListener('abort', stop);
		}
		if (this.stopped.signal.aborted) return false;
		if (slept) return true;
		if (events) await this.wait(this.retry);
		else this.streamAfter = performance.now() + STREAM_AGAIN;
		return true;
	}

	private read(piece: string): Ticket | null {
		let data = '';
		let event = '';
		for (const line of piece.split('\n')) {
			const [, name, value] = /^(\w*): ?(.*)$/.exec(line) ?? [];
			if (name === 'data') data += value;
			else if (name === 'event') event = value ?? '';
			else if (name === 'retry') this.retry = Number(value) || RETRY;
		}
		return event === 'ticket' && data ? (JSON.parse(data) as Ticket) : null;
	}
}
