/**
 * The client that the MCP conformance suite drives: connects, lists, and makes the calls that the scenario wants. Refused, it
 * does what the token broker does for a user and an integration, by the same functions, with variables where the broker
 * has tables.
 */
import {
  checkAuthorizationResponse,
  chooseRegistration,
  chooseScopes,
  configuredClient,
  createEgressPolicy,
  discoverVendor,
  metadataDocumentClient,
  redeemCode,
  refreshTokens,
  registerClient,
  requestClientCredentials,
  startConsent,
  UpstreamError,
  UpstreamSession,
} from '@switchyard/mcp-client';

const url = process.argv.at(-1);
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';
const egress = createEgressPolicy({ allowPrivate: true });
const { fetch } = egress;
const redirectUri = 'http://localhost:3000/callback';
const metadataDocumentUrl = 'https://conformance-test.local/client-metadata.json';
const settings = context.client_id ? { client_id: context.client_id } : {};
const fixedCalls = {
  tools_call: [{ name: 'add_numbers', arguments: { a: 5, b: 3 } }],
  'sse-retry': [{ name: 'test_reconnection', arguments: {} }],
};
/** For machines that are busy: the suite runs all its scenarios at once. */
const timeoutMs = 25_000;
const capabilities = { elicitation: { form: {} } };
const blank = { boolean: true, integer: 1, number: 1, array: [] };
/** How often a server that asks is answered. */
const mostRounds = 5;
/** How often a refusal is answered before it is believed. */
const mostAttempts = 3;

/** What the vault holds: the client, bound to its issuer, and the tokens. */
const vault = { issuer: null, client: null, tokens: null, granted: null, vendor: null };

async function discover(challenge) {
  const input = { url, fetch, settings, challenge };
  try {
    return await discoverVendor({ ...input, boundIssuer: vault.issuer });
  } catch (error) {
    if (error.details?.reason !== 'issuer_changed') throw error;
    // Nothing of the former server goes to the new one: the user consents anew, and we register anew.
    Object.assign(vault, { issuer: null, client: null, tokens: null, granted: null });
    return discoverVendor({ ...input, boundIssuer: null });
  }
}

async function clientFor(server, scopes) {
  switch (chooseRegistration(server, settings, metadataDocumentUrl)) {
    case 'configured':
      return configuredClient(server, settings, context.client_secret ?? null);
    case 'metadata_document':
      return metadataDocumentClient(metadataDocumentUrl);
    case 'dynamic':
      return registerClient({
        server,
        fetch,
        redirectUri,
        clientName: 'Switchyard',
        clientUri: 'https://conformance-test.local',
        scope: scopes?.join(' ') ?? null,
      });
    default:
      throw new Error('an admin would have to register a client');
  }
}

async function authorize(challenge, needed) {
  const vendor = await discover(challenge);
  if (vendor.open) throw new Error('refused, and yet open');
  const stepUp = needed && { granted: vault.granted, needed };
  const scopes = chooseScopes(vendor, settings, stepUp);
  vault.client ??= await clientFor(vendor.server, scopes);
  Object.assign(vault, { vendor, issuer: vendor.server.issuer });
  const tokens = scenario.startsWith('auth/client-credentials')
    ? await requestClientCredentials({ ...requestOf(vendor), scopes })
    : await consent(vendor, scopes);
  if (tokens.status !== 'ok') throw new Error(`no token: ${JSON.stringify(tokens)}`);
  Object.assign(vault, { tokens: tokens.tokens, granted: tokens.tokens.scopes ?? scopes });
}

const requestOf = ({ server, resource }) => ({ server, client: vault.client, fetch, resource });

async function consent(vendor, scopes) {
  const { server } = vendor;
  const state = crypto.randomUUID();
  const begun = await startConsent({ ...requestOf(vendor), redirectUri, state, scopes });
  // The suite's authorization servers consent at once.
  const answer = await globalThis.fetch(begun.url, { redirect: 'manual' });
  const { searchParams: params } = new URL(answer.headers.get('location') ?? '', begun.url);
  if (params.get('state') !== state) throw new Error('the state is another');
  const { code } = checkAuthorizationResponse({ server, expectedIssuer: vault.issuer, params, redirectUri });
  return redeemCode({ ...requestOf(vendor), code, codeVerifier: begun.codeVerifier, redirectUri });
}

/** What a refusal calls for: another token, more scopes, or nothing that we could do. */
async function answerTo(error) {
  const { code, details = {} } = error instanceof UpstreamError ? error.failure.error : {};
  if (code === 'scope_insufficient') return authorize(undefined, details.scopes);
  if (code !== 'upstream_denied' || details.upstream_status !== 401) throw error;
  const refreshToken = vault.tokens?.refreshToken;
  if (refreshToken) {
    const refreshed = await refreshTokens({ ...requestOf(vault.vendor), refreshToken });
    if (refreshed.status === 'ok') return Object.assign(vault, { tokens: refreshed.tokens });
  }
  return authorize(details.challenge);
}

async function callEverything() {
  const headers = vault.tokens ? { authorization: `Bearer ${vault.tokens.accessToken}` } : {};
  const target = { integrationId: 'i', transport: { type: 'http', url }, headers };
  const session = await UpstreamSession.connect(target, { egress, timeoutMs, capabilities });
  try {
    const tools = await session.listTools({ timeoutMs });
    const every = tools.map(({ name }) => ({ name, arguments: {} }));
    for (const call of context.toolCalls ?? fixedCalls[scenario] ?? every) {
      const tool = tools.find(({ name }) => name === call.name);
      await callToTheEnd(session, { ...call, tool, timeoutMs }).catch(throwIfRefused);
    }
  } finally {
    await session.close();
  }
}

/** A call, and again with the answers for as long as the server wants some. */
async function callToTheEnd(session, call) {
  const onQuestion = async ({ params }) => ({ result: answerOf(params) });
  let resume;
  for (let round = 0; round < mostRounds; round++) {
    const { resultType, inputRequests, requestState } = await session.call({
      ...{ ...call, capabilities, onQuestion, resume },
    });
    if (resultType !== 'input_required') return;
    const answers = Object.entries(inputRequests ?? {}).map(([key, { params }]) => [key, answerOf(params)]);
    resume = { inputResponses: Object.fromEntries(answers), ...(requestState && { requestState }) };
  }
}

/** A person who leaves a form as it came. */
function answerOf({ requestedSchema } = {}) {
  const fields = Object.entries(requestedSchema?.properties ?? {});
  const content = fields.map(([name, { type, default: given }]) => [name, given ?? blank[type] ?? 'text']);
  return { action: 'accept', content: Object.fromEntries(content) };
}

/** Scenarios want failing calls too; those say nothing of us. */
function throwIfRefused(error) {
  if (['upstream_denied', 'scope_insufficient'].includes(error.failure?.error.code)) throw error;
}

for (let attempt = 0; ; attempt++) {
  try {
    await callEverything();
    break;
  } catch (error) {
    if (attempt >= mostAttempts) throw error;
    await answerTo(error);
  }
}
await egress.close();
