-- A person is named by an address, which may have 254 characters.
alter table events
    drop constraint events_subject_key_check,
    add constraint events_subject_key_check check (length(subject_key) between 1 and 300);
