-- Search: one row for everything that can be found, kept by triggers in the transaction of the change.

-- The RFCs that a person may read: THE place in SQL that says so, as domain::policy does (Action::ReadRfc). A query that
-- reads from it is planned as if the condition stood in it.
create function readable_rfcs(reader bigint) returns setof rfcs language sql stable parallel safe as $$
    select r.* from rfcs r
    where r.status <> 'draft'
       or exists (select from rfc_authors a where a.rfc_id = r.id and a.person_id = reader)
       or exists (select from rfc_shares s where s.rfc_id = r.id and s.person_id = reader)
$$;

-- The events that a person may know of; `admin` may know of all but what happens in a draft. Of people everybody knows
-- what their page shows; everything else about them (signing in, tokens, preferences) is their own. Of a kind that is not
-- named here only admins know.
create function readable_events(reader bigint, admin boolean) returns setof events
language sql stable parallel safe as $$
    select e.* from events e
    where case e.subject_kind
          when 'rfc' then exists (select from readable_rfcs(reader) r where r.number = e.subject_key::bigint)
          when 'person' then
              e.verb in ('person.created', 'person.changed', 'person.role_changed', 'person.disabled', 'person.enabled')
              or e.actor_id = reader or admin
              or e.subject_key = (select p.email::text from people p where p.id = reader)
          else admin or e.subject_kind in ('service', 'team', 'incident', 'follow_up')
          end
$$;

-- Words as they are and as their English stems, accents aside.
create text search configuration search_simple (copy = pg_catalog.simple);
alter text search configuration search_simple alter mapping for hword, hword_part, word with unaccent, simple;
create text search configuration search_english (copy = pg_catalog.english);
alter text search configuration search_english alter mapping for hword, hword_part, word with unaccent, english_stem;

-- A name without case and accents.
create function search_name(name text) returns text language sql stable parallel safe as $$
    select lower(unaccent(btrim(name)))
$$;

-- Every word of a text. A text of very many different words may have more of them than a tsvector holds: then only those
-- of its beginning.
create function search_words(body text) returns tsvector language plpgsql stable parallel safe
set client_min_messages = error as $$
begin
    if length(body) > 20000 then
        begin
            return to_tsvector('search_simple', left(body, 100000)) || to_tsvector('search_english', left(body, 100000));
        exception when program_limit_exceeded then null;
        end;
    end if;
    return to_tsvector('search_simple', left(body, 20000)) || to_tsvector('search_english', left(body, 20000));
end
$$;

-- All of these words: each as it is, as the beginning of a longer one, or by its stem.
create function search_query(wanted text) returns tsquery language plpgsql stable parallel safe
set client_min_messages = error as $$
declare
    word text;
    every tsquery := ''::tsquery;
