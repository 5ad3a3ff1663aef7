-- What people are told: notices in their inbox, what they want to be told of, and the secret behind unsubscribe links.

create table inbox_items (
    id bigint generated always as identity primary key,
    person_id bigint not null references people (id),
    -- What it is about: the words of events.
    subject_kind text not null check (length(subject_kind) between 1 and 40),
    subject_key text not null check (length(subject_key) between 1 and 300),
    -- How that is called ('RFC-12', or nothing) and its title, as of the newest event about it.
    tag text not null check (length(tag) <= 40),
    title text not null check (length(title) between 1 and 300),
    -- Its page.
    path text not null check (path ~ '^/' and length(path) <= 400),
    state text not null check (state in ('open', 'later', 'done')),
    -- Something in it was not looked at yet.
    unread boolean not null,
    -- Put off until then: from that instant on it is open again.
    back_at timestamptz,
    -- Its place in the list: the newest notice, or when it comes back.
    sort_at timestamptz not null,
    -- Rises with every notice and everything the person does with it.
    version bigint not null default 1,
    constraint inbox_items_once unique (person_id, subject_kind, subject_key),
    check ((state = 'later') = (back_at is not null)),
    check (state <> 'done' or not unread)
);
create index inbox_items_order on inbox_items (person_id, sort_at desc, id desc);
create index inbox_items_unread on inbox_items (person_id) where unread;
create index inbox_items_subject on inbox_items (subject_kind, subject_key);
comment on table inbox_items is 'One row: a person was told of an object, and how far they are with it.';

create table notices (
    id bigint generated always as identity primary key,
    item_id bigint not null references inbox_items (id) on delete cascade,
    person_id bigint not null references people (id),
    event_id bigint not null references events (id),
    kind text not null check (kind in ('mention', 'comment', 'thread', 'revision', 'status', 'share', 'follow_up',
        'incident', 'webhook', 'security')),
    -- Why this person: see domain::notice::Reason.
    reason text not null check (length(reason) between 1 and 40),
    -- What happened, in a sentence.
    text text not null check (length(text) between 1 and 500),
    -- The beginning of what was said; empty once that was taken back.
    excerpt text not null default '' check (length(excerpt) <= 500),
    -- The part of the object's page that it is about; empty: the whole.
    place text not null default '' check (length(place) <= 120),
    at timestamptz not null,
    constraint notices_once unique (person_id, event_id)
);
create index notices_item on notices (item_id, id desc);
comment on table notices is 'One row: a person was told of an event.';

create table notice_preferences (
    person_id bigint primary key references people (id),
    -- The kinds that do not come in the inbox, or by mail; all others do.
    inbox_off text[] not null default '{}',
    mail_off text[] not null default '{}',
    -- Minutes after midnight in the person's zone between which no mail is sent; it may lie across midnight.
    quiet_from smallint check (quiet_from between 0 and 1439),
    quiet_until smallint check (quiet_until between 0 and 1439),
    -- Begins with 1 for everybody, before there is a row.
    version bigint not null check (version > 1),
    updated_at timestamptz not null,
    constraint notice_preferences_security_stays check (not 'security' = any (inbox_off) and not 'security' = any (mail_off)),
    check ((quiet_from is null) = (quiet_until is null)),
    check (quiet_from <> quiet_until)
);
comment on table notice_preferences is 'One row: a person wants to be told in another way than everybody is at first.';

create table unsubscribe_secret (
    single boolean primary key default true check (single),
    secret bytea not null check (length(secret) = 32)
);
comment on table unsubscribe_secret is 'At most one row: what unsubscribe links are signed with; made at first use.';

-- What a person may see of their inbox: not what is about a draft that they may not read any more, or that is gone.
create view inbox as
    select inbox_items.* from inbox_items
    where subject_kind <> 'rfc'
       or exists (
            select from rfcs
            where number = case when subject_kind = 'rfc' then subject_key::bigint end
              and (status <> 'draft'
                   or exists (select from rfc_authors where rfc_id = rfcs.id and rfc_authors.person_id = inbox_items.person_id)
                   or exists (select from rfc_shares where rfc_id = rfcs.id and rfc_shares.person_id = inbox_items.person_id)));
comment on view inbox is 'One row: an item of a person''s inbox that they may see.';

-- Finds the mail that another event about the same object can still go into.
create index outbox_mail_waiting on outbox ((payload ->> 'person'), (payload ->> 'thread'))
    where kind = 'mail' and state = 'waiting';
