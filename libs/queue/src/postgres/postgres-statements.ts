/**
 * Statements over BullMQ's own table, for what its backend does not offer. They lean on version 11 of its schema,
 * which `migrateQueueStore` brings; the integration tests run every one of them.
 */

/** A job that waits or is delayed and whose worker was never lost. */
export const removeUntaken = `
  DELETE FROM job
  WHERE queue = $1 AND id = $2 AND state IN ('waiting', 'delayed') AND stalled_count = 0`;

export const existing = 'SELECT id FROM job WHERE queue = $1 AND id = ANY ($2)';

/** One state per scan, so that each is served by that state's partial index. A delayed job waits since it is due. */
export const counts = `
  SELECT
    (SELECT count(*) FROM job WHERE queue = $1 AND state = 'waiting') AS waiting,
    (SELECT count(*) FROM job WHERE queue = $1 AND state = 'delayed') AS delayed,
    (SELECT count(*) FROM job WHERE queue = $1 AND state = 'active') AS active,
    (SELECT added_at_ms + COALESCE((opts ->> 'delay')::bigint, 0) FROM job
     WHERE queue = $1 AND state = 'waiting' ORDER BY priority, seq LIMIT 1) AS oldest`;

/** Of the given queues those with a job that waits, or a delayed one that is due. */
export const queuesWithWork = `
  SELECT queue FROM unnest($1::text[]) AS asked (queue)
  WHERE EXISTS (SELECT 1 FROM job WHERE job.queue = asked.queue AND state = 'waiting')
     OR EXISTS (SELECT 1 FROM job WHERE job.queue = asked.queue AND state = 'delayed' AND process_at_ms <= $2)`;

/**
 * Active jobs whose lock has run out go back to wait, at their place in the line, and count as taken before. A lock
 * that is extended meanwhile wins: the row is looked at again once it is free.
 */
export const recoverStalled = `
  WITH recovered AS (
    UPDATE job
    SET state = 'waiting', lock_token = NULL, locked_until_ms = NULL, stalled_count = stalled_count + 1
    WHERE queue = ANY ($1) AND state = 'active' AND locked_until_ms < $2
    RETURNING queue
  )
  SELECT pg_notify('bullmq_jobs', queue) FROM (SELECT DISTINCT queue FROM recovered) AS woken`;

/** BullMQ's own way puts the job behind everything that waits. */
export const handBack = `
  WITH handed AS (
    UPDATE job
    SET state = 'waiting', lock_token = NULL, locked_until_ms = NULL
    WHERE queue = $1 AND id = $2 AND state = 'active' AND lock_token = $3
    RETURNING queue
  )
  SELECT pg_notify('bullmq_jobs', queue) FROM handed`;

export const incarnation = 'SELECT id FROM switchyard_bus.incarnation';

export const newIncarnation = `
  INSERT INTO switchyard_bus.incarnation (one, id) VALUES (true, gen_random_uuid()) ON CONFLICT DO NOTHING`;
