import { OAuth1764000000501 } from './0001-oauth.js';
import { RateLimits1764000000502 } from './0002-rate-limits.js';
import { RevokedGrants1764000000503 } from './0003-revoked-grants.js';
import { EndsOfTrust1764000000504 } from './0004-ends-of-trust.js';

export const migrations = [
  OAuth1764000000501,
  RateLimits1764000000502,
  RevokedGrants1764000000503,
  EndsOfTrust1764000000504,
];
