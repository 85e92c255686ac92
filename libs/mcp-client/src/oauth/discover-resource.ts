import { discoverOAuthProtectedResourceMetadata, selectResourceURL } from '@modelcontextprotocol/client';
import { PlatformError } from '@switchyard/contracts';
import { vendorRefused } from './vendor-error.js';
import { metadataFetch, type Fetch } from './vendor-fetch.js';

/** What protected resource metadata (RFC 9728) say that matters here. */
export type ProtectedResource = {
  resource: string;
  authorizationServers: string[];
  scopesSupported: string[] | null;
};

/**
 * The protected resource metadata of a server: where its challenge says, else at the well-known places. null: there are
 * none. Metadata of another resource are refused, for they could name an authorization server that is not this one's.
 */
export async function discoverProtectedResource(input: {
  url: string;
  metadataUrl: string | null;
  fetch: Fetch;
}): Promise<ProtectedResource | null> {
  const named = input.metadataUrl ? await metadataOf(input, input.metadataUrl) : null;
  const metadata = named ?? (await metadataOf(input, null));
  if (!metadata) return null;
  await selectResourceURL(input.url, {} as never, metadata).catch((thrown: unknown) => {
    throw vendorRefused('resource_mismatch', thrown);
  });
  return {
    // As it is written: `URL` would add a slash, and audiences are compared as strings.
    resource: metadata.resource,
    authorizationServers: metadata.authorization_servers ?? [],
    scopesSupported: metadata.scopes_supported ?? null,
  };
}

async function metadataOf({ url, fetch }: { url: string; fetch: Fetch }, metadataUrl: string | null) {
  if (metadataUrl !== null && !/^https?:\/\//i.test(metadataUrl)) throw vendorRefused('url_refused');
  const observed = metadataFetch(fetch);
  try {
    const options = metadataUrl === null ? {} : { resourceMetadataUrl: metadataUrl };
    return await discoverOAuthProtectedResourceMetadata(url, options, observed.fetch);
  } catch (thrown) {
    if (thrown instanceof PlatformError) throw thrown;
    // A redirect that leaves the origin was not followed: what stands elsewhere does not count.
    if (observed.lastStatus() >= 300) return null;
    throw vendorRefused('metadata_invalid', thrown);
  }
}
