-- Follow-ups can be found.

-- A follow-up is found by what was promised and by what came of it; one that is done after the open ones.
create function search_put_follow_up(follow_up follow_ups) returns void language plpgsql as $$
begin
    perform search_put('follow_up', follow_up.id, follow_up.id::text, null, follow_up.owner_id, follow_up.title,
                       follow_up.note, array[follow_up.title], follow_up.state <> 'open', follow_up.updated_at);
end
$$;
create function search_follow_up() returns trigger language plpgsql as $$
begin
    perform search_put_follow_up(new);
    return null;
end
$$;
create trigger follow_ups_search after insert or update of title, note, owner_id, state on follow_ups
    for each row execute function search_follow_up();
create trigger follow_ups_search_gone after delete on follow_ups for each row
    execute function search_forget('follow_up');

-- What exists already.
select search_put_follow_up(f) from follow_ups f;
