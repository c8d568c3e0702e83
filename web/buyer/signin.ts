// Where buyers sign in at the organiser's site, that site opens this page with its token behind the #, which browsers send to no server:
// #token=…, or #token=…&to=/concert/1. It is taken out of the address and the history at once, kept for this tab alone, and travels in a header.
// What is read from it here is only shown: the server checks it.
import { Cell } from '../shared/state.ts';

export interface SignedIn {
	token: string;
	sub: string; // whom the server knows by it
	name: string;
}

const KEPT = 'jari.signIn';
const MARK = '#token=';

function text(value: unknown): string | undefined {
	return typeof value === 'string' && value ? value : undefined;
}

function read(token: string | null): SignedIn | null {
	try {
		const bytes = Uint8Array.from(atob((token ?? '').split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')), (c) =>
			c.charCodeAt(0),
		);
		const claims = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
		const sub = text(claims.sub);
		return token && sub ? { token, sub, name: text(claims.preferred_username) ?? text(claims.name) ?? sub } : null;
	} catch {
		return null; // no token, or none that one could sign in with
	}
}

// Storage that is forbidden: then it lasts as long as the page.
function keep(token: string | null): void {
	try {
		if (token) sessionStorage.setItem(KEPT, token);
		else sessionStorage.removeItem(KEPT);
	} catch {
		// kept in `signedIn`
	}
}

function kept(): string | null {
	try {
		return sessionStorage.getItem(KEPT);
	} catch {
		return null;
	}
}

export const signedIn = new Cell<SignedIn | null>(read(kept()));

export function signOut(): void {
	keep(null);
	signedIn.set(null);
}

function take(): void {
	if (!location.hash.startsWith(MARK)) return;
	const given = new URLSearchParams(location.hash.slice(1));
	const to = given.get('to') ?? '/';
	history.replaceState(null, '', `#${/^\/[a-z0-9/]*$/.test(to) ? to : '/'}`);
	const who = read(given.get('token'));
	keep(who?.token ?? null);
	signedIn.set(who);
}

// This module comes before all that reads the address.
take();
addEventListener('hashchange', take);

// What to call who signed in; others go by what the server calls them.
export function nameOf(username: string): string {
	return signedIn.value?.sub === username ? signedIn.value.name : username;
}
