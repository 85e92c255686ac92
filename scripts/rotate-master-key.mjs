import { runPinned } from './install.mjs';

runPinned('rotate-master-key.ts');
