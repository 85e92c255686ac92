/**
 * A fixture upstream as a process of its own: `node fixture-upstream.js --port 9001 [--era legacy|modern|both]
 * [--responses sse|json] [--generated 5000] [--endless-list] [--calls-file <path>] [--bearer <token>] [--conformance]
 * [--prefix test_] [--asking] [--end-with-stdin]`. Prints its URL, and ends on SIGTERM.
 */
import { parseArgs } from 'node:util';
import { startAskingUpstream } from './start-asking-upstream.js';
import { startConformanceUpstream } from './start-conformance-upstream.js';
import { startFixtureUpstream, type FixtureOptions } from './start-fixture-upstream.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    era: { type: 'string', default: 'both' },
    responses: { type: 'string', default: 'sse' },
    generated: { type: 'string', default: '0' },
    'page-size': { type: 'string', default: '200' },
    'endless-list': { type: 'boolean', default: false },
    'calls-file': { type: 'string' },
    bearer: { type: 'string' },
    conformance: { type: 'boolean', default: false },
    prefix: { type: 'string' },
    asking: { type: 'boolean', default: false },
    'end-with-stdin': { type: 'boolean', default: false },
  },
});

const port = Number(values.port);
const era = values.era as FixtureOptions['era'];
const upstream = values.conformance
  ? await startConformanceUpstream({ port, era, prefix: values.prefix })
  : await (values.asking ? startAskingUpstream : startFixtureUpstream)({
      port,
      era,
      responses: values.responses as FixtureOptions['responses'],
      generated: Number(values.generated),
      pageSize: Number(values['page-size']),
      endlessList: values['endless-list'],
      callsFile: values['calls-file'],
      requiredHeaders: values.bearer ? { authorization: `Bearer ${values.bearer}` } : undefined,
    });
process.stdout.write(`${upstream.url}\n`);
process.on('SIGTERM', () => void upstream.close().then(() => process.exit(0)));
// A test that is killed must leave nothing behind.
if (values['end-with-stdin']) process.stdin.on('end', () => process.exit(0)).resume();
