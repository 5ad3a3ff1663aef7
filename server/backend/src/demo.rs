//! The demo: a ferry company small enough to grasp and real enough to review. `plumbline serve --demo` makes it once;
//! a second time finds it there and changes nothing.
//!
//! It bypasses nothing: everything is entered through the use cases, by the people who would do it.

mod follow_ups;
mod imports;
pub mod incidents;
mod notices;
mod organisation;
pub mod rfcs;
mod webhooks;

use domain::{Actor, Refusal, Role};

use crate::accounts::actor_by_email;
use crate::accounts::people::{self, NewPerson};
use crate::accounts::teams::{self, TeamInput};
use crate::services::{self, Link, ServiceInput};
use crate::{Backend, Error, Expected, Result};
use organisation::{PEOPLE, SERVICES, TEAMS};

/// The password of everybody in the demo.
pub const PASSWORD: &str = "plumb-the-depths-daily";

/// The address of the admin who enters the demo.
const ADMIN: &str = "ruth@example.com";

/// Somebody whose sign-in the demo offers.
#[derive(Debug, Clone, Copy)]
pub struct SignIn {
    /// Their address.
    pub email: &'static str,
    /// Their name.
    pub name: &'static str,
    /// Their role.
    pub role: Role,
}

/// One person of every role, as the sign-in page offers them in demo mode only.
pub fn sign_ins() -> Vec<SignIn> {
    let offered = PEOPLE.iter().filter(|person| person.offered);
    offered.map(|person| SignIn { email: person.email, name: person.name, role: person.role }).collect()
}

/// Enters what is missing of the demo.
pub async fn fill(backend: &Backend) -> Result<()> {
    people_teams_services(backend).await?;
    imports::imports(backend, &actor_by_email(backend, ADMIN).await?).await?;
    rfcs::rfcs(backend).await?;
    incidents::incidents(backend).await?;
    follow_ups::follow_ups(backend).await?;
    webhooks::webhooks(backend, &actor_by_email(backend, ADMIN).await?).await?;
    // Last: what happened in all of it is told.
    notices::notices(backend).await
}

/// Whether the demo may be entered, and its people offered at sign-in, unasked: nobody is here yet, or an earlier run
/// began it.
pub async fn may_fill(backend: &Backend) -> Result<bool> {
    let may = sqlx::query_scalar!(
        r#"select not exists (select from people) or exists (select from people where email = $1::text::citext) as "may!""#,
        ADMIN,
    );
    Ok(may.fetch_one(backend.pool()).await?)
}

/// Whether people are here who are not the demo's: somebody's own database, in which an admin with a published password
/// must not appear unasked.
pub async fn has_own_people(backend: &Backend) -> Result<bool> {
    let demo: Vec<String> = PEOPLE.iter().map(|person| person.email.to_owned()).collect();
    let own = sqlx::query_scalar!(
        r#"select exists (select from people where email <> all ($1::text[]::citext[])) as "own!""#,
        &demo,
    );
    Ok(own.fetch_one(backend.pool()).await?)
}

/// Enters the people, teams and services that are missing. What exists under their names stays as it is.
pub async fn people_teams_services(backend: &Backend) -> Result<()> {
    // The admin comes first, from the operator; the admin enters everything else.
    let by_operator = PEOPLE.iter().filter(|person| person.email == ADMIN);
    for person in by_operator {
        enter_person(backend, &Actor::operator(), person).await?;
    }
    let admin = actor_by_email(backend, ADMIN).await?;
    for person in PEOPLE {
        enter_person(backend, &admin, person).await?;
    }
    for team in TEAMS {
        enter_team(backend, &admin, team).await?;
    }
    for service in SERVICES {
        enter_service(backend, &admin, service).await?;
    }
    Ok(())
}

async fn enter_person(backend: &Backend, actor: &Actor, person: &organisation::Person) -> Result<()> {
    if exists(people::get(backend, actor, person.email).await)? {
        return Ok(());
    }
    let input = NewPerson {
        email: person.email.to_owned(),
        name: person.name.to_owned(),
        role: person.role,
        team: None,
        password: Some(PASSWORD.to_owned()),
        time_zone: Some(person.time_zone.to_owned()),
    };
    people::create(backend, actor, input).await?;
    Ok(())
}

