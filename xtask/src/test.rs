//! `cargo xtask test`: all that `.ci/run` runs, in the order in which mistakes are cheapest to find.

use std::time::Instant;

use crate::{
    Outcome, build, checks, e2e, faults,
    postgres::Postgres,
    process,
    workspace::{Workspace, environment},
};

/// Runs every step, also after one failed, and ends with the runners' own summary lines.
pub fn everything(workspace: &Workspace) -> Outcome {
    let mut report = Report::default();
    let postgres = Postgres::start()?;
    checks::run(workspace, &postgres, &mut report);
    start_step("Rust tests");
    report.test_step("Rust tests", || rust_tests(workspace, &postgres, &build::PRODUCT));
    report.test_step("Rust tests of xtask", || rust_tests(workspace, &postgres, &["--package", "xtask"]));
    drop(postgres);
    start_step("release build");
    let built = report.step("release build", || build::release(workspace).map(drop));
    if built {
        start_step("browser tests");
        report.test_step("browser tests", || e2e::run(workspace, &[]));
        start_step("fault drill");
        report.test_step("fault drill", || faults::run(workspace, "2"));
        report.test_step("outbox drill", || faults::outbox(workspace, "15", "50"));
    }
    report.finish()
}

/// Unit, Postgres and HTTP tests of these packages.
fn rust_tests(workspace: &Workspace, postgres: &Postgres, packages: &[&str]) -> Outcome<TestRun> {
    let nextest = process::which("cargo-nextest").is_some();
    let mut cargo = process::cargo();
    cargo.current_dir(&workspace.root);
    cargo.args(if nextest { &["nextest", "run"][..] } else { &["test", "--no-fail-fast"][..] });
    if nextest && environment("CI").is_some() {
        cargo.args(["--profile", "ci"]);
    }
    cargo.args(packages).env("PLUMBLINE_TEST_DATABASE_URL", postgres.url("postgres"));
    // The queries were just checked; compiling the tests must not depend on a database that is gone the next time.
    build::offline_queries(workspace, &mut cargo);
    let (lines, success) = process::run_keeping(&mut cargo, |line| {
        line.starts_with("test result: ") || line.trim_start().starts_with("Summary [")
    })?;
    Ok(TestRun { summary: if nextest { lines } else { vec![sum_of_results(&lines)] }, success })
}

/// `cargo test` prints one line per test program; this is their sum, worded alike.
fn sum_of_results(lines: &[String]) -> String {
    let count = |word: &str| -> u64 {
        let before = |line: &String| {
            let end = line.find(&format!(" {word}"))?;
            line[..end].rsplit(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        };
        lines.iter().filter_map(before).sum()
    };
    format!("test result: {} passed; {} failed; {} ignored", count("passed"), count("failed"), count("ignored"))
}

/// A heading between the output of two steps.
pub fn start_step(name: &str) {
    println!("\n── {name}");
}

/// How a test runner ended.
pub struct TestRun {
    /// Its own last lines, which say how many passed and failed.
    pub summary: Vec<String>,
    /// Whether all passed.
    pub success: bool,
}

/// How each step went.
#[derive(Default)]
pub struct Report {
    lines: Vec<String>,
    failures: Vec<String>,
    summaries: Vec<String>,
}

impl Report {
    /// Runs a step and notes its time and result; says whether it succeeded.
    pub fn step(&mut self, name: &str, step: impl FnOnce() -> Outcome) -> bool {
        let start = Instant::now();
        let outcome = step();
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        self.lines.push(format!("{word:>6}  {name} ({})", build::minutes(start)));
        let Err(message) = outcome else { return true };
        eprintln!("{message}");
        self.failures.push(format!("{name}: {message}"));
        false
    }

    /// The same for a step that runs tests: its summary lines are printed last of all.
    pub fn test_step(&mut self, name: &str, step: impl FnOnce() -> Outcome<TestRun>) -> bool {
        let mut summary = Vec::new();
        let success = self.step(name, || {
            let run = step()?;
            summary = run.summary;
            if run.success { Ok(()) } else { Err(format!("failed: {}", summary.join(", "))) }
        });
        self.summaries.extend(summary);
        success
    }

    /// Prints the steps, what failed, then the summary lines. A failure's message is empty: all has been said, and the
    /// summary lines stay the last ones.
    pub fn finish(self) -> Outcome {
        println!("\n── steps\n{}", self.lines.join("\n"));
        if !self.failures.is_empty() {
            println!("\n{} of {} steps failed:\n{}\n", self.failures.len(), self.lines.len(), self.failures.join("\n"));
        }
        for line in &self.summaries {
            println!("{}", line.trim());
        }
        if self.failures.is_empty() { Ok(()) } else { Err(String::new()) }
    }
}

#[cfg(test)]
mod tests {
    use super::sum_of_results;

    #[test]
    fn adds_the_results_of_all_test_programs() {
        let lines = [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s".to_owned(),
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s"
                .to_owned(),
        ];
        assert_eq!(sum_of_results(&lines), "test result: 15 passed; 2 failed; 1 ignored");
    }
}
