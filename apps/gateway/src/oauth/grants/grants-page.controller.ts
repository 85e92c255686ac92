import { Body, Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { PlatformError } from '@switchyard/contracts';
import { anyBodyType, isSameOrigin, redirect, sendPage } from '@switchyard/service-kit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { BrowserSessions, type BrowserUser } from '../interaction/browser-sessions.service.js';
import { FormTokens } from '../interaction/form-tokens.service.js';
import { Issuer } from '../issuer.js';
import { Admission } from '../server/admission.service.js';
import { grantsPage } from './grants-page.js';
import { GrantsRepository } from './grants.repository.js';
import { GrantsService } from './grants.service.js';

const path = '/oauth2/grants';
const mostShown = 50;

/** The page on which users see the applications that they let in, and take that back. */
@Controller('oauth2/grants')
export class GrantsPageController {
  constructor(
    private readonly issuer: Issuer,
    private readonly admission: Admission,
    private readonly sessions: BrowserSessions,
    private readonly forms: FormTokens,
    private readonly rows: GrantsRepository,
    private readonly grants: GrantsService,
  ) {}

  @Get()
  async show(
    @Query('after') given: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const user = await this.#user(request);
    if (!user) return redirect(reply, `/sign-in?${new URLSearchParams({ return_to: path }).toString()}`);
    const { orgId, userId } = user;
    const after = z.uuid().safeParse(given).data ?? null;
    const rows = await this.rows.list({ orgId, userId }, { after, limit: mostShown + 1 });
    const grants = rows.slice(0, mostShown);
    const more = rows.length > mostShown ? `${path}?after=${grants.at(-1)!.id}` : null;
    sendPage(reply, grantsPage(grants, { formToken: this.forms.tokenOf(path, user), more }));
  }

  @Post(':id')
  @RouteConfig(anyBodyType)
  async revoke(
    @Param('id') id: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const user = await this.#user(request);
    if (!user) throw new PlatformError('unauthenticated', { message: 'Sign in first.' });
    const { form_token: token } = (body ?? {}) as { form_token?: unknown };
    const isForeign = request.headers.origin !== undefined && !isSameOrigin(request, this.#origin());
    if (isForeign || !this.forms.isTokenOf(path, user, token)) throw new PlatformError('origin_not_allowed');
    const { orgId, userId } = user;
    if (z.uuid().safeParse(id).success) await this.grants.revoke(id, 'user', { orgId, userId });
    redirect(reply, path);
  }

  async #user(request: FastifyRequest): Promise<BrowserUser | null> {
    await this.admission.admit(request, 'pages');
    return this.sessions.find(this.#origin(), request.headers.cookie);
  }

  #origin(): string {
    const origin = this.issuer.origin();
    if (origin === null) throw new PlatformError('not_found');
    return origin;
  }
}
