import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The ledger of tool calls and what the workers keep beside it. `architecture.md`, "Data" and "A tool call". */
export class Ledger1795000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      toolCalls,
      idempotencyKeys,
      workers,
      slots,
      rates,
      breakers,
      stdioOwners,
      acceptCall,
      views,
    ]) {
      await runner.query(statement);
    }
    await runner.query('REVOKE EXECUTE ON FUNCTION dispatch.accept_call FROM PUBLIC');
    await grant(runner, { on: 'FUNCTION dispatch.accept_call', to: ['gateway'], privilege: 'EXECUTE' });
    await grant(runner, { on: 'dispatch.v_calls', to: ['gateway'], privilege: 'SELECT' });
    await grant(runner, { on: 'dispatch.v_breakers', to: ['registry', 'gateway'], privilege: 'SELECT' });
    await grant(runner, {
      on: 'ALL TABLES IN SCHEMA dispatch',
      to: ['dispatch'],
      privilege: 'SELECT, INSERT, UPDATE, DELETE',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW dispatch.v_calls, dispatch.v_breakers');
    await runner.query('DROP FUNCTION dispatch.accept_call');
    await runner.query(
      'DROP TABLE dispatch.stdio_owners, dispatch.breakers, dispatch.rates, dispatch.slots, dispatch.workers, dispatch.idempotency_keys, dispatch.tool_calls',
    );
    await runner.query('DROP FUNCTION dispatch.wipe_at_end');
  }
}

/*
 * `subject_token` is the user's token, sealed to the broker, for a call that may have to be enqueued again. Whichever
 * way the call ends, the row forgets it. So it does with the arguments of a call that ends before a worker had it, where the
 * integration keeps none; the worker sees to all others.
 *
 * `arguments` and `result` are `json`, not `jsonb`: they are kept as they came (key order, duplicate keys and the
 * escape \u0000, which jsonb refuses), and nothing searches inside them.
 */
const toolCalls = `
  CREATE TABLE dispatch.tool_calls (
    call_id uuid PRIMARY KEY,
    org_id uuid NOT NULL,
    integration_id uuid NOT NULL,
    integration_slug text NOT NULL DEFAULT '',
    tool text NOT NULL,
    outward_name text NOT NULL,
    status text NOT NULL CHECK (status IN ('accepted', 'awaiting_approval', 'queued', 'running', 'completed',
      'failed', 'cancelled', 'expired', 'denied', 'outcome_unknown')),
    lane text NOT NULL,
    run_kind text NOT NULL,
    caller_kind text NOT NULL,
    user_id uuid,
    virtual_key_id uuid,
    run_id uuid,
    request_id text,
    ledger_first boolean NOT NULL,
    safe boolean,
    sealed jsonb,
    arguments json,
    arguments_sha256 text NOT NULL,
    meta jsonb,
    subject_token text,
    wants_progress boolean NOT NULL DEFAULT false,
    result json,
    result_bytes integer,
    is_error boolean,
    error_code text,
    error_message text,
    error_details jsonb,
    retry_after_ms bigint,
    auth_path text,
    attempts integer NOT NULL DEFAULT 0,
    round integer NOT NULL DEFAULT 0,
    worker_id uuid,
    trace_id text,
    accepted_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    deadline_at timestamptz NOT NULL,
    next_sweep_at timestamptz,
    sweeps integer NOT NULL DEFAULT 0
  );
  CREATE INDEX tool_calls_by_org ON dispatch.tool_calls (org_id, call_id DESC);
  CREATE INDEX tool_calls_waiting ON dispatch.tool_calls (next_sweep_at) WHERE status IN ('accepted', 'queued');
  CREATE INDEX tool_calls_open ON dispatch.tool_calls (deadline_at) WHERE status IN ('accepted', 'awaiting_approval', 'queued', 'running');
  CREATE INDEX tool_calls_ended ON dispatch.tool_calls (ended_at) WHERE ended_at IS NOT NULL;
  CREATE FUNCTION dispatch.wipe_at_end() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.subject_token := NULL;
    IF EXISTS (SELECT 1 FROM registry.v_integrations WHERE id = NEW.integration_id AND retention = 'never') THEN
      NEW.arguments := NULL;
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER tool_calls_wipe BEFORE UPDATE ON dispatch.tool_calls FOR EACH ROW
    WHEN (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL
      AND (NEW.subject_token IS NOT NULL OR NEW.status IN ('expired', 'cancelled')))
    EXECUTE FUNCTION dispatch.wipe_at_end()`;

