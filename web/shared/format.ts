// Numbers, money and instants in the reader's form.
export class Format {
	private money_: Intl.NumberFormat;
	private number_: Intl.NumberFormat;
	private day_: Intl.DateTimeFormat;
	private weekday_: Intl.DateTimeFormat;
	private time_: Intl.DateTimeFormat;
	private zoned_: Intl.DateTimeFormat;
	private instant_: Intl.DateTimeFormat;

	constructor(locale: string) {
		this.money_ = new Intl.NumberFormat(locale, { style: 'currency', currency: 'KRW', maximumFractionDigits: 0 });
		this.number_ = new Intl.NumberFormat(locale);
		this.day_ = new Intl.DateTimeFormat(locale, { year: 'numeric', month: 'long', day: 'numeric', timeZone: 'UTC' });
		this.weekday_ = new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' });
		this.time_ = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
		this.zoned_ = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit', timeZoneName: 'short' });
		this.instant_ = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
	}

	won(amount: number): string {
		return this.money_.format(amount);
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
