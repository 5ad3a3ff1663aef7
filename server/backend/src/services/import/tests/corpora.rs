//! Two real catalogues, when they stand beside the repository. What is expected is counted from the lines of the files,
//! without any of the importer's code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::*;

/// Where the real data are; nothing when they are not.
fn corpora() -> Option<PathBuf> {
    let mut folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    loop {
        let beside = folder.join("shared/corpora/catalog");
        if beside.is_dir() {
            return Some(beside);
        }
        folder = folder.parent()?;
    }
}

/// What the lines of the files say.
struct Expected {
    /// Backstage's components, each name once.
    components: BTreeSet<String>,
    repeated: usize,
    groups: BTreeSet<String>,
    /// Components whose owner is none of the groups.
    ownerless_components: usize,
    /// The runbooks' services.
    services: BTreeSet<String>,
    with_teams: usize,
    edges: usize,
    nowhere: usize,
}

fn count(charts: &str, groups: &str, runbooks: &str) -> Expected {
    let value = |line: &str, key: &str| {
        let rest = line.strip_prefix(key)?;
        Some(rest.split(" #").next().unwrap_or_default().trim().to_owned())
    };
    let names = |text: &str| text.lines().filter_map(|line| value(line, "    name: ")).collect::<Vec<_>>();
    let components = names(charts);
    let groups: BTreeSet<String> = names(groups).into_iter().collect();
    let mut owners = BTreeMap::new();
    let mut name = String::new();
    for line in charts.lines() {
        if let Some(found) = value(line, "    name: ") {
            name = found;
        }
        if let Some(owner) = value(line, "    owner: group:") {
            owners.entry(name.clone()).or_insert(owner);
        }
    }
    let (_, entries) = runbooks.split_once("\nservices:\n").unwrap();
    let services: BTreeSet<String> = entries.lines().filter_map(|line| value(line, "- name: ")).collect();
    let needs: Vec<String> = entries.lines().filter_map(|line| value(line.trim_start(), "- service:")).collect();
    let edges = needs.iter().filter(|need| services.contains(*need)).count();
    Expected {
        repeated: components.len() - components.iter().collect::<BTreeSet<_>>().len(),
        ownerless_components: owners.values().filter(|owner| !groups.contains(*owner)).count(),
        components: components.into_iter().collect(),
        groups,
        with_teams: entries.lines().filter(|line| line.trim_end() == "  teams:").count(),
        nowhere: needs.len() - edges,
        services,
        edges,
    }
}

#[tokio::test]
async fn real_catalogues_come_in_as_their_lines_say() {
    let Some(folder) = corpora() else {
        eprintln!("skipped: shared/corpora/catalog does not stand beside the repository");
        return;
    };
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let (charts, groups, runbooks) =
        (text("backstage-charts.yaml"), text("backstage-groups.yaml"), text("gitlab-service-catalog.yml"));
    let expected = count(&charts, &groups, &runbooks);
    assert_eq!((expected.components.len(), expected.services.len(), expected.repeated), (68, 55, 7));
    assert_eq!((expected.edges, expected.nowhere), (28, 23));

    let cast = Cast::new().await;
    let files = [
        ("backstage-charts.yaml", &*charts),
        ("backstage-groups.yaml", &*groups),
        ("gitlab-service-catalog.yml", &*runbooks),
    ];
    let shown = cast.plan(&files).await;
    let report = cast.apply(&files).await;
    assert_eq!(shown, report);
    assert_eq!(report.refused(), 0);

    let pool = cast.test.pool();
    let slugs = sqlx::query_scalar!("select slug from services").fetch_all(pool).await.unwrap();
    let slugs: BTreeSet<String> = slugs.into_iter().collect();
    let all: BTreeSet<String> = expected.components.union(&expected.services).cloned().collect();
    assert_eq!((slugs.len(), &slugs), (123, &all));
    assert_eq!(report.counts.of("new service"), 123);
    assert_eq!(subjects(&report, Outcome::Noted, "repeated name").len(), expected.repeated);
    let teams = sqlx::query_scalar!("select slug from teams").fetch_all(pool).await.unwrap();
    assert_eq!(teams.into_iter().collect::<BTreeSet<_>>(), expected.groups);

    let edges =
        sqlx::query_scalar!(r#"select count(*) as "n!" from service_dependencies"#).fetch_one(pool).await.unwrap();
    assert_eq!(usize::try_from(edges).unwrap(), expected.edges);
    assert_eq!(report.counts.of("counted dependency"), edges);
    assert_eq!(subjects(&report, Outcome::Noted, "dependency").len(), expected.nowhere);

    // Without an owner, and kept: whom no team is named for, and whose team nobody knows.
    let ownerless = sqlx::query_scalar!(r#"select count(*) as "n!" from services where team_id is null"#)
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(usize::try_from(ownerless).unwrap(), expected.services.len() + expected.ownerless_components);
    let unknown = subjects(&report, Outcome::Noted, "owner").len();
    assert_eq!(unknown, expected.with_teams + expected.ownerless_components);

    let events = cast.events().await;
    let again = cast.apply(&files).await;
    assert_eq!(cast.events().await, events, "a second run changes nothing");
    assert_eq!((again.counts.with(Outcome::New), again.counts.with(Outcome::Changed)), (0, 0));
    assert_eq!(again.counts.of("unchanged service"), 123);
}