const idempotencyKeys = `
  CREATE TABLE dispatch.idempotency_keys (
    org_id uuid NOT NULL,
    principal text NOT NULL,
    key text NOT NULL,
    outward_name text NOT NULL,
    arguments_sha256 text NOT NULL,
    call_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, principal, key)
  );
  CREATE INDEX idempotency_keys_expiry ON dispatch.idempotency_keys (expires_at)`;

const workers = `
  CREATE TABLE dispatch.workers (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
  )`;

const slots = `
  CREATE TABLE dispatch.slots (
    call_id uuid PRIMARY KEY,
    integration_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    expires_at timestamptz NOT NULL
  );
  CREATE INDEX slots_by_integration ON dispatch.slots (integration_id);
  CREATE FUNCTION dispatch.acquire_slot(p_integration uuid, p_call uuid, p_worker uuid, p_max integer, p_expires timestamptz)
  RETURNS boolean LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('slot' || p_integration::text, 0));
    DELETE FROM dispatch.slots WHERE integration_id = p_integration AND (expires_at < now() OR call_id = p_call);
    IF (SELECT count(*) FROM dispatch.slots WHERE integration_id = p_integration) >= p_max THEN
      RETURN false;
    END IF;
    INSERT INTO dispatch.slots VALUES (p_call, p_integration, p_worker, p_expires);
    RETURN true;
  END $$`;

/*
 * The generic cell rate algorithm with reservation: every call is told once when its turn comes. Fixed windows
 * would wake all waiting calls at each window's start and send most of them back.
 */
const rates = `
  CREATE TABLE dispatch.rates (integration_id uuid PRIMARY KEY, next_at timestamptz NOT NULL);
  CREATE FUNCTION dispatch.reserve_rate(p_integration uuid, p_limit integer, p_interval_ms integer)
  RETURNS double precision LANGUAGE plpgsql AS $$
  DECLARE
    step interval := make_interval(secs => p_interval_ms / 1000.0 / p_limit);
    burst interval := make_interval(secs => p_interval_ms / 1000.0) - step;
    reserved timestamptz;
  BEGIN
    INSERT INTO dispatch.rates AS r VALUES (p_integration, clock_timestamp() + step)
    ON CONFLICT (integration_id) DO UPDATE SET next_at = greatest(r.next_at, clock_timestamp()) + step
    RETURNING next_at - step INTO reserved;
    RETURN greatest(0, extract(epoch FROM (reserved - burst - clock_timestamp())) * 1000);
  END $$`;

const breakers = `
  CREATE TABLE dispatch.breakers (
    integration_id uuid PRIMARY KEY,
    state text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
    failures integer NOT NULL DEFAULT 0,
    trials integer NOT NULL DEFAULT 0,
    opened_at timestamptz,
    retry_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
  )`;

const stdioOwners = `
  CREATE TABLE dispatch.stdio_owners (
    integration_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL,
    lease_until timestamptz NOT NULL
  )`;

/*
 * The one door through which another service writes this schema. It runs with the owner's rights, so the faces need
 * no right on any table. `details` holds `integration_slug`, `trace_id`, `idempotency_ttl_ms`, and for a call that
 * ended before it was sent `error_code` and `error_message`; of a call that is to be run, the `subject_token`.
 */
