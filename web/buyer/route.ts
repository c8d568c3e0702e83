// Where one is, in the address after the #: reloading and going back work. There is no token in it: one that the organiser's
// site hands over is taken out of it first (signin.ts).
import { Cell, useCell } from '../shared/state.ts';

export type Route =
	| { at: 'home' }
	| { at: 'concert'; concertId: number }
	| { at: 'seats'; concertId: number; showId: number }
	| { at: 'pay'; reservationId: number }
	| { at: 'wallet' }
	| { at: 'mine' };

function read(hash: string): Route {
	const [, kind, a, more, b] = hash.replace(/^#/, '').split('/');
	const id = (text: string | undefined) => (/^[1-9]\d{0,15}$/.test(text ?? '') ? Number(text) : 0);
	if (kind === 'concert' && id(a))
		return more === 'show' && id(b) ? { at: 'seats', concertId: id(a), showId: id(b) } : { at: 'concert', concertId: id(a) };
	if (kind === 'reservation' && id(a)) return { at: 'pay', reservationId: id(a) };
	if (kind === 'wallet') return { at: 'wallet' };
	if (kind === 'seats') return { at: 'mine' };
	return { at: 'home' };
}

export const to = {
	home: '#/',
	concert: (id: number) => `#/concert/${id}`,
	seats: (concertId: number, showId: number) => `#/concert/${concertId}/show/${showId}`,
	pay: (id: number) => `#/reservation/${id}`,
	wallet: '#/wallet',
	mine: '#/seats',
};

export function go(hash: string): void {
	location.hash = hash;
}

// From the first moment on: the address may change while the page is still being drawn.
const here = new Cell<Route>(read(location.hash));
addEventListener('hashchange', () => {
	here.set(read(location.hash));
	scrollTo(0, 0);
});

export function useRoute(): Route {
	return useCell(here);
}
