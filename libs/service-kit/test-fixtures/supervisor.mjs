/** Forks the service of its first argument as `npm start` does, and says its process id once it is ready. */
import { fork } from 'node:child_process';

const child = fork(process.argv[2], { silent: true });
child.stdout.resume();
child.stderr.resume();
child.on('message', () => process.stdout.write(`${child.pid}\n`));
