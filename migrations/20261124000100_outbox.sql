-- What still has to be done because something happened, or because its time has come; and the order of events.

-- The transaction that wrote the event. Whoever reads everything in order of (position, id) and stops before the oldest
-- transaction that is still open (pg_snapshot_xmin) misses nothing: ids alone become visible out of order.
-- A restore into another cluster must set it to zero: its transactions are numbered anew.
alter table events add column position xid8 not null default pg_current_xact_id();
create index events_position on events (position, id);

create table outbox (
    id bigint generated always as identity primary key,
    -- Names the work for good: the same work is never put in twice, and a receiver drops a second delivery by it.
    key text not null check (length(key) between 1 and 200),
    -- Who does it: see backend::outbox::Kind.
    kind text not null check (kind in ('event', 'job', 'mail', 'webhook', 'import')),
    payload jsonb not null,
    state text not null default 'waiting' check (state in ('waiting', 'done', 'dead')),
    -- Not before this instant: when it was put in, when it is planned for, or when the next try is.
    due_at timestamptz not null,
    -- Tries that have begun.
    attempts integer not null default 0 check (attempts >= 0),
    -- While a process works on it, who and how long the others keep off.
    leased_by text check (length(leased_by) <= 80),
    leased_until timestamptz,
    -- What the last try that failed ran into.
    last_error text not null default '' check (length(last_error) <= 2000),
    created_at timestamptz not null,
    finished_at timestamptz,
    constraint outbox_key_unique unique (key),
    check ((leased_by is null) = (leased_until is null)),
    check ((state = 'waiting') = (finished_at is null))
);
create index outbox_due on outbox (kind, due_at, id) where state = 'waiting';
create index outbox_finished on outbox (finished_at) where state <> 'waiting';
comment on table outbox is 'One row: work to be done once the transaction that wrote it is committed.';

create table timed_jobs (
    name text primary key check (length(name) between 1 and 80),
    -- When it is put into the outbox next.
    next_at timestamptz not null
);
comment on table timed_jobs is 'One row: a job that comes back by the clock.';

create table clock (
    single boolean primary key default true check (single),
    -- How far the product''s time is ahead of the machine''s: a demo may look at the day after tomorrow.
    ahead_seconds bigint not null check (ahead_seconds between 0 and 315360000)
);
comment on table clock is 'At most one row: the clock was moved.';
