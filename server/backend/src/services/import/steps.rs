//! A catalogue as steps: teams first, then every service after those it needs.

use std::collections::{BTreeMap, BTreeSet};

use domain::service::Tier;
use sqlx::PgConnection;

use super::catalog::{self, Catalog};
use super::world::Names;
use super::{count, decide};
use crate::Result;
use crate::imports::{Outcome, Place};
use crate::services::named;

/// One unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// What there is to say about the files themselves.
    Files,
    /// A team, by its place in the catalogue.
    Team(usize),
    /// A service.
    Service(usize),
    /// What a service needs that came after it: services that need each other.
    Needs(usize),
    /// What is here from these files and no longer in them.
    Missing,
}

/// What the steps have in common.
pub(super) struct Work {
    pub(super) catalog: Catalog,
    pub(super) steps: Vec<Step>,
    /// Names of all services in the files.
    pub(super) all: BTreeSet<String>,
    /// The tier of a new service of which the file says none.
    pub(super) tier: Tier,
}

impl Work {
    fn new(mut catalog: Catalog, tier: Tier, called: &BTreeMap<String, String>) -> Self {
        // Two names in the files that are one service here, since it was renamed: the first counts.
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        let mut lines = Vec::new();
        catalog.services.retain(|service| {
            let slug = called.get(&service.slug).unwrap_or(&service.slug);
            let Some(first) = seen.get(slug) else {
                seen.insert(slug.clone(), service.place.clone());
                return true;
            };
            let message = format!(
                "It is the service {slug} here, which stands at {}:{} already; that one counts, this one does not.",
                first.file, first.line,
            );
            let place = service.place.clone();
            lines.push(catalog::line(Outcome::Noted, place, "repeated name", &service.slug, message));
            false
        });
        catalog.lines.extend(lines);
        let all = catalog.services.iter().map(|service| service.slug.clone()).collect();
        let steps = steps(&catalog);
        Self { catalog, steps, all, tier }
    }

    pub(super) fn subject(&self, step: Step) -> &str {
        match step {
            Step::Files | Step::Missing => "",
            Step::Team(index) => &self.catalog.teams[index].slug,
            Step::Service(index) | Step::Needs(index) => &self.catalog.services[index].slug,
        }
    }

    pub(super) fn total(&self) -> i64 {
        count(self.steps.len())
    }

    /// Everything that the whole catalogue speaks of.
    pub(super) fn names(&self) -> Names {
        let mut names = Names::default();
        for index in 0..self.catalog.teams.len() {
            self.name_team(index, &mut names);
        }
        for index in 0..self.catalog.services.len() {
            self.name_service(index, &mut names);
        }
        names
    }

    pub(super) fn name_team(&self, index: usize, names: &mut Names) {
        let team = &self.catalog.teams[index];
        names.teams.insert(team.slug.clone());
        names.people.extend(team.members.iter().filter_map(|member| decide::address(&self.catalog, &member.slug)));
    }

    pub(super) fn name_service(&self, index: usize, names: &mut Names) {
        let service = &self.catalog.services[index];
        names.services.insert(service.slug.clone());
        names.services.extend(service.needs.iter().map(|need| need.slug.clone()));
        names.teams.extend(service.owner.iter().map(|owner| owner.slug.clone()));
    }
}

/// Teams first, then every service after those it needs, as far as they do not need each other.
fn steps(catalog: &Catalog) -> Vec<Step> {
    let index: BTreeMap<&str, usize> =
        catalog.services.iter().enumerate().map(|(index, service)| (service.slug.as_str(), index)).collect();
    let needs = |service: usize| -> Vec<usize> {
        let needs = catalog.services[service].needs.iter().filter_map(|need| index.get(need.slug.as_str()).copied());
        needs.filter(|need| *need != service).collect()
    };
    let mut steps = vec![Step::Files];
    steps.extend((0..catalog.teams.len()).map(Step::Team));
    let (mut begun, mut done) = (vec![false; catalog.services.len()], vec![false; catalog.services.len()]);
    let mut waiting = BTreeSet::new();
    for first in 0..catalog.services.len() {
        if begun[first] {
            continue;
        }
        begun[first] = true;
        // A path of services, each with what it still has to look at: no recursion, however long the chain.
        let mut path = vec![(first, needs(first))];
        while let Some((service, left)) = path.last_mut() {
            let service = *service;
            match left.pop() {
                Some(need) if !begun[need] => {
                    begun[need] = true;
                    path.push((need, needs(need)));
                }
                Some(need) => {
                    if !done[need] {
                        waiting.insert(service);
                    }
                }
                None => {
                    done[service] = true;
                    steps.push(Step::Service(service));
                    path.pop();
                }
            }
        }
    }
    steps.extend(waiting.into_iter().map(Step::Needs));
    steps.push(Step::Missing);
    steps
}

/// The steps of a catalogue, given what its services are called here.
pub(super) async fn prepare(connection: &mut PgConnection, catalog: Catalog, tier: Tier) -> Result<Work> {
    let asked: Vec<String> = catalog.services.iter().map(|service| service.slug.clone()).collect();
    let called = named(connection, &asked).await?.into_iter().map(|found| (found.asked, found.slug)).collect();
    Ok(Work::new(catalog, tier, &called))
}
