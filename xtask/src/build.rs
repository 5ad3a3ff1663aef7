//! From sources to one binary: the browser's files first, then the server with them inside.

use std::{path::PathBuf, process::Command, time::Instant};

use crate::{
    Outcome, css, process, site,
    wasm::{self, Build},
    workspace::{Workspace, create_folder, environment},
};

/// Everything but xtask. Cargo unites the features of what it is asked to build, so with xtask among it the product's
/// dependencies would be compiled a second time for nothing.
pub const PRODUCT: [&str; 4] = ["--workspace", "--exclude", "xtask", "--all-targets"];

/// Builds `target/release/plumbline` and returns its path.
pub fn release(workspace: &Workspace) -> Outcome<PathBuf> {
    let start = Instant::now();
    browser_files(workspace, Build::Release)?;
    let mut cargo = server(workspace);
    offline_queries(workspace, &mut cargo);
    process::run(cargo.arg("--release"))?;
    let binary = publish(workspace)?;
    println!("Built {} in {}", binary.display(), minutes(start));
    Ok(binary)
}

/// Builds and stages what the browser loads.
pub fn browser_files(workspace: &Workspace, build: Build) -> Outcome {
    for name in css::forgotten_imports(workspace)? {
        eprintln!("warning: style/main.css does not import style/{name}");
    }
    let css = css::bundle(workspace)?;
    let browser = wasm::build(workspace, build)?;
    site::stage(workspace, &browser, &css, build)
}

/// `cargo build --package server`.
pub fn server(workspace: &Workspace) -> Command {
    let mut cargo = process::cargo();
    cargo.current_dir(&workspace.root).args(["build", "--package", "server", "--bin", "plumbline"]);
    cargo
}

/// Makes sqlx check the queries against the committed `.sqlx`. An explicit `SQLX_OFFLINE` of the caller wins.
pub fn offline_queries(workspace: &Workspace, cargo: &mut Command) {
    if environment("SQLX_OFFLINE").is_none() && workspace.root.join(".sqlx").is_dir() {
        cargo.env("SQLX_OFFLINE", "true");
    }
}

/// Puts the binary where the documentation says it is, also when cargo's target folder is elsewhere.
fn publish(workspace: &Workspace) -> Outcome<PathBuf> {
    let built = workspace.server_binary("release");
    let documented = workspace.root.join("target/release/plumbline");
    if built == documented {
        return Ok(built);
    }
    create_folder(&workspace.root.join("target/release"))?;
    let _ = std::fs::remove_file(&documented);
    if std::fs::hard_link(&built, &documented).is_err() {
        std::fs::copy(&built, &documented)
            .map_err(|error| format!("cannot copy {} to {}: {error}", built.display(), documented.display()))?;
    }
    Ok(documented)
}

/// The time since `start`, as a person would say it.
pub fn minutes(start: Instant) -> String {
    let seconds = start.elapsed().as_secs();
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}
