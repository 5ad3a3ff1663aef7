//! Folders as people have them: good ones, odd ones, hostile ones.

use std::process::Command;

use super::*;

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("plumbline-parse-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn scan(&self) -> ScanReport {
        scan(&self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn slugs(report: &ScanReport) -> Vec<&str> {
    report.documents.iter().map(|document| document.slug.as_str()).collect()
}

#[test]
fn a_numbered_folder_is_one_document_with_its_dates() {
    let folder = Folder::new("history")
        .with("one/0001.md", "# First\n")
        .with("one/0002.md", "# Second\r\n")
        .with("one/0010.md", "# Third\n")
        .with("one/meta.json", r#"{"revisions": ["2018-04-05T05:34:04-07:00", "2017-01-01T00:00:00Z"], "slug": "x"}"#)
        .with("one/anchors.json", "[]")
        .with("other.md", "text");
    let report = folder.scan();
    assert_eq!(slugs(&report), ["one", "other"]);
    assert_eq!(report.refused, []);
    let one = report.documents[0].clone().read(&folder.0).unwrap();
    assert_eq!(one.title, "Third");
    let bodies: Vec<_> = one.revisions.iter().map(|revision| revision.body.as_str()).collect();
    assert_eq!(bodies, ["# First\n", "# Second\n", "# Third\n"]);
    let dates: Vec<_> = one.revisions.iter().map(|revision| revision.created_at.map(|at| at.to_string())).collect();
    assert_eq!(dates, [Some("2018-04-05T12:34:04Z".into()), Some("2017-01-01T00:00:00Z".into()), None]);
    let other = report.documents[1].clone();
    assert_eq!(other.clone().read(&folder.0).unwrap().title, "other");
    // What is gone when its turn comes is refused like what was never there.
    fs::remove_file(folder.0.join("other.md")).unwrap();
    assert_eq!(other.read(&folder.0).unwrap_err().path, Path::new("other.md"));
}

#[test]
fn the_folder_of_a_history_is_the_history() {
    let folder = Folder::new("Own_Name").with("0001.md", "a").with("0002.md", "b");
    let report = folder.scan();
    assert_eq!(report.documents.len(), 1);
    assert!(report.documents[0].slug.starts_with("plumbline-parse-own-name-"), "{:?}", report.documents[0].slug);
    assert_eq!(report.documents[0].files.len(), 2);
}

#[test]
fn slugs_come_from_paths() {
    for (path, expected) in [
        ("2394-async_await", Some("2394-async-await")),
        ("text/2394-async_await", Some("2394-async-await")),
        ("text", Some("text")),
        ("text/3392-x/README-ru_RU", Some("3392-x-readme-ru-ru")),
        ("a/b/C d", Some("a-b-c-d")),
        ("_x_", Some("x")),
        ("Ünï", Some("n")),
        ("表", None),
    ] {
        assert_eq!(slug(Path::new(path)).as_deref(), expected, "{path}");
    }
    assert_eq!(slug(Path::new(&("a-".repeat(150)))).unwrap().len(), 199);
}

#[test]
fn titles_come_from_the_document() {
    for (body, expected) in [
        ("---\ntitle: \"A: b\"\nauthor: x\n---\n# Not me\n", Some("A: b")),
        ("---\nauthor: x\nFeature-Name: y\n---\n# Not me\n", Some("y")),
        ("- Feature Name: `a_b`, c\n- Start Date: x\n\n# Summary\n", Some("a_b, c")),
        ("* Feature name: N/A\n\n# A *real* `title`\n", Some("A real title")),
        ("- Feature Name: (fill me in)\n\n# Summary\n\n# Other\n", None),
        ("```\n# code\n```\n## two\n\nOne\n===\n", Some("One")),
        ("# \n# Next\n", Some("Next")),
        ("text", None),
    ] {
        assert_eq!(title(body).as_deref(), expected, "{body}");
    }
    assert_eq!(title(&format!("# {}", "é".repeat(400))).unwrap().chars().count(), RFC_TITLE_CHARS);
}

#[test]
fn what_is_no_text_is_refused_with_a_sentence() {
    let folder = Folder::new("refused")
        .with("nul.md", "a\n\0")
        .with("latin.md", b"a\n\n\xe9")
        .with("long.md", "x".repeat(RFC_BODY_BYTES + 1))
        .with("longer.md", "x".repeat(3 * RFC_BODY_BYTES))
        .with("empty.md", " \n")
        .with("fits.md", "\r\n".repeat(RFC_BODY_BYTES - 1) + "x")
        .with("a_b.md", "x")
        .with("a-b.md", "x")
        .with("表.md", "x")
        .with("h/0001.md", "ok")
        .with("h/0002.md", "\0")
        .with("h/meta.json", "{")
        .with(".git/hidden.md", "x")
        .with("picture.svg", "x");
    let report = folder.scan();
    assert_eq!(slugs(&report), ["a-b", "fits", "h"]);
    assert_eq!(report.documents[2].files.len(), 1);
    let refused: Vec<_> = report.refused.iter().map(|refusal| refusal.path.to_string_lossy().into_owned()).collect();
    assert_eq!(
        refused,
        ["a_b.md", "empty.md", "h/0002.md", "h/meta.json", "latin.md", "long.md", "longer.md", "nul.md", "表.md"]
    );
    for refusal in &report.refused {
        assert!(refusal.reason.ends_with('.') && refusal.reason.len() > 10, "{refusal:?}");
    }
    assert!(report.refused[4].reason.contains("line 3"), "{:?}", report.refused[4]);
}

#[test]
fn a_folder_that_is_not_there_is_a_refusal() {
    let report = scan(Path::new("/nowhere/at/all"));
    assert_eq!(report.documents, []);
    assert_eq!(report.refused.len(), 1);
}

#[test]
fn the_corpora_give_648_and_20_documents_of_which_14_are_the_same() {
    let Some(corpora) = crate::rfcs::render::corpora() else {
        return eprintln!("skipped: corpora not beside the repo");
    };
    let folder = Folder::new("corpora");
    let tar =
        Command::new("tar").arg("-xJf").arg(corpora.join("rust-rfcs-text.tar.xz")).arg("-C").arg(&folder.0).status();
    assert!(tar.is_ok_and(|status| status.success()), "tar with xz unpacks the corpus");
    let (around, inside) = (folder.scan(), scan(&folder.0.join("text")));
    assert_eq!(around.refused, []);
    assert_eq!(around.documents.len(), 648);
    assert_eq!(slugs(&around), slugs(&inside), "either level gives the same slugs");
    let histories = scan(&corpora.join("rfc-histories"));
    assert_eq!(histories.refused, []);
    assert_eq!(histories.documents.len(), 20);
    assert!(histories.documents.iter().all(|history| history.files.len() >= 12));
    assert!(histories.documents.iter().flat_map(|history| &history.files).all(|file| file.created_at.is_some()));
    let known = slugs(&around);
    assert_eq!(slugs(&histories).iter().filter(|slug| known.contains(slug)).count(), 14);
}
