//! What becomes of catalogue files on a database.

mod corpora;

use std::collections::BTreeSet;

use domain::Role;

use super::*;
use crate::accounts::teams;
use crate::services::{self, Found, Service};
use crate::testing::{self, TestBackend};

const BACKSTAGE: &str = "\
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-harbour, description: Keeps the boats}
spec: {type: team, profile: {displayName: Harbour}, members: [ada, grace@example.com, nobody], parent: all}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: ada}
spec: {profile: {email: ADA@example.com}, memberOf: [team-harbour, team-unknown]}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: ticketing}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Ticket_Shop
  title: Ticket shop
  description: Sells tickets.
  tags: [web, web, pci]
  labels: {region: north}
  links: [{url: 'https://wiki.example.com/shop', title: Wiki}, {url: 'javascript:alert(1)'}]
  annotations:
    backstage.io/source-location: url:https://git.example.com/shop
    example.com/colour: blue
spec: {type: website, lifecycle: production, owner: 'group:default/team-harbour', system: ticketing,
  dependsOn: ['component:ledger', 'component:default/ghost', 'resource:bucket'], implementation: rust}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: ledger}
spec: {type: service, owner: user:ada, dependsOn: ['component:ticket-shop', 'component:ledger']}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: Ledger, title: Another one}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: prices}
---
kind: Component
metadata: {title: Nameless}
";

const RUNBOOK: &str = "\
tiers:
  - name: db
