import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { PlatformError } from '@switchyard/contracts';
import type { Secret } from '@switchyard/service-kit';
import type { LanguageModel } from 'ai';
import type { ModelSettings } from './model-settings.js';

// The package would write warnings about unsupported settings to the console, past our logs.
(globalThis as { AI_SDK_LOG_WARNINGS?: unknown }).AI_SDK_LOG_WARNINGS = false;

/** What a request to a provider is held to. */
export type ModelFetchLimits = { maxBodyBytes: number; headersTimeoutMs: number; bodyIdleTimeoutMs: number };

/**
 * The way out: an `EgressPolicy` of `libs/mcp-client` is one. A provider's address is an admin's choice, so it is
 * checked. It takes and gives what `fetch` does; its types are those of another package of the same standard.
 */
export type ModelEgress = {
  fetchLimited(url: string | URL, init: object | undefined, limits: ModelFetchLimits): Promise<object>;
};

/** A model that can be asked (`askModel`). */
export type ConfiguredModel = {
  readonly languageModel: LanguageModel;
  readonly settings: ModelSettings;
  /** The text without the key, for what a provider says of a request. */
  readonly redact: (text: string) => string;
};

const maxBodyBytes = 32 * 1024 * 1024;

// Given always: the packages would otherwise take addresses and keys from the environment.
const openaiUrl = 'https://api.openai.com/v1';
const anthropicUrl = 'https://api.anthropic.com/v1';

/**
 * A model of the settings, called with the key, through the egress policy. Throws `model_denied` where a provider
 * needs a key and there is none; `openai_compatible` servers of one's own may have none.
 */
export function createModel(
  settings: ModelSettings,
  apiKey: Secret | null,
  egress: ModelEgress,
): ConfiguredModel {
  const key = apiKey?.reveal();
  if (key === undefined && settings.provider !== 'openai_compatible')
    throw new PlatformError('model_denied', {
      message: 'No key is stored for it.',
      details: { provider: settings.provider },
    });
  return {
    languageModel: languageModel(settings, key, limitedFetch(settings, egress)),
    settings,
    redact: (text) => (key ? text.replaceAll(key, '[redacted]') : text),
  };
}

/**
 * OpenAI by its chat completions and not by its newer responses interface: that one keeps conversations at the
 * provider by default, and ours are kept by us; and so both kinds of OpenAI's wire format are one.
 */
function languageModel(
  settings: ModelSettings,
  apiKey: string | undefined,
  send: typeof fetch,
): LanguageModel {
  switch (settings.provider) {
    case 'openai':
      return createOpenAI({ apiKey, baseURL: settings.base_url ?? openaiUrl, fetch: send }).chat(
        settings.model,
      );
    case 'anthropic':
      return createAnthropic({ apiKey, baseURL: settings.base_url ?? anthropicUrl, fetch: send })(
        settings.model,
      );
    case 'openai_compatible':
      return createOpenAICompatible({
        name: 'openai-compatible',
        apiKey,
        baseURL: settings.base_url,
        fetch: send,
        includeUsage: true,
      })(settings.model);
  }
}

function limitedFetch(settings: ModelSettings, egress: ModelEgress): typeof fetch {
  const limits = {
    maxBodyBytes,
    headersTimeoutMs: settings.first_byte_timeout_ms,
    bodyIdleTimeoutMs: settings.idle_timeout_ms,
  };
  return ((url: string | URL, init?: RequestInit) =>
    egress.fetchLimited(url, init, limits)) as unknown as typeof fetch;
}
