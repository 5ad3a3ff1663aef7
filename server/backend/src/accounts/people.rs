//! People: the list, one person, creating, changing and disabling them, and one's own name and time zone.
//!
//! There is always an admin who can sign in: the last one can neither lose the role nor be disabled.

use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::{Actor, PersonId, Refusal, Role, limits, text};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::types::Json;

use super::{TeamRef, invitations, passwords, role, sessions, team_id};
use crate::{Backend, Expected, Page, PageRequest, Result, Subject, Tx, filter};

/// Held by a transaction in which somebody becomes an admin, so that the setup link and the first admin cannot miss
/// each other.
const ADMINS_LOCK: i64 = 0x706c_6261_646d;

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their address, which names them in the API.
    pub email: String,
    /// Their name, as shown.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// IANA name of the zone their times are shown in.
    pub time_zone: String,
    /// The teams they belong to, by name.
    pub teams: Vec<TeamRef>,
    /// Whether they are kept out.
    pub disabled: bool,
    /// Counts the changes; what a `PUT` must name.
    pub version: i64,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// Which people are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words in name or address.
    pub q: Option<String>,
    /// With this role.
    pub role: Option<Role>,
    /// In this team, by slug.
    pub team: Option<String>,
    /// Disabled or not; both when absent.
    pub disabled: Option<bool>,
}

/// What a `PUT` says about a person.
#[derive(Debug, Clone)]
pub struct PersonInput {
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// IANA name of their zone; absent leaves it as it is (UTC at first).
    pub time_zone: Option<String>,
    /// Whether they are kept out; absent leaves it as it is.
    pub disabled: Option<bool>,
}

/// A person to be created with everything at once.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// A team they join, by slug.
    pub team: Option<String>,
    /// Their first password; without one they cannot sign in until they get one.
    pub password: Option<String>,
    /// IANA name of their zone; UTC when absent.
    pub time_zone: Option<String>,
}

/// People by name.
pub async fn list(backend: &Backend, actor: &Actor, filter: &Filter, page: &PageRequest) -> Result<Page<Person>> {
    allows(actor, Action::Read)?;
    if let Some(team) = &filter.team {
        text::slug("team", "The team", team)?;
    }
    let rows = page.rows()?;
    let found = sqlx::query_as!(
        PersonRow,
        r#"select id, email, name, role, time_zone, version, created_at, disabled_at is not null as "disabled!",
                  (select coalesce(jsonb_agg(jsonb_build_object('slug', teams.slug, 'name', teams.name)
                                             order by teams.name, teams.slug), '[]')
                     from team_members join teams on teams.id = team_id
                    where person_id = people.id) as "teams!: Json<Vec<TeamRef>>"
             from people
            where ($1::text is null or name ilike $1 or email::text ilike $1)
              and ($2::text is null or role = $2)
              and ($3::text is null or exists (
                    select from team_members join teams on teams.id = team_id
                     where person_id = people.id and teams.slug = $3))
              and ($4::boolean is null or (disabled_at is not null) = $4)
              and ($5::bigint is null or (lower(name), id) > (select lower(after.name), after.id
                                                                from people as after where after.id = $5))
            order by lower(name), id limit $6"#,
        filter::containing(filter.q.as_deref()),
        filter.role.map(Role::as_str),
        filter.team,
        filter.disabled,
        page.after::<i64>()?,
        rows + 1,
    )
    .fetch_all(backend.pool())
    .await?;
    Page::new(found, rows, |row| row.id)?.try_map(PersonRow::person)
}

/// The person with this address.
pub async fn get(backend: &Backend, actor: &Actor, email: &str) -> Result<Person> {
    allows(actor, Action::Read)?;
    let address = text::email("email", email).map_err(|_| Refusal::not_found("person"))?;
    sqlx::query_as!(
        PersonRow,
        r#"select id, email, name, role, time_zone, version, created_at, disabled_at is not null as "disabled!",
                  (select coalesce(jsonb_agg(jsonb_build_object('slug', teams.slug, 'name', teams.name)
                                             order by teams.name, teams.slug), '[]')
                     from team_members join teams on teams.id = team_id
                    where person_id = people.id) as "teams!: Json<Vec<TeamRef>>"
             from people where email = $1::text::citext"#,
        address,
    )
    .fetch_optional(backend.pool())
    .await?
    .ok_or_else(|| Refusal::not_found("person"))?
    .person()
}

