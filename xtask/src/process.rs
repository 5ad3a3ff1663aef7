//! Running other programs: to the end, for their output, or beside us. Nothing started here outlives xtask.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use crate::{Outcome, workspace::environment};

/// The cargo that runs us.
pub fn cargo() -> Command {
    let mut cargo = Command::new(environment("CARGO").unwrap_or_else(|| "cargo".into()));
    // `cargo run` sets these for us alone; a child cargo that sees them rebuilds what reads them.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        cargo.env_remove(name);
    }
    cargo
}

/// Runs to the end with our terminal; an unsuccessful exit is an error naming the command.
pub fn run(command: &mut Command) -> Outcome {
    let status = command.stdin(Stdio::null()).status().map_err(|error| cannot_start(command, &error))?;
    success(command, status)
}

/// Runs to the end and returns standard output; on failure the message ends with what it wrote to standard error.
pub fn capture(command: &mut Command) -> Outcome<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))?;
    if output.status.success() {
        return String::from_utf8(output.stdout).map_err(|_| format!("`{}` did not write text", line_of(command)));
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed ({}):\n{}", line_of(command), output.status, complaint.trim_end()))
}

/// Runs to the end, passing both outputs on as they come, and returns the lines that `keep` picks from either, in the
/// order each was written, together with whether the program succeeded.
pub fn run_keeping(command: &mut Command, keep: fn(&str) -> bool) -> Outcome<(Vec<String>, bool)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let readers = [
        child.stdout.take().map(|pipe| pass_on(pipe, keep, false)),
        child.stderr.take().map(|pipe| pass_on(pipe, keep, true)),
    ];
    let mut kept = Vec::new();
    for reader in readers.into_iter().flatten() {
        kept.extend(reader.join().map_err(|_| "a reader of program output panicked")?);
    }
    let status = child.wait().map_err(|error| format!("cannot wait for `{}`: {error}", line_of(command)))?;
    Ok((kept, status.success()))
}

fn pass_on(pipe: impl Read + Send + 'static, keep: fn(&str) -> bool, to_stderr: bool) -> JoinHandle<Vec<String>> {
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if to_stderr {
                eprintln!("{line}");
            } else {
                println!("{line}");
            }
            if keep(&line) {
                kept.push(line);
            }
        }
        kept
    })
}

/// A program beside us. Dropped, it gets SIGTERM (SIGINT for Postgres, where that means "stop now, cleanly") and up to
/// half a minute; then SIGKILL.
pub struct Companion {
    child: Child,
    stop_signal: &'static str,
}

impl Companion {
    /// Starts `command`, which must come from [`tied`].
    pub fn start(command: &mut Command, stop_signal: &'static str) -> Outcome<Self> {
        let child = command.stdin(Stdio::null()).spawn().map_err(|error| cannot_start(command, &error))?;
        Ok(Self { child, stop_signal })
    }

    /// Its standard output, when it was piped; once.
    pub fn output(&mut self) -> Option<impl Read + Send + 'static> {
        self.child.stdout.take()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        let order = format!("kill -{} {}", self.stop_signal, self.child.id());
        let _ = Command::new("sh").args(["-c", &order]).status();
        for _ in 0..300 {
            if self.ended().is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        eprintln!("process {} did not stop within 30 s of SIG{}; killing it", self.child.id(), self.stop_signal);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command whose process gets `signal` from the kernel when xtask dies, however it dies (Linux; elsewhere it lives on
/// after a SIGKILL). It runs as `user`, (user id, group id), when given.
///
/// The kernel watches the spawning *thread*, so start it from the main thread.
pub fn tied(program: impl AsRef<OsStr>, signal: &str, user: Option<(u32, u32)>) -> Command {
    if which("setpriv").is_none() {
        let mut command = Command::new(program);
        if let Some((user, group)) = user {
            std::os::unix::process::CommandExt::uid(&mut command, user);
            std::os::unix::process::CommandExt::gid(&mut command, group);
        }
        return command;
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", signal]);
    if let Some((user, group)) = user {
        command.args(["--clear-groups", "--reuid", &user.to_string(), "--regid", &group.to_string()]);
    }
    command.arg("--").arg(program);
    command
}

/// The full path of a program in `PATH`.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = environment("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| is_program(candidate))
}

/// Whether this file can be run.
pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Whether we run as root.
pub fn is_root() -> bool {
    capture(Command::new("id").arg("-u")).is_ok_and(|answer| answer.trim() == "0")
}

fn success(command: &Command, status: ExitStatus) -> Outcome {
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", line_of(command))) }
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start `{}`: {error}", line_of(command))
}

/// The command as one would type it, without its path and environment.
fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
