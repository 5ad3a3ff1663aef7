-- Files that people hand in: kept, shown as differences, applied by whichever process takes the work.
create table imports (
    id bigint generated always as identity primary key,
    -- What the file holds: see backend::imports::Kind.
    kind text not null check (kind in ('catalog', 'incidents')),
    -- What the file is called.
    name text not null check (length(name) between 1 and 200),
    -- What its kind has to know to read it: a default tier, a mapping of columns.
    options jsonb not null default '{}' check (jsonb_typeof(options) = 'object'),
    -- See backend::imports::State.
    state text not null check (state in ('receiving', 'checking', 'ready', 'applying', 'applied', 'cancelled',
        'discarded', 'failed')),
    -- How large the file is.
    bytes bigint not null default 0 check (bytes >= 0),
    -- How far the work of the present state is: units done, and in all when that is known.
    done bigint not null default 0 check (done >= 0),
    total bigint check (total >= 0),
    -- Why it failed.
    problem text not null default '' check (length(problem) <= 2000),
    -- How many lines of each sort: `found` when the file was compared, `did` when it was applied.
    found jsonb not null default '{}' check (jsonb_typeof(found) = 'object'),
    did jsonb not null default '{}' check (jsonb_typeof(did) = 'object'),
    version bigint not null default 1,
    created_by bigint not null references people (id),
    created_at timestamptz not null,
    -- Who applied it last; the changes are theirs.
    applied_by bigint references people (id),
    updated_at timestamptz not null,
    finished_at timestamptz,
    check ((state in ('applying', 'applied', 'cancelled')) <= (applied_by is not null))
);
create index imports_created on imports (created_at desc, id desc);
comment on table imports is 'One row: a file that somebody handed in, and what became of it.';

create table import_parts (
    import_id bigint not null references imports (id) on delete cascade,
    part integer not null check (part >= 0),
    bytes bytea not null check (octet_length(bytes) between 1 and 1048576),
    primary key (import_id, part)
);
comment on table import_parts is 'One row: a piece of a file that was handed in. Gone 30 days after the last change.';

create table import_lines (
    id bigint generated always as identity primary key,
    import_id bigint not null references imports (id) on delete cascade,
    -- Whether it was found when the file was compared, or happened when it was applied.
    phase text not null check (phase in ('check', 'apply')),
    -- See backend::imports::Outcome.
    outcome text not null check (outcome in ('new', 'changed', 'kept', 'refused', 'noted')),
    -- The rest of backend::imports::Line.
    line jsonb not null
);
create index import_lines_import on import_lines (import_id, phase, outcome, id);
comment on table import_lines is 'One row: something that an import found or did, as a person reads it.';

-- What a catalogue file said last about a service or team: what differs from it here was changed by hand.
create table service_imports (
    service_id bigint primary key references services (id),
    -- The file.
    source text not null check (length(source) between 1 and 1000),
    said jsonb not null,
    said_at timestamptz not null
);
create index service_imports_source on service_imports (source);
comment on table service_imports is 'One row: what a catalogue file said last about a service.';

create table team_imports (
    team_id bigint primary key references teams (id),
    source text not null check (length(source) between 1 and 1000),
    said jsonb not null,
    said_at timestamptz not null
);
create index team_imports_source on team_imports (source);
comment on table team_imports is 'One row: what a catalogue file said last about a team.';

-- Real catalogues have services whose instances need each other: such a service names itself.
alter table service_dependencies drop constraint service_dependencies_not_itself;
