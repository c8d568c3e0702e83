import './signin.ts';
import { render } from 'preact';
import '../shared/base.css';
import '../shared/seatmap/seatmap.css';
import './buyer.css';
import { App } from './app.tsx';

render(<App />, document.getElementById('app')!);
