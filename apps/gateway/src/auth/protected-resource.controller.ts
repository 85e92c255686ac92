import { Controller, Get, Header, Inject, Param, Req } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import type { FastifyRequest } from 'fastify';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { Issuer } from '../oauth/issuer.js';
import { resourcePathOf } from '../oauth/resources.js';
import { publicOrigin } from './public-url.js';

/** OAuth 2.0 Protected Resource Metadata (RFC 9728) of `/mcp` and of toolsets' endpoints. */
@Controller('.well-known/oauth-protected-resource')
export class ProtectedResourceController {
  constructor(
    private readonly issuer: Issuer,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'edge'>,
  ) {}

  /** The second path is where RFC 9728, section 3.1, puts the document of a resource with a path. */
  @Get(['', 'mcp'])
  @Header('cache-control', 'no-cache')
  read(@Req() request: FastifyRequest) {
    return this.#document(request, '/mcp');
  }

  /** Of any name: whether there is such a toolset is for those to know who may ask. */
  @Get('mcp/:toolset')
  @Header('cache-control', 'no-cache')
  readToolset(@Req() request: FastifyRequest, @Param('toolset') toolset: string) {
    const path = resourcePathOf(`/mcp/${toolset}`);
    if (path === undefined) throw new PlatformError('not_found');
    return this.#document(request, path);
  }

  #document(request: FastifyRequest, path: string) {
    const issuer = this.issuer.origin();
    return {
      resource: `${publicOrigin(request, this.config.edge.publicUrl)}${path}`,
      authorization_servers: issuer === null ? [] : [issuer],
      bearer_methods_supported: ['header'],
      resource_name: 'Switchyard',
    };
  }
}
