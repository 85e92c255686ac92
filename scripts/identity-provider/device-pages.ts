/** What somebody sees who signs in for a device or a script (RFC 8628). The forms themselves are oidc-provider's. */
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { escape, page, pageHeaders } from './pages.ts';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

function show(ctx: KoaContextWithOIDC, title: string, body: string): void {
  ctx.set(pageHeaders);
  ctx.body = page(title, body);
}

export const deviceFlow: DeviceFlow = {
  enabled: true,
  async userCodeInputSource(ctx, form, _out, error) {
    const problem = error ? '<p role="alert">That code is not valid, or no longer. Try again.</p>' : '';
    const button = '<button type="submit" form="op.deviceInputForm">Continue</button>';
    show(ctx, 'Enter the code', `${problem}<p>Enter the code that your device shows.</p>${form}${button}`);
  },
  async userCodeConfirmSource(ctx, form, _client, _device, userCode) {
    const yes = '<button type="submit" form="op.deviceConfirmForm" autofocus>Yes, continue</button>';
    const no = '<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">No</button>';
    const question = `<p>Does your device show this code?</p><p><strong>${escape(userCode)}</strong></p>`;
    show(ctx, 'Confirm the code', `${question}${form}${yes} ${no}`);
  },
  async successSource(ctx) {
    show(ctx, 'Signed in', '<p>Go back to your device; you may close this page.</p>');
  },
};