/// Creates a person; returns their id.
pub async fn create(backend: &Backend, actor: &Actor, input: NewPerson) -> Result<PersonId> {
    allows(actor, Action::Administer)?;
    let mut fields = Fields::default();
    let email = fields.take(text::email("email", &input.email))?;
    let name = fields.take(text::line("name", "The name", &input.name, limits::NAME_CHARS))?;
    let zone = fields.take(time_zone(input.time_zone.as_deref().unwrap_or("UTC")))?;
    if let Some(password) = &input.password {
        fields.take(passwords::check("password", password, &[&input.name, &input.email]))?;
    }
    let (email, name, zone) = fields.finish((email, name, zone))?;
    let password_hash = match &input.password {
        Some(password) => Some(passwords::hash(backend, password).await?),
        None => None,
    };
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let team = match &input.team {
        Some(slug) => Some(team_id(&mut tx, "team", slug).await?),
        None => None,
    };
    let person = Insert { email, name, role: input.role, time_zone: zone, password_hash, team };
    let id = insert(&mut tx, backend.now(), &person).await?;
    tx.event("person.created", &Subject::person(&person.email), None, Some(person.snapshot())).await?;
    tx.commit(id).await
}

/// Creates or changes the person with this address; true when they are new.
pub async fn put(
    backend: &Backend,
    actor: &Actor,
    email: &str,
    expected: Expected,
    input: PersonInput,
) -> Result<(Person, bool)> {
    allows(actor, Action::Administer)?;
    let mut fields = Fields::default();
    let email = fields.take(text::email("email", email))?;
    let name = fields.take(text::line("name", "The name", &input.name, limits::NAME_CHARS))?;
    let zone = fields.take(input.time_zone.as_deref().map(time_zone).transpose())?;
    let (email, name, zone) = fields.finish((email, name, zone))?;
    let now = backend.now();
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let existing = find_locked(&mut tx, &email).await?;
    expected.check(existing.as_ref().map(|person| person.version), taken)?;
    let mut created = false;
    let before = if let Some(existing) = existing {
        existing
    } else {
        let time_zone = zone.clone().unwrap_or_else(|| "UTC".to_owned());
        let (email, name, role) = (email.clone(), name.clone(), input.role);
        let person = Insert { email, name, role, time_zone, password_hash: None, team: None };
        created = try_insert(&mut tx, now, &person).await?.is_some();
        if created {
            tx.event("person.created", &Subject::person(&person.email), None, Some(person.snapshot())).await?;
        }
        let there = lock(&mut tx, &person.email).await?;
        if !created {
            // Somebody else created them at the same moment.
            expected.check(Some(there.version), taken)?;
        }
        there
    };
    let zone = zone.unwrap_or_else(|| before.time_zone.clone());
    change(&mut tx, now, &before, &name, &zone).await?;
    change_role_of(&mut tx, now, &before, input.role).await?;
    if let Some(disabled) = input.disabled {
        set_disabled(&mut tx, now, actor, &before, disabled).await?;
    }
    let person = lock(&mut tx, &email).await?.person;
    tx.commit((person, created)).await
}

/// Gives a person another role. The last admin keeps theirs.
pub async fn change_role(backend: &Backend, actor: &Actor, email: &str, role: Role) -> Result<()> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let person = lock(&mut tx, email).await?;
    change_role_of(&mut tx, backend.now(), &person, role).await?;
    tx.commit(()).await
}

/// Keeps a person out: their sessions and tokens end at once. Nobody disables themselves or the last admin.
pub async fn disable(backend: &Backend, actor: &Actor, email: &str) -> Result<()> {
    put_disabled(backend, actor, email, true).await
}

/// Lets a disabled person in again. Sessions and tokens do not come back.
pub async fn enable(backend: &Backend, actor: &Actor, email: &str) -> Result<()> {
    put_disabled(backend, actor, email, false).await
}

