import { Controller, Get, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { errorCatalog, PlatformError, toPlatformError } from '@switchyard/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { anyBodyType, isSameOrigin, redirect, sendPage } from '@switchyard/service-kit';
import { SessionsService } from '../callers/sessions.service.js';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { SignInsService } from './sign-ins.service.js';
import {
  chooseProviderPage,
  organizationPage,
  signedInPage,
  signedOutPage,
  signInFailedPage,
} from './sign-in-pages.js';

type SignInQuery = { organization?: unknown; provider?: unknown; return_to?: unknown; prompt?: unknown };

@Controller()
export class SignInController {
  constructor(
    private readonly signIns: SignInsService,
    private readonly sessions: SessionsService,
    @Inject(TOKEN_BROKER_CONFIG) private readonly config: Pick<TokenBrokerConfig, 'publicUrl'>,
  ) {}

  @Get('sign-in')
  async begin(
    @Query() query: SignInQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const user = query.return_to === undefined ? await this.sessions.find(request.headers.cookie) : null;
    if (user) return sendPage(reply, signedInPage(user.name));
    const organization = text(query.organization);
    const providers = await this.signIns.providersOf(organization);
    const chosen =
      query.provider === undefined ? providers : providers.filter(({ id }) => id === query.provider);
    const kept = { returnTo: text(query.return_to), prompt: text(query.prompt) };
    if (chosen.length === 0) return sendPage(reply, organizationPage(organization, kept));
    if (chosen.length > 1) return sendPage(reply, chooseProviderPage(chosen, organization, kept));
    try {
      const { url, cookie } = await this.signIns.begin(chosen[0]!, {
        ...{ returnTo: query.return_to, prompt: query.prompt },
      });
      redirect(reply.header('set-cookie', cookie), url);
    } catch (thrown) {
      this.#fail(reply, thrown);
    }
  }

  @Get('sign-in/callback')
  async complete(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    try {
      const { searchParams } = new URL(request.url, this.config.publicUrl);
      const { cookies, returnTo } = await this.signIns.complete(request.headers.cookie, searchParams);
      redirect(reply.header('set-cookie', cookies), returnTo);
    } catch (thrown) {
      this.#fail(reply, thrown);
    }
  }

  @Post('sign-out')
  @RouteConfig(anyBodyType)
  async signOut(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (!isSameOrigin(request, this.config.publicUrl)) throw new PlatformError('origin_not_allowed');
    const user = await this.sessions.find(request.headers.cookie);
    if (user) reply.header('set-cookie', await this.sessions.end(user.sessionId));
    sendPage(reply, signedOutPage());
  }

  /** Platform errors are fit for everybody's eyes; whatever else is thrown is not, and is the framework's to log. */
  #fail(reply: FastifyReply, thrown: unknown): void {
    const error = toPlatformError(thrown);
    if (error.code === 'internal') throw thrown;
    sendPage(reply, signInFailedPage(error, errorCatalog[error.code]));
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 2_048) : undefined;
}
