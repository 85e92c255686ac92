/** The identity provider as an HTTP server on loopback. */
import { createServer, type Server } from 'node:http';
import { interact, send } from './interactions.ts';
import { messagePage } from './pages.ts';
import { newProvider } from './provider.ts';
import type { Settings } from './settings.ts';
import { SignInAttempts } from './sign-in-attempts.ts';

/** Listens on the settings' port of 127.0.0.1, for requests that name it so. */
export async function startIdentityProvider(settings: Settings, publicUrl: string): Promise<Server> {
  const provider = newProvider(settings, publicUrl);
  const attempts = new SignInAttempts(settings.users);
  const answer = provider.callback();
  const { host } = new URL(provider.issuer);
  const server = createServer((req, res) => {
    // Against web pages whose name was rebound to this machine.
    if (req.headers.host !== host)
      return send(res, 403, messagePage('That did not work', `Use http://${host}`));
    if (req.url?.startsWith('/interaction/')) return void interact(provider, attempts, req, res);
    return void answer(req, res);
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(settings.port, '127.0.0.1', resolve),
  );
  return server;
}
