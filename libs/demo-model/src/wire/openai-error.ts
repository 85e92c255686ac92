/** A refusal as the OpenAI API words it: `{ error: { message, type, param, code } }` under an HTTP status. */
export class OpenAiError extends Error {
  override readonly name = 'OpenAiError';

  constructor(
    readonly status: number,
    message: string,
    readonly facts: { type?: string; param?: string | null; code?: string | null } = {},
  ) {
    super(message);
  }

  toBody(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    const { type = 'invalid_request_error', param = null, code = null } = this.facts;
    return { error: { message: this.message, type, param, code } };
  }
}
