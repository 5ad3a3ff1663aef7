-- RFCs and their revisions.
create table rfc_numbers (
    single boolean primary key default true check (single),
    last bigint not null
);
insert into rfc_numbers (last) values (0);
comment on table rfc_numbers is 'The one row: the last RFC number given. Numbers are never reused.';

create table rfcs (
    id bigint generated always as identity primary key,
    number bigint not null check (number > 0),
    slug text not null check (slug ~ '^[a-z0-9][a-z0-9-]*$' and length(slug) <= 200),
    title text not null check (length(title) between 1 and 300),
    kind text not null check (kind in ('architecture', 'slo', 'launch', 'process', 'other')),
    status text not null check (status in ('draft', 'in_review', 'final_comment', 'accepted', 'implemented',
        'declined', 'deferred', 'withdrawn', 'superseded')),
    -- The newest revision's number; moved in the same transaction that adds the revision.
    revision integer not null check (revision >= 1),
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- When it first left draft.
    published_at timestamptz,
    constraint rfcs_number_unique unique (number),
    constraint rfcs_slug_unique unique (slug),
    check ((status = 'draft') <= (published_at is null))
);
create index rfcs_updated on rfcs (updated_at desc, id desc);
comment on table rfcs is 'One row: an RFC.';

create table rfc_authors (
    rfc_id bigint not null references rfcs (id) on delete cascade,
    person_id bigint not null references people (id),
    primary key (rfc_id, person_id)
);
create index rfc_authors_person on rfc_authors (person_id);
comment on table rfc_authors is 'One row: a person writes an RFC.';

create table rfc_shares (
    rfc_id bigint not null references rfcs (id) on delete cascade,
    person_id bigint not null references people (id),
    primary key (rfc_id, person_id)
);
comment on table rfc_shares is 'One row: a draft is shared with a person.';

create table rfc_services (
    rfc_id bigint not null references rfcs (id) on delete cascade,
    service_id bigint not null references services (id),
    primary key (rfc_id, service_id)
);
create index rfc_services_service on rfc_services (service_id);
comment on table rfc_services is 'One row: an RFC touches a service.';

create table rfc_revisions (
    rfc_id bigint not null references rfcs (id) on delete cascade,
    revision integer not null check (revision >= 1),
    -- Byte for byte what was sent, after CRLF became LF. At most 512 KiB.
    body text not null check (octet_length(body) <= 524288),
    summary text not null default '' check (length(summary) <= 500),
    major boolean not null default false,
    author_id bigint not null references people (id),
    created_at timestamptz not null,
    primary key (rfc_id, revision)
);
-- Search by words, in the first 100,000 characters: a longer text could have more words than a tsvector holds.
create index rfc_revisions_words on rfc_revisions using gin (to_tsvector('simple', left(body, 100000)));
create trigger rfc_revisions_immutable before update on rfc_revisions
    for each row execute function refuse_change();
comment on table rfc_revisions is 'One row: the text of an RFC at one revision. Immutable; goes only with a deleted draft.';

create table rfc_renderings (
    rfc_id bigint not null,
    revision integer not null,
    -- backend::rfcs::render::RENDERER_VERSION that made it; another version renders anew.
    renderer integer not null,
    rendered jsonb not null,
    primary key (rfc_id, revision),
    foreign key (rfc_id, revision) references rfc_revisions (rfc_id, revision) on delete cascade
);
comment on table rfc_renderings is 'One row: the sanitised HTML of a revision. A cache: may be emptied at any time.';

create table rfc_status_changes (
    id bigint generated always as identity primary key,
    rfc_id bigint not null references rfcs (id) on delete cascade,
    from_status text not null,
    to_status text not null,
    revision integer not null,
    actor_id bigint not null references people (id),
    reason text not null default '' check (length(reason) <= 2000),
    at timestamptz not null
);
create index rfc_status_changes_rfc on rfc_status_changes (rfc_id, id);
comment on table rfc_status_changes is 'One row: an RFC went from one status to another, by whom and why.';