begin
    for word in select part from regexp_split_to_table(wanted, '\s+') as part where part <> '' limit 40 loop
        every := every && (
            to_tsquery('search_simple', '''' || replace(replace(word, '\', '\\'), '''', '''''') || ''':*')
            || plainto_tsquery('search_english', word));
    end loop;
    return every;
end
$$;

create table search_documents (
    kind text not null
        check (kind in ('rfc', 'comment', 'service', 'team', 'person', 'incident', 'follow_up')),
    -- The row's key in its own table.
    id bigint not null,
    -- The name that it has in the API: number, slug, address, or the id.
    key text not null,
    -- The RFC that it is, or is said in: whoever may read that finds it. Null: everybody does.
    rfc_id bigint references rfcs (id) on delete cascade,
    -- Who wrote it, where one person did.
    person_id bigint references people (id),
    -- Empty: it has none (a comment).
    title text not null,
    -- At most 100,000 characters.
    body text not null,
    -- What names it and nothing else, by search_name.
    exact text[] not null,
    -- The same in one text, for parts of names and for names with typing errors.
    names text not null,
    title_words tsvector not null,
    words tsvector not null,
    -- No longer in use: found after the others.
    archived boolean not null,
    -- When it was last written.
    at timestamptz not null,
    primary key (kind, id)
);
create index search_documents_key on search_documents (kind, key);
create index search_documents_rfc on search_documents (rfc_id);
create index search_documents_words on search_documents using gin (words);
create index search_documents_exact on search_documents using gin (exact);
create index search_documents_names on search_documents using gin (names gin_trgm_ops);
comment on table search_documents is 'One row: something that can be found. Made from other tables by triggers.';

create function search_put(
    new_kind text, new_id bigint, new_key text, new_rfc bigint, new_person bigint, new_title text, new_body text,
    aliases text[], is_archived boolean, written_at timestamptz
) returns void language plpgsql as $$
declare
    own_names text[] := array(select distinct search_name(alias) from unnest(aliases) as alias where alias <> '');
    own_title_words tsvector := search_words(array_to_string(aliases, ' '));
begin
    insert into search_documents
        (kind, id, key, rfc_id, person_id, title, body, exact, names, title_words, words, archived, at)
    values (new_kind, new_id, new_key, new_rfc, new_person, new_title, left(new_body, 100000), own_names,
            array_to_string(own_names, ' '), own_title_words,
            setweight(own_title_words, 'A') || search_words(new_body), is_archived, written_at)
    on conflict (kind, id) do update set
        key = excluded.key, rfc_id = excluded.rfc_id, person_id = excluded.person_id, title = excluded.title,
        body = excluded.body, exact = excluded.exact, names = excluded.names, title_words = excluded.title_words,
        words = excluded.words, archived = excluded.archived, at = excluded.at;
end
$$;

-- RFCs, by their newest text.
create function search_put_rfc(rfc bigint) returns void language plpgsql as $$
begin
    perform search_put('rfc', r.id, r.number::text, r.id, null, r.title, v.body,
                      array[r.title, r.slug, r.number::text, 'RFC-' || r.number, 'RFC ' || r.number], false,
                      v.created_at)
    from rfcs r
    join lateral (select body, created_at from rfc_revisions where rfc_id = r.id order by revision desc limit 1) v
      on true
    where r.id = rfc;
end
$$;
create function search_rfc() returns trigger language plpgsql as $$
begin
    perform search_put_rfc(new.id);
    return null;
end
$$;
create function search_rfc_revision() returns trigger language plpgsql as $$
begin
    perform search_put_rfc(new.rfc_id);
    return null;
end
$$;
create trigger rfcs_search after update of title, slug on rfcs for each row
    when (old.title is distinct from new.title or old.slug is distinct from new.slug) execute function search_rfc();
create trigger rfc_revisions_search after insert on rfc_revisions for each row execute function search_rfc_revision();

-- Comments: a deleted one is gone from here too.
create function search_put_comment(comment rfc_comments) returns void language plpgsql as $$
begin
    perform search_put('comment', comment.id, comment.id::text, t.rfc_id, comment.author_id, '', comment.body, '{}', false,
                      coalesce(comment.edited_at, comment.created_at))
    from rfc_threads t where t.id = comment.thread_id;
end
$$;
create function search_comment() returns trigger language plpgsql as $$
begin
    if new.deleted_at is null then
        perform search_put_comment(new);
    else
        delete from search_documents where kind = 'comment' and id = new.id;
    end if;
    return null;
end
$$;
create trigger rfc_comments_search_new after insert on rfc_comments for each row execute function search_comment();
create trigger rfc_comments_search after update of body, deleted_at on rfc_comments for each row
    when (old.body is distinct from new.body or old.deleted_at is distinct from new.deleted_at)
    execute function search_comment();

create function search_put_service(service services) returns void language plpgsql as $$
begin
    perform search_put('service', service.id, service.slug, null, null, service.name,
                      concat_ws(E'\n', nullif(service.description, ''), array_to_string(service.labels, ', ')),
                      array[service.name, service.slug], service.archived_at is not null, service.updated_at);
end
$$;
create function search_service() returns trigger language plpgsql as $$
begin
    perform search_put_service(new);
    return null;
end
$$;
create trigger services_search after insert or update of slug, name, description, labels, archived_at on services
    for each row execute function search_service();

create function search_put_team(team teams) returns void language plpgsql as $$
begin
    perform search_put('team', team.id, team.slug, null, null, team.name, '', array[team.name, team.slug],
                      team.archived_at is not null, team.updated_at);
end
$$;
create function search_team() returns trigger language plpgsql as $$
begin
    perform search_put_team(new);
    return null;
end
$$;
create trigger teams_search after insert or update of slug, name, archived_at on teams
    for each row execute function search_team();

create function search_put_person(person people) returns void language plpgsql as $$
begin
    perform search_put('person', person.id, person.email::text, null, null, person.name, person.email::text,
                      array[person.name, person.email::text], person.disabled_at is not null, person.updated_at);
end
$$;
create function search_person() returns trigger language plpgsql as $$
begin
    perform search_put_person(new);
    return null;
end
$$;
create trigger people_search after insert or update of email, name, disabled_at on people
    for each row execute function search_person();

-- The rows of a table without a primary key of one column go with their owner; these do not.
create function search_forget() returns trigger language plpgsql as $$
begin
    delete from search_documents where kind = tg_argv[0] and id = old.id;
    return null;
end
$$;
create trigger rfc_comments_search_gone after delete on rfc_comments for each row
    execute function search_forget('comment');
create trigger services_search_gone after delete on services for each row execute function search_forget('service');
create trigger teams_search_gone after delete on teams for each row execute function search_forget('team');
create trigger people_search_gone after delete on people for each row execute function search_forget('person');

-- Everything that a reader may see and that has all the words, the best first by class: 3 it is called exactly so, 2 its
-- name has the words or contains what was typed, 1 its text has the words. When nothing has: 0, the
-- twenty that are called most nearly so.
create function search_found(reader bigint, wanted text)
returns table (kind text, id bigint, class integer, nearness real, archived boolean, at timestamptz)
language plpgsql stable
-- A scan of the whole table looks cheap to the planner, which does not count unpacking every text's words.
set enable_seqscan = off set jit = off
-- Two letters exchanged in a word of six leave so much.
set pg_trgm.word_similarity_threshold = 0.28 as $$
declare
    called text := search_name(ltrim(wanted, ' #'));
    every tsquery := search_query(wanted);
    part text := '%' || replace(replace(replace(called, '\', '\\'), '%', '\%'), '_', '\_') || '%';
begin
    -- Fewer than three characters are in almost every name, and the index cannot look for them.
    if length(called) < 3 then
        part := null;
    end if;
    return query
        select d.kind, d.id,
               -- What has no name is found by its text.
               case when d.names = '' then 1
                    when d.exact @> array[called] then 3
                    when d.title_words @@ every or d.names like part then 2
                    else 1 end,
               0::real, d.archived, d.at
        from search_documents d
        where (d.words @@ every or d.exact @> array[called] or d.names like part)
          and (d.rfc_id is null or d.rfc_id in (select r.id from readable_rfcs(reader) r));
    if not found and length(called) >= 3 then
        return query
            select d.kind, d.id, 0, word_similarity(called, d.names), d.archived, d.at
            from search_documents d
            where called <% d.names
              -- Hardly alike: at least a word of it begins with the same letter.
              and (word_similarity(called, d.names) >= 0.4 or strpos(' ' || d.names, ' ' || left(called, 1)) > 0)
              and (d.rfc_id is null or d.rfc_id in (select r.id from readable_rfcs(reader) r))
            order by 4 desc, d.at desc, d.kind, d.id limit 20;
    end if;
end
$$;

-- What exists already.
select search_put_rfc(id) from rfcs;
select search_put_comment(c) from rfc_comments c where deleted_at is null;
select search_put_service(s) from services s;
select search_put_team(t) from teams t;
select search_put_person(p) from people p;

-- The list of RFCs looks here too.
drop index rfc_revisions_words;
