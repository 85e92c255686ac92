import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, Query, Req } from '@nestjs/common';
import { CredentialState, PlatformError, toPlatformError } from '@switchyard/contracts';
import { decodeCursor, PageQuery, parseBody, parseQuery, toPage } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { actorOf, type Caller, mayAdminister } from '../callers/caller.js';
import { CallersService } from '../callers/callers.service.js';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { ConsentProblem } from '../consents/consent-problem.js';
import { ConnectionsService } from '../consents/connections.service.js';
import { UserHeadersService } from '../consents/user-headers.service.js';
import type { CredentialRow } from './credential.js';
import { CredentialsRepository } from './credentials.repository.js';
import { DisconnectsService } from './disconnects.service.js';
import { toCredentialAnswer } from './to-credential-answer.js';

const ListQuery = z.strictObject({
  ...PageQuery.shape,
  user_id: z.uuid().optional(),
  integration_id: z.uuid().optional(),
  state: CredentialState.optional(),
});
const HeadersBody = z.strictObject({ headers: z.record(z.string().max(256), z.string().max(16_384)) });

/** A user's own credentials; an admin sees all of the organization. */
@Controller('api/credentials')
export class CredentialsController {
  constructor(
    private readonly callers: CallersService,
    private readonly rows: CredentialsRepository,
    private readonly disconnects: DisconnectsService,
    private readonly connections: ConnectionsService,
    private readonly headers: UserHeadersService,
    @Inject(TOKEN_BROKER_CONFIG) private readonly config: Pick<TokenBrokerConfig, 'publicUrl'>,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest, @Query() query: unknown) {
    const caller = await this.callers.authenticate(request);
    const {
      limit,
      cursor,
      user_id: wanted,
      integration_id: integrationId,
      state,
    } = parseQuery(ListQuery, query);
    const own = caller.kind === 'user' && !mayAdminister(caller) ? caller.userId : null;
    if (own !== null && wanted !== undefined && wanted !== own) throw new PlatformError('forbidden');
    const after = cursor === undefined ? null : decodeCursor(z.uuid(), cursor);
    const filter = { orgId: caller.orgId, userId: own ?? wanted ?? null, integrationId, state };
    const rows = await this.rows.list(filter, { after, limit: limit + 1 });
    return toPage(rows, limit, {
      item: (row) => ({ ...toCredentialAnswer(row), connect_url: this.#connectUrl(row.integrationId) }),
      position: (row) => row.id,
    });
  }

  @Get(':id')
  async show(@Req() request: FastifyRequest, @Param('id') id: string) {
    const { credential } = await this.#find(await this.callers.authenticate(request), id);
    return { ...toCredentialAnswer(credential), connect_url: this.#connectUrl(credential.integrationId) };
  }

  /** Disconnects: forgotten here, taken back at the vendor as far as it answers. */
  @Delete(':id')
  @HttpCode(200)
  async disconnect(@Req() request: FastifyRequest, @Param('id') id: string) {
    const caller = await this.callers.authenticate(request);
    const row = await this.#find(caller, id);
    return {
      id: row.credential.id,
      revoked_at_vendor: await this.disconnects.disconnect(row, actorOf(caller)),
    };
  }

  @Put('headers/:integrationId')
  async putHeaders(
    @Req() request: FastifyRequest,
    @Param('integrationId') integrationId: string,
    @Body() body: unknown,
  ) {
    const caller = await this.callers.authenticate(request);
    if (caller.kind !== 'user')
      throw new PlatformError('forbidden', { message: 'Only a user stores values of their own.' });
    if (!z.uuid().safeParse(integrationId).success) throw new PlatformError('not_found');
    const { headers } = parseBody(HeadersBody, body);
    const connection = await this.connections.find(integrationId, caller, 'self').catch(asPlatformError);
    if (connection.kind !== 'headers')
      throw new PlatformError('conflict', { message: 'The integration takes no headers of users.' });
    return toCredentialAnswer(await this.headers.put(connection, caller, headers));
  }

  /** `not_found` for whatever is not the caller's to see. */
  async #find(caller: Caller, id: string): Promise<CredentialRow> {
    const row = z.uuid().safeParse(id).success ? await this.rows.findById(caller.orgId, id) : null;
    const isTheirs =
      mayAdminister(caller) || (caller.kind === 'user' && row?.credential.userId === caller.userId);
    if (!row || !isTheirs) throw new PlatformError('not_found');
    return row;
  }

  #connectUrl(integrationId: string): string {
    return `${this.config.publicUrl}/integrations/${integrationId}/connect`;
  }
}

function asPlatformError(thrown: unknown): never {
  if (!(thrown instanceof ConsentProblem)) throw toPlatformError(thrown);
  throw new PlatformError(thrown.reason === 'not_found' ? 'not_found' : 'conflict', {
    message: thrown.message,
  });
}
