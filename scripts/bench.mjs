import { runPinned } from './install.mjs';

runPinned('bench/main.ts');
