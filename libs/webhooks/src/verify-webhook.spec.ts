import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { newWebhookKey } from './keys/webhook-key.js';
import { WebhookScheme, type WebhookSchemeInput } from './schemes/webhook-scheme.js';
import { signWebhook } from './sign-webhook.js';
import { type Delivery, verifyWebhook } from './verify-webhook.js';

const now = 1_800_000_000_000;
const seconds = String(now / 1_000);
const body = '{"event":"order.paid","n":1}';
const secret = 'a-secret-of-the-vendor';

const hex = (content: string, key: string | Buffer = secret): string =>
  createHmac('sha256', key).update(content).digest('hex');

function judge(
  scheme: WebhookSchemeInput,
  headers: Delivery['headers'],
  more: { keys?: string[]; body?: string; now?: number } = {},
) {
  return verifyWebhook(
    { headers, body: Buffer.from(more.body ?? body) },
    { scheme: WebhookScheme.parse(scheme), keys: more.keys ?? [secret], now: more.now ?? now },
  );
}
const refused = (reason: string) => ({ accepted: false, reason });

describe('the examples of the standards’ own pages', () => {
  it('Standard Webhooks', () => {
    const verdict = judge(
      { scheme: 'standard' },
      {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      },
      {
        keys: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
        body: '{"test": 2432232314}',
        now: 1_614_265_330_000,
      },
    );
    expect(verdict).toMatchObject({ accepted: true, id: 'msg_p5jXN8AQM9LWM0D4loKWxJek' });
  });

  it('GitHub', () => {
    const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const more = { keys: ["It's a Secret to Everybody"], body: 'Hello, World!' };
    expect(judge({ scheme: 'github' }, { 'x-hub-signature-256': signature }, more).accepted).toBe(true);
  });
});

describe('a Standard Webhooks delivery', () => {
  const standard = { scheme: 'standard' } as const;
  const [key, other] = [newWebhookKey(), newWebhookKey()];
  const signed = (id = 'msg_1', keys = [key]) => signWebhook({ id, sentAt: now, body }, keys);

  it('is accepted as it was signed, and is the same delivery when it comes again later', () => {
    const first = judge(standard, signed(), { keys: [key] });
    expect(first).toEqual({ accepted: true, id: 'msg_1', sentAt: now, replayKey: 'msg_1' });
    expect(judge(standard, signed(), { keys: [key], now: now + 200_000 })).toEqual(first);
  });

  it('is accepted while either side rotates its key', () => {
    expect(judge(standard, signed(), { keys: [other, key] }).accepted).toBe(true);
    expect(judge(standard, signed('msg_1', [other, key]), { keys: [key] }).accepted).toBe(true);
    expect(judge(standard, signed(), { keys: [other] })).toEqual(refused('signature_wrong'));
  });

  it('may come with the older names of its headers, as one family', () => {
    const old = Object.entries(signed()).map(([name, value]) => [name.replace('webhook', 'svix'), value]);
    expect(judge(standard, Object.fromEntries(old), { keys: [key] }).accepted).toBe(true);
    const mixed = { ...signed(), 'webhook-id': undefined, 'svix-id': 'msg_1' };
    expect(judge(standard, mixed, { keys: [key] })).toEqual(refused('id_missing'));
  });

  it('may have signatures of other versions, which count for nothing', () => {
    const { 'webhook-signature': v1 = '' } = signed();
    const both = { ...signed(), 'webhook-signature': `v1a,AAAA ${v1}` };
    expect(judge(standard, both, { keys: [key] }).accepted).toBe(true);
    const none = { ...signed(), 'webhook-signature': v1.replace('v1', 'v1a') };
    expect(judge(standard, none, { keys: [key] })).toEqual(refused('signature_malformed'));
  });

  it.each([
    ['body', {}, { body: `${body} ` }, 'signature_wrong'],
    ['id', { 'webhook-id': 'msg_2' }, {}, 'signature_wrong'],
    ['time', { 'webhook-timestamp': String(now / 1_000 + 1) }, {}, 'signature_wrong'],
    ['time, older', {}, { now: now + 300_001 }, 'timestamp_too_old'],
    ['time, to come', {}, { now: now - 301_000 }, 'timestamp_in_future'],
    ['time, in words', { 'webhook-timestamp': '+18e8' }, {}, 'timestamp_malformed'],
    ['time, none', { 'webhook-timestamp': undefined }, {}, 'timestamp_missing'],
    ['id, none', { 'webhook-id': undefined }, {}, 'id_missing'],
    ['signature, none', { 'webhook-signature': undefined }, {}, 'signature_missing'],
    ['signature, twice', { 'webhook-signature': ['v1,AA', 'v1,AA'] }, {}, 'signature_missing'],
    ['signature, short', { 'webhook-signature': 'v1,AAAA' }, {}, 'signature_malformed'],
    ['key', {}, { keys: ['whsec_c2hvcnQ='] }, 'key_malformed'],
    ['key, unprefixed', {}, { keys: [key.slice(6)] }, 'key_malformed'],
    ['key, none', {}, { keys: [] }, 'signature_wrong'],
  ])('is refused with another %s (%j)', (_what, headers, more, reason) => {
    expect(judge(standard, { ...signed(), ...headers }, { keys: [key], ...more })).toEqual(refused(reason));
  });

  it('cannot be read in two ways by moving a point', () => {
    const moved = signWebhook({ id: 'msg', sentAt: now, body: `${seconds}.{}` }, [key]);
    const headers = { ...moved, 'webhook-id': `msg.${seconds}` };
    expect(judge(standard, headers, { keys: [key], body: '{}' })).toEqual(refused('id_malformed'));
  });
});

