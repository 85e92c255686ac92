import { createDataSource, Sql } from '@switchyard/database';
import { createLogger, loadConfig, Metrics, Shutdown } from '@switchyard/service-kit';
import { AuditEventsRepository } from './audit/audit-events.repository.js';
import { AuditLogService } from './audit/audit-log.service.js';
import { rotationEnv } from './config.js';
import { DataKeysRepository } from './vault/data-keys.repository.js';
import { DataKeysService } from './vault/data-keys.service.js';
import { KeysService } from './vault/keys.service.js';
import { MasterKeys } from './vault/master-keys.js';
import { rotateMasterKey } from './vault/rotate-master-key.js';

/** The command: wraps every data key under the present master key and writes that into the platform's audit log. */
export async function runRotation(env: NodeJS.ProcessEnv): Promise<{ keys: number; rewrapped: number }> {
  const settings = loadConfig('rotate-master-key', rotationEnv, env);
  const former = settings.SWITCHYARD_FORMER_MASTER_KEYS ?? [];
  const masters = MasterKeys.parse(
    settings.SWITCHYARD_MASTER_KEY.reveal(),
    former.map((key) => key.reveal()),
  );
  const source = await createDataSource({
    url: settings.TOKEN_BROKER_DATABASE_URL.reveal(),
    schema: 'vault',
    applicationName: 'rotate-master-key',
    poolSize: 2,
  }).initialize();
  try {
    const sql = new Sql(source);
    const done = await rotateMasterKey(sql, masters);
    await writeDown(sql, masters, done);
    return done;
  } finally {
    await source.destroy();
  }
}

async function writeDown(
  sql: Sql,
  masters: MasterKeys,
  { keys, rewrapped }: { keys: number; rewrapped: number },
): Promise<void> {
  const dataKeys = new DataKeysService(new DataKeysRepository(sql), masters);
  await dataKeys.open();
  const chainKeys = new KeysService(sql, dataKeys);
  await chainKeys.open();
  const log = createLogger('rotate-master-key');
  const rows = new AuditEventsRepository(sql);
  const audit = new AuditLogService(rows, chainKeys, log, new Metrics(), new Shutdown(log));
  await audit.record({
    orgId: null,
    action: 'master_key_rotated',
    result: 'ok',
    actor: { kind: 'admin', id: null },
    details: { data_keys: keys, rewrapped, master_key_id: masters.present.id },
  });
}
