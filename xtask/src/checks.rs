//! What is known without running the product: format, lints, layers, and whether `.sqlx` is current.

use std::process::Command;

use crate::{
    Outcome,
    build::PRODUCT,
    layers, needs,
    postgres::Postgres,
    process, sqlx_data,
    test::{Report, start_step},
    workspace::Workspace,
};

/// `cargo xtask check`
pub fn standalone(workspace: &Workspace) -> Outcome {
    let postgres = Postgres::start()?;
    let mut report = Report::default();
    run(workspace, &postgres, &mut report);
    report.finish()
}

/// All checks; each failure is in the report, none stops the next.
pub fn run(workspace: &Workspace, postgres: &Postgres, report: &mut Report) {
    start_step("format");
    report.step("format", || format(workspace));
    start_step("layers");
    report.step("layers", || layers::check(workspace));
    start_step("lints of the host, with every query checked against a new database");
    report.step("lints and .sqlx", || lints_and_queries(workspace, postgres));
    start_step("lints of xtask");
    report.step("lints, xtask", || own_lints(workspace));
    start_step("lints of the browser build");
    report.step("lints, browser", || browser_lints(workspace));
    if process::which("cargo-deny").is_some() {
        start_step("licences and banned crates");
        report.step("cargo deny", || deny(workspace));
    }
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut cargo = process::cargo();
    cargo.current_dir(&workspace.root).args(arguments);
    cargo
}

fn format(workspace: &Workspace) -> Outcome {
    process::run(&mut cargo(workspace, &["fmt", "--all", "--check"]))
        .map_err(|error| format!("{error}; run: cargo fmt --all"))
}

/// Clippy has to compile everything anyway, so it also collects what the database says about the queries.
fn lints_and_queries(workspace: &Workspace, postgres: &Postgres) -> Outcome {
    let mut clippy = cargo(workspace, &["clippy", "--quiet"]);
    clippy.args(PRODUCT);
    let described = sqlx_data::collect_with(workspace, postgres, &mut clippy)?;
    process::run(clippy.args(["--", "-D", "warnings"]))?;
    sqlx_data::compare(workspace, &described)
}

fn own_lints(workspace: &Workspace) -> Outcome {
    let clippy = ["clippy", "--package", "xtask", "--all-targets", "--quiet", "--", "-D", "warnings"];
    process::run(&mut cargo(workspace, &clippy))
}

fn browser_lints(workspace: &Workspace) -> Outcome {
    needs::wasm_target(workspace)?;
    let mut clippy = cargo(workspace, &["clippy", "--package", "app", "--lib", "--quiet"]);
    clippy.args(["--target", needs::WASM_TARGET, "--no-default-features", "--features", "hydrate"]);
    process::run(clippy.args(["--", "-D", "warnings"]))
}

/// Without advisories, which need the network.
fn deny(workspace: &Workspace) -> Outcome {
    process::run(&mut cargo(workspace, &["deny", "--offline", "check", "bans", "licenses", "sources"]))
}
