-- Incidents can be found.

create function search_put_incident(incident incidents) returns void language plpgsql as $$
begin
    perform search_put('incident', incident.id, incident.id::text, null, incident.recorded_by, incident.title,
                       concat_ws(E'\n', nullif(incident.summary, ''), nullif(incident.postmortem, '')),
                       array[incident.title, coalesce(incident.external_id, '')], incident.voided_at is not null,
                       incident.updated_at);
end
$$;
create function search_incident() returns trigger language plpgsql as $$
begin
    perform search_put_incident(new);
    return null;
end
$$;
create trigger incidents_search after insert or update of title, external_id, summary, postmortem, voided_at on incidents
    for each row execute function search_incident();
create trigger incidents_search_gone after delete on incidents for each row
    execute function search_forget('incident');

-- What exists already.
select search_put_incident(i) from incidents i;
