//! `.sqlx`: what the database says about each query, committed so that building needs no database.
//!
//! The query macros write these files themselves while a crate compiles against a live database. They write into a new
//! folder here; `cargo xtask sqlx` then replaces `.sqlx` by it, `--check` compares the two.

use std::{
    collections::BTreeMap,
    fs::{File, FileTimes},
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use crate::{
    Outcome,
    build::PRODUCT,
    postgres::Postgres,
    process,
    workspace::{Workspace, create_folder, files_below, read, remove_folder, write},
};

/// `cargo xtask sqlx`
pub fn refresh(workspace: &Workspace) -> Outcome {
    let fresh = compile_against_new_database(workspace)?;
    let committed = workspace.root.join(".sqlx");
    let before = files(&committed);
    remove_folder(&committed)?;
    create_folder(&committed)?;
    let after = files(&fresh);
    for (name, content) in &after {
        write(&committed.join(name), content)?;
    }
    let new = after.keys().filter(|name| !before.contains_key(*name)).count();
    let gone = before.keys().filter(|name| !after.contains_key(*name)).count();
    println!(".sqlx describes {} queries: {new} new, {gone} gone", after.len());
    Ok(())
}

/// `cargo xtask sqlx --check`
pub fn check(workspace: &Workspace) -> Outcome {
    let fresh = compile_against_new_database(workspace)?;
    compare(workspace, &fresh)
}

/// Fails when `.sqlx` differs from the files in `fresh`.
pub fn compare(workspace: &Workspace, fresh: &Path) -> Outcome {
    let (committed, fresh) = (files(&workspace.root.join(".sqlx")), files(fresh));
    let missing = fresh.keys().filter(|name| !committed.contains_key(*name)).count();
    let stale = committed.keys().filter(|name| !fresh.contains_key(*name)).count();
    let changed = fresh.iter().filter(|(name, new)| committed.get(*name).is_some_and(|old| old != *new)).count();
    if missing + stale + changed == 0 {
        println!(".sqlx is current: {} queries", fresh.len());
        return Ok(());
    }
    Err(format!(
        ".sqlx is out of date: {missing} queries missing, {stale} no longer used, {changed} changed; \
         run `cargo xtask sqlx` and commit .sqlx"
    ))
}

fn compile_against_new_database(workspace: &Workspace) -> Outcome<PathBuf> {
    let postgres = Postgres::start()?;
    let mut cargo = process::cargo();
    cargo.current_dir(&workspace.root).arg("check").args(PRODUCT);
    let folder = collect_with(workspace, &postgres, &mut cargo)?;
    process::run(&mut cargo)?;
    Ok(folder)
}

/// Prepares `cargo` (check, clippy or build of the whole workspace) to compile against a freshly migrated database and
/// to write the description of each query into the returned, empty folder.
pub fn collect_with(workspace: &Workspace, postgres: &Postgres, cargo: &mut Command) -> Outcome<PathBuf> {
    let folder = workspace.scratch().join("sqlx");
    remove_folder(&folder)?;
    create_folder(&folder)?;
    let url = postgres.migrated_database(workspace, "plumbline_queries")?;
    cargo.env("DATABASE_URL", url).env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", &folder);
    // Only what is compiled writes its queries, so every crate that may hold one has to be compiled anew.
    for source in files_below(&workspace.root.join("server")) {
        if source.extension().is_some_and(|extension| extension == "rs") {
            touch(&source)?;
        }
    }
    Ok(folder)
}

#[expect(clippy::disallowed_methods, reason = "the ban is for the product; cargo compares file times with the clock")]
fn touch(file: &Path) -> Outcome {
    let now = FileTimes::new().set_modified(SystemTime::now());
    File::options()
        .append(true)
        .open(file)
        .and_then(|opened| opened.set_times(now))
        .map_err(|error| format!("cannot touch {}: {error}", file.display()))
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let named = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), read(&path).ok()?));
    files_below(folder).into_iter().filter_map(named).collect()
}
