/** A process of `npm start`: node main.ts <data folder> <origin of the gateway>. */
import { startIdentityProvider } from './server.ts';
import { issuerOf, loadSettings } from './settings.ts';

const [dataFolder = '.switchyard', publicUrl = 'http://127.0.0.1:8080'] = process.argv.slice(2);
const settings = await loadSettings(dataFolder, async (last) => last ?? 0);
await startIdentityProvider(settings, publicUrl);
process.stdout.write(`listening at ${issuerOf(settings)}\n`);
