-- One row per change, written in the change's own transaction: the feed, the audit log, notices, webhooks read it.
create table events (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    -- Null: the system itself (import at first run, setup).
    actor_id bigint references people (id),
    -- '<noun>.<what happened>', for example 'rfc.revision_published'.
    verb text not null check (verb ~ '^[a-z_]+(\.[a-z_]+)+$'),
    subject_kind text not null check (length(subject_kind) between 1 and 40),
    subject_key text not null check (length(subject_key) between 1 and 200),
    before jsonb,
    after jsonb,
    request_id text not null
);
create index events_subject on events (subject_kind, subject_key, id);
create index events_actor on events (actor_id, id);
create trigger events_append_only before update or delete or truncate on events
    for each statement execute function refuse_change();
comment on table events is 'One row: something changed. Append-only.';

-- The answers to requests that carried an Idempotency-Key, written in the change's transaction: a repeated request
-- finds the first answer, a parallel one waits for it on the primary key.
create table idempotency_keys (
    person_id bigint not null references people (id),
    key text not null check (length(key) between 1 and 255),
    request_hash bytea not null check (length(request_hash) = 32),
    answer jsonb,
    created_at timestamptz not null,
    primary key (person_id, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);
comment on table idempotency_keys is 'One row: a request that must have its effect once.';
