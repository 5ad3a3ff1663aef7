-- Whether an RFC was published by the time of an event is asked for every event of it: found at once, however many events
-- it has.
create index events_published on events (subject_key, id) where verb in ('rfc.published', 'rfc.imported');
