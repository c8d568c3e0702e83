// The organisers' page, and at /admin/live the screen on the wall.
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import '../shared/base.css';
import './admin.css';
import './views.css';
import { useCell } from '../shared/state.ts';
import { Announcer, LanguageSwitch, Wordmark } from '../shared/ui/index.tsx';
import { hrefOf, type Route, route, type View } from './route.ts';
import { key, signOut } from './session.ts';
import { type Key, texts } from './texts.ts';
import { Trouble } from './ui.tsx';
import { Add } from './views/Add.tsx';
import { ConcertView } from './views/Concert.tsx';
import { Live } from './views/Live.tsx';
import { Log } from './views/Log.tsx';
import { Queues } from './views/Queues.tsx';
import { Server } from './views/Server.tsx';
import { Show } from './views/Show.tsx';
import { Shows } from './views/Shows.tsx';
import { SignIn } from './views/SignIn.tsx';

const onTheWall = location.pathname.endsWith('/live');
const WALL = 'admin/live'; // beside this page, also where a proxy adds a path

const NAV: [View, Key][] = [
	['queues', 'nav.queues'],
	['shows', 'nav.shows'],
	['add', 'nav.add'],
	['log', 'nav.log'],
	['server', 'nav.server'],
];
// The views that are reached from another one.
const UNDER: Partial<Record<View, View>> = { show: 'shows', concert: 'shows' };

function Header({ view }: { view: View }) {
	const t = texts.use();
	const here = UNDER[view] ?? view;
	return (
		<header class="top">
			<div class="row between">
				<span class="row">
					<Wordmark name={t.text('app.name')} />
					<span class="soft role">{t.text('admin.title')}</span>
				</span>
				<div class="row">
					<LanguageSwitch texts={texts} label={t.text('language')} />
					<button type="button" class="button" onClick={() => signOut('asked')}>
						{t.text('signout')}
					</button>
				</div>
			</div>
			<nav aria-label={t.text('nav.label')}>
				{NAV.map(([name, text]) => (
					<a key={name} href={hrefOf(name)} aria-current={name === here ? 'page' : undefined}>
						{t.text(text)}
					</a>
				))}
				{/* biome-ignore lint/security/noBlankTarget: it is our own page, and takes the key over from this tab */}
				<a class="aside" href={WALL} target="_blank" rel="opener">
					{t.text('nav.live')}
				</a>
			</nav>
		</header>
	);
}

function Body({ at }: { at: Route }) {
	if (at.view === 'shows') return <Shows />;
	if (at.view === 'show' && at.id) return <Show key={at.id} id={at.id} />;
	if (at.view === 'concert' && at.id) return <ConcertView key={at.id} id={at.id} />;
	if (at.view === 'add') return <Add />;
	if (at.view === 'log') return <Log />;
	if (at.view === 'server') return <Server />;
	return <Queues id={at.id} />;
}

function App() {
	const t = texts.use();
	const at = useCell(route);
	const signedIn = useCell(key);
	useEffect(() => {
		document.title = t.text(onTheWall ? 'live.title' : 'title.page', { app: t.text('app.name') });
		document.documentElement.classList.toggle('wall', onTheWall);
	});
	if (!signedIn) return <SignIn />;
	if (onTheWall) return <Live />;
	return (
		<>
			<Header view={at.view} />
			<Trouble />
			<Body at={at} />
		</>
	);
}

render(
	<>
		<App />
		<Announcer />
	</>,
	document.getElementById('app')!,
);
