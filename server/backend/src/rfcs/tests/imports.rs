//! `import rfcs`: folders of files, twice, with and without dates.

use std::path::{Path, PathBuf};

use domain::rfc::Status;

use super::*;
use crate::Expected;
use crate::rfcs::import::{Summary, import};
use crate::rfcs::read::{Rfc, read};
use crate::rfcs::update::{UpdateRfc, update};

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("plumbline-import-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Self(std::env::temp_dir().join(name));
        for (path, text) in files {
            folder.write(path, text.as_bytes());
        }
        folder
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn run(cast: &Cast, dir: &Path) -> Summary {
    import(&cast.backend, &cast.author, dir, Status::InReview, |_| true).await.unwrap()
}

async fn by_slug(cast: &Cast, slug: &str) -> Rfc {
    let number = sqlx::query_scalar!("select number from rfcs where slug = $1", slug);
    let number = number.fetch_one(cast.backend.pool()).await.unwrap();
    read(&cast.backend, &cast.author, number, None).await.unwrap()
}

fn counts(summary: &Summary) -> (usize, usize, usize, usize) {
    (summary.created, summary.revised, summary.unchanged, summary.refused.len())
}

const DATES: &str = r#"{"revisions": ["2018-03-01T10:00:00+02:00", "2018-05-01T00:00:00Z", "2018-04-01T00:00:00Z"]}"#;

#[tokio::test]
async fn a_folder_becomes_rfcs_and_a_second_run_changes_nothing() {
    let cast = cast().await;
    let folder = Folder::new(&[
        ("0001-one.md", "---\ntitle: One thing\n---\n\n# Not this\n"),
        ("deep/er.md", "# Deeper\r\n\r\ntext without newline at the end"),
        ("history/0001.md", "# First\n"),
        ("history/0002.md", "# First\n"),
        ("history/0003.md", "# Third\n"),
        ("history/meta.json", DATES),
        ("blank.md", " \n"),
        ("notes.txt", "not Markdown"),
    ]);
    folder.write("latin.md", b"caf\xe9");
    let mut seen = Vec::new();
    let summary = import(&cast.backend, &cast.author, &folder.0, Status::InReview, |progress| {
        seen.push((progress.done, progress.of));
        true
    });
    let summary = summary.await.unwrap();
    assert_eq!(counts(&summary), (3, 0, 0, 2));
    assert_eq!(summary.revisions, 5);
    assert_eq!(seen, [(1, 3), (2, 3), (3, 3)]);
    let refused: Vec<_> = summary.refused.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(refused, ["blank.md", "latin.md"]);

    assert_eq!(by_slug(&cast, "0001-one").await.title, "One thing");
    let deep = by_slug(&cast, "deep-er").await;
    assert_eq!((deep.title.as_str(), deep.status), ("Deeper", Status::InReview));
    assert_eq!(deep.body, "# Deeper\n\ntext without newline at the end");
    let history = by_slug(&cast, "history").await;
    assert_eq!((history.newest_revision, history.title.as_str()), (3, "Third"));
    let dates: Vec<_> = history.revisions.iter().map(|revision| revision.created_at.to_string()).collect();
    assert_eq!(dates, ["2018-04-01T00:00:00Z", "2018-05-01T00:00:00Z", "2018-03-01T08:00:00Z"]);
    assert_eq!(events(&cast.backend, history.number).await, ["rfc.imported"]);

    let again = run(&cast, &folder.0).await;
    assert_eq!(counts(&again), (0, 0, 3, 2));
    assert_eq!(by_slug(&cast, "history").await, history);
}

#[tokio::test]
async fn another_text_is_a_new_revision_with_every_thread_in_it() {
    let cast = cast().await;
    let folder = Folder::new(&[("plan.md", "# Plan\n\nShard in March.\n")]);
    run(&cast, &folder.0).await;
    let number = by_slug(&cast, "plan").await.number;
    let opened = thread_on(&cast, number, 1, "# Plan\n\nShard in March.\n", "in March").await;
    folder.write("plan.md", b"# New plan\n\nAbove.\n\nShard in March.\n");
    assert_eq!(counts(&run(&cast, &folder.0).await), (0, 1, 0, 0));
    let rfc = by_slug(&cast, "plan").await;
    assert_eq!((rfc.newest_revision, rfc.title.as_str()), (2, "New plan"));
    let anchor = seen(&cast, &opened.id).await.anchor.unwrap();
    assert_eq!((anchor.revision, anchor.start), (2, Some(26)));
    // The first text once more is a change, too.
    folder.write("plan.md", b"# Plan\n\nShard in March.\n");
    assert_eq!(counts(&run(&cast, &folder.0).await), (0, 1, 0, 0));
    assert_eq!(counts(&run(&cast, &folder.0).await), (0, 0, 1, 0));
    // A title given here is not taken back.
    let titled = UpdateRfc { title: Some("Ours".into()), ..UpdateRfc::default() };
    update(&cast.backend, &cast.author, number, Expected::Any, titled).await.unwrap();
    folder.write("plan.md", b"# Theirs\n");
    run(&cast, &folder.0).await;
    assert_eq!(by_slug(&cast, "plan").await.title, "Ours");
}

#[tokio::test]
async fn a_history_under_a_known_slug_adds_what_is_newer() {
    let cast = cast().await;
    let text = Folder::new(&[("plan.md", "final\n")]);
    let older = Folder::new(&[
        ("plan/0001.md", "one\n"),
        ("plan/0002.md", "two\n"),
        ("plan/0003.md", "final\n"),
        ("plan/meta.json", DATES),
    ]);
    // The text came first, today: the history is older by its dates.
    run(&cast, &text.0).await;
    assert_eq!(counts(&run(&cast, &older.0).await), (0, 0, 1, 0));
    assert_eq!(by_slug(&cast, "plan").await.newest_revision, 1);

    // The history came first: the text is its last revision.
    let cast = self::cast().await;
    run(&cast, &older.0).await;
    assert_eq!(counts(&run(&cast, &text.0).await), (0, 0, 1, 0));
    text.write("plan.md", b"final, merged\n");
    assert_eq!(counts(&run(&cast, &text.0).await), (0, 1, 0, 0));
    assert_eq!(counts(&run(&cast, &older.0).await), (0, 0, 1, 0));
    assert_eq!(by_slug(&cast, "plan").await.newest_revision, 4);

    // A history that grew, without dates: the new files, in order, also those with a text that was there before.
    let cast = self::cast().await;
    let growing = Folder::new(&[("plan/1.md", "a\n"), ("plan/2.md", "b\n")]);
    run(&cast, &growing.0).await;
    growing.write("plan/3.md", b"a\n");
    growing.write("plan/4.md", b"a\n");
    assert_eq!(counts(&run(&cast, &growing.0).await), (0, 1, 0, 0));
    assert_eq!(counts(&run(&cast, &growing.0).await), (0, 0, 1, 0));
    assert_eq!(by_slug(&cast, "plan").await.newest_revision, 4);
}

#[tokio::test]
async fn a_database_that_is_busy_for_a_moment_does_not_stop_an_import() {
    use sqlx::Connection as _;
    let cast = cast().await;
    let folder = Folder::new(&[("a.md", "a\n"), ("b.md", "b\n")]);
    run(&cast, &folder.0).await;
    folder.write("a.md", b"other\n");
    // Somebody holds the RFC for longer than an import waits for a lock: it gives up, comes back and succeeds.
    let options = cast.backend.pool().connect_options();
    let mut other = sqlx::PgConnection::connect_with(&options).await.unwrap();
    let mut held = other.begin().await.unwrap();
    sqlx::query!("select id from rfcs for update").fetch_all(&mut *held).await.unwrap();
    let holding = async {
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        held.rollback().await.unwrap();
    };
    let (summary, ()) = tokio::join!(run(&cast, &folder.0), holding);
    assert_eq!(counts(&summary), (0, 1, 1, 0), "{summary:?}");
}

#[tokio::test]
async fn what_may_not_be_changed_is_refused_and_the_rest_imported() {
    let cast = cast().await;
    let folder = Folder::new(&[("a.md", "a\n"), ("b.md", "b\n")]);
    run(&cast, &folder.0).await;
    let (a, b) = (by_slug(&cast, "a").await.number, by_slug(&cast, "b").await.number);
    to(&cast, &cast.author, a, "withdrawn").await.unwrap();
    folder.write("a.md", b"other\n");
    folder.write("b.md", b"other\n");
    folder.write("c.md", b"# C\n");
    let as_reviewer = import(&cast.backend, &cast.reviewer, &folder.0, Status::Draft, |_| true).await.unwrap();
    assert_eq!(counts(&as_reviewer), (1, 0, 0, 2));
    assert_eq!(status(read(&cast.backend, &cast.author, 3, None).await), 404, "imported as a draft");
    let summary = run(&cast, &folder.0).await;
    assert_eq!(counts(&summary), (0, 1, 0, 2), "{summary:?}");
    assert_eq!(summary.refused[0].path, "a.md");
    assert_eq!(read(&cast.backend, &cast.author, b, None).await.unwrap().newest_revision, 2);
    let reader = crate::testing::person(&cast.backend, "Rea Der", Role::Reader, None).await;
    assert_eq!(status(import(&cast.backend, &reader, &folder.0, Status::InReview, |_| true).await), 403);
}

#[tokio::test]
async fn a_real_history_is_imported_byte_for_byte() {
    let Some(corpora) = crate::rfcs::render::corpora_tests::corpora() else {
        return eprintln!("skipped: corpora not beside the repo");
    };
    let cast = cast().await;
    let history = corpora.join("rfc-histories/2920-inline-const");
    let one = Folder::new(&[]);
    for file in std::fs::read_dir(&history).unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        one.write(&format!("2920-inline-const/{name}"), &std::fs::read(&file).unwrap());
    }
    assert_eq!(counts(&run(&cast, &one.0).await), (1, 0, 0, 0));
    assert_eq!(counts(&run(&cast, &one.0).await), (0, 0, 1, 0));
    let rfc = by_slug(&cast, "2920-inline-const").await;
    assert!(rfc.newest_revision >= 12);
    for revision in 1..=rfc.newest_revision {
        let file = std::fs::read_to_string(history.join(format!("{revision:04}.md"))).unwrap();
        let kept = read(&cast.backend, &cast.sre, rfc.number, Some(revision.into())).await.unwrap();
        assert_eq!(kept.body, file.replace("\r\n", "\n"));
    }
}
