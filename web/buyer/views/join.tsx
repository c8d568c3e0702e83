import { useEffect, useRef, useState } from 'preact/hooks';
import { asRefusal, type Concert, type Refusal, type SignIn } from '../../shared/api.ts';
import { useCell } from '../../shared/state.ts';
import { ViewTitle } from '../../shared/ui/index.tsx';
import { api, forget, me, takePlace, texts } from '../here.ts';
import { useLoad } from '../load.ts';
import { NotYet, Problem, SalesCountdown } from '../parts.tsx';
import { signedIn, signOut } from '../signin.ts';

const NAME_MOST = 64; // Unicode characters

export function JoinView({ concert }: { concert: Concert }) {
	const { value, refusal, again } = useLoad('sign-in', () => api.get<SignIn>('api/sign-in'));
	if (!value) return <NotYet refusal={refusal} again={again} />;
	return (
		<>
			<SalesCountdown concert={concert} />
			{value.auth === 'jwt' ? <JoinSignedIn concert={concert} /> : <JoinByName concert={concert} />}
		</>
	);
}

// One has signed in at the organiser's site, which brought one here, or is told to.
function JoinSignedIn({ concert }: { concert: Concert }) {
	const t = texts.use();
	const who = useCell(signedIn);
	const [ranOut, setRanOut] = useState(false);
	const [busy, setBusy] = useState(false);
	const [refusal, setRefusal] = useState<Refusal | null>(null);

	const join = async () => {
		if (!who || busy) return;
		setBusy(true);
		setRefusal(null);
		try {
			await takePlace(concert, { token: who.token });
		} catch (e) {
			const why = asRefusal(e);
			if (why.status === 401) {
				setRanOut(true);
				signOut();
			} else setRefusal(why);
			setBusy(false);
		}
	};

	return (
		<section class="card stack">
			<ViewTitle>{t.text('join.title')}</ViewTitle>
			{who ? (
				<>
					<p class="lead">
						{t.rich('join.as', {
							name: (
								<bdi>
									<strong>{who.name}</strong>
								</bdi>
							),
						})}
					</p>
					{refusal ? <Problem refusal={refusal} again={join} /> : null}
					<button type="button" class="button main whole" aria-disabled={busy} onClick={join}>
						{t.text('join.go')}
					</button>
				</>
			) : (
				<p class="lead" role="status">
					{t.text(ranOut ? 'join.signInAgain' : 'join.signIn')}
				</p>
			)}
		</section>
	);
}

function JoinByName({ concert }: { concert: Concert }) {
	const t = texts.use();
	const someone = useCell(me);
	const [name, setName] = useState('');
	const [wrong, setWrong] = useState(false);
	const [busy, setBusy] = useState(false);
	const [refusal, setRefusal] = useState<Refusal | null>(null);
	const input = useRef<HTMLInputElement>(null);
	const forgot = useRef(false);
	useEffect(() => {
		if (forgot.current && !someone) input.current?.focus();
		forgot.current = false;
	}, [someone]);

	const join = async () => {
		const username = someone?.username ?? name.trim();
		if (!username || [...username].length > NAME_MOST) {
			setWrong(true);
			input.current?.focus();
			return;
		}
		setBusy(true);
		setRefusal(null);
		try {
			await takePlace(concert, { username });
		} catch (e) {
			setRefusal(asRefusal(e));
			setBusy(false);
		}
	};

	const another = () => {
		forgot.current = true;
		forget();
	};

	return (
		<form
			class="card stack"
			onSubmit={(e) => {
				e.preventDefault();
				void join();
			}}
			noValidate
		>
			<ViewTitle>{t.text('join.title')}</ViewTitle>
			{someone ? (
				<p class="lead">
					{t.rich('join.as', {
						name: (
							<bdi>
								<strong>{someone.username}</strong>
							</bdi>
						),
					})}
				</p>
			) : (
				<div class="field">
					<label for="name">{t.text('join.name')}</label>
					<input
						id="name"
						ref={input}
						value={name}
						autoComplete="nickname"
						autoCapitalize="off"
						spellcheck={false}
						dir="auto"
						aria-describedby="name-help"
						aria-invalid={wrong}
						onInput={(e) => {
							setName(e.currentTarget.value);
							setWrong(false);
						}}
					/>
					{wrong ? (
						<p class="wrong" role="alert">
							{t.text('join.nameWrong')}
						</p>
					) : null}
					<p id="name-help" class="soft small">
						{t.text('join.nameHelp')}
					</p>
				</div>
			)}
			{refusal ? <Problem refusal={refusal} again={join} /> : null}
			<button type="submit" class="button main whole" aria-disabled={busy}>
				{t.text('join.go')}
			</button>
			{someone ? (
				<div>
					<button type="button" class="button plain" onClick={another}>
						{t.text('join.change')}
					</button>
					<p class="soft small">{t.rich('join.changeHelp', { name: <bdi>{someone.username}</bdi> })}</p>
				</div>
			) : null}
		</form>
	);
}
