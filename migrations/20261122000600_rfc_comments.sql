-- Review threads, where they sit in every revision, and the comments in them.
create table rfc_threads (
    id bigint generated always as identity primary key,
    rfc_id bigint not null references rfcs (id) on delete cascade,
    -- The revision the thread was opened on; with start_byte and end_byte the original selector, never overwritten.
    revision integer not null,
    -- Both null: about the whole RFC.
    start_byte integer,
    end_byte integer,
    -- The source text of the range as it was; empty for the whole RFC.
    quote text not null default '',
    severity text not null check (severity in ('note', 'should', 'blocking')),
    state text not null check (state in ('open', 'resolved', 'needs_verification', 'dropped')),
    opened_by bigint not null references people (id),
    opened_at timestamptz not null,
    resolved_by bigint references people (id),
    resolved_at timestamptz,
    resolved_revision integer,
    version bigint not null default 1,
    foreign key (rfc_id, revision) references rfc_revisions (rfc_id, revision) on delete cascade,
    constraint rfc_threads_range check (
        (start_byte is null and end_byte is null) or (start_byte >= 0 and start_byte < end_byte)),
    check ((state = 'resolved') = (resolved_at is not null)),
    check ((resolved_at is null) = (resolved_by is null))
);
create index rfc_threads_rfc on rfc_threads (rfc_id, id);
comment on table rfc_threads is 'One row: a review thread on an RFC.';

create table rfc_thread_anchors (
    thread_id bigint not null references rfc_threads (id) on delete cascade,
    revision integer not null,
    -- Null only when orphaned.
    start_byte integer,
    end_byte integer,
    state text not null check (state in ('exact', 'edited', 'moved', 'suggested', 'orphaned')),
    -- How it was found: the words of domain::rfc::anchor, or 'created', 'reattached'.
    method text not null check (length(method) between 1 and 40),
    score real not null check (score between 0 and 1),
    -- Orphans are shown at this heading (byte offset of the nearest surviving one), if there is one.
    heading_byte integer,
    -- Who put it there, when a person did; the anchors of later revisions start from it.
    placed_by bigint references people (id),
    primary key (thread_id, revision),
    constraint rfc_thread_anchors_range check (
        (state = 'orphaned' and start_byte is null and end_byte is null)
        or (state <> 'orphaned' and start_byte >= 0 and start_byte < end_byte))
);
comment on table rfc_thread_anchors is 'One row: where a thread sits in one revision. Threads about the whole RFC have none.';

create table rfc_comments (
    id bigint generated always as identity primary key,
    thread_id bigint not null references rfc_threads (id) on delete cascade,
    author_id bigint not null references people (id),
    body text not null check (octet_length(body) <= 65536),
    -- The sanitised HTML of the body, and the backend::rfcs::render::RENDERER_VERSION that made it; another version
    -- renders anew when the comment is read.
    html text not null,
    renderer integer not null,
    created_at timestamptz not null,
    edited_at timestamptz,
    -- The row stays, so that the thread still reads; its text is no longer shown.
    deleted_at timestamptz,
    version bigint not null default 1
);
create index rfc_comments_thread on rfc_comments (thread_id, id);
create index rfc_comments_author on rfc_comments (author_id);
comment on table rfc_comments is 'One row: a comment in a review thread.';

create table rfc_comment_edits (
    comment_id bigint not null references rfc_comments (id) on delete cascade,
    version bigint not null,
    -- The text before the edit or the deletion that made the next version.
    body text not null,
    replaced_at timestamptz not null,
    primary key (comment_id, version)
);
comment on table rfc_comment_edits is 'One row: an earlier text of a comment.';
