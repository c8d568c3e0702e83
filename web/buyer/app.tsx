// The frame around the views: the head with the language and the way to wallet and seats, what is said about the connection, and the view.
import { useEffect, useRef } from 'preact/hooks';
import { useCell } from '../shared/state.ts';
import { Announcer, announce, LanguageSwitch, Notice, Wordmark } from '../shared/ui/index.tsx';
import { lost, me, texts } from './here.ts';
import { type Route, to, useRoute } from './route.ts';
import { ConcertView } from './views/concert.tsx';
import { HomeView } from './views/home.tsx';
import { MineView } from './views/mine.tsx';
import { PayView } from './views/pay.tsx';
import { WalletView } from './views/wallet.tsx';

function View({ route }: { route: Route }) {
	switch (route.at) {
		case 'concert':
		case 'seats':
			return (
				<ConcertView key={route.concertId} concertId={route.concertId} showId={route.at === 'seats' ? route.showId : null} />
			);
		case 'pay':
			return <PayView key={route.reservationId} reservationId={route.reservationId} />;
		case 'wallet':
			return <WalletView />;
		case 'mine':
			return <MineView />;
		default:
			return <HomeView />;
	}
}

function Connection() {
	const t = texts.use();
	const gone = useCell(lost);
	const was = useRef(false);
	useEffect(() => {
		if (was.current && !gone) announce(t.text('net.back'));
		was.current = gone;
	}, [gone, t]);
	if (!gone) return null;
	return (
		<Notice tone="warn">
			<p>
				<strong>{t.text('net.lost')}</strong> {t.text('net.lostHelp')}
			</p>
		</Notice>
	);
}

export function App() {
	const t = texts.use();
	const route = useRoute();
	const someone = useCell(me);
	return (
		<>
			<button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
				{t.text('app.skip')}
			</button>
			<header class="head">
				<div class="inner">
					<a class="brand" href={to.home} aria-label={t.text('app.home')}>
						<Wordmark name={t.text('app.name')} />
					</a>
					<nav aria-label={t.text('nav.main')}>
						{someone ? (
							<>
								<a href={to.mine} aria-current={route.at === 'mine' ? 'page' : undefined}>
									{t.text('nav.seats')}
								</a>
								<a href={to.wallet} aria-current={route.at === 'wallet' ? 'page' : undefined}>
									{t.text('nav.wallet')}
								</a>
							</>
						) : null}
					</nav>
					<LanguageSwitch texts={texts} label={t.text('app.language')} />
				</div>
			</header>
			<main id="main" class={`page ${route.at === 'home' || route.at === 'seats' ? 'broad' : ''}`} tabIndex={-1}>
				<Connection />
				<View route={route} />
			</main>
			<footer class="foot">
				<p>{t.text('app.footer')}</p>
			</footer>
			<Announcer />
		</>
	);
}
