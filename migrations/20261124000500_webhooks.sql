-- Webhooks (calls to others when something happens here), how their calls went, and hooks (calls from others).

create table webhooks (
    id bigint generated always as identity primary key,
    name text not null check (length(name) between 1 and 120),
    url text not null check (url ~ '^https?://' and length(url) <= 2000),
    -- standard: Standard Webhooks 1.0, signed. slack: text and blocks, as Slack's incoming webhooks take them.
    format text not null check (format in ('standard', 'slack')),
    -- Nouns ('rfc') and verbs ('rfc.published'); none: everything that goes out at all.
    events text[] not null default '{}' check (cardinality(events) <= 50),
    -- The key of the signature. Whoever signs needs it as it is.
    secret bytea not null check (length(secret) = 32),
    -- After a rotation calls are signed with both until this instant.
    previous_secret bytea check (length(previous_secret) = 32),
    previous_until timestamptz,
    disabled_at timestamptz,
    disabled_reason text not null default '' check (length(disabled_reason) <= 500),
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint webhooks_name_unique unique (name),
    check ((previous_secret is null) = (previous_until is null)),
    check (disabled_at is not null or disabled_reason = '')
);
comment on table webhooks is 'One row: an address that is called when something happens.';

create table delivery_attempts (
    id bigint generated always as identity primary key,
    outbox_id bigint not null references outbox (id) on delete cascade,
    -- Which try it was, from 1.
    attempt integer not null check (attempt >= 1),
    at timestamptz not null,
    -- The HTTP status; null: no answer came.
    status integer check (status between 100 and 999),
    duration_ms integer not null check (duration_ms >= 0),
    -- The first bytes of the answer, as text.
    answer text not null default '' check (length(answer) <= 1024),
    -- Why it counts as failed; empty: it did not fail.
    error text not null default '' check (length(error) <= 500)
);
create index delivery_attempts_outbox on delivery_attempts (outbox_id, id);
create index delivery_attempts_at on delivery_attempts (at);
comment on table delivery_attempts is 'One row: a webhook was called once.';

-- The outbox as admins look at it: by webhook, and what was given up.
create index outbox_webhook on outbox (((payload ->> 'webhook')::bigint), id) where kind = 'webhook';
create index outbox_dead on outbox (id) where state = 'dead';

create table hooks (
    id bigint generated always as identity primary key,
    -- Names it in its address, /hooks/<public_id>: random, so that addresses are not tried out.
    public_id text not null check (public_id ~ '^[A-Za-z0-9_-]{22}$'),
    name text not null check (length(name) between 1 and 120),
    -- What becomes of what comes in.
    purpose text not null check (purpose in ('incidents')),
    secret bytea not null check (length(secret) = 32),
    previous_secret bytea check (length(previous_secret) = 32),
    previous_until timestamptz,
    revoked_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint hooks_public_id_unique unique (public_id),
    check ((previous_secret is null) = (previous_until is null))
);
create unique index hooks_name_unique on hooks (name) where revoked_at is null;
comment on table hooks is 'One row: an address at which others report something, signed.';

create table hook_calls (
    hook_id bigint not null references hooks (id) on delete cascade,
    -- The sender's webhook-id: the same call never has a second effect.
    webhook_id text not null check (length(webhook_id) between 1 and 200),
    -- SHA-256 of the body, to tell a repetition from another call under the same name.
    body_hash bytea not null check (length(body_hash) = 32),
    -- What the first one was answered; null only while it is being worked on.
    answer jsonb,
    received_at timestamptz not null,
    primary key (hook_id, webhook_id)
);
create index hook_calls_received on hook_calls (received_at);
comment on table hook_calls is 'One row: a call that had its effect.';
