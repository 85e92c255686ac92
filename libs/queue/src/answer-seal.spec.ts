import { describe, expect, it } from '@jest/globals';
import { sealAnswer, verifyAnswer } from './answer-seal.js';
import { Sealer } from './sealer.js';

const sealer = new Sealer('a-seal-key-for-tests-of-32-characters');
const sealed = { id1: 'call', id2: 'question', answer: { result: { action: 'accept' } } };

describe('the seal of an answer', () => {
  it('holds for this answer to this question of this call', () => {
    expect(verifyAnswer(sealer, sealed, sealAnswer(sealer, sealed))).toBe(true);
  });

  it.each([
    { ...sealed, id1: 'another' },
    { ...sealed, id2: 'another' },
    { ...sealed, answer: { result: { action: 'decline' } } },
    { ...sealed, answer: { error: { code: -1, message: 'no' } } },
  ])('holds for no other', (other) => {
    expect(verifyAnswer(sealer, other, sealAnswer(sealer, sealed))).toBe(false);
  });

  it('is nothing that another key makes', () => {
    const forger = new Sealer('another-key-for-tests-of-32-characters');
    expect(verifyAnswer(sealer, sealed, sealAnswer(forger, sealed))).toBe(false);
  });
});
