import { connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a store, so that a test can take the store away and give it back under the same address. */
export type CuttableProxy = {
  /** The store's URL by way of the proxy. */
  url: string;
  /** Ends all connections and refuses new ones. */
  cut(): void;
  /** Keeps connections open and passes nothing on, as a host that vanished does. */
  freeze(): void;
  /** Passes on again; from now on to another store, if given. */
  restore(url?: string): void;
  close(): Promise<void>;
};

/** Starts a proxy on a free port of the loopback interface. */
export async function cuttableProxy(storeUrl: string): Promise<CuttableProxy> {
  let target = new URL(storeUrl);
  let mode: 'open' | 'cut' | 'frozen' = 'open';
  const sockets = new Set<Socket>();
  const end = () => sockets.forEach((socket) => socket.destroy());
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    track(near);
    if (mode === 'cut') return void near.destroy();
    const far = connect(Number(target.port), target.hostname);
    track(far);
    near.on('data', (chunk) => mode === 'open' && far.write(chunk)).on('close', () => far.destroy());
    far.on('data', (chunk) => mode === 'open' && near.write(chunk)).on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = new URL(storeUrl);
  address.port = String((server.address() as { port: number }).port);
  address.hostname = '127.0.0.1';
  return {
    url: address.href,
    cut: () => ((mode = 'cut'), end()),
    freeze: () => void (mode = 'frozen'),
    restore: (url) => {
      if (url !== undefined) target = new URL(url);
      // What was frozen lost bytes on the way: its connections are of no more use.
      if (mode === 'frozen') end();
      mode = 'open';
    },
    close: async () => {
      end();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
