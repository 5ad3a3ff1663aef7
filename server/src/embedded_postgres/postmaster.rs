//! What `postmaster.pid` and the process table say about a running Postgres.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// Lines of `postmaster.pid`, counted from 0 (`src/include/utils/pidfile.h` of Postgres).
const LINE_PID: usize = 0;
const LINE_STATUS: usize = 7;

const POLL: Duration = Duration::from_millis(50);

/// The state Postgres writes into its pid file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Starting,
    Ready,
    Stopping,
}

/// The process that runs on a cluster, if any, and its state. A pid file left by a dead process, or whose number now
/// belongs to something else, counts as nothing.
pub(super) fn running(cluster: &Path) -> Option<(Pid, Status)> {
    let (pid, status) = parse(&std::fs::read_to_string(pid_file(cluster)).ok()?)?;
    is_postgres_on(pid, cluster).then_some((pid, status))
}

/// The process, when it accepts connections.
pub(super) fn ready(cluster: &Path) -> Option<Pid> {
    running(cluster).filter(|(_, status)| *status == Status::Ready).map(|(pid, _)| pid)
}

/// Removes a pid file that no Postgres stands behind: Postgres itself refuses to start when the number in it has been
/// given to another process of the same user, as happens after a reboot or in a fresh container.
pub(super) fn remove_stale_pid_file(cluster: &Path) -> std::io::Result<()> {
    let file = pid_file(cluster);
    if !file.exists() || running(cluster).is_some() {
        return Ok(());
    }
    tracing::warn!(file = %file.display(), "removing a pid file that no running Postgres stands behind");
    std::fs::remove_file(file)
}

/// Sends a signal; a process that is gone is no error.
pub(super) fn signal(pid: Pid, signal: Signal) {
    if let Err(error) = kill_process(pid, signal) {
        tracing::debug!(%error, "Postgres was gone before it could be signalled");
    }
}

/// Waits until the process no longer runs on the cluster; false when patience ends, or `give_up` says so.
pub(super) fn wait_gone(pid: Pid, cluster: &Path, patience: Duration, give_up: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while is_postgres_on(pid, cluster) {
        if Instant::now() > deadline || give_up() {
            return false;
        }
        std::thread::sleep(POLL);
    }
    true
}

fn pid_file(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

fn parse(text: &str) -> Option<(Pid, Status)> {
    let lines: Vec<&str> = text.lines().collect();
    let pid = Pid::from_raw(lines.get(LINE_PID)?.trim().parse().ok().filter(|pid| *pid > 0)?)?;
    let status = match lines.get(LINE_STATUS).map(|line| line.trim()) {
        Some("ready") => Status::Ready,
        Some("stopping") => Status::Stopping,
        _ => Status::Starting,
    };
    Some((pid, status))
}

/// Is this process alive, a Postgres, and at home in this cluster?
///
/// Asks the command line, which every user may read. Links like `/proc/PID/cwd` of another user's process can be read
/// only with `CAP_SYS_PTRACE`, which root lacks in a container. A process that cannot be looked at counts as Postgres as
/// long as it lives: taking a Postgres for dead would cost more than waiting for something else.
pub(super) fn is_postgres_on(pid: Pid, cluster: &Path) -> bool {
    if !is_alive(pid) {
        return false;
    }
    let proc = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
    let Ok(command_line) = std::fs::read(proc.join("cmdline")) else { return is_alive(pid) };
    let Program::Postgres { data_dir } = read_command_line(&command_line) else { return false };
    // Postgres makes its data directory its current one.
    let data_dir = data_dir.or_else(|| std::fs::read_link(proc.join("cwd")).ok());
    data_dir.is_none_or(|dir| dir == cluster || dir.canonicalize().ok() == cluster.canonicalize().ok())
}

fn is_alive(pid: Pid) -> bool {
    // "Not permitted" is said of living processes only.
    !matches!(test_kill_process(pid), Err(Errno::SRCH))
}

/// What a command line says a process is.
#[derive(Debug, PartialEq, Eq)]
enum Program {
    Postgres {
        /// Where `-D` says its data is, when it says so from the root.
        data_dir: Option<PathBuf>,
    },
    Other,
}

fn read_command_line(command_line: &[u8]) -> Program {
    let mut arguments = command_line.split(|byte| *byte == 0).map(|argument| Path::new(OsStr::from_bytes(argument)));
    let program = arguments.next().and_then(Path::file_name);
    if program.is_none_or(|program| program != "postgres" && program != "postmaster") {
        return Program::Other;
    }
    let mut data_dir = None;
    while let Some(argument) = arguments.next() {
        match argument.as_os_str().as_bytes().strip_prefix(b"-D") {
            Some(b"") => data_dir = arguments.next().map(Path::to_owned),
            Some(joined) => data_dir = Some(PathBuf::from(OsStr::from_bytes(joined))),
            None => {}
        }
    }
    Program::Postgres { data_dir: data_dir.filter(|dir| dir.is_absolute()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID_FILE: &str = "4711\n/data/postgres\n1700000000\n5432\n/data/run\n\n  1234  0\nready   \n";

    #[test]
    fn the_pid_file_is_read() {
        let (pid, status) = parse(PID_FILE).unwrap();
        assert_eq!((pid.as_raw_nonzero().get(), status), (4711, Status::Ready));
        assert_eq!(parse(&PID_FILE.replace("ready   ", "stopping")).unwrap().1, Status::Stopping);
        // Written line by line while Postgres starts.
        assert_eq!(parse("4711\n/data\n").unwrap().1, Status::Starting);
        for broken in ["", "x\n", "0\n", "-4711\n"] {
            assert!(parse(broken).is_none(), "{broken:?}");
        }
    }

    #[test]
    fn the_command_line_says_where_a_postgres_has_its_data() {
        let read = |line: &str| read_command_line(line.replace(' ', "\0").as_bytes());
        let at = |dir: &str| Program::Postgres { data_dir: Some(PathBuf::from(dir)) };
        let somewhere = Program::Postgres { data_dir: None };
        assert_eq!(read("/usr/lib/postgresql/15/bin/postgres -D /data/postgres -p 5432"), at("/data/postgres"));
        assert_eq!(read("postgres -p 5432 -D/data/postgres"), at("/data/postgres"));
        assert_eq!(read("postgres -D data"), somewhere);
        assert_eq!(read("postgres"), somewhere);
        for other in ["", "sleep 60", "vi -D /data/postgres", "/opt/postgres/bin/psql -D /data"] {
            assert_eq!(read(other), Program::Other, "{other}");
        }
    }

    #[test]
    fn a_process_that_is_not_postgres_is_not_taken_for_it() {
        let me = Pid::from_raw(std::process::id().try_into().unwrap()).unwrap();
        assert!(!is_postgres_on(me, &std::env::current_dir().unwrap()));
    }
}
