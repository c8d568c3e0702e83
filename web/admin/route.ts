// Which view is shown: the part of the address behind #. It names views and ids, nothing secret.
import { Cell } from '../shared/state.ts';

export type View = 'queues' | 'shows' | 'show' | 'concert' | 'add' | 'log' | 'server';
export interface Route {
	view: View;
	id: number | null;
}

const VIEWS: View[] = ['queues', 'shows', 'show', 'concert', 'add', 'log', 'server'];

function parse(hash: string): Route {
	const [, view, id] = /^#\/(\w+)(?:\/(\d{1,15}))?$/.exec(hash) ?? [];
	const known = VIEWS.find((v) => v === view) ?? 'queues';
	return { view: known, id: id ? Number(id) : null };
}

export const route = new Cell<Route>(parse(location.hash));
addEventListener('hashchange', () => route.set(parse(location.hash)));

export function hrefOf(view: View, id?: number): string {
	return id === undefined ? `#/${view}` : `#/${view}/${id}`;
}

export function go(view: View, id?: number): void {
	location.hash = hrefOf(view, id);
}
