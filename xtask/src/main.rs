//! `cargo xtask`: everything one does with this repository, as one program without any tool to install first.
//!
//! One file per subject: [`build`] is the chain from sources to `target/release/plumbline` (its links are [`wasm`],
//! [`css`] and [`site`]); [`serve`] starts it; [`test`] is what `.ci/run` runs (its parts are [`checks`], [`layers`],
//! [`sqlx_data`], [`e2e`], [`faults`]); [`postgres`] lends them a throw-away database; [`needs`] installs or names what the machine
//! lacks; [`process`] runs other programs and leaves none behind.

mod bench;
mod build;
mod checks;
mod css;
mod dev;
mod e2e;
mod faults;
mod layers;
mod needs;
mod postgres;
mod process;
mod serve;
mod site;
mod sqlx_data;
mod test;
mod wasm;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

/// What every step returns: when it failed, a message for the person at the terminal, or nothing when it has already
/// said all.
type Outcome<T = ()> = Result<T, String>;

const HELP: &str = "\
cargo xtask COMMAND

  run                 from a fresh clone to a running product with demo data; Ctrl+C stops it
  build               only build target/release/plumbline, browser files inside
  dev                 debug build; rebuilds and restarts when a file changes
  test                everything .ci/run runs: format, lints, layers, Rust tests, browser tests, fault drill
  e2e [ARGS...]       only the browser tests; ARGS go to Playwright, for example --project=mobile tests/smoke.spec.ts
  faults [ROUNDS]     server and Postgres die in the middle of writes: is everything acknowledged still there?
  faults outbox [SEC] three servers on one database, killed at random: is every notice sent, every timed job done once?
  check               only format, lints and layers
  sqlx [--check]      rewrite .sqlx from the queries and migrations (--check: only say whether it is current)
  bench anchors DIR   how many anchors of the RFC histories in DIR survive, in counts and per cent
  help                this text

Install rustup, a C compiler and Node 20 or later first. What else a command needs (the WASM target, Postgres, Chromium,
npm packages) it installs where it can, or it names the command to run.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            if !message.is_empty() {
                eprintln!("\nxtask: {message}");
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        ["run"] => serve::run(&Workspace::find()?),
        ["build"] => build::release(&Workspace::find()?).map(drop),
        ["dev"] => dev::watch(&Workspace::find()?),
        ["test"] => test::everything(&Workspace::find()?),
        ["check"] => checks::standalone(&Workspace::find()?),
        ["e2e", rest @ ..] => e2e::standalone(&Workspace::find()?, rest),
        ["faults"] => faults::standalone(&Workspace::find()?, "5"),
        ["faults", "outbox"] => faults::outbox_standalone(&Workspace::find()?, "120"),
        ["faults", "outbox", seconds] => faults::outbox_standalone(&Workspace::find()?, seconds),
        ["faults", rounds] => faults::standalone(&Workspace::find()?, rounds),
        ["sqlx"] => sqlx_data::refresh(&Workspace::find()?),
        ["sqlx", "--check"] => sqlx_data::check(&Workspace::find()?),
        ["bench", rest @ ..] => bench::dispatch(rest),
        _ => Err(format!("do not know `{}`\n\n{HELP}", words.join(" "))),
    }
}
