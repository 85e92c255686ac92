import { PlatformError } from '@switchyard/contracts';

export type KeptSchedules = { readonly ofAgent: number; readonly ofOrganization: number };

const mostOfAgent = 100;
const mostOfOrganization = 1_000;

/** Runners look after all schedules of all organizations. Throws `conflict` where one more is too many. */
export function requireRoom({ ofAgent, ofOrganization }: KeptSchedules): void {
  if (ofAgent >= mostOfAgent)
    throw tooMany(
      `An agent has at most ${mostOfAgent} schedules: remove one of its that you no longer need.`,
    );
  if (ofOrganization >= mostOfOrganization)
    throw tooMany(
      `An organization has at most ${mostOfOrganization} schedules: remove one, of any agent, that you no longer need.`,
    );
}

function tooMany(message: string): PlatformError {
  return new PlatformError('conflict', { message });
}
