import type { QuestionAnswer } from '@switchyard/contracts';
import type { Sealer } from './sealer.js';

const purpose = 'answer';

/** Whom an answer is for, call and question or session and request, and what it says. */
export type SealableAnswer = { readonly id1: string; readonly id2: string; readonly answer: QuestionAnswer };

/** Seals what a client answered to a server, so that nobody who can write to the bus answers for a client. */
export function sealAnswer(sealer: Sealer, { id1, id2, answer }: SealableAnswer): string {
  return sealer.seal(purpose, { id1, id2, answer });
}

/** Whether a service that holds the seal key passed this very answer on. */
export function verifyAnswer(sealer: Sealer, { id1, id2, answer }: SealableAnswer, seal: string): boolean {
  return sealer.verify(purpose, { id1, id2, answer }, seal);
}
