import { defineTool } from '@switchyard/local-tools';
import { z } from 'zod';

const dayMs = 86_400_000;

/** Only reads: it may run without asking anybody, and a call may be sent twice. */
export default defineTool({
  name: 'business_days',
  title: 'Count business days',
  description: 'Counts the days from Monday to Friday between two dates, both included. Knows no holidays.',
  input: z.object({ from: z.iso.date(), to: z.iso.date() }),
  output: z.object({ days: z.int() }),
  policy: 'auto_execute',
  annotations: { readOnlyHint: true, openWorldHint: false },
  handler({ from, to }) {
    const [first, last] = [Date.parse(from), Date.parse(to)];
    if (last < first) throw new Error('"to" is before "from".');
    if (last - first > 36_600 * dayMs) throw new Error('That is more than a hundred years.');
    let days = 0;
    for (let day = first; day <= last; day += dayMs) {
      const weekday = new Date(day).getUTCDay();
      if (weekday !== 0 && weekday !== 6) days += 1;
    }
    return { days };
  },
});
