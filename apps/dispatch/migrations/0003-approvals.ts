import { grant } from '@switchyard/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Calls that wait for a person, and who decided about them. ADR 16. */
export class Approvals1795000000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [approvals, inStep, wipe, acceptCall, askApproval, pickUp, view])
      await runner.query(statement);
    for (const name of ['ask_approval', 'pick_up_approval']) {
      await runner.query(`REVOKE EXECUTE ON FUNCTION dispatch.${name} FROM PUBLIC`);
      await grant(runner, { on: `FUNCTION dispatch.${name}`, to: ['gateway'], privilege: 'EXECUTE' });
    }
    await grant(runner, {
      on: 'dispatch.approvals',
      to: ['dispatch'],
      privilege: 'SELECT, INSERT, UPDATE, DELETE',
    });
    await grant(runner, {
      on: 'dispatch.v_approvals',
      to: ['gateway', 'agent-runner', 'registry'],
      privilege: 'SELECT',
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP VIEW dispatch.v_approvals');
    await runner.query('DROP FUNCTION dispatch.ask_approval, dispatch.pick_up_approval');
    await runner.query('DROP TRIGGER tool_calls_approval ON dispatch.tool_calls');
    await runner.query('DROP FUNCTION dispatch.end_approval');
    await runner.query('DROP TABLE dispatch.approvals');
  }
}

/*
 * The id of an approval is its call's. `principal` is who asked, as calls are told apart that are made again;
 * `audited_state` is the state of which the audit log was told last, so that none is lost, whatever process dies.
 */
const approvals = `
  CREATE TABLE dispatch.approvals (
    call_id uuid PRIMARY KEY REFERENCES dispatch.tool_calls ON DELETE CASCADE,
    org_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'pending'
      CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'cancelled', 'stale')),
    integration_id uuid NOT NULL,
    integration_slug text NOT NULL,
    tool text NOT NULL,
    outward_name text NOT NULL,
    arguments_sha256 text NOT NULL,
    policy_version text NOT NULL,
    asked_by uuid,
    principal text NOT NULL,
    agent_id uuid,
    run_id uuid,
    run_kind text NOT NULL,
    terms jsonb NOT NULL,
    deadline_ms bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by_kind text CHECK (decided_by_kind IN ('user', 'admin')),
    decided_by uuid,
    reason text,
    picked_up_at timestamptz,
    audited_state text
  );
  CREATE INDEX approvals_by_org ON dispatch.approvals (org_id, call_id DESC);
  CREATE INDEX approvals_by_state ON dispatch.approvals (org_id, state, call_id DESC);
  CREATE INDEX approvals_by_asker ON dispatch.approvals (org_id, asked_by, call_id DESC);
  CREATE INDEX approvals_by_run ON dispatch.approvals (run_id, call_id) WHERE run_id IS NOT NULL;
  CREATE INDEX approvals_to_pick_up ON dispatch.approvals (org_id, principal, outward_name, arguments_sha256, call_id DESC)
    WHERE picked_up_at IS NULL AND run_id IS NULL;
  CREATE INDEX approvals_unaudited ON dispatch.approvals (call_id) WHERE audited_state IS DISTINCT FROM state`;

/* Whoever ends a call that waits (the sweeper, a cancellation), its approval ends with it. */
const inStep = `
  CREATE FUNCTION dispatch.end_approval() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE dispatch.approvals SET state = NEW.status, decided_at = now()
      WHERE call_id = NEW.call_id AND state = 'pending';
    RETURN NULL;
  END $$;
  CREATE TRIGGER tool_calls_approval AFTER UPDATE OF status ON dispatch.tool_calls FOR EACH ROW
    WHEN (OLD.status = 'awaiting_approval' AND NEW.status IN ('expired', 'cancelled'))
    EXECUTE FUNCTION dispatch.end_approval()`;

/* As before, and the arguments of a denied call go too: no worker had it either. */
const wipe = `
  DROP TRIGGER tool_calls_wipe ON dispatch.tool_calls;
  CREATE TRIGGER tool_calls_wipe BEFORE UPDATE ON dispatch.tool_calls FOR EACH ROW
    WHEN (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL
      AND (NEW.subject_token IS NOT NULL OR NEW.resume IS NOT NULL OR NEW.status IN ('expired', 'cancelled', 'denied')))
    EXECUTE FUNCTION dispatch.wipe_at_end()`;

