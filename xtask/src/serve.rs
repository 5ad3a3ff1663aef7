//! `cargo xtask run`: from a fresh clone to a running product.

use std::{os::unix::process::CommandExt, process::Command, time::Instant};

use crate::{Outcome, build, needs, workspace::Workspace};

/// Builds, then becomes `plumbline serve --demo`. Becoming it, instead of starting it, leaves nobody between the
/// terminal and the server: Ctrl+C and every other signal reach it, and nothing is left behind.
pub fn run(workspace: &Workspace) -> Outcome {
    let start = Instant::now();
    needs::postgres()?;
    let binary = build::release(workspace)?;
    println!("Ready to start after {}. Starting with demo data; Ctrl+C stops everything.\n", build::minutes(start));
    let error = Command::new(&binary).current_dir(&workspace.root).args(["serve", "--demo"]).exec();
    Err(format!("cannot start {}: {error}", binary.display()))
}
