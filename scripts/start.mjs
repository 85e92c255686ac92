import { runPinned } from './install.mjs';

runPinned('start.ts');
