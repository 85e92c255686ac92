export { cronProblem } from './cron/check-cron.js';
export { catchUpRules, missedTimes } from './missed-times.js';
export type { CatchUpRule, MissedOptions, MissedTimes } from './missed-times.js';
export { ScheduleRule } from './schedule-rule.js';
export type { ScheduleRuleInput } from './schedule-rule.js';
export { scheduleTimes } from './schedule-times.js';
export type { ScheduleTimes } from './schedule-times.js';
