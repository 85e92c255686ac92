import { checkHistory } from './check-history.js';
import { ChatRequest } from './chat-request.js';
import { OpenAiError } from './openai-error.js';

/** Reads a request's body; throws an `OpenAiError` that names the first field that is wrong. */
export function parseChatRequest(body: string): ChatRequest {
  const parsed = ChatRequest.safeParse(readJson(body));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const param = (issue?.path ?? [])
      .map((key) => (typeof key === 'number' ? `[${key}]` : String(key)))
      .join('.');
    throw new OpenAiError(400, `Invalid value for '${param || 'body'}': ${issue?.message}.`, {
      param: param || null,
      code: 'invalid_value',
    });
  }
  checkHistory(parsed.data.messages);
  return parsed.data;
}

function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new OpenAiError(400, 'We could not parse the JSON body of your request.');
  }
}
