import type { TestBrowser } from '@switchyard/testing';

const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return found?.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');
};

/** Sends the form of a page, as pressing its button would; redirects are handed back. */
export async function submitForm(
  browser: TestBrowser,
  { url, html }: { url: string; html: string },
  values: Record<string, string> = {},
): Promise<Response> {
  const form = /<form\b[^>]*method="post"[^>]*>[\s\S]*?<\/form>/i.exec(html)?.[0];
  if (!form) throw new Error(`no form to send at ${url}: ${html}`);
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    if (name) fields.set(name, values[name] ?? attribute(tag, 'value') ?? '');
  }
  for (const [name, value] of Object.entries(values)) fields.set(name, value);
  return browser.request(new URL(attribute(form, 'action') ?? '', url).href, {
    method: 'POST',
    body: fields,
    headers: { origin: new URL(url).origin, referer: url },
  });
}
