import { Controller, Get, Header, Inject, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { publicOrigin } from './public-url.js';

/** OAuth 2.0 Protected Resource Metadata (RFC 9728) of `/mcp`. */
@Controller('.well-known/oauth-protected-resource')
export class ProtectedResourceController {
  constructor(@Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig) {}

  /** The second path is where RFC 9728, section 3.1, puts the document of a resource with a path. */
  @Get(['', 'mcp'])
  @Header('cache-control', 'no-cache')
  read(@Req() request: FastifyRequest) {
    return {
      resource: `${publicOrigin(request, this.config.edge.publicUrl)}/mcp`,
      authorization_servers: [],
      bearer_methods_supported: ['header'],
      resource_name: 'Switchyard',
    };
  }
}
