import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { PlatformError, toPlatformError } from '@switchyard/contracts';
import { anyBodyType, isSameOrigin, Log, redirect, sendPage } from '@switchyard/service-kit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { UserCaller } from '../callers/caller.js';
import { SessionsService } from '../callers/sessions.service.js';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { OAuthClientsService } from '../vendors/oauth-clients.service.js';
import { BrowserCodes } from './browser-codes.js';
import { connectedPage, connectPath, consentPage, headersPage, problemPage } from './connect-pages.js';
import { ConsentProblem } from './consent-problem.js';
import { ConsentReportsService } from './consent-reports.service.js';
import { type Connection, ConnectionsService } from './connections.service.js';
import { ConsentsService } from './consents.service.js';
import { consentReturnPath } from './consent-return-path.js';
import { UserHeadersService } from './user-headers.service.js';

type Form = Record<string, unknown>;
type ConnectQuery = { as?: unknown; result?: unknown; return_to?: unknown };
type SessionUser = UserCaller & { sessionId: string };

/** The pages on which users connect integrations. */
@Controller()
export class ConnectController {
  constructor(
    private readonly connections: ConnectionsService,
    private readonly consents: ConsentsService,
    private readonly headers: UserHeadersService,
    private readonly sessions: SessionsService,
    private readonly codes: BrowserCodes,
    private readonly clients: OAuthClientsService,
    private readonly reports: ConsentReportsService,
    private readonly log: Log,
    @Inject(TOKEN_BROKER_CONFIG) private readonly config: Pick<TokenBrokerConfig, 'publicUrl'>,
  ) {}

  @Get('integrations/:id/connect')
  async show(
    @Param('id') id: string,
    @Query() query: ConnectQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const user = await this.sessions.find(request.headers.cookie);
    if (!user) return this.#signInFirst(reply, id, query);
    await this.#answering(reply, user, async () => {
      const connection = await this.#connection(id, user, query);
      if (query.result !== undefined) return sendPage(reply, connectedPage(connection));
      const token = this.codes.formToken(user.sessionId, connectPath(connection));
      if (connection.kind === 'headers') return sendPage(reply, headersPage(connection, token));
      sendPage(reply, consentPage(connection, await this.connections.ask(connection), token));
    });
  }

  @Post('integrations/:id/connect')
  @RouteConfig(anyBodyType)
  async begin(
    @Param('id') id: string,
    @Query() query: ConnectQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const user = await this.sessions.find(request.headers.cookie);
    if (!user) return this.#signInFirst(reply, id, query);
    await this.#answering(reply, user, async () => {
      const connection = await this.#connection(id, user, query);
      const form = formOf(request.body);
      const isOurs = this.codes.isFormToken(user.sessionId, connectPath(connection), form.form_token);
      const isForeign = request.headers.origin !== undefined && !isSameOrigin(request, this.config.publicUrl);
      if (!isOurs || isForeign) throw new ConsentProblem('form_expired', { integrationId: id });
      const returnTo = consentReturnPath(query.return_to);
      if (connection.kind === 'oauth')
        return redirect(reply, await this.consents.begin(connection, user, returnTo));
      await this.#storeHeaders(reply, connection, { user, form, returnTo });
    });
  }

  /** The answer leaves the address of the browser at once where it held a code that was good. */
  @Get('oauth/callback')
  async complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const user = await this.sessions.find(request.headers.cookie);
    if (!user) {
      await this.reports.refused(null, new ConsentProblem('other_user'));
      return sendPage(reply, problemPage(new ConsentProblem('other_user')));
    }
    await this.#answering(reply, user, async () => {
      const { searchParams } = new URL(request.url, this.config.publicUrl);
      const { integrationId, forUserId, userId, facts } = await this.consents.complete(user, searchParams);
      const as = forUserId === userId ? '' : '&as=service';
      redirect(reply, facts.returnTo ?? `/integrations/${integrationId}/connect?result=connected${as}`);
    });
  }

  /** Client ID metadata document: only where vendors can fetch it by https is it one. */
  @Get('oauth/client-metadata.json')
  metadata(): object {
    const { metadataDocumentUrl, redirectUri } = this.clients;
    if (metadataDocumentUrl === null) throw new PlatformError('not_found');
    return {
      client_id: metadataDocumentUrl,
      client_name: 'Switchyard',
      client_uri: this.config.publicUrl,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'web',
    };
  }

  async #storeHeaders(
    reply: FastifyReply,
    connection: Connection,
    { user, form, returnTo }: { user: SessionUser; form: Form; returnTo: string | null },
  ): Promise<void> {
    const { userHeaderNames } = connection.integration;
    const values = userHeaderNames.map((name, index) => [name, String(form[`header-${index}`] ?? '')]);
    try {
      await this.headers.put(connection, user, Object.fromEntries(values) as Record<string, string>);
    } catch (thrown) {
      const { code, message } = toPlatformError(thrown);
      if (code !== 'invalid_request') throw thrown;
      const token = this.codes.formToken(user.sessionId, connectPath(connection));
      return sendPage(reply, headersPage(connection, token, message));
    }
    redirect(reply, returnTo ?? `/integrations/${connection.integration.id}/connect?result=connected`);
  }

  async #connection(id: string, user: SessionUser, { as }: ConnectQuery): Promise<Connection> {
    if (!z.uuid().safeParse(id).success) throw new ConsentProblem('not_found');
    return this.connections.find(id, user, as === 'service' ? 'service' : 'self');
  }

  async #signInFirst(reply: FastifyReply, id: string, { as, return_to }: ConnectQuery): Promise<void> {
    const isId = z.uuid().safeParse(id).success;
    const organization = isId ? await this.connections.organizationOf(id) : null;
    const returnTo = consentReturnPath(return_to);
    const kept = new URLSearchParams({
      ...(as === 'service' && { as }),
      ...(returnTo !== null && { return_to: returnTo }),
    }).toString();
    const path = isId ? `/integrations/${id}/connect${kept && `?${kept}`}` : '/sign-in';
    const query = new URLSearchParams({ return_to: path, ...(organization !== null && { organization }) });
    redirect(reply, `/sign-in?${query.toString()}`);
  }

  /** A refusal is a page and an audit row; what is broken is the problem filter's. */
  async #answering(reply: FastifyReply, user: SessionUser, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      if (!(thrown instanceof ConsentProblem)) throw thrown;
      this.log.info(
        { reason: thrown.reason, integrationId: thrown.integrationId, err: thrown.cause },
        'consent refused',
      );
      await this.reports.refused(user, thrown);
      sendPage(reply, problemPage(thrown));
    }
  }
}

function formOf(body: unknown): Form {
  return typeof body === 'object' && body !== null ? (body as Form) : {};
}
