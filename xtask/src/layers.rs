//! The architecture, checked: what may reach the browser, who may import whom, where SQL may be written
//! (`DESIGN.md` §3).

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::{
    Outcome, css, needs, process,
    workspace::{Workspace, files_below},
};

/// Too heavy for the browser, or meaningless there.
const NEVER_IN_BROWSER: [&str; 12] = [
    "sqlx",
    "sqlx-core",
    "tokio",
    "axum",
    "hyper",
    "ammonia",
    "pulldown-cmark",
    "chrono",
    "jiff",
    "syntect",
    "backend",
    "server",
];

/// `domain` is types and rules: no framework, no database, no runtime.
const NEVER_IN_DOMAIN: [&str; 8] = ["leptos", "axum", "sqlx", "sqlx-core", "tokio", "hyper", "tower", "web-sys"];

/// Folders of `app/src` that every slice may use.
const SHARED_FOLDERS: [&str; 1] = ["ui"];

/// Where the query macros may be used. Tests look into tables to see what really happened.
const SQL_PLACES: [&str; 3] = ["server/backend/", "server/src/session_store.rs", "server/tests/"];

/// All of it; the message lists every finding.
pub fn check(workspace: &Workspace) -> Outcome {
    let mut findings = Vec::new();
    let browser =
        ["--package", "app", "--target", needs::WASM_TARGET, "--no-default-features", "--features", "hydrate"];
    findings.extend(forbidden(workspace, &browser, &NEVER_IN_BROWSER, "the browser build")?);
    findings.extend(forbidden(workspace, &["--package", "domain", "--all-features"], &NEVER_IN_DOMAIN, "domain")?);
    findings.extend(imports_between_slices(&workspace.root));
    findings.extend(misplaced_sql(&workspace.root));
    for name in css::forgotten_imports(workspace)? {
        findings.push(format!("style/main.css does not import style/{name}"));
    }
    if findings.is_empty() {
        println!("Layers: clean (browser build, domain, slices, SQL, style)");
        return Ok(());
    }
    Err(format!("layers:\n  {}", findings.join("\n  ")))
}

/// The crates of `never` that `cargo tree` finds below a package.
fn forbidden(workspace: &Workspace, package: &[&str], never: &[&str], place: &str) -> Outcome<Vec<String>> {
    let mut tree = process::cargo();
    tree.current_dir(&workspace.root).args(["tree", "--prefix=none", "--format={p}"]);
    let tree = process::capture(tree.args(["--edges=normal,no-proc-macro"]).args(package))?;
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let found = never.iter().filter(|name| crates.contains(**name));
    Ok(found.map(|name| format!("{place} contains the crate {name} (see `cargo tree -i {name}`)")).collect())
}

/// Slices are the folders of `app/src`; what two of them share belongs into `ui` or `domain`.
fn imports_between_slices(root: &Path) -> Vec<String> {
    let source = root.join("app/src");
    let folders = std::fs::read_dir(&source).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let slices: BTreeSet<String> = names.filter(|name| !SHARED_FOLDERS.contains(&name.as_str())).collect();
    let mut findings = Vec::new();
    for slice in &slices {
        for file in rust_files(&source.join(slice)) {
            for other in crate_modules(&text_of(&file)) {
                if other != *slice && slices.contains(&other) {
                    findings.push(format!("{} imports the slice {other}", relative(root, &file)));
                }
            }
        }
    }
    findings
}

/// The modules named directly after `crate::`, alone or in braces.
fn crate_modules(source: &str) -> BTreeSet<String> {
    let identifier =
        |text: &str| -> String { text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut modules = BTreeSet::new();
    for rest in source.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            modules.insert(identifier(rest));
            continue;
        };
        let mut depth = 0_u32;
        let mut start = 0;
        for (position, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    modules.insert(identifier(&group[start..]));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    modules.insert(identifier(&group[start..]));
                    start = position + 1;
                }
                _ => {}
            }
        }
    }
    // What follows the last comma of a group.
    modules.remove("");
    modules
}

fn misplaced_sql(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for folder in ["app", "server"] {
        for file in rust_files(&root.join(folder)) {
            let name = relative(root, &file);
            let allowed = SQL_PLACES.iter().any(|place| name.starts_with(place));
            if !allowed && text_of(&file).contains("sqlx::query") {
                findings.push(format!("{name} holds SQL; that belongs into server/backend"));
            }
        }
    }
    findings
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files_below(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The file without its comment lines.
fn text_of(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn relative(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_module_named_after_crate() {
        let source =
            "use crate::{\n    rfcs::{read, write},\n    ui,\n};\nuse crate::home::Page;\nlet x = crate::urls::rfc(1);";
        let found: Vec<String> = crate_modules(source).into_iter().collect();
        assert_eq!(found, ["home", "rfcs", "ui", "urls"]);
    }

    #[test]
    fn names_the_slice_that_imports_another() {
        let root = std::env::temp_dir().join(format!("plumbline-layers-{}", std::process::id()));
        let write = |name: &str, text: &str| {
            let file = root.join("app/src").join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("rfcs/mod.rs", "use crate::{ui::Button, urls};");
        write("maturity/mod.rs", "// like crate::rfcs\nuse crate::rfcs::Row;");
        write("ui/mod.rs", "");
        let findings = imports_between_slices(&root);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(findings, ["app/src/maturity/mod.rs imports the slice rfcs"]);
    }
}
