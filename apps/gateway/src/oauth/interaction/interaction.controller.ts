import { Body, Controller, Get, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { type Snapshot, SnapshotStore } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { anyBodyType, type HtmlPage, isSameOrigin, redirect, sendPage } from '@switchyard/service-kit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type Provider from 'oidc-provider';
import { type InteractionResults, errors } from 'oidc-provider';
import { Admission } from '../server/admission.service.js';
import { AuthorizationServer } from '../server/authorization-server.service.js';
import { BrowserSessions, type BrowserUser } from './browser-sessions.service.js';
import {
  clientAwayPage,
  consentPage,
  organizationPage,
  refusedPage,
  requestOverPage,
  signInQuery,
} from './consent-pages.js';
import { type ConsentRequest, ConsentsService } from './consents.service.js';
import { FormTokens } from './form-tokens.service.js';

type Open = { readonly provider: Provider; readonly request: ConsentRequest };
type Unopened = { readonly page: HtmlPage };
type Form = { form_token?: unknown; decision?: unknown; share?: unknown; integration?: unknown };

/** The page on which a user lets an MCP client in. The library's cookie is in the browser that began, and in no other. */
@Controller('oauth2/interaction')
export class InteractionController {
  constructor(
    private readonly server: AuthorizationServer,
    private readonly admission: Admission,
    private readonly sessions: BrowserSessions,
    private readonly forms: FormTokens,
    private readonly consents: ConsentsService,
    private readonly snapshots: SnapshotStore,
  ) {}

  @Get(':uid')
  async show(
    @Param('uid') uid: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const open = await this.#open(uid, request, reply);
    if ('page' in open) return sendPage(reply, open.page);
    const user = await this.#user(open, request);
    if (!user) return this.#signInFirst(reply, open.request);
    const view = await this.consents.view(open.request, user);
    const formToken = this.forms.tokenOf(uid, user);
    sendPage(reply, consentPage(open.request, view, { user, formToken }));
  }

  @Post(':uid')
  @RouteConfig(anyBodyType)
  async decide(
    @Param('uid') uid: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const open = await this.#open(uid, request, reply);
    if ('page' in open) return sendPage(reply, open.page);
    const user = await this.#user(open, request);
    if (!user) return this.#signInFirst(reply, open.request);
    const form: Form = typeof body === 'object' && body !== null ? body : {};
    const isForeign = request.headers.origin !== undefined && !isSameOrigin(request, open.provider.issuer);
    if (isForeign || !this.forms.isTokenOf(uid, user, form.form_token))
      return sendPage(reply, refusedPage(uid));
    const result = await this.#result(open, user, form);
    const next = await open.provider.interactionResult(request.raw, reply.raw, result, {
      mergeWithLastSubmission: false,
    });
    redirect(reply, next);
  }

  async #result({ provider, request }: Open, user: BrowserUser, form: Form): Promise<InteractionResults> {
    if (form.decision !== 'allow') {
      this.consents.deny(request, user);
      return { error: 'access_denied', error_description: 'The user did not allow it.' };
    }
    const chosen = form.share === 'all' ? null : [form.integration ?? []].flat().map(String);
    const grantId = await this.consents.allow(provider, request, { user, chosen });
    return {
      login: { accountId: user.userId, remember: false },
      select_account: {},
      consent: { grantId },
    };
  }

  /** A page instead: there is no such request, or it was not begun here, or was answered; or its client is away. */
  async #open(uid: string, request: FastifyRequest, reply: FastifyReply): Promise<Open | Unopened> {
    const provider = await this.server.providerFor(request);
    if (!provider) throw new PlatformError('not_found');
    await this.admission.admit(request, 'pages');
    try {
      const interaction = await provider.interactionDetails(request.raw, reply.raw);
      if (interaction.uid !== uid || interaction.result) return { page: requestOverPage() };
      return { provider, request: await this.consents.describe(provider, interaction) };
    } catch (thrown) {
      if (thrown instanceof errors.SessionNotFound) return { page: requestOverPage() };
      // Its document is read again now and then: by now its site may be away, or say something else.
      if (isClientError(thrown)) return { page: clientAwayPage(uid) };
      throw thrown;
    }
  }

  async #user({ provider, request }: Open, { headers }: FastifyRequest): Promise<BrowserUser | null> {
    const user = await this.sessions.find(provider.issuer, headers.cookie);
    const isOld = user !== null && user.signedInAt < request.askedAt * 1_000;
    return request.isNewSignInWanted && isOld ? null : user;
  }

  #signInFirst(reply: FastifyReply, request: ConsentRequest): void {
    const organization = onlyOrganization(this.snapshots.current());
    if (organization === undefined) return sendPage(reply, organizationPage(request));
    const query = new URLSearchParams({ organization, ...signInQuery(request) });
    redirect(reply, `/sign-in?${query.toString()}`);
  }
}

function isClientError(thrown: unknown): boolean {
  return thrown instanceof errors.InvalidClient || thrown instanceof errors.InvalidClientMetadata;
}

/** The one in which anybody can sign in at all; undefined where there are several. */
function onlyOrganization({ identityProviders, organizations }: Snapshot): string | undefined {
  const ids = new Set(identityProviders.filter(({ enabled }) => enabled).map(({ orgId }) => orgId));
  return ids.size === 1 ? organizations.get([...ids][0] ?? '')?.slug : undefined;
}
