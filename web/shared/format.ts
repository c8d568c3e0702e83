// A show as the API names it: the instant at which it begins, and its date at the venue. The venue's zone it does not name.
export interface ShowTime {
	date: string;
	startsAt: string;
}
export interface Begins {
	day: string;
	weekday: string;
	time: string;
	venue: string | null;
}

// Numbers, money and instants in the reader's form.
export class Format {
	private money_: Intl.NumberFormat;
	private number_: Intl.NumberFormat;
	private day_: Intl.DateTimeFormat;
	private weekday_: Intl.DateTimeFormat;
	private time_: Intl.DateTimeFormat;
	private zoned_: Intl.DateTimeFormat;
	private instant_: Intl.DateTimeFormat;
	private readersDay_: Intl.DateTimeFormat;
	private readersWeekday_: Intl.DateTimeFormat;
	private isoDay_: Intl.DateTimeFormat;

	// `timeZone` is the reader's, which the browser knows.
	constructor(locale: string, timeZone?: string) {
		this.money_ = new Intl.NumberFormat(locale, { style: 'currency', currency: 'KRW', maximumFractionDigits: 0 });
		this.number_ = new Intl.NumberFormat(locale);
		this.day_ = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'long', day: 'numeric', timeZone: 'UTC' });
		this.weekday_ = new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' });
		this.time_ = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit', timeZone });
		this.zoned_ = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit', timeZoneName: 'short', timeZone });
		this.instant_ = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone });
		this.readersDay_ = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'long', day: 'numeric', timeZone });
		this.readersWeekday_ = new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone });
		this.isoDay_ = new Intl.DateTimeFormat('en', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone });
	}

	won(amount: number): string {
		return this.money_.format(amount);
	}

	// One price, or from the least to the most.
	wonRange([low, high]: readonly [number, number]): string {
		return low === high ? this.won(low) : `${this.won(low)} – ${this.won(high)}`;
	}

	number(n: number): string {
		return this.number_.format(n);
	}

	// Of a show's local date, YYYY-MM-DD.
	day(date: string): string {
		return this.day_.format(new Date(`${date}T00:00:00Z`));
	}

	weekday(date: string): string {
		return this.weekday_.format(new Date(`${date}T00:00:00Z`));
	}

	// When a show begins, all of it by the reader's clock: a day of one zone beside a time of another would be an instant that is not meant.
	// `venue` is the day where it is played, where that is another.
	begins({ date, startsAt }: ShowTime): Begins {
		const at = new Date(startsAt);
		const part = Object.fromEntries(this.isoDay_.formatToParts(at).map(({ type, value }) => [type, value]));
		const same = `${part.year}-${part.month}-${part.day}` === date;
		return {
			day: this.readersDay_.format(at),
			weekday: this.readersWeekday_.format(at),
			time: this.zoned_.format(at),
			venue: same ? null : this.day(date),
		};
	}

	time(instant: string | number): string {
		return this.time_.format(new Date(instant));
	}

	// With the zone that it is told in: the reader may be elsewhere.
	zoned(instant: string): string {
		return this.zoned_.format(new Date(instant));
	}

	instant(instant: string | number): string {
		return this.instant_.format(new Date(instant));
	}
}

// "4:07", "1:02:33": what is left, never above what it is.
export function clockText(ms: number): string {
	const s = Math.max(0, Math.floor(ms / 1000));
	const two = (n: number) => String(n).padStart(2, '0');
	const h = Math.floor(s / 3600);
	return h > 0 ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}
