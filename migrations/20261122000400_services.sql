-- The services whose reliability is reviewed.
create table services (
    id bigint generated always as identity primary key,
    slug text not null check (slug ~ '^[a-z0-9][a-z0-9-]*$' and length(slug) <= 80),
    name text not null check (length(name) between 1 and 120),
    -- 1 critical, 2 important, 3 supporting.
    tier smallint not null check (tier between 1 and 3),
    -- Null: nobody owns it.
    team_id bigint references teams (id),
    description text not null default '' check (length(description) <= 4000),
    labels text[] not null default '{}' check (cardinality(labels) <= 50),
    archived_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint services_slug_unique unique (slug)
);
create index services_team on services (team_id);
comment on table services is 'One row: a service.';

create table service_dependencies (
    service_id bigint not null references services (id),
    depends_on_id bigint not null references services (id),
    primary key (service_id, depends_on_id),
    constraint service_dependencies_not_itself check (service_id <> depends_on_id)
);
create index service_dependencies_reverse on service_dependencies (depends_on_id);
comment on table service_dependencies is 'One row: a service needs another one.';

create table service_links (
    service_id bigint not null references services (id),
    position integer not null check (position >= 0),
    title text not null check (length(title) between 1 and 120),
    url text not null check (url ~ '^https?://' and length(url) <= 2000),
    primary key (service_id, position)
);
comment on table service_links is 'One row: a link on a service''s page (runbook, dashboard, repository).';

create table service_former_slugs (
    slug text primary key,
    service_id bigint not null references services (id),
    since timestamptz not null
);
comment on table service_former_slugs is 'One row: an address a service had before a rename; it redirects.';
