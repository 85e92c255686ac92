import { type Consumer, type QueueDefinition, queues } from '@switchyard/contracts';

/**
 * Throws unless `consumed` has exactly one handler for each queue whose consumer is this app, and none for a queue of
 * another. Called at start: a queue that nobody serves must not be found out by its callers.
 */
export function assertConsumers(app: Consumer, consumed: readonly QueueDefinition[]): void {
  const names = consumed.map(({ name }) => name);
  const problems = [
    ...Object.values(queues)
      .filter((queue) => queue.consumer === app && !names.includes(queue.name))
      .map(({ name }) => `${name} has no handler`),
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} has two handlers`),
    ...consumed
      .filter(({ consumer }) => consumer !== app)
      .map(({ name, consumer }) => `${name} belongs to ${consumer}`),
  ];
  if (problems.length > 0)
    throw new Error(`The queues of ${app} do not fit its handlers: ${problems.join('; ')}.`);
}