/// Changes one's own name and time zone.
pub async fn edit_own(backend: &Backend, actor: &Actor, name: &str, zone: &str) -> Result<()> {
    allows(actor, Action::ManageOwnAccount)?;
    let mut fields = Fields::default();
    let name = fields.take(text::line("name", "Your name", name, limits::NAME_CHARS))?;
    let zone = fields.take(time_zone(zone))?;
    let (name, zone) = fields.finish((name, zone))?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let before = lock(&mut tx, &actor.email).await?;
    change(&mut tx, backend.now(), &before, &name, &zone).await?;
    tx.commit(()).await
}

/// The name of a time zone as IANA spells it.
pub fn time_zone(name: &str) -> Result<String, Refusal> {
    let unknown = || Refusal::field("time_zone", "Give a time zone by its IANA name, such as Europe/Berlin or UTC.");
    let zone = jiff::tz::TimeZone::get(name.trim()).map_err(|_| unknown())?;
    Ok(zone.iana_name().ok_or_else(unknown)?.to_owned())
}

async fn put_disabled(backend: &Backend, actor: &Actor, email: &str, disabled: bool) -> Result<()> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let person = lock(&mut tx, email).await?;
    set_disabled(&mut tx, backend.now(), actor, &person, disabled).await?;
    tx.commit(()).await
}

/// A person as the database holds them.
struct PersonRow {
    id: PersonId,
    email: String,
    name: String,
    role: String,
    time_zone: String,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    disabled: bool,
    teams: Json<Vec<TeamRef>>,
}

impl PersonRow {
    fn person(self) -> Result<Person> {
        Ok(Person {
            role: role(&self.role)?,
            email: self.email,
            name: self.name,
            time_zone: self.time_zone,
            teams: self.teams.0,
            disabled: self.disabled,
            version: self.version,
            created_at: self.created_at.to_jiff(),
        })
    }
}

/// A person whose row this transaction holds.
pub(super) struct Locked {
    /// Their id.
    pub(super) id: PersonId,
    person: Person,
}

impl std::ops::Deref for Locked {
    type Target = Person;

    fn deref(&self) -> &Person {
        &self.person
    }
}

/// The person with this address, held until the transaction ends. `no key`: what they do meanwhile may still name them.
pub(super) async fn lock(tx: &mut Tx<'_>, email: &str) -> Result<Locked> {
    let address = text::email("email", email).map_err(|_| Refusal::not_found("person"))?;
    Ok(find_locked(tx, &address).await?.ok_or_else(|| Refusal::not_found("person"))?)
}

async fn find_locked(tx: &mut Tx<'_>, email: &str) -> Result<Option<Locked>> {
    let row = sqlx::query_as!(
        PersonRow,
        r#"select id, email, name, role, time_zone, version, created_at, disabled_at is not null as "disabled!",
                  (select coalesce(jsonb_agg(jsonb_build_object('slug', teams.slug, 'name', teams.name)
                                             order by teams.name, teams.slug), '[]')
                     from team_members join teams on teams.id = team_id
                    where person_id = people.id) as "teams!: Json<Vec<TeamRef>>"
             from people where email = $1::text::citext for no key update of people"#,
        email,
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| Ok(Locked { id: row.id, person: row.person()? })).transpose()
}

/// A checked person on the way into the table.
pub(super) struct Insert {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) time_zone: String,
    pub(super) password_hash: Option<String>,
    pub(super) team: Option<i64>,
}

impl Insert {
    /// What the event keeps of it: nothing secret.
    pub(super) fn snapshot(&self) -> Value {
        json!({ "name": self.name, "role": self.role, "time_zone": self.time_zone })
    }
}

/// Adds a person; refused when the address is taken. The first admin ends the setup link.
pub(super) async fn insert(tx: &mut Tx<'_>, now: Timestamp, person: &Insert) -> Result<PersonId> {
    Ok(try_insert(tx, now, person).await?.ok_or_else(taken)?)
}

/// The same; `None` when the address is taken.
async fn try_insert(tx: &mut Tx<'_>, now: Timestamp, person: &Insert) -> Result<Option<PersonId>> {
    if person.role == Role::Admin {
        lock_admins(tx).await?;
        invitations::withdraw_setup(tx, now).await?;
    }
    let id = sqlx::query_scalar!(
        "insert into people (email, name, role, time_zone, password_hash, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing returning id",
        person.email,
        person.name,
        person.role.as_str(),
        person.time_zone,
        person.password_hash,
        now.to_sqlx(),
    )
    .fetch_optional(&mut **tx)
    .await?;
    if let (Some(id), Some(team)) = (id, person.team) {
        sqlx::query!("insert into team_members (team_id, person_id) values ($1, $2)", team, id)
            .execute(&mut **tx)
            .await?;
    }
    Ok(id)
}

