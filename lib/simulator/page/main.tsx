import './styles/base.css';
import './styles/frame.css';
import './styles/controls.css';
import './styles/content.css';
import './styles/views.css';
import { render } from 'preact';
import { App } from './app';
import { followLinks } from './router';
import { connect } from './stream';

followLinks();
connect();
render(<App />, document.getElementById('page')!);

// Without an export, esbuild takes it for a CommonJS module, and wraps all modules in functions.
export {};
