import { jest } from '@jest/globals';
import { onBothQueues } from './harness/on-both-queues.js';
import { answersCurl } from './real-servers/answers-curl.js';
import { passesToolsThrough } from './real-servers/passes-tools-through.js';
import { printsSummary } from './real-servers/prints-summary.js';
import { signsPeopleIn } from './real-servers/signs-people-in.js';

jest.setTimeout(60_000);

onBothQueues('npm start with its sample servers', { samples: true }, ({ switchyard }) => {
  printsSummary(switchyard);
  signsPeopleIn(switchyard);
  passesToolsThrough(switchyard);
  answersCurl(switchyard);
});
