//! `cargo xtask faults`: processes die in the middle of writes, and nothing that was acknowledged may be gone, nothing that
//! follows from it forgotten.

use crate::{
    Outcome, build, e2e, needs,
    postgres::{Postgres, temporary_folder},
    process::{self, tied},
    test::TestRun,
    workspace::{Workspace, remove_folder},
};

/// `cargo xtask faults [ROUNDS]`: so many times each fault.
pub fn standalone(workspace: &Workspace, rounds: &str) -> Outcome {
    if rounds.parse::<u8>().is_err() {
        return Err(format!("{rounds} is not a number of rounds (1 to 255)"));
    }
    build::release(workspace)?;
    if run(workspace, rounds)?.success { Ok(()) } else { Err(String::new()) }
}

/// Runs the drill against the release binary, which must be built.
pub fn run(workspace: &Workspace, rounds: &str) -> Outcome<TestRun> {
    needs::node()?;
    needs::postgres()?;
    let folder = temporary_folder("faults")?;
    let mut drill = tied("node", "TERM", None);
    drill.current_dir(workspace.root.join("end2end")).arg("faults/durability.mjs");
    drill.arg(workspace.server_binary("release")).arg(&folder).arg(e2e::free_address()?).arg(rounds);
    let (summary, success) = process::run_keeping(&mut drill, |line| line.starts_with("lost: "))?;
    remove_folder(&folder)?;
    Ok(TestRun { summary, success })
}

/// `cargo xtask faults outbox [SECONDS]`: three servers on one database, killed at random.
pub fn outbox_standalone(workspace: &Workspace, seconds: &str) -> Outcome {
    if seconds.parse::<u16>().is_err() {
        return Err(format!("{seconds} is not a number of seconds"));
    }
    build::release(workspace)?;
    if outbox(workspace, seconds, "200")?.success { Ok(()) } else { Err(String::new()) }
}

/// Runs that drill against the release binary, which must be built, with so many events a second.
pub fn outbox(workspace: &Workspace, seconds: &str, rate: &str) -> Outcome<TestRun> {
    needs::node()?;
    let postgres = Postgres::start()?;
    let database = postgres.new_database("outbox")?;
    let mut drill = tied("node", "TERM", None);
    drill.current_dir(workspace.root.join("end2end")).arg("faults/outbox.mjs");
    drill.arg(workspace.server_binary("release")).arg(postgres.program("psql")).args([&database, seconds, rate]);
    let (summary, success) = process::run_keeping(&mut drill, |line| line.starts_with("outbox drill: "))?;
    Ok(TestRun { summary, success })
}
