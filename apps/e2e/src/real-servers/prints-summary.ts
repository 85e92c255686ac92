import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import type { Switchyard } from '../harness/switchyard.js';

/** What somebody sees who has just typed `npm start`. */
export function printsSummary(switchyard: () => Switchyard): void {
  describe('the summary', () => {
    it('names the URL, a virtual key and the result of a first call', async () => {
      const { dev } = switchyard();
      // It follows dev.json, by which the harness knows that all is ready.
      await eventually(() => switchyard().output.includes('Ctrl-C ends everything.'));
      const { output } = switchyard();
      expect(output).toContain(dev.mcp_url);
      expect(dev.virtual_key).toMatch(/^vk_/);
      expect(output).toContain(dev.virtual_key);
      expect(output).toContain('Welcome to Switchyard');
      expect(output).not.toContain('Problem');
    });

    it('names every process in dev.json', () => {
      const { pids } = switchyard().dev;
      expect(Object.keys(pids).sort()).toEqual([
        'agent-runner',
        'catalog-sync',
        'dispatch',
        'gateway',
        'registry',
        'token-broker',
      ]);
    });
  });
}
