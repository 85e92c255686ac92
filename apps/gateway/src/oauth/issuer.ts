import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { isLoopback } from '../edge/host-origin.js';
import { loopbackAliases } from './resources.js';

/** Under which origin this gateway is an authorization server. */
@Injectable()
export class Issuer {
  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'oauth' | 'edge'>,
  ) {}

  /** Null: OAuth is off, or nobody has said by which name others reach this gateway. */
  origin(): string | null {
    const { mode, issuer } = this.config.oauth;
    if (mode === 'headers') return null;
    return issuer ?? this.#ownAddress();
  }

  /** The origins whose `/mcp` is ours: tokens are for one of them. A developer's machine has several names. */
  resourceOrigins(): string[] {
    const origin = this.origin();
    return origin === null ? [] : loopbackAliases(origin);
  }

  #ownAddress(): string | null {
    const { listenHost } = this.config.edge;
    if (!isLoopback(listenHost)) return null;
    const address: unknown = this.host.httpAdapter.getHttpServer()?.address();
    if (typeof address !== 'object' || address === null || !('port' in address)) return null;
    return `http://${listenHost === '::1' ? '[::1]' : listenHost}:${String(address.port)}`;
  }
}
