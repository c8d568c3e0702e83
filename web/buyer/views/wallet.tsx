import { useEffect, useState } from 'preact/hooks';
import { asRefusal, type History, type Refusal } from '../../shared/api.ts';
import { useCell } from '../../shared/state.ts';
import { announce, Notice, ViewTitle } from '../../shared/ui/index.tsx';
import { anyToken, api, me, retried, texts } from '../here.ts';
import { useLoad } from '../load.ts';
import { CHARGE_MOST, charge, forgetPending, isOld, pendingCharge } from '../money.ts';
import { NotYet, Problem } from '../parts.tsx';
import { to } from '../route.ts';
import { nameOf } from '../signin.ts';

const PRESETS = [50000, 100000, 200000, 500000];

interface Page {
	histories: History[];
	nextBefore: number | null;
}

export function Nobody() {
	const t = texts.use();
	return (
		<div class="card stack">
			<p>{t.text('wallet.nobody')}</p>
			<div>
				<a class="button main" href={to.home}>
					{t.text('do.home')}
				</a>
			</div>
		</div>
	);
}

export function WalletView() {
	const t = texts.use();
	const someone = useCell(me);
	return (
		<section class="stack">
			<ViewTitle>{t.text('wallet.title')}</ViewTitle>
			{someone && anyToken() ? <Wallet userId={someone.userId} name={nameOf(someone.username)} /> : <Nobody />}
		</section>
	);
}

function Wallet({ userId, name }: { userId: number; name: string }) {
	const t = texts.use();
	const token = anyToken();
	const { value, refusal, again, set } = useLoad(`wallet ${userId}`, () =>
		api.get<{ balance: number }>(`api/${userId}`, { token }),
	);
	if (!value) return <NotYet refusal={refusal} again={again} />;
	return (
		<>
			<div class="card balance">
				<p class="soft">{t.rich('wallet.of', { name: <bdi>{name}</bdi> })}</p>
				<p>
					<span class="hidden">{t.text('wallet.balance')} </span>
					<strong class="huge number">{t.format.won(value.balance)}</strong>
				</p>
			</div>
			<Charge charged={(balance) => (balance === null ? again() : set({ balance }))} />
			<Histories userId={userId} token={token} balance={value.balance} />
		</>
	);
}

// Won, as people write them: digits, and commas where thousands have them. Nothing else, so that no point is taken for a comma.
function wonOf(text: string): number {
	const plain = text.replace(/[\s₩원]/g, '');
	return /^(\d{1,10}|\d{1,3}(,\d{3}){1,3})$/.test(plain) ? Number(plain.replaceAll(',', '')) : 0;
}

function Charge({ charged }: { charged: (balance: number | null) => void }) {
	const t = texts.use();
	const pending = useCell(pendingCharge);
	const [text, setText] = useState('');
	const [wrong, setWrong] = useState(false);
	const [busy, setBusy] = useState(false);
	const [done, setDone] = useState<number | null>(null);
	const [refusal, setRefusal] = useState<Refusal | null>(null);
	const amount = wonOf(text);
	const good = amount >= 1 && amount <= CHARGE_MOST;

	const send = async (won: number) => {
		if (busy) return;
		setBusy(true);
		setRefusal(null);
		setDone(null);
		try {
			charged(await charge(won));
			setDone(won);
			setText('');
			announce(t.text('wallet.charged', { amount: t.format.won(won) }));
		} catch (e) {
			setRefusal(asRefusal(e));
		}
		setBusy(false);
	};
	const submit = (e: Event) => {
		e.preventDefault();
		if (good) void send(amount);
		else setWrong(true);
	};

	return (
		<form class="card stack" onSubmit={submit} noValidate>
			<h2>{t.text('wallet.charge')}</h2>
			{pending ? <Pending pending={pending} busy={busy} ask={() => send(pending.amount)} /> : null}
			<div class="row presets">
				{PRESETS.map((won) => (
					<button key={won} type="button" class="button number" aria-disabled={busy} onClick={() => setText(String(won))}>
						{t.format.won(won)}
					</button>
				))}
			</div>
			<div class="field">
				<label for="amount">{t.text('wallet.amount')}</label>
				<input
					id="amount"
					inputMode="numeric"
					autoComplete="off"
					value={text}
					aria-invalid={wrong}
					onInput={(e) => {
						setText(e.currentTarget.value);
						setWrong(false);
					}}
				/>
				{wrong ? (
					<p class="wrong" role="alert">
						{t.text('wallet.amountWrong')}
					</p>
				) : null}
			</div>
			{refusal && !(pending && refusal.passing) ? <Problem refusal={refusal} again={() => send(amount)} /> : null}
			{done !== null ? (
				<Notice>
					<p>{t.text('wallet.charged', { amount: t.format.won(done) })}</p>
				</Notice>
			) : null}
			<button type="submit" class="button main whole" aria-disabled={busy || !good}>
				{busy ? t.text('wallet.charging') : t.text('wallet.chargeGo', { amount: good ? t.format.won(amount) : '' })}
			</button>
		</form>
	);
}

// A charge that nobody here knows of. While the server remembers its key it can be asked for again; after that only the books tell.
function Pending({ pending, busy, ask }: { pending: NonNullable<typeof pendingCharge.value>; busy: boolean; ask: () => void }) {
	const t = texts.use();
	const old = isOld(pending);
	const amount = t.format.won(pending.amount);
	return (
		<Notice
			tone="warn"
			actions={
				<button type="button" class={`button ${old ? '' : 'main'}`} aria-disabled={busy} onClick={old ? forgetPending : ask}>
					{t.text(old ? 'wallet.looked' : 'pay.again')}
				</button>
			}
		>
			<p>{t.text(old ? 'wallet.pendingOld' : 'wallet.pending', { amount })}</p>
		</Notice>
	);
}

function Histories({ userId, token, balance }: { userId: number; token: string | undefined; balance: number }) {
	const t = texts.use();
	const path = `api/${userId}/histories?limit=10`;
	const { value, refusal, again } = useLoad(`histories ${userId} ${balance}`, () => api.get<Page>(path, { token }));
	const [older, setOlder] = useState<History[]>([]);
	const [before, setBefore] = useState<number | null>(null);
	useEffect(() => {
		setOlder([]);
		setBefore(value?.nextBefore ?? null);
	}, [value]);
	const more = async () => {
		const page = await retried(() => api.get<Page>(`${path}&before=${before}`, { token })).catch(() => null);
		if (!page) return;
		setOlder([...older, ...page.histories]);
		setBefore(page.nextBefore);
	};
	const all = [...(value?.histories ?? []), ...older];
	return (
		<section class="stack tight">
			<h2>{t.text('wallet.history')}</h2>
			{refusal ? <Problem refusal={refusal} again={again} /> : null}
			{value && !all.length ? <p class="soft">{t.text('wallet.none')}</p> : null}
			<ul class="histories">
				{all.map((entry) => (
					<li key={entry.historyId}>
						<span>
							<strong>{t.text(`wallet.${entry.type}`)}</strong>
							<span class="soft small">{t.format.instant(entry.createdAt)}</span>
						</span>
						<span class="number right">
							<strong>{`${entry.amount > 0 ? '+' : '−'}${t.format.won(Math.abs(entry.amount))}`}</strong>
							<span class="soft small">{t.text('wallet.after', { amount: t.format.won(entry.balanceAfter) })}</span>
						</span>
					</li>
				))}
			</ul>
			{before ? (
				<button type="button" class="button" onClick={more}>
					{t.text('wallet.more')}
				</button>
			) : null}
		</section>
	);
}