const acceptCall = `
  CREATE FUNCTION dispatch.accept_call(p_sealed jsonb, p_arguments json, p_meta jsonb, p_progress boolean,
    p_status text, p_idempotency_key text, p_arguments_digest text, p_details jsonb)
  RETURNS TABLE (call_id uuid, existing boolean, conflict boolean)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  #variable_conflict use_column
  DECLARE
    head jsonb := p_sealed -> 'call';
    caller jsonb := p_sealed -> 'call' -> 'caller';
    id uuid := (p_sealed -> 'call' ->> 'callId')::uuid;
    who text := concat_ws(':', caller ->> 'kind', caller ->> 'userId', caller ->> 'virtualKeyId');
    known dispatch.idempotency_keys;
  BEGIN
    IF p_status NOT IN ('accepted', 'expired', 'cancelled') THEN
      RAISE EXCEPTION 'accept_call: a call cannot begin as %', p_status;
    END IF;
    IF p_idempotency_key IS NOT NULL THEN
      INSERT INTO dispatch.idempotency_keys AS k VALUES ((caller ->> 'orgId')::uuid, who, p_idempotency_key,
        head ->> 'outwardName', p_arguments_digest, id,
        now() + make_interval(secs => coalesce((p_details ->> 'idempotency_ttl_ms')::float8, 86400000) / 1000))
      ON CONFLICT (org_id, principal, key) DO UPDATE SET outward_name = excluded.outward_name,
        arguments_sha256 = excluded.arguments_sha256, call_id = excluded.call_id, expires_at = excluded.expires_at
        WHERE k.expires_at < now();
      SELECT * INTO known FROM dispatch.idempotency_keys k
        WHERE k.org_id = (caller ->> 'orgId')::uuid AND k.principal = who AND k.key = p_idempotency_key;
      IF known.call_id <> id THEN
        RETURN QUERY SELECT known.call_id, true,
          known.arguments_sha256 <> p_arguments_digest OR known.outward_name <> head ->> 'outwardName';
        RETURN;
      END IF;
    END IF;
    INSERT INTO dispatch.tool_calls (call_id, org_id, integration_id, integration_slug, tool, outward_name, status, lane,
      run_kind, caller_kind, user_id, virtual_key_id, run_id, request_id, ledger_first, sealed, arguments,
      arguments_sha256, meta, subject_token, wants_progress, error_code, error_message, trace_id, accepted_at, ended_at, deadline_at,
      next_sweep_at)
    VALUES (id, (caller ->> 'orgId')::uuid, (head ->> 'integrationId')::uuid, coalesce(p_details ->> 'integration_slug', ''),
      head ->> 'tool', head ->> 'outwardName', p_status, head ->> 'lane', caller ->> 'runKind', caller ->> 'kind',
      (caller ->> 'userId')::uuid, (caller ->> 'virtualKeyId')::uuid, (head ->> 'runId')::uuid, head ->> 'requestId',
      (head ->> 'ledgerFirst')::boolean, p_sealed, p_arguments, head ->> 'argumentsSha256', p_meta,
      CASE WHEN p_status = 'accepted' THEN p_details ->> 'subject_token' END, p_progress,
      p_details ->> 'error_code', p_details ->> 'error_message', p_details ->> 'trace_id',
      to_timestamp((head ->> 'acceptedAt')::float8 / 1000), CASE WHEN p_status = 'accepted' THEN NULL ELSE now() END,
      to_timestamp((head ->> 'deadlineAt')::float8 / 1000), CASE WHEN p_status = 'accepted' THEN now() + interval '20 seconds' END)
    ON CONFLICT (call_id) DO NOTHING;
    RETURN QUERY SELECT id, false, false;
  END $$`;

const views = `
  CREATE VIEW dispatch.v_calls AS SELECT call_id, org_id, integration_id, integration_slug, tool, outward_name, status, lane,
    run_kind, caller_kind, user_id, virtual_key_id, run_id, request_id, ledger_first, safe, arguments, result, is_error,
    error_code, error_message, error_details, retry_after_ms, auth_path, attempts, accepted_at, started_at, ended_at,
    deadline_at, result_bytes, trace_id FROM dispatch.tool_calls;
  CREATE VIEW dispatch.v_breakers AS SELECT integration_id, state, failures, opened_at, retry_at FROM dispatch.breakers`;
