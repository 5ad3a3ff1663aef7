-- A comparison is made in the name of whoever asked for it, which need not be who handed the file in.
alter table imports add column read_by bigint references people (id);
comment on column imports.read_by is 'Who asked last for the file to be read anew; null: it was read as it was handed in.';
