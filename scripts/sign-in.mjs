import { runPinned } from './install.mjs';

runPinned('sign-in.ts');
