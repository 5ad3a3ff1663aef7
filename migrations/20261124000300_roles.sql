-- What happened is never changed: the application works as a role that may add events and read them, and no more. The
-- trigger on events refuses as well, but whoever owns a table can switch a trigger off.
--
-- A role belongs to the whole cluster, so that another database may have made it, or be making it at this moment. A user
-- who may not make roles goes on without; `plumbline doctor` then says what is missing. Called after every migration, so
-- that it also mends what a restore into another cluster lost.
create function prepare_application_role() returns void language plpgsql as $$
declare
    item record;
    -- From Postgres 16 on a member need not be allowed to become the role.
    may_become text := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
begin
    if not exists (select from pg_roles where rolname = 'plumbline_application') then
        begin
            create role plumbline_application nologin;
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then return;
        end;
    end if;
    if not pg_has_role('plumbline_application', may_become) then
        begin
            execute format('grant plumbline_application to %I', current_user);
        exception
            when insufficient_privilege then null;
            -- Two databases of one cluster at once: 'tuple concurrently updated'.
            when unique_violation or internal_error then null;
        end;
    end if;

    if not has_schema_privilege('plumbline_application', current_schema(), 'USAGE') then
        execute format('grant usage on schema %I to plumbline_application', current_schema());
    end if;
    for item in
        select c.oid::regclass as name, w.privileges
        from pg_class c
        cross join lateral (
            select case when c.relname = 'events' then 'select, insert'
                        when c.relname = '_sqlx_migrations' or c.relkind in ('v', 'm') then 'select'
                        else 'select, insert, update, delete' end as privileges) w
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
          and pg_has_role(c.relowner, 'USAGE')
          and exists (select from unnest(string_to_array(w.privileges, ', ')) as privilege
                      where not has_table_privilege('plumbline_application', c.oid, privilege))
    loop
        execute format('grant %s on %s to plumbline_application', item.privileges, item.name);
    end loop;
    if has_table_privilege('plumbline_application', 'events', 'update, delete, truncate, references, trigger') then
        revoke update, delete, truncate, references, trigger on events from plumbline_application;
    end if;
    -- The tables of later migrations.
    execute format('alter default privileges in schema %I
                    grant select, insert, update, delete on tables to plumbline_application', current_schema());
end
$$;
select prepare_application_role();