/* As before, and a call may begin as one that waits: then `details` holds its `approval` (`ApprovalWish`). */
const acceptCall = `
  CREATE OR REPLACE FUNCTION dispatch.accept_call(p_sealed jsonb, p_arguments json, p_meta jsonb, p_progress boolean,
    p_status text, p_idempotency_key text, p_arguments_digest text, p_details jsonb)
  RETURNS TABLE (call_id uuid, existing boolean, conflict boolean)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  #variable_conflict use_column
  DECLARE
    head jsonb := p_sealed -> 'call';
    caller jsonb := p_sealed -> 'call' -> 'caller';
    wish jsonb := p_details -> 'approval';
    id uuid := (p_sealed -> 'call' ->> 'callId')::uuid;
    who text := concat_ws(':', caller ->> 'kind', caller ->> 'userId', caller ->> 'virtualKeyId');
    is_open boolean := p_status IN ('accepted', 'awaiting_approval');
    known dispatch.idempotency_keys;
  BEGIN
    IF p_status NOT IN ('accepted', 'expired', 'cancelled', 'awaiting_approval') THEN
      RAISE EXCEPTION 'accept_call: a call cannot begin as %', p_status;
    END IF;
    IF (p_status = 'awaiting_approval') <> (wish IS NOT NULL) THEN
      RAISE EXCEPTION 'accept_call: a call that waits says what for, and no other does';
    END IF;
    IF wish IS NOT NULL AND NOT (head ->> 'ledgerFirst')::boolean THEN
      RAISE EXCEPTION 'accept_call: a call that waits is ledger-first';
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
      CASE WHEN is_open THEN p_details ->> 'subject_token' END,
      CASE WHEN is_open THEN p_details -> 'resume' END, coalesce(head ->> 'method', 'tools/call'), p_progress,
      p_details ->> 'error_code', p_details ->> 'error_message', p_details ->> 'trace_id',
      to_timestamp((head ->> 'acceptedAt')::float8 / 1000), CASE WHEN is_open THEN NULL ELSE now() END,
      to_timestamp((head ->> 'deadlineAt')::float8 / 1000), CASE WHEN p_status = 'accepted' THEN now() + interval '20 seconds' END)
    ON CONFLICT (call_id) DO NOTHING;
    IF FOUND AND wish IS NOT NULL THEN
      INSERT INTO dispatch.approvals (call_id, org_id, integration_id, integration_slug, tool, outward_name,
        arguments_sha256, policy_version, asked_by, principal, agent_id, run_id, run_kind, terms, deadline_ms, expires_at)
      SELECT id, c.org_id, c.integration_id, c.integration_slug, c.tool, c.outward_name, c.arguments_sha256,
        wish ->> 'policyVersion', c.user_id, concat_ws(':', who, caller ->> 'oauthGrantId', caller ->> 'toolsetId'),
        coalesce(wish ->> 'agentId', caller ->> 'agentId')::uuid, c.run_id, c.run_kind, wish -> 'terms',
        (wish ->> 'deadlineMs')::bigint, c.deadline_at
      FROM dispatch.tool_calls c WHERE c.call_id = id;
    END IF;
    RETURN QUERY SELECT id, false, false;
  END $$`;

/*
 * For faces whose callers make a call again rather than ask what became of it. Such a call is the same as one before if its
 * caller, face, tool and arguments are: then it finds the approval that waits, or, once, what was decided; else it asks.
 * One at a time, so that of two of them one asks and one finds. What nobody fetched within a day is not an answer any more.
 */
const askApproval = `
  CREATE FUNCTION dispatch.ask_approval(p_sealed jsonb, p_arguments json, p_meta jsonb, p_progress boolean, p_details jsonb)
  RETURNS TABLE (call_id uuid, state text, expires_at timestamptz)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  #variable_conflict use_column
  DECLARE
    head jsonb := p_sealed -> 'call';
    caller jsonb := p_sealed -> 'call' -> 'caller';
    who text := concat_ws(':', caller ->> 'kind', caller ->> 'userId', caller ->> 'virtualKeyId',
      caller ->> 'oauthGrantId', caller ->> 'toolsetId');
    known dispatch.approvals;
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'approval', caller ->> 'orgId', who,
      head ->> 'outwardName', head ->> 'argumentsSha256'), 0));
    SELECT * INTO known FROM dispatch.approvals a
      WHERE a.org_id = (caller ->> 'orgId')::uuid AND a.principal = who AND a.outward_name = head ->> 'outwardName'
        AND a.arguments_sha256 = head ->> 'argumentsSha256' AND a.picked_up_at IS NULL AND a.run_id IS NULL
        AND a.agent_id IS NULL AND a.run_kind = caller ->> 'runKind' AND a.tool = head ->> 'tool'
        AND a.integration_id = (head ->> 'integrationId')::uuid
        AND (a.state = 'pending' AND a.expires_at > now() AND a.policy_version = p_details -> 'approval' ->> 'policyVersion'
          OR a.state IN ('approved', 'denied') AND a.decided_at > now() - interval '1 day')
      ORDER BY a.call_id DESC LIMIT 1;
    IF FOUND THEN
      IF known.state <> 'pending' THEN
        UPDATE dispatch.approvals SET picked_up_at = now() WHERE call_id = known.call_id;
      END IF;
      RETURN QUERY SELECT known.call_id, known.state, known.expires_at;
      RETURN;
    END IF;
    PERFORM 1 FROM dispatch.accept_call(p_sealed, p_arguments, p_meta, p_progress, 'awaiting_approval', NULL, NULL, p_details);
    RETURN QUERY SELECT a.call_id, a.state, a.expires_at FROM dispatch.approvals a
      WHERE a.call_id = (head ->> 'callId')::uuid;
  END $$`;

/* For a caller who is told the end in the very answer in which they decided: no later call is to find it. */
const pickUp = `
  CREATE FUNCTION dispatch.pick_up_approval(p_call_id uuid) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE dispatch.approvals SET picked_up_at = now() WHERE call_id = p_call_id AND picked_up_at IS NULL
  $$`;

const view = `
  CREATE VIEW dispatch.v_approvals AS SELECT call_id, org_id, state, integration_id, integration_slug, tool, outward_name,
    arguments_sha256, policy_version, asked_by, agent_id, run_id, run_kind, terms, deadline_ms, created_at, expires_at,
    decided_at, decided_by_kind, decided_by, reason, picked_up_at FROM dispatch.approvals`;