services:
  - name: timetable
    friendly_name: Timetable
    tier: db
    label: Service:Timetable
    teams: [crew_planning, harbour]
    business: {requirement: \"When boats go.\\n\", customers: [everybody]}
    technical:
      dependencies: [{service: tides}, {service: }, {service: weather}, {service: tides}, tides]
      project: [https://git.example.com/timetable, https://git.example.com/timetable-web]
    operations: {runbooks: [https://wiki.example.com/timetable]}
  - name: tides
    tier: 1
  - tier: db
  - name: [odd]
";

struct Cast {
    test: TestBackend,
    admin: Actor,
}

impl Cast {
    async fn new() -> Self {
        let test = testing::backend().await;
        let admin = testing::person(&test, "Ruth", Role::Admin, None).await;
        testing::person(&test, "Ada", Role::Member, None).await;
        testing::person(&test, "Grace", Role::Member, None).await;
        Self { test, admin }
    }

    async fn apply(&self, files: &[(&str, &str)]) -> Report {
        apply(&self.test, &self.admin, read(files), Tier::Supporting, |_| true).await.unwrap()
    }

    async fn plan(&self, files: &[(&str, &str)]) -> Report {
        plan(&self.test, &self.admin, read(files), Tier::Supporting).await.unwrap()
    }

    async fn service(&self, slug: &str) -> Service {
        match services::get(&self.test, &self.admin, slug).await.unwrap() {
            Found::Here(service) => *service,
            Found::Moved { to } => panic!("moved to {to}"),
        }
    }

    async fn events(&self) -> i64 {
        sqlx::query_scalar!(r#"select count(*) as "n!" from events"#).fetch_one(self.test.pool()).await.unwrap()
    }
}

fn read(files: &[(&str, &str)]) -> Catalog {
    let mut catalog = Catalog::default();
    for (name, text) in files {
        catalog.add(name, text.as_bytes());
    }
    catalog.close();
    catalog
}

fn subjects(report: &Report, outcome: Outcome, sort: &str) -> Vec<String> {
    let lines = report.lines.iter().filter(|line| line.outcome == outcome && line.sort == sort);
    lines.map(|line| line.subject.clone()).collect()
}

fn slugs(services: &[crate::services::ServiceRef]) -> Vec<&str> {
    services.iter().map(|service| service.slug.as_str()).collect()
}

#[tokio::test]
async fn a_backstage_file_becomes_teams_and_services_and_the_rest_is_reported() {
    let cast = Cast::new().await;
    let report = cast.apply(&[("info.yaml", BACKSTAGE)]).await;
    let shop = cast.service("ticket-shop").await;
    assert_eq!(
        (shop.name.as_str(), shop.tier, shop.description.as_str()),
        ("Ticket shop", Tier::Supporting, "Sells tickets.")
    );
    assert_eq!(shop.team.unwrap().slug, "team-harbour");
    assert_eq!(shop.labels, ["web", "pci", "region=north", "website", "production", "system:ticketing"]);
    let urls: Vec<_> = shop.links.iter().map(|link| link.url.as_str()).collect();
    assert_eq!(urls, ["https://wiki.example.com/shop", "https://git.example.com/shop"]);
    assert_eq!(slugs(&shop.depends_on), ["ledger"]);
    let ledger = cast.service("ledger").await;
    assert_eq!(
        (ledger.name.as_str(), &ledger.team),
        ("ledger", &None),
        "the first of two counts; a person owns nothing"
    );
    assert_eq!(slugs(&ledger.depends_on), ["ledger", "ticket-shop"], "they need each other, and it itself");
    let team = teams::get(&cast.test, &cast.admin, "team-harbour").await.unwrap();
    let members: Vec<_> = team.members.iter().map(|member| member.email.as_str()).collect();
    assert_eq!((team.name.as_str(), members), ("Harbour", vec!["ada@example.com", "grace@example.com"]));

    let noted = |sort| subjects(&report, Outcome::Noted, sort);
    assert_eq!(noted("dependency"), ["ticket-shop", "ticket-shop"]);
    assert_eq!(noted("repeated name"), ["ledger"]);
    assert_eq!(noted("kind"), ["API prices"]);
    assert_eq!(noted("owner"), ["ledger"]);
    assert_eq!(noted("system"), ["ticketing"]);
    assert_eq!(noted("member"), ["team-unknown", "team-harbour"]);
    assert_eq!(noted("value"), ["Component Ticket_Shop"], "a link that is none");
    let fields = noted("field");
    for field in
        ["Component spec.implementation", "Component metadata.annotations.example.com/colour", "Group spec.parent"]
    {
        assert!(fields.contains(&field.to_owned()), "{field} in {fields:?}");
    }
    assert_eq!(subjects(&report, Outcome::Refused, "entry"), ["Component"]);
    assert_eq!(
        (report.counts.of("new service"), report.counts.of("new team"), report.counts.of("counted dependency")),
        (2, 1, 3)
    );
    for outcome in Outcome::ALL {
        let lines = report.lines.iter().filter(|line| line.outcome == *outcome).count();
        assert_eq!(report.counts.with(*outcome), i64::try_from(lines).unwrap(), "a line for each {outcome:?}");
    }
    let repeated = report.lines.iter().find(|line| line.sort == "repeated name").unwrap();
    assert_eq!(repeated.place, Place { file: "info.yaml".into(), line: 36 });
}

#[tokio::test]
async fn a_runbook_catalogue_becomes_services_with_its_layers_as_labels() {
    let cast = Cast::new().await;
    testing::person(&cast.test, "Cap", Role::Member, Some("crew-planning")).await;
    let report = cast.apply(&[("catalog.yml", RUNBOOK)]).await;
    let timetable = cast.service("timetable").await;
    assert_eq!((timetable.name.as_str(), timetable.tier), ("Timetable", Tier::Supporting));
    assert_eq!(timetable.team.unwrap().slug, "crew-planning", "the first of several");
    assert_eq!(timetable.labels, ["db", "Service:Timetable"]);
    assert_eq!(timetable.description, "When boats go.");
    assert_eq!(slugs(&timetable.depends_on), ["tides"]);
    let titles: Vec<_> = timetable.links.iter().map(|link| link.title.as_str()).collect();
    assert_eq!(titles, ["Runbook", "Project: timetable", "Project: timetable-web"]);
    assert_eq!(cast.service("tides").await.tier, Tier::Critical, "a number is a tier");
    assert_eq!(subjects(&report, Outcome::Noted, "dependency"), ["timetable", "timetable"]);
    assert_eq!(subjects(&report, Outcome::Noted, "further team"), ["service timetable"]);
    assert_eq!(subjects(&report, Outcome::Noted, "field"), ["Service business.customers"]);
    assert_eq!(report.refused(), 2);
}

#[tokio::test]
async fn the_differences_shown_are_those_that_are_made_and_a_second_run_changes_nothing() {
    let cast = Cast::new().await;
    let files = [("info.yaml", BACKSTAGE), ("catalog.yml", RUNBOOK)];
    let shown = cast.plan(&files).await;
    assert_eq!(cast.events().await, 0);
    let done = cast.apply(&files).await;
    assert_eq!(shown, done);
    let events = cast.events().await;
    for _ in 0..2 {
        let again = cast.apply(&files).await;
        assert_eq!(cast.events().await, events);
        assert_eq!((again.counts.with(Outcome::New), again.counts.with(Outcome::Changed)), (0, 0));
        assert_eq!(again.counts.of("unchanged service"), 4);
        assert_eq!(again, cast.plan(&files).await);
    }
}

#[tokio::test]
async fn what_people_changed_here_stays_and_is_reported() {
    let cast = Cast::new().await;
    let (test, admin) = (&cast.test, &cast.admin);
    cast.apply(&[("catalog.yml", RUNBOOK)]).await;
    let tides = cast.service("tides").await;
    let by_hand = ServiceInput { name: "The tides".into(), tier: 2, ..ServiceInput::default() };
    services::put(test, admin, "tides", Expected::Version(tides.version), by_hand).await.unwrap();
    services::rename(test, admin, "timetable", "schedule").await.unwrap();
    let report = cast.apply(&[("catalog.yml", RUNBOOK)]).await;
    assert_eq!((report.counts.with(Outcome::New), report.counts.with(Outcome::Changed)), (0, 0));
    assert_eq!(subjects(&report, Outcome::Kept, "service"), ["tides"]);
    assert_eq!(subjects(&report, Outcome::Noted, "renamed service"), ["timetable"]);
    let tides = cast.service("tides").await;
    assert_eq!((tides.name.as_str(), tides.tier), ("The tides", Tier::Important));
    let kept = report.lines.iter().find(|line| line.outcome == Outcome::Kept).unwrap();
    let said: Vec<_> = kept.changes.iter().map(|change| (change.before.as_str(), change.after.as_str())).collect();
    assert_eq!(said, [("The tides", "tides"), ("2", "1")]);

    // The file changes: what nobody touched follows, into the service that was renamed.
    let newer = RUNBOOK.replace("friendly_name: Timetable", "friendly_name: All timetables");
    let report = cast.apply(&[("catalog.yml", &newer)]).await;
    assert_eq!(subjects(&report, Outcome::Changed, "service"), ["schedule"]);
    assert_eq!(cast.service("schedule").await.name, "All timetables");

    // A file with both names means one service.
    let both = format!("{newer}  - name: schedule\n");
    let report = cast.apply(&[("catalog.yml", &both)]).await;
    assert_eq!(subjects(&report, Outcome::Noted, "repeated name"), ["schedule"]);
    assert_eq!(report.counts.with(Outcome::Changed), 0);

    // Archived: stays so.
    services::archive(test, admin, "schedule").await.unwrap();
    let report = cast.apply(&[("catalog.yml", RUNBOOK)]).await;
    assert_eq!(subjects(&report, Outcome::Kept, "archived service"), ["schedule"]);
    assert!(cast.service("schedule").await.archived_at.is_some());
    assert_eq!(cast.service("schedule").await.name, "All timetables");
}

#[tokio::test]
async fn what_a_file_no_longer_has_stays_and_is_reported() {
    let cast = Cast::new().await;
    cast.apply(&[("info.yaml", BACKSTAGE), ("catalog.yml", RUNBOOK)]).await;
    let events = cast.events().await;
    let less = "kind: Component\nmetadata: {name: ticket-shop}\n";
    let report = cast.apply(&[("info.yaml", less)]).await;
    assert_eq!(subjects(&report, Outcome::Kept, "missing service"), ["ledger"]);
    assert_eq!(subjects(&report, Outcome::Kept, "missing team"), ["team-harbour"]);
    let shop = report.lines.iter().find(|line| line.outcome == Outcome::Kept && line.sort == "service").unwrap();
    let fields: BTreeSet<_> = shop.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(fields.into_iter().collect::<Vec<_>>(), ["description", "labels", "links", "needs", "owner"]);
    // Its title is its name again: that is said, and followed.
    assert_eq!(cast.events().await, events + 1);
    let kept = cast.service("ticket-shop").await;
    assert_eq!(
        (kept.name.as_str(), kept.description.as_str(), kept.labels.len()),
        ("ticket-shop", "Sells tickets.", 6)
    );
    // The other file has nothing to do with it.
    let report = cast.apply(&[("catalog.yml", RUNBOOK)]).await;
    assert_eq!(report.counts.with(Outcome::Kept), 0, "{:?}", report.lines);
}

#[tokio::test]
async fn files_of_one_name_know_nothing_of_each_other() {
    let cast = Cast::new().await;
    let file = |names: &[&str]| {
        let entity = |name: &&str| format!("---\nkind: Component\nmetadata: {{name: {name}}}\n");
        names.iter().map(entity).collect::<Vec<_>>().concat()
    };
    // Every repository has a catalog-info.yaml of its own.
    for repository in [&["river", "lake"][..], &["boat"], &["crew", "mast"]] {
        let report = cast.apply(&[("catalog-info.yaml", &file(repository))]).await;
        assert_eq!(report.counts.with(Outcome::Kept), 0, "{:?}", report.lines);
    }
    let report = cast.apply(&[("catalog-info.yaml", &file(&["river"]))]).await;
    let missing: Vec<_> = report.lines.iter().filter(|line| line.sort == "missing service").collect();
    assert_eq!(missing.len(), 1);
    assert_eq!((missing[0].subject.as_str(), missing[0].place.file.as_str()), ("lake", "catalog-info.yaml"));

    // A file that is known by its path is the same from wherever it is read.
    let from = async |file: &str, text: &str| {
        let mut catalog = Catalog::default();
        catalog.add_from(file, "/srv/catalog.yml", text.as_bytes());
        catalog.close();
        apply(&cast.test, &cast.admin, catalog, Tier::Supporting, |_| true).await.unwrap()
    };
    from("srv/catalog.yml", "services: [{name: tides}, {name: moon}]\n").await;
    let report = from("catalog.yml", "services: [{name: moon}]\n").await;
    assert_eq!(subjects(&report, Outcome::Kept, "missing service"), ["tides"]);
}

#[tokio::test]
async fn an_interrupted_import_leaves_whole_services_and_a_second_run_completes_it() {
    let whole = Cast::new().await;
    let files = [("info.yaml", BACKSTAGE), ("catalog.yml", RUNBOOK)];
    whole.apply(&files).await;
    let slugs = ["ticket-shop", "ledger", "timetable", "tides"];
    for stop_after in 1..8 {
        let cast = Cast::new().await;
        let report =
            apply(&cast.test, &cast.admin, read(&files), Tier::Supporting, |step| step.done < stop_after).await;
        let report = report.unwrap();
        assert!(report.interrupted, "after {stop_after}");
        let made =
            sqlx::query_scalar!(r#"select count(*) as "n!" from services"#).fetch_one(cast.test.pool()).await.unwrap();
        assert_eq!(made, report.counts.of("new service"));
        assert!(!cast.apply(&files).await.interrupted);
        for slug in slugs {
            let (mut one, mut other) = (cast.service(slug).await, whole.service(slug).await);
            (one.version, other.version) = (0, 0);
            assert_eq!(one, other, "after {stop_after}");
        }
    }
}

#[tokio::test]
async fn odd_files_are_named_and_harm_nothing() {
    let cast = Cast::new().await;
    let mut catalog = Catalog::default();
    for (name, bytes) in [
        ("tabs.yaml", &b"services:\n\t- name: a\n"[..]),
        ("latin.yaml", b"services:\n- name: caf\xe9\n"),
        ("empty.yaml", b""),
        ("list.yaml", b"- a\n- b\n"),
        ("text.yaml", b"just words\n"),
        ("services.yaml", b"services: none\n"),
        ("types.yaml", b"kind: Component\nmetadata: {name: typed, title: [a], tags: {x: y}, links: 7}\nspec: 3\n"),
        ("nameless.yaml", b"kind: Component\nmetadata: {name: '!!!'}\n"),
        ("twice.yaml", b"kind: Component\nmetadata:\n  name: once\n  name: twice\n"),
        (
            "long.yaml",
            format!(
                "kind: Component\nmetadata:\n  name: long\n  title: {}\n  description: {}\n",
                "t".repeat(500),
                "d".repeat(9000)
            )
            .as_bytes(),
        ),
        ("mark.yaml", "\u{feff}kind: Component\r\nmetadata:\r\n  name: marked\r\n".as_bytes()),
        ("deep.yaml", "[".repeat(10_000).as_bytes()),
        ("large.yaml", &vec![b'#'; domain::limits::CATALOG_FILE_BYTES + 1]),
        ("control.yaml", b"kind: Component\nmetadata: {name: control, title: \"\\u0001\\u0002\"}\n"),
    ] {
        catalog.add(name, bytes);
    }
    catalog.close();
    let report = apply(&cast.test, &cast.admin, catalog, Tier::Important, |_| true).await.unwrap();
    assert_eq!(subjects(&report, Outcome::Refused, "file"), ["tabs.yaml", "latin.yaml", "deep.yaml", "large.yaml"]);
    assert_eq!(subjects(&report, Outcome::Noted, "file"), ["empty.yaml"]);
    assert_eq!(subjects(&report, Outcome::Noted, "document"), ["list.yaml", "text.yaml"]);
    assert_eq!(subjects(&report, Outcome::Refused, "catalogue"), Vec::<String>::new());
    assert_eq!(report.refused(), 6);
    for slug in ["typed", "once", "long", "marked", "control"] {
        assert_eq!(cast.service(slug).await.tier, Tier::Important, "{slug}");
    }
    assert_eq!(cast.service("control").await.name, "control");
    let long = cast.service("long").await;
    assert_eq!((long.name.chars().count(), long.description.chars().count()), (120, 4000));
    assert_eq!(subjects(&report, Outcome::Noted, "repeated field"), ["Component once"]);
}

#[tokio::test]
async fn a_version_that_looks_like_a_number_is_taken_as_it_is_written() {
    let cast = Cast::new().await;
    cast.apply(&[("info.yaml", "kind: Component\nmetadata: {name: 1.10, labels: {version: 1.20}}\n")]).await;
    let service = cast.service("1-10").await;
    assert_eq!((service.name.as_str(), service.labels), ("1.10", vec!["version=1.20".to_owned()]));
}

#[tokio::test]
async fn ten_megabytes_are_read_in_time() {
    let entry = "- name: service-NUMBER\n  tier: db\n  friendly_name: A service\n  technical:\n    dependencies:\n    - service: service-0\n";
    let mut text = "services:\n".to_owned();
    let mut number = 0;
    while text.len() < 3 * 1024 * 1024 {
        text.push_str(&entry.replace("NUMBER", &number.to_string()));
        number += 1;
    }
    text.push_str("# ");
    text.push_str(&"x".repeat(domain::limits::CATALOG_FILE_BYTES - text.len()));
    let began = std::time::Instant::now();
    let catalog = read(&[("large.yml", &text)]);
    assert_eq!(catalog.services.len(), number);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}
