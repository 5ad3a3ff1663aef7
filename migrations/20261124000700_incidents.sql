-- Incidents: what went wrong, when, and with which services.

create table incident_types (
    id bigint generated always as identity primary key,
    slug text not null check (slug ~ '^[a-z][a-z0-9_]*$' and length(slug) <= 40),
    name text not null check (length(name) between 1 and 120),
    -- Where it stands in lists, from 1.
    position integer not null check (position >= 1),
    -- Since when nobody chooses it any more; incidents that have it keep it.
    archived_at timestamptz,
    version bigint not null default 1,
    constraint incident_types_slug_unique unique (slug),
    constraint incident_types_position_unique unique (position) deferrable initially deferred
);
create unique index incident_types_name_unique on incident_types (lower(name));
comment on table incident_types is 'One row: a type of incident.';

insert into incident_types (slug, name, position) values
    ('config_change', 'Config change', 1),
    ('capacity', 'Capacity', 2),
    ('dependency', 'Dependency', 3),
    ('deploy', 'Deploy', 4),
    ('data', 'Data', 5),
    ('network', 'Network', 6),
    ('security', 'Security', 7),
    ('human_process', 'Human process', 8),
    ('unknown', 'Unknown', 9);

create table incidents (
    id bigint generated always as identity primary key,
    -- Where it comes from (an incident tool, a sheet); empty: nobody said.
    source text not null default '' check (length(source) <= 120),
    -- Its name there.
    external_id text check (length(external_id) between 1 and 200),
    title text not null check (length(title) between 1 and 300),
    type_id bigint not null references incident_types (id),
    -- The word that was sent when no type was called so.
    type_word text not null default '' check (length(type_word) <= 120),
    -- 1 critical, 2 major, 3 minor, 4 low.
    severity smallint not null check (severity between 1 and 4),
    started_at timestamptz not null,
    -- May lie after mitigation and end: somebody noticed later.
    detected_at timestamptz,
    mitigated_at timestamptz,
    ended_at timestamptz,
    -- Markdown.
    summary text not null default '' check (octet_length(summary) <= 65536),
    postmortem_url text check (postmortem_url ~ '^https?://' and length(postmortem_url) <= 2000),
    -- Markdown.
    postmortem text not null default '' check (octet_length(postmortem) <= 65536),
    -- Null: an import, a hook, the operator.
    recorded_by bigint references people (id),
    -- What the source said last. When it says something else, what is different is taken over, and what people corrected
    -- here stays. Null: never imported.
    imported jsonb,
    -- Since when it counts nowhere: recorded by mistake, or twice.
    voided_at timestamptz,
    voided_reason text not null default '' check (length(voided_reason) <= 2000),
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint incidents_external_id_unique unique (source, external_id),
    constraint incidents_detected_from_start check (detected_at >= started_at),
    constraint incidents_mitigated_from_start check (mitigated_at >= started_at),
    constraint incidents_ended_from_start check (ended_at >= started_at),
    constraint incidents_ended_from_mitigation check (ended_at >= mitigated_at),
    check ((voided_at is null) = (voided_reason = ''))
);
create index incidents_started on incidents (started_at desc, id desc);
create index incidents_type on incidents (type_id, started_at);
create index incidents_recorded_by on incidents (recorded_by);
comment on table incidents is 'One row: an incident.';

create table incident_services (
    incident_id bigint not null references incidents (id),
    service_id bigint not null references services (id),
    -- The word in incident_service_names by which it was found; null: it was named itself.
    name text check (length(name) between 1 and 120),
    primary key (incident_id, service_id)
);
create index incident_services_service on incident_services (service_id, incident_id);
create index incident_services_name on incident_services (name) where name is not null;
comment on table incident_services is 'One row: an incident touched a service.';

create view incident_repetitions as
    select incidents.id as incident_id, touched.service_id,
           1 + (select count(*)
                  from incident_services as same join incidents as earlier on earlier.id = same.incident_id
                 where same.service_id = touched.service_id and earlier.type_id = incidents.type_id
                   and earlier.voided_at is null
                   -- 90 days: REPEAT_DAYS in app/domain/src/incident.rs.
                   and earlier.started_at > incidents.started_at - interval '2160 hours'
                   and (earlier.started_at, earlier.id) < (incidents.started_at, incidents.id)) as nth
      from incidents join incident_types on incident_types.id = incidents.type_id
      join incident_services as touched on touched.incident_id = incidents.id
     where incidents.voided_at is null and incident_types.slug <> 'unknown';
comment on view incident_repetitions is
    'One row: an incident on a service is the nth of its type there within the 90 days that end with its start.';

-- What imports and hooks called services that the catalogue does not know so: in small letters.
create table incident_service_names (
    incident_id bigint not null references incidents (id),
    name text not null check (length(name) between 1 and 120),
    primary key (incident_id, name)
);
create index incident_service_names_name on incident_service_names (name, incident_id);
comment on table incident_service_names is 'One row: an incident names a service by a word that is no service''s address.';

create table incident_service_aliases (
    name text primary key check (length(name) between 1 and 120),
    -- Null: it is none of our services.
    service_id bigint references services (id),
    decided_by bigint references people (id),
    decided_at timestamptz not null
);
create index incident_service_aliases_service on incident_service_aliases (service_id);
comment on table incident_service_aliases is 'One row: what a word stands for, for every import from then on.';
