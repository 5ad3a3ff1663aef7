//! `plumbline internal-run`: the step between us and a program of Postgres.
//!
//! Asks the kernel to signal this process when its parent dies, then becomes the program. It is a step of its own
//! because the request does not survive a change of user: the parent drops root first, then starts this.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{Pid, Signal};

/// The hidden subcommand's name.
pub const SUBCOMMAND: &str = "internal-run";

/// What the kernel sends when the parent dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnParentDeath {
    /// SIGINT: Postgres' fast shutdown.
    Interrupt,
    /// SIGKILL: for initdb, whose half-made result is thrown away.
    Kill,
}

/// The arguments of the hidden subcommand.
#[derive(Debug, Clone, clap::Args)]
pub struct ShimArgs {
    /// What the kernel sends when the parent dies
    #[arg(long, value_enum)]
    on_parent_death: OnParentDeath,
    /// Process id of the parent
    #[arg(long)]
    parent: i32,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// The arguments that make [`run`] start `program`; the program's own arguments follow.
pub(super) fn arguments(on_parent_death: OnParentDeath) -> [String; 5] {
    let signal = match on_parent_death {
        OnParentDeath::Interrupt => "interrupt",
        OnParentDeath::Kill => "kill",
    };
    [
        SUBCOMMAND.into(),
        "--on-parent-death".into(),
        signal.into(),
        format!("--parent={}", std::process::id()),
        "--".into(),
    ]
}

/// Becomes the program; returns only when that fails.
pub fn run(args: &ShimArgs) -> std::io::Error {
    let signal = match args.on_parent_death {
        OnParentDeath::Interrupt => Signal::INT,
        OnParentDeath::Kill => Signal::KILL,
    };
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(signal)) {
        return error.into();
    }
    #[cfg(not(target_os = "linux"))]
    let _ = signal;
    // The parent may have died before the request was made.
    if rustix::process::getppid() != Pid::from_raw(args.parent) {
        return std::io::Error::other("the parent process is gone");
    }
    let Some((program, arguments)) = args.command.split_first() else {
        return std::io::Error::other("no program given");
    };
    Command::new(program).args(arguments).exec()
}
