// The organiser's key, and asking the server with it. The key lives as long as the tab and is never part of an address.
import { Api, asRefusal, type Refusal } from '../shared/api.ts';
import { ServerClock } from '../shared/clock.ts';
import { Cell } from '../shared/state.ts';

const KEPT = 'jari.admin-key';

function keptKey(): string | null {
	try {
		return sessionStorage.getItem(KEPT);
	} catch {
		return null; // forbidden: it lasts as long as the page
	}
}

export const clock = new ServerClock();
export const key = new Cell<string | null>(keptKey());
export const ended = new Cell(false); // the key was taken before and is not any more
export const api = new Api(clock);

export function signOut(because: 'asked' | 'refused'): void {
	try {
		sessionStorage.removeItem(KEPT);
	} catch {
		// it was not kept
	}
	ended.set(because === 'refused');
	key.set(null);
}

// Throws the refusal when the server does not take the key.
export async function signIn(tried: string): Promise<void> {
	await api.get('api/admin/queues', { token: tried });
	try {
		sessionStorage.setItem(KEPT, tried);
	} catch {
		// it lasts as long as the page
	}
	ended.set(false);
	key.set(tried);
}

function refused(e: unknown): Refusal {
	const refusal = asRefusal(e);
	if (refusal.status === 401) signOut('refused');
	return refusal;
}

export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
	try {
		return (await api.ask<T>(method, path, { token: key.value ?? '', body, signal })).value;
	} catch (e) {
		throw refused(e);
	}
}

// Undefined while what the tag names has not changed.
export async function askTagged<T>(
	path: string,
	etag: string | null,
	signal: AbortSignal,
): Promise<{ value?: T; etag: string | null }> {
	try {
		const answer = await api.ask<T>('GET', path, { token: key.value ?? '', etag: etag ?? undefined, signal });
		return { value: answer.status === 304 ? undefined : answer.value, etag: answer.etag ?? etag };
	} catch (e) {
		throw refused(e);
	}
}

// By this mark at its beginning a spreadsheet knows a file to be UTF-8. Programs that ask the API get none: it would be part of the first name.
const MARK = '\ufeff';

// Saves a table that the server sends. The key goes in a header, so the browser can't be sent to an address.
export async function download(path: string, name: string): Promise<void> {
	let blob: Blob;
	try {
		const response = await api.fetch('GET', path, { token: key.value ?? '' }, 'text/csv');
		blob = new Blob([MARK, await response.blob()], { type: 'text/csv' });
	} catch (e) {
		throw refused(e);
	}
	const link = document.createElement('a');
	link.href = URL.createObjectURL(blob);
	link.download = name;
	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// What the server said of it, in its own words (English), for a person who has to do something about it.
export function detailOf(refusal: Refusal): string {
	const { detail } = refusal.members as { detail?: unknown };
	return typeof detail === 'string' ? detail : '';
}
