import { runPinned } from './install.mjs';

runPinned('check.ts');
