import { debianCommand } from '@switchyard/testing';
import { type Browser, launch } from 'puppeteer-core';

/** A real browser without a window. Each test opens a context of its own, which shares nothing with others. */
export async function startChromium(): Promise<Browser> {
  return launch({
    executablePath: findChromium(),
    // As root it has no sandbox; the pages are our own.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
}

function findChromium(): string {
  const named = process.env['CHROMIUM_PATH'];
  if (named) return named;
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return debianCommand(names, { install: 'chromium', hint: ', or set CHROMIUM_PATH' });
}
