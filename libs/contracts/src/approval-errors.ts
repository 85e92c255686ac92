import type { ErrorRow } from './errors.js';

/** The rows of the catalog of errors that speak of calls that wait for a person. */
export const approvalErrors = {
  approval_required: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'identity',
    publicMessage: 'The call waits for a person’s approval.',
    next: 'Ask an approver to decide (POST /api/approvals/{id}/approve or /deny), then fetch the call or make it again.',
  },
  approval_denied: {
    httpStatus: 403,
    retry: 'never',
    family: 'identity',
    publicMessage: 'A person denied the call.',
    next: 'Read the reason; make another call only if it answers it.',
  },
  approval_expired: {
    httpStatus: 403,
    retry: 'after_action',
    family: 'identity',
    publicMessage: 'Nobody approved the call in time. It was never sent.',
    next: 'Make the call again and have it approved before it expires.',
  },
  approval_stale: {
    httpStatus: 409,
    retry: 'after_action',
    family: 'identity',
    publicMessage:
      'What was to be approved is no longer what would run: the tool, its policy or the caller’s rights changed.',
    next: 'Make the call again; it asks for a new approval under what holds now.',
  },
} as const satisfies Record<string, ErrorRow>;