async fn enter_team(backend: &Backend, admin: &Actor, team: &organisation::Team) -> Result<()> {
    if exists(teams::get(backend, admin, team.slug).await)? {
        return Ok(());
    }
    let members = team.members.iter().map(|&email| email.to_owned()).collect();
    let input = TeamInput { name: team.name.to_owned(), members: Some(members) };
    teams::put(backend, admin, team.slug, Expected::Absent, input).await?;
    Ok(())
}

async fn enter_service(backend: &Backend, admin: &Actor, service: &organisation::Service) -> Result<()> {
    if exists(services::get(backend, admin, service.slug).await)? {
        return Ok(());
    }
    let link = |&(title, url): &(&str, &str)| Link { title: title.to_owned(), url: url.to_owned() };
    let input = ServiceInput {
        name: service.name.to_owned(),
        tier: service.tier,
        team: Some(service.team.to_owned()),
        description: service.description.to_owned(),
        depends_on: service.depends_on.iter().map(|&slug| slug.to_owned()).collect(),
        links: service.links.iter().map(link).collect(),
        labels: service.labels.iter().map(|&label| label.to_owned()).collect(),
    };
    services::put(backend, admin, service.slug, Expected::Absent, input).await?;
    Ok(())
}

fn exists<T>(found: Result<T>) -> Result<bool> {
    match found {
        Ok(_) => Ok(true),
        Err(Error::Refused(Refusal::NotFound { .. })) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::sign_in;
    use crate::services::Found;
    use crate::{PageRequest, testing};

    #[tokio::test]
    async fn somebodys_own_database_is_left_alone() {
        let backend = testing::backend().await;
        assert!(may_fill(&backend).await.unwrap() && !has_own_people(&backend).await.unwrap());
        people_teams_services(&backend).await.unwrap();
        assert!(may_fill(&backend).await.unwrap() && !has_own_people(&backend).await.unwrap());
        // Whom somebody invites to the demo does not end it.
        testing::person(&backend, "Own", Role::Member, None).await;
        assert!(may_fill(&backend).await.unwrap() && has_own_people(&backend).await.unwrap());
        let backend = testing::backend().await;
        testing::person(&backend, "Own", Role::Member, None).await;
        assert!(!may_fill(&backend).await.unwrap() && has_own_people(&backend).await.unwrap());
    }

    #[tokio::test]
    async fn the_organisation_is_entered_once_and_its_people_can_sign_in() {
        let backend = testing::backend().await;
        people_teams_services(&backend).await.unwrap();
        let count = || sqlx::query_scalar!(r#"select count(*) as "count!" from events"#).fetch_one(backend.pool());
        let entered = count().await.unwrap();
        people_teams_services(&backend).await.unwrap();
        assert_eq!(count().await.unwrap(), entered);

        let offered = sign_ins();
        for role in Role::ALL {
            let person = offered.iter().find(|person| person.role == role).unwrap();
            sign_in(&backend, person.email, PASSWORD, None).await.unwrap();
        }
        let admin = actor_by_email(&backend, ADMIN).await.unwrap();
        let page = PageRequest { limit: Some(200), cursor: None };
        let listed = services::list(&backend, &admin, &services::Filter::default(), &page).await.unwrap().items;
        assert_eq!(listed.len(), SERVICES.len());
        for tier in 1..=3 {
            assert!(listed.iter().any(|service| service.tier.number() == tier));
        }
        let Found::Here(booking) = services::get(&backend, &admin, "booking").await.unwrap() else { panic!("moved") };
        assert!(!booking.depends_on.is_empty() && !booking.depended_on_by.is_empty() && !booking.links.is_empty());
        for team in TEAMS {
            let team = teams::get(&backend, &admin, team.slug).await.unwrap();
            assert!(!team.members.is_empty() && !team.services.is_empty());
        }
    }
}