describe('a delivery signed as GitHub does', () => {
  const headers = { 'x-hub-signature-256': `sha256=${hex(body)}`, 'x-github-delivery': 'd-1' };

  it('is known again by what is signed, whatever its id says', () => {
    const first = judge({ scheme: 'github' }, headers);
    expect(first).toMatchObject({ accepted: true, id: null, sentAt: null });
    expect(judge({ scheme: 'github' }, { ...headers, 'x-github-delivery': 'd-2' })).toEqual(first);
  });

  it.each([
    [{ 'x-hub-signature-256': hex(body) }, 'signature_malformed'],
    [{ 'x-hub-signature-256': `sha256=${hex(body, 'guess')}` }, 'signature_wrong'],
    [{ 'x-hub-signature-256': `sha256=${hex(body).slice(1)}` }, 'signature_malformed'],
    [{ 'x-hub-signature': `sha1=${hex(body)}` }, 'signature_missing'],
  ])('is refused with %j', (other, reason) => {
    expect(judge({ scheme: 'github' }, other as Delivery['headers'])).toEqual(refused(reason));
  });
});

describe('a delivery signed as Stripe does', () => {
  const v1 = hex(`${seconds}.${body}`);
  const stripe = (signature: string, at = now) =>
    judge({ scheme: 'stripe' }, { 'stripe-signature': signature }, { now: at });

  it('is accepted, with several signatures and versions too', () => {
    expect(stripe(`t=${seconds},v1=${v1}`)).toMatchObject({ accepted: true, sentAt: now });
    expect(stripe(`t=${seconds},v1=${hex('x')},v1=${v1},v0=${hex('y')}`).accepted).toBe(true);
  });

  it.each([
    [`v1=${v1}`, 'timestamp_missing'],
    [`t=${seconds}`, 'signature_malformed'],
    [`t=${seconds},t=1,v1=${v1}`, 'timestamp_malformed'],
    [`t=1,v1=${v1}`, 'signature_wrong'],
    [`t=${seconds},v0=${v1}`, 'signature_malformed'],
  ])('is refused with %s', (signature, reason) => {
    expect(stripe(signature)).toEqual(refused(reason));
  });

  it('is the same delivery when it is sent again, signed anew', () => {
    const again = String(now / 1_000 + 60);
    const first = stripe(`t=${seconds},v1=${v1}`);
    const second = stripe(`t=${again},v1=${hex(`${again}.${body}`)}`);
    expect(first).toMatchObject({ replayKey: (second as { replayKey: string }).replayKey });
  });

  it('is refused when it is late', () => {
    expect(stripe(`t=${seconds},v1=${v1}`, now + 301_000)).toEqual(refused('timestamp_too_old'));
  });
});

describe('a delivery signed as Slack does', () => {
  const headers = {
    'x-slack-request-timestamp': seconds,
    'x-slack-signature': `v0=${hex(`v0:${seconds}:${body}`)}`,
  };

  it('is accepted, and known again', () => {
    const first = judge({ scheme: 'slack' }, headers);
    expect(first).toMatchObject({ accepted: true, id: null, sentAt: now });
    expect(judge({ scheme: 'slack' }, headers)).toEqual(first);
  });

  it('is refused late, or with another time', () => {
    expect(judge({ scheme: 'slack' }, headers, { now: now + 400_000 })).toEqual(refused('timestamp_too_old'));
    const later = { ...headers, 'x-slack-request-timestamp': String(now / 1_000 + 60) };
    expect(judge({ scheme: 'slack' }, later)).toEqual(refused('signature_wrong'));
  });
});

describe('a delivery with a header of its own', () => {
  it('may have its HMAC in hex or base64, with a prefix, by SHA-512, with a signed time', () => {
    const own = { scheme: 'hmac', header: 'X-Signature' } as const;
    expect(judge(own, { 'x-signature': hex(body).toUpperCase() }).accepted).toBe(true);
    const long = createHmac('sha512', secret).update(`${seconds}:${body}`).digest('base64');
    const verdict = judge(
      {
        ...own,
        encoding: 'base64',
        algorithm: 'sha512',
        prefix: 'mac ',
        timestamp_header: 'X-Time',
        separator: ':',
      },
      { 'x-signature': `mac ${long}`, 'x-time': seconds },
    );
    expect(verdict).toMatchObject({ accepted: true, sentAt: now });
  });

  it('is another delivery at another time', () => {
    const own = { scheme: 'hmac', header: 'x-signature', timestamp_header: 'x-time' } as const;
    const keys = [0, 60].map((later) => {
      const time = String(now / 1_000 + later);
      const verdict = judge(own, { 'x-signature': hex(`${time}.${body}`), 'x-time': time });
      return (verdict as { replayKey: string }).replayKey;
    });
    expect(new Set(keys).size).toBe(2);
  });

  it('is refused without its prefix, its time, or with a signature of another algorithm', () => {
    const own = { scheme: 'hmac', header: 'x-signature', prefix: 'mac ' } as const;
    const headers = { 'x-signature': `mac ${hex(body)}` };
    expect(judge(own, { 'x-signature': hex(body) })).toEqual(refused('signature_malformed'));
    expect(judge({ ...own, timestamp_header: 'x-time' }, headers)).toEqual(refused('timestamp_missing'));
    expect(judge({ ...own, algorithm: 'sha512' }, headers)).toEqual(refused('signature_malformed'));
  });

  it.each(['', 'x signature', 'x:y', 'x'.repeat(101)])('cannot be called %j', (header) => {
    expect(WebhookScheme.safeParse({ scheme: 'hmac', header }).success).toBe(false);
  });

  it('needs a key that is worth the name', () => {
    expect(
      judge({ scheme: 'github' }, { 'x-hub-signature-256': `sha256=${hex(body)}` }, { keys: ['short'] }),
    ).toEqual(refused('key_malformed'));
  });
});
