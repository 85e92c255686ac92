import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { type TestDatabase, testDatabase } from '@switchyard/testing';
import { changesReachEveryone } from './access/changes-reach-everyone.js';
import { facesAgree } from './access/faces-agree.js';
import { refusesBypasses } from './access/refuses-bypasses.js';
import { People } from './harness/people.js';
import { Switchyard } from './harness/switchyard.js';

jest.setTimeout(180_000);

describe('who sees and calls which tools', () => {
  let database: TestDatabase;
  let switchyard: Switchyard;
  let people: People;

  beforeAll(async () => {
    database = await testDatabase({ migrated: false });
    switchyard = await Switchyard.start({
      scale: { gateway: 2 },
      env: { DATABASE_URL: database.adminUrl },
    });
    people = await People.start(switchyard);
  }, 150_000);
  afterAll(async () => {
    await people?.close();
    await switchyard?.stop();
    await database?.close();
  }, 90_000);

  facesAgree(
    () => switchyard,
    () => people,
    () => database.adminUrl,
  );
  changesReachEveryone(
    () => switchyard,
    () => people,
  );
  refusesBypasses(
    () => switchyard,
    () => people,
  );
});
