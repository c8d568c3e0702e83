import { render } from 'preact';
import { en } from '../shared/i18n/en.ts';

render(<h1>{en['admin.title']}</h1>, document.getElementById('app')!);
