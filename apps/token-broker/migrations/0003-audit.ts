import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The audit log: one chain of events for each organization, and one (the nil UUID) for what belongs to none. Each event's
 * hash is an HMAC over it and its predecessor's hash, under a key of the vault: who can write into the table still cannot
 * write an event that fits.
 */
export class Audit1764000000203 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [events, heads, guards]) await runner.query(statement);
    await grant(runner, { on: 'broker.audit_events', to: ['token-broker'], privilege: 'SELECT, INSERT' });
    await grant(runner, {
      on: 'broker.audit_heads',
      to: ['token-broker'],
      privilege: 'SELECT, INSERT, UPDATE',
    });
    await runner.query(revoke('broker.audit_events', 'UPDATE, DELETE, TRUNCATE'));
    await runner.query(revoke('broker.audit_heads', 'DELETE, TRUNCATE'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE broker.audit_events, broker.audit_heads`);
    await runner.query(`DROP FUNCTION broker.refuse_audit_change`);
  }
}

/* By the clock of the writer, in milliseconds: what was hashed is what stands here. */
const events = `
  CREATE TABLE broker.audit_events (
    chain uuid NOT NULL,
    sequence bigint NOT NULL,
    id uuid NOT NULL UNIQUE,
    at timestamptz(3) NOT NULL,
    action text NOT NULL,
    result text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text,
    user_id uuid,
    integration_id uuid,
    call_id uuid,
    auth_path text,
    code text,
    details jsonb NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (chain, sequence)
  );
  CREATE INDEX audit_events_by_call ON broker.audit_events (chain, call_id) WHERE call_id IS NOT NULL`;

/* The last event of each chain, sealed as well, so that nobody shortens a chain. Its row is the writers' lock. */
const heads = `
  CREATE TABLE broker.audit_heads (
    chain uuid PRIMARY KEY,
    sequence bigint NOT NULL,
    hash bytea NOT NULL,
    seal bytea NOT NULL
  )`;

/*
 * The migrator gives the owner of a schema every right on its tables each time that it runs; the trigger refuses whatever
 * the rights are.
 */
const guards = `
  CREATE FUNCTION broker.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'Audit events are only ever added.' USING ERRCODE = 'insufficient_privilege';
  END $$;
  CREATE TRIGGER audit_events_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON broker.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION broker.refuse_audit_change();
  CREATE TRIGGER audit_heads_stay BEFORE DELETE OR TRUNCATE ON broker.audit_heads
    FOR EACH STATEMENT EXECUTE FUNCTION broker.refuse_audit_change()`;

/* Default privileges gave them when the table was made. */
function revoke(table: string, privileges: string): string {
  return `DO $$
    DECLARE role_name text := current_setting('switchyard.role_token_broker', true);
    BEGIN
      IF role_name IS NOT NULL THEN EXECUTE format('REVOKE ${privileges} ON ${table} FROM %I', role_name); END IF;
    END $$`;
}
