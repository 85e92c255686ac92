import { Injectable } from '@nestjs/common';
import { DataKeysService } from '../vault/data-keys.service.js';
import type { CredentialOwner, CredentialSecrets, SealedSecrets } from './credential.js';

type Part = 'access_token' | 'refresh_token' | 'headers';

/** Encrypts what a credential holds, so that each part opens in its own row and place alone. */
@Injectable()
export class CredentialCipher {
  constructor(private readonly keys: DataKeysService) {}

  seal(owner: CredentialOwner, secrets: CredentialSecrets): SealedSecrets {
    let dataKeyId: string | null = null;
    const sealPart = (part: Part, text: string | null): Buffer | null => {
      if (text === null) return null;
      const stored = this.keys.encrypt(text, binding(owner, part));
      dataKeyId = stored.dataKeyId;
      return stored.ciphertext;
    };
    const accessToken = sealPart('access_token', secrets.accessToken);
    const refreshToken = sealPart('refresh_token', secrets.refreshToken);
    const headers = sealPart('headers', secrets.headers && JSON.stringify(secrets.headers));
    return { dataKeyId, accessToken, refreshToken, headers };
  }

  async open(owner: CredentialOwner, sealed: SealedSecrets): Promise<CredentialSecrets> {
    const openPart = async (part: Part, ciphertext: Buffer | null): Promise<string | null> =>
      ciphertext && sealed.dataKeyId !== null
        ? this.keys.decrypt({ dataKeyId: sealed.dataKeyId, ciphertext }, binding(owner, part))
        : null;
    const headers = await openPart('headers', sealed.headers);
    return {
      accessToken: await openPart('access_token', sealed.accessToken),
      refreshToken: await openPart('refresh_token', sealed.refreshToken),
      headers: headers === null ? null : (JSON.parse(headers) as Record<string, string>),
    };
  }
}

function binding({ orgId, integrationId, userId }: CredentialOwner, part: Part): string[] {
  return ['vault.user_external_mcp_credentials', orgId, integrationId, userId ?? '', part];
}
