/**
 * Removes a job that waits or is delayed and that nobody ever took. BullMQ's own removal also takes a job whose
 * worker died: its lock has expired, so it counts as free, and yet its call may have been sent.
 *
 * KEYS: job hash, wait, paused, prioritized, delayed. ARGV: job id. `stc` counts how often its worker was lost.
 */
export const removeUntaken = `
if tonumber(redis.call('HGET', KEYS[1], 'stc') or '0') > 0 then return 0 end
local found = redis.call('LREM', KEYS[2], 0, ARGV[1])
if found == 0 then found = redis.call('LREM', KEYS[3], 0, ARGV[1]) end
if found == 0 then found = redis.call('ZREM', KEYS[4], ARGV[1]) end
if found == 0 then found = redis.call('ZREM', KEYS[5], ARGV[1]) end
if found > 0 then redis.call('DEL', KEYS[1]) end
return found
`;

/**
 * Depth and age in one step. The oldest job of a list is at its right end; of the prioritized ones, the next. A job
 * that was delayed waits since it is due.
 *
 * KEYS: wait, paused, prioritized, delayed, active. ARGV: prefix of a job's key.
 */
export const depthAndAge = `
local function dueAt(id)
  local job = id and redis.call('HMGET', ARGV[1] .. id, 'timestamp', 'opts') or {}
  return job[1] and string.format('%.0f', job[1] + (cjson.decode(job[2] or '{}').delay or 0)) or false
end
return {
  redis.call('LLEN', KEYS[1]) + redis.call('LLEN', KEYS[2]) + redis.call('ZCARD', KEYS[3]),
  redis.call('ZCARD', KEYS[4]),
  redis.call('LLEN', KEYS[5]),
  dueAt(redis.call('LINDEX', KEYS[1], -1)),
  dueAt(redis.call('ZRANGE', KEYS[3], 0, 0)[1]),
}
`;
