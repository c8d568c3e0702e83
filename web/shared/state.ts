// A value that components watch, and what stays in the browser.
import { useEffect, useState } from 'preact/hooks';

export class Cell<T> {
	private watchers = new Set<() => void>();

	constructor(private current: T) {}

	get value(): T {
		return this.current;
	}

	set(next: T): void {
		if (Object.is(next, this.current)) return;
		this.current = next;
		for (const tell of [...this.watchers]) tell();
	}

	watch(tell: () => void): () => void {
		this.watchers.add(tell);
		return () => this.watchers.delete(tell);
	}
}

export function useCell<T>(cell: Cell<T>): T {
	const [value, set] = useState(cell.value);
	useEffect(() => {
		set(() => cell.value);
		return cell.watch(() => set(() => cell.value));
	}, [cell]);
	return value;
}

// Storage that may be full or forbidden: then it lasts as long as the page.
const spare = new Map<string, string>();

export const kept = {
	get<T>(name: string): T | null {
		try {
			const text = localStorage.getItem(name) ?? spare.get(name);
			return text ? (JSON.parse(text) as T) : null;
		} catch {
			const text = spare.get(name);
			return text ? (JSON.parse(text) as T) : null;
		}
	},
	set(name: string, value: unknown): void {
		const text = JSON.stringify(value);
		spare.set(name, text);
		try {
			localStorage.setItem(name, text);
		} catch {
			// kept in `spare`
		}
	},
	// What is kept under names that begin so.
	names(beginning: string): string[] {
		let stored: string[] = [];
		try {
			stored = Object.keys(localStorage);
		} catch {
			// none but those in `spare`
		}
		return [...new Set([...stored, ...spare.keys()])].filter((name) => name.startsWith(beginning));
	},
	drop(name: string): void {
		spare.delete(name);
		try {
			localStorage.removeItem(name);
		} catch {
			// nothing to do
		}
	},
};

// Calls `run` every `ms` while the component is shown.
export function useTick(ms: number): number {
	const [n, set] = useState(0);
	useEffect(() => {
		const timer = setInterval(() => set((x) => x + 1), ms);
		return () => clearInterval(timer);
	}, [ms]);
	return n;
}

// A UUID. crypto.randomUUID is only there on https and localhost.
export function newKey(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
}
