// The way in: the key that the server was started with.
import { useState } from 'preact/hooks';
import { asRefusal } from '../../shared/api.ts';
import { useCell } from '../../shared/state.ts';
import { LanguageSwitch, Notice, ViewTitle, Wordmark } from '../../shared/ui/index.tsx';
import { ended, signIn } from '../session.ts';
import { texts } from '../texts.ts';
import { Field, refusalText } from '../ui.tsx';

export function SignIn() {
	const t = texts.use();
	const wasEnded = useCell(ended);
	const [value, set] = useState('');
	const [wrong, setWrong] = useState('');
	const [trouble, setTrouble] = useState('');
	const [busy, setBusy] = useState(false);
	const submit = async (e: Event) => {
		e.preventDefault();
		if (busy) return;
		setWrong('');
		setTrouble('');
		const tried = value.trim();
		if (!/^[\x21-\x7e]+$/.test(tried)) {
			setWrong(t.text(tried ? 'signin.wrong' : 'signin.empty'));
			document.getElementById('key')?.focus();
			return;
		}
		setBusy(true);
		try {
			await signIn(tried);
		} catch (e) {
			const refusal = asRefusal(e);
			if (refusal.status === 401) setWrong(t.text('signin.wrong'));
			else setTrouble(refusalText(refusal));
			document.getElementById('key')?.focus();
		}
		setBusy(false);
	};
	return (
		<main class="signin stack wide">
			<div class="row between">
				<Wordmark name={t.text('app.name')} />
				<LanguageSwitch texts={texts} label={t.text('language')} />
			</div>
			<form class="card stack" onSubmit={submit} noValidate>
				<ViewTitle>{t.text('signin.title')}</ViewTitle>
				{wasEnded ? <Notice tone="warn">{t.text('signin.ended')}</Notice> : null}
				<Field
					id="key"
					type="password"
					autoComplete="current-password"
					spellcheck={false}
					label={t.text('signin.key')}
					hint={t.text('signin.hint')}
					value={value}
					set={set}
					error={wrong}
				/>
				<p class="hidden" role="alert">
					{wrong}
				</p>
				{trouble ? <Notice tone="bad">{trouble}</Notice> : null}
				<button type="submit" class="button main" aria-disabled={busy}>
					{t.text(busy ? 'working' : 'signin.enter')}
				</button>
			</form>
		</main>
	);
}
