import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { auditChanges } from '../admin/audited-changes.js';
import { serveOpenApi } from '../openapi/serve-open-api.js';
import { writeAccessLog } from './access-log.js';

/** The HTTP surface of the registry, for `runService`. An import with 200 servers fits; nothing else is near. */
export const registryHttp = {
  bodyLimitBytes: 1_048_576,
  configure(app: NestFastifyApplication): void {
    writeAccessLog(app);
    auditChanges(app);
    serveOpenApi(app);
  },
};