/// Waits until no other transaction makes or unmakes an admin.
pub(super) async fn lock_admins(tx: &mut Tx<'_>) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", ADMINS_LOCK).execute(&mut **tx).await?;
    Ok(())
}

/// Ends every session and revokes every token of a person; what was ended, for the event.
pub(super) async fn end_access(tx: &mut Tx<'_>, person: PersonId, now: Timestamp) -> Result<Value> {
    let sessions = sessions::delete_of(tx, person, None).await?;
    let tokens = sqlx::query!(
        "update api_tokens set revoked_at = $2 where person_id = $1 and revoked_at is null",
        person,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(json!({ "sessions_ended": sessions, "tokens_revoked": tokens.rows_affected() }))
}

async fn change(tx: &mut Tx<'_>, now: Timestamp, before: &Locked, name: &str, zone: &str) -> Result<()> {
    if before.name == name && before.time_zone == zone {
        return Ok(());
    }
    sqlx::query!(
        "update people set name = $2, time_zone = $3, version = version + 1, updated_at = $4 where id = $1",
        before.id,
        name,
        zone,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let (was, is) =
        (json!({ "name": before.name, "time_zone": before.time_zone }), json!({ "name": name, "time_zone": zone }));
    tx.event("person.changed", &Subject::person(&before.email), Some(was), Some(is)).await
}

async fn change_role_of(tx: &mut Tx<'_>, now: Timestamp, before: &Locked, role: Role) -> Result<()> {
    if before.role == role {
        return Ok(());
    }
    if before.role == Role::Admin && !before.disabled {
        keep_an_admin(tx, before).await?;
    }
    if role == Role::Admin {
        lock_admins(tx).await?;
        invitations::withdraw_setup(tx, now).await?;
    }
    sqlx::query!(
        "update people set role = $2, version = version + 1, updated_at = $3 where id = $1",
        before.id,
        role.as_str(),
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let (was, is) = (json!({ "role": before.role }), json!({ "role": role }));
    tx.event("person.role_changed", &Subject::person(&before.email), Some(was), Some(is)).await
}

async fn set_disabled(tx: &mut Tx<'_>, now: Timestamp, actor: &Actor, before: &Locked, disabled: bool) -> Result<()> {
    if before.disabled == disabled {
        return Ok(());
    }
    let subject = Subject::person(&before.email);
    if !disabled {
        sqlx::query!(
            "update people set disabled_at = null, version = version + 1, updated_at = $2 where id = $1",
            before.id,
            now.to_sqlx(),
        )
        .execute(&mut **tx)
        .await?;
        return tx.event("person.enabled", &subject, None, None).await;
    }
    if before.id == actor.id {
        return Err(Refusal::conflict("You cannot disable yourself; ask another admin.").into());
    }
    if before.role == Role::Admin {
        keep_an_admin(tx, before).await?;
    }
    sqlx::query!(
        "update people set disabled_at = $2, version = version + 1, updated_at = $2 where id = $1",
        before.id,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    let ended = end_access(tx, before.id, now).await?;
    tx.event("person.disabled", &subject, None, Some(ended)).await
}

/// Refuses when nobody but `person` is an admin who can sign in: one who is let in and has a password. Two admins who
/// unmake each other wait here.
async fn keep_an_admin(tx: &mut Tx<'_>, person: &Locked) -> Result<()> {
    lock_admins(tx).await?;
    let other = sqlx::query_scalar!(
        r#"select exists (select from people
                          where role = 'admin' and disabled_at is null and password_hash is not null and id <> $1)
             as "other!""#,
        person.id,
    )
    .fetch_one(&mut **tx)
    .await?;
    if other {
        return Ok(());
    }
    let message =
        format!("Without {} no admin could sign in; make somebody with a password an admin first.", person.name);
    Err(Refusal::conflict(message).into())
}

fn taken() -> Refusal {
    Refusal::field("email", "There is already an account with this address.")
}
