-- What people promised to do, whatever it came from, and how they are reminded.

create table follow_ups (
    id bigint generated always as identity primary key,
    title text not null check (length(title) between 1 and 300),
    owner_id bigint not null references people (id),
    -- The day by the end of which it is to be done, in the organisation's zone (PLUMBLINE_TIME_ZONE).
    due_on date not null,
    -- The day that was agreed at first.
    first_due_on date not null,
    -- How often the day was moved.
    moves integer not null default 0 check (moves >= 0),
    -- What it came from, named as events name their subjects; domain::follow_up::SourceKind has the words.
    source_kind text check (length(source_kind) between 1 and 40),
    source_key text check (length(source_key) between 1 and 200),
    state text not null default 'open' check (state in ('open', 'done', 'dropped')),
    -- What was done, or why it was dropped.
    note text not null default '' check (length(note) <= 2000),
    -- Null: the product itself, from an import.
    made_by_id bigint references people (id),
    closed_by_id bigint references people (id),
    closed_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((source_kind is null) = (source_key is null)),
    check ((state = 'open') = (closed_at is null)),
    constraint follow_ups_dropped_for_a_reason check (state <> 'dropped' or note <> '')
);
create index follow_ups_open on follow_ups (due_on, id) where state = 'open';
create index follow_ups_owner on follow_ups (owner_id, due_on) where state = 'open';
create index follow_ups_source on follow_ups (source_kind, source_key);
comment on table follow_ups is 'One row: something that somebody will do by a day.';

create table follow_up_chases (
    follow_up_id bigint not null references follow_ups (id),
    -- The due day that it reminds of: after a move there are new reminders.
    due_on date not null,
    -- Which of the reminders: domain::follow_up::Chase.
    chase text not null check (length(chase) between 1 and 40),
    at timestamptz not null,
    -- Once each.
    primary key (follow_up_id, due_on, chase)
);
comment on table follow_up_chases is 'One row: somebody was reminded of a follow-up.';
