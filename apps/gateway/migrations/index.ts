import { OAuth1764000000501 } from './0001-oauth.js';

export const migrations = [OAuth1764000000501];
