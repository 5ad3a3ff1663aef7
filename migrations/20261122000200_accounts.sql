-- People who can sign in, the teams they belong to, and every way in: invitations, sessions, tokens.

create table people (
    id bigint generated always as identity primary key,
    email citext not null,
    name text not null check (length(name) between 1 and 120),
    role text not null check (role in ('reader', 'member', 'sre', 'lead', 'admin')),
    time_zone text not null default 'UTC' check (length(time_zone) between 1 and 64),
    -- PHC string; null: this person has no password (yet).
    password_hash text,
    disabled_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint people_email_unique unique (email),
    constraint people_email_form check (email ~ '^[^[:space:]@]+@[^[:space:]@]+$' and length(email) <= 254)
);
comment on table people is 'One row: a person with an account.';

create table teams (
    id bigint generated always as identity primary key,
    slug text not null check (slug ~ '^[a-z0-9][a-z0-9-]*$' and length(slug) <= 80),
    name text not null check (length(name) between 1 and 120),
    version bigint not null default 1,
    archived_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint teams_slug_unique unique (slug)
);
comment on table teams is 'One row: a team that owns services.';

create table team_members (
    team_id bigint not null references teams (id),
    person_id bigint not null references people (id),
    primary key (team_id, person_id)
);
create index team_members_person on team_members (person_id);
comment on table team_members is 'One row: a person belongs to a team.';

create table invitations (
    id bigint generated always as identity primary key,
    -- SHA-256 of the secret in the link; the secret itself is shown once and kept nowhere.
    token_hash bytea not null check (length(token_hash) = 32),
    -- Null: the first-run setup link, whoever opens it chooses the address and becomes the admin.
    email citext check (email ~ '^[^[:space:]@]+@[^[:space:]@]+$' and length(email) <= 254),
    role text not null check (role in ('reader', 'member', 'sre', 'lead', 'admin')),
    team_id bigint references teams (id),
    invited_by bigint references people (id),
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    accepted_at timestamptz,
    withdrawn_at timestamptz,
    constraint invitations_token_unique unique (token_hash),
    check (email is not null or invited_by is null)
);
create unique index invitations_one_open_per_email on invitations (email)
    where accepted_at is null and withdrawn_at is null and email is not null;
comment on table invitations is 'One row: a link by which one person may create an account.';

create table sessions (
    -- SHA-256 of the cookie's token: the table alone lets nobody in.
    token_hash bytea primary key check (length(token_hash) = 32),
    -- Null until someone signs in.
    person_id bigint references people (id),
    data jsonb not null,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    -- The earlier of idle and absolute expiry, moved forward as the session is used.
    expires_at timestamptz not null,
    user_agent text not null default '' check (length(user_agent) <= 400),
    address text not null default '' check (length(address) <= 64)
);
create index sessions_person on sessions (person_id);
create index sessions_expires on sessions (expires_at);
comment on table sessions is 'One row: a browser session.';

create table api_tokens (
    id bigint generated always as identity primary key,
    person_id bigint not null references people (id),
    name text not null check (length(name) between 1 and 120),
    token_hash bytea not null check (length(token_hash) = 32),
    -- The first characters of the token, to recognise it in a list.
    prefix text not null check (length(prefix) <= 16),
    scopes text[] not null check (scopes <@ array ['read', 'write', 'admin'] and cardinality(scopes) > 0),
    created_at timestamptz not null,
    expires_at timestamptz check (expires_at > created_at),
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint api_tokens_hash_unique unique (token_hash)
);
create index api_tokens_person on api_tokens (person_id);
comment on table api_tokens is 'One row: a bearer token for the REST API.';

create table sign_in_failures (
    id bigint generated always as identity primary key,
    -- 'account:<hash of the address typed>' or 'address:<ip>': what is being throttled.
    bucket text not null check (length(bucket) <= 300),
    at timestamptz not null
);
create index sign_in_failures_bucket on sign_in_failures (bucket, at);
comment on table sign_in_failures is 'One row: a failed sign-in, counted by account and by network address.';
