import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Calls of other methods than `tools/call`, and what a client answered to a call's question, for a job that is lost. */
export class Methods1795000000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [columns, wipe, acceptCall, view]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    // A view loses columns only when it is made anew, and nobody goes back over this border with data of value.
    await runner.query(`DROP VIEW dispatch.v_calls`);
    await runner.query(`DROP TRIGGER tool_calls_wipe ON dispatch.tool_calls`);
    await runner.query(`ALTER TABLE dispatch.tool_calls DROP COLUMN method, DROP COLUMN resume`);
  }
}

const columns = `
  ALTER TABLE dispatch.tool_calls ADD COLUMN method text NOT NULL DEFAULT 'tools/call', ADD COLUMN resume jsonb`;

/* A user's answers are kept no longer than the call that they are for. */
const wipe = `
  CREATE OR REPLACE FUNCTION dispatch.wipe_at_end() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.subject_token := NULL;
    NEW.resume := NULL;
    IF EXISTS (SELECT 1 FROM registry.v_integrations WHERE id = NEW.integration_id AND retention = 'never') THEN
      NEW.arguments := NULL;
    END IF;
    RETURN NEW;
  END $$;
  DROP TRIGGER tool_calls_wipe ON dispatch.tool_calls;
  CREATE TRIGGER tool_calls_wipe BEFORE UPDATE ON dispatch.tool_calls FOR EACH ROW
    WHEN (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL
      AND (NEW.subject_token IS NOT NULL OR NEW.resume IS NOT NULL OR NEW.status IN ('expired', 'cancelled')))
    EXECUTE FUNCTION dispatch.wipe_at_end()`;

/* As before, and `details` may hold the `resume` of the job. */
const acceptCall = `
  CREATE OR REPLACE FUNCTION dispatch.accept_call(p_sealed jsonb, p_arguments json, p_meta jsonb, p_progress boolean,
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
      arguments_sha256, meta, subject_token, resume, method, wants_progress, error_code, error_message, trace_id, accepted_at, ended_at, deadline_at,
      next_sweep_at)
    VALUES (id, (caller ->> 'orgId')::uuid, (head ->> 'integrationId')::uuid, coalesce(p_details ->> 'integration_slug', ''),
      head ->> 'tool', head ->> 'outwardName', p_status, head ->> 'lane', caller ->> 'runKind', caller ->> 'kind',
      (caller ->> 'userId')::uuid, (caller ->> 'virtualKeyId')::uuid, (head ->> 'runId')::uuid, head ->> 'requestId',
      (head ->> 'ledgerFirst')::boolean, p_sealed, p_arguments, head ->> 'argumentsSha256', p_meta,
      CASE WHEN p_status = 'accepted' THEN p_details ->> 'subject_token' END,
      CASE WHEN p_status = 'accepted' THEN p_details -> 'resume' END, coalesce(head ->> 'method', 'tools/call'), p_progress,
      p_details ->> 'error_code', p_details ->> 'error_message', p_details ->> 'trace_id',
      to_timestamp((head ->> 'acceptedAt')::float8 / 1000), CASE WHEN p_status = 'accepted' THEN NULL ELSE now() END,
      to_timestamp((head ->> 'deadlineAt')::float8 / 1000), CASE WHEN p_status = 'accepted' THEN now() + interval '20 seconds' END)
    ON CONFLICT (call_id) DO NOTHING;
    RETURN QUERY SELECT id, false, false;
  END $$`;

const view = `
  CREATE OR REPLACE VIEW dispatch.v_calls AS SELECT call_id, org_id, integration_id, integration_slug, tool, outward_name, status, lane,
    run_kind, caller_kind, user_id, virtual_key_id, run_id, request_id, ledger_first, safe, arguments, result, is_error,
    error_code, error_message, error_details, retry_after_ms, auth_path, attempts, accepted_at, started_at, ended_at,
    deadline_at, result_bytes, trace_id, method FROM dispatch.tool_calls`;
