/** Lets the organization `default` trust the realm: waits for Keycloak and the registry, then adds what is not there. */
const { REGISTRY_URL, REGISTRY_ADMIN_KEY, ISSUER, AUDIENCE } = process.env;
const patienceMs = 180_000;

/** A realm that does not answer in time is not registered: nobody could sign in there. */
async function waitFor(url) {
  for (const giveUpAt = Date.now() + patienceMs; ; await new Promise((done) => setTimeout(done, 1_000))) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    if (answer?.ok) return answer.json();
    if (Date.now() > giveUpAt) throw new Error(`${url} does not answer`);
  }
}

async function admin(method, body) {
  const answer = await fetch(`${REGISTRY_URL}/api/identity-providers`, {
    method,
    headers: { authorization: `Bearer ${REGISTRY_ADMIN_KEY}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const json = await answer.json();
  if (!answer.ok) throw new Error(`${method} answered ${answer.status}: ${json.code} ${json.detail}`);
  return json;
}

const { issuer } = await waitFor(`${ISSUER}/.well-known/openid-configuration`);
if (issuer !== ISSUER) throw new Error(`Keycloak names itself ${issuer} and not ${ISSUER}: see KEYCLOAK_URL`);
const { items } = await admin('GET');
if (items.some((one) => one.issuer === ISSUER && one.audience === AUDIENCE)) {
  process.stdout.write('The realm is registered already.\n');
} else {
  await admin('POST', {
    name: 'Keycloak',
    issuer: ISSUER,
    audience: AUDIENCE,
    client_id: 'switchyard',
    roles_claim: 'roles',
    admin_roles: ['admin'],
    auditor_roles: ['auditor'],
  });
  process.stdout.write(`Registered ${ISSUER}.\n`);
}
