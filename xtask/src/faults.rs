//! `cargo xtask faults`: processes die in the middle of writes, and nothing that was acknowledged may be gone.

use crate::{
    Outcome, build, e2e, needs,
    postgres::temporary_folder,
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
