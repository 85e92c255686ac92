import { ProtocolError, type Client, type RequestOptions } from '@modelcontextprotocol/client';

/** Legacy servers answer `ping`, modern ones have `server/discover`. A JSON-RPC error is a sign of life like any. */
export async function ping(client: Client, options: RequestOptions): Promise<void> {
  try {
    if (client.getProtocolEra() === 'modern') await client.discover(options);
    else await client.ping(options);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}
