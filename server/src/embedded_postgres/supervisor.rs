//! The thread that owns Postgres: prepares the cluster, starts it, starts it again when it dies, stops it.

use std::cell::Cell;
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use tokio::sync::oneshot;

use super::account::Account;
use super::binaries::{self, Binaries};
use super::data_dir::{DataDir, io_problem, major};
use super::postmaster::{self, Status};
use super::shim::{self, OnParentDeath};
use super::{NAME, Purpose, Settings, access};
use crate::problem::Problem;

/// How often a running Postgres is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How often a starting one is.
const LOOK_STARTING: Duration = Duration::from_millis(20);
/// Crash recovery replays at most the write-ahead log since the last checkpoint.
const START_PATIENCE: Duration = Duration::from_mins(5);
/// Fast shutdown writes a checkpoint; after this it is told to stop at once and recover at the next start.
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// Pauses between restarts of a Postgres that keeps dying.
const BACKOFF: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];
/// Running this long makes the next death a first one again.
const HEALTHY: Duration = Duration::from_mins(1);
/// How long an owner waits for commands that use its Postgres: a server must go when told, a command need not.
const SERVE_GUEST_PATIENCE: Duration = Duration::from_secs(5);
const COMMAND_GUEST_PATIENCE: Duration = Duration::from_mins(10);

/// The whole life of the thread. `_lock` is held for as long.
pub(super) fn run(
    settings: &Settings,
    data_dir: &DataDir,
    _lock: &File,
    started: oneshot::Sender<Result<(), Problem>>,
    stop: &Receiver<()>,
) {
    let mut supervisor = match Supervisor::prepare(settings, data_dir, stop) {
        Ok(supervisor) => supervisor,
        Err(problem) => {
            let _ = started.send(Err(problem));
            return;
        }
    };
    let mut postgres = match supervisor.adopt_or_start() {
        Ok(postgres) => postgres,
        Err(problem) => {
            let _ = started.send(Err(problem));
            return;
        }
    };
    let abandoned = started.send(Ok(())).is_err();
    if !abandoned {
        postgres = supervisor.watch(postgres);
    }
    let patience = match settings.purpose {
        Purpose::Serve => SERVE_GUEST_PATIENCE,
        Purpose::Command => COMMAND_GUEST_PATIENCE,
    };
    let _no_new_guests = access::wait_for_guests(data_dir, patience);
    // One that was told to stop while it was being adopted is nobody's child: whoever holds the lock ends it.
    let postgres = postgres.or_else(|| postmaster::running(&supervisor.cluster).map(|(pid, _)| Postgres::Adopted(pid)));
    if let Some(postgres) = postgres {
        supervisor.stop(postgres);
    }
    if !supervisor.socket_dir.starts_with(data_dir.path()) {
        // Below /tmp; the next start makes it anew.
        let _ = std::fs::remove_dir(&supervisor.socket_dir);
    }
}

/// A running Postgres: our child, or one an earlier owner left.
enum Postgres {
    Child(Child),
    Adopted(Pid),
}

struct Supervisor<'a> {
    settings: &'a Settings,
    data_dir: &'a DataDir,
    cluster: PathBuf,
    socket_dir: PathBuf,
    binaries: Binaries,
    /// Our own program. Kept open and executed through its descriptor, because the unprivileged user may not be able
    /// to enter the directory it lies in.
    shim: File,
    stop: &'a Receiver<()>,
    /// Has `stop` said so?
    stopping: Cell<bool>,
}

impl<'a> Supervisor<'a> {
    fn prepare(settings: &'a Settings, data_dir: &'a DataDir, stop: &'a Receiver<()>) -> Result<Self, Problem> {
        data_dir.mark()?;
        let made_by = major(data_dir.path())?;
        let supervisor = Self {
            settings,
            data_dir,
            cluster: data_dir.cluster(),
            socket_dir: data_dir.create_socket_dir()?,
            binaries: binaries::for_major(&settings.search_path, made_by)?,
            shim: File::open(&settings.shim).map_err(|error| io_problem("open", &settings.shim, &error))?,
            stop,
            stopping: Cell::new(false),
        };
        if made_by.is_none() {
            supervisor.initdb()?;
        }
        Ok(supervisor)
    }

    /// Creates the cluster beside its final place, so that a half-made one is never mistaken for data.
    fn initdb(&self) -> Result<(), Problem> {
        let unfinished = self.data_dir.unfinished_cluster();
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).map_err(|error| io_problem("remove", &unfinished, &error))?;
        }
        tracing::info!(postgres = self.binaries.major, data_dir = %self.data_dir.path().display(), "creating the database");
        let mut command = self.command(OnParentDeath::Kill, "initdb");
        command.arg("--pgdata").arg(&unfinished).args(["--username", NAME, "--encoding", "UTF8", "--data-checksums"]);
        // The socket lies in a directory that only this user (and root) may enter; there is no network.
        command.args(["--auth-local", "trust", "--auth-host", "reject"]);
        if self.binaries.major >= 17 {
            command.args(["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]);
        } else {
            command.args(["--locale", "C.UTF-8"]);
        }
        let output = command.output().map_err(|error| io_problem("run", &self.binaries.program("initdb"), &error))?;
        if !output.status.success() {
            return Err(Problem::new(
                format!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim()),
                "mend what initdb says; nothing has been kept of this attempt",
            ));
        }
        std::fs::rename(&unfinished, &self.cluster).map_err(|error| io_problem("rename", &unfinished, &error))?;
        sync_dir(self.data_dir.path())
    }

    /// Takes over what an earlier owner left running, or starts Postgres, and waits until it accepts connections.
    fn adopt_or_start(&mut self) -> Result<Option<Postgres>, Problem> {
        if let Some((pid, status)) = postmaster::running(&self.cluster) {
            if status != Status::Stopping && self.wait_ready(&mut Postgres::Adopted(pid)).is_ok() {
                tracing::info!(pid = %pid, "adopted the Postgres an earlier process left running");
                return Ok(Some(Postgres::Adopted(pid)));
            }
            tracing::info!(pid = %pid, "waiting for an earlier Postgres to stop");
            if !postmaster::wait_gone(pid, &self.cluster, STOP_PATIENCE, || self.is_told_to_stop(Duration::ZERO)) {
                return Err(Problem::new(
                    format!("an earlier Postgres (process {pid}) does not stop"),
                    format!("kill -QUIT {pid}"),
                ));
            }
        }
        let began = Instant::now();
        loop {
            match self.start() {
                // Children of a killed Postgres may need a moment to notice that it is gone.
                Err(problem)
                    if problem.what.contains("shared memory block")
                        && began.elapsed() < STOP_PATIENCE
                        && !self.is_told_to_stop(LOOK) => {}
                result => return result.map(Some),
            }
        }
    }

    fn start(&mut self) -> Result<Postgres, Problem> {
        postmaster::remove_stale_pid_file(&self.cluster)
            .map_err(|error| io_problem("remove the stale pid file in", &self.cluster, &error))?;
        let log = self.data_dir.open_log()?;
        let log_too = log.try_clone().map_err(|error| io_problem("open", &self.data_dir.log_file(), &error))?;
        let mut command = self.command(OnParentDeath::Interrupt, "postgres");
        command.arg("-D").arg(&self.cluster).args(["-p", "5432"]);
        for (name, value) in self.options() {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        // Its own group: Ctrl+C at the terminal reaches the whole group of the server, which has to drain first.
        command.process_group(0).stdin(Stdio::null()).stdout(log).stderr(log_too);
        let child = command.spawn().map_err(|error| io_problem("run", &self.binaries.program("postgres"), &error))?;
        let mut postgres = Postgres::Child(child);
        match self.wait_ready(&mut postgres) {
            Ok(()) => Ok(postgres),
            Err(problem) => {
                self.stop(postgres);
                Err(problem)
            }
        }
    }

    /// Given on the command line, where no configuration file can override them.
    fn options(&self) -> [(&'static str, String); 9] {
        // The option is a list of paths: quotes keep a path with a comma in one piece.
        let socket_dir = self.socket_dir.display().to_string().replace('"', "\"\"");
        [
            ("listen_addresses", String::new()),
            ("unix_socket_directories", format!("\"{socket_dir}\"")),
            ("unix_socket_permissions", "0700".into()),
            ("fsync", "on".into()),
            ("full_page_writes", "on".into()),
            ("synchronous_commit", "on".into()),
            ("shared_buffers", "128MB".into()),
            ("max_connections", self.settings.max_connections.to_string()),
            ("log_timezone", "UTC".into()),
        ]
    }

    /// A program of Postgres behind the [`shim`], as the unprivileged user, with nothing of our environment.
    fn command(&self, on_parent_death: OnParentDeath, program: &str) -> Command {
        let mut command = Command::new(format!("/proc/self/fd/{}", self.shim.as_raw_fd()));
        command.arg0("plumbline").args(shim::arguments(on_parent_death)).arg(self.binaries.program(program));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").current_dir(self.data_dir.path());
        Account::apply(self.data_dir.account(), &mut command);
        command
    }

    fn wait_ready(&self, postgres: &mut Postgres) -> Result<(), Problem> {
        let began = Instant::now();
        while began.elapsed() < START_PATIENCE {
            if !self.is_alive(postgres) {
                return Err(self.died());
            }
            if postmaster::ready(&self.cluster) == Some(postgres.pid()) {
                return Ok(());
            }
            if matches!(postmaster::running(&self.cluster), Some((_, Status::Stopping))) {
                return Err(Problem::new("Postgres is stopping", "start again"));
            }
            if self.is_told_to_stop(LOOK_STARTING) {
                return Err(Problem::new("told to stop while Postgres was starting", "start again"));
            }
        }
        Err(Problem::new(
            "Postgres has not become ready within five minutes",
            format!("see {}", self.data_dir.log_file().display()),
        ))
    }

    /// Waits; true as soon as the handle says to stop, or is dropped, and ever after.
    fn is_told_to_stop(&self, pause: Duration) -> bool {
        if !self.stopping.get() {
            self.stopping.set(!matches!(self.stop.recv_timeout(pause), Err(RecvTimeoutError::Timeout)));
        }
        self.stopping.get()
    }

    /// Watches and restarts until told to stop. `None`: it is not running at that moment.
    fn watch(&mut self, started: Option<Postgres>) -> Option<Postgres> {
        let mut running = started;
        let mut since = Instant::now();
        let mut deaths = 0_usize;
        loop {
            let pause = if running.is_some() { LOOK } else { BACKOFF[deaths.saturating_sub(1).min(BACKOFF.len() - 1)] };
            if self.is_told_to_stop(pause) {
                return running;
            }
            match &mut running {
                Some(postgres) => {
                    if !self.is_alive(postgres) {
                        deaths = if since.elapsed() > HEALTHY { 1 } else { deaths + 1 };
                        tracing::error!(log = %self.log_tail(), "Postgres died; starting it again");
                        running = None;
                    }
                }
                None => match self.adopt_or_start() {
                    Ok(postgres) => {
                        tracing::info!("Postgres runs again");
                        running = postgres;
                        since = Instant::now();
                    }
                    Err(_) if self.is_told_to_stop(Duration::ZERO) => return None,
                    Err(problem) => {
                        deaths += 1;
                        tracing::error!(%problem, "Postgres did not start");
                    }
                },
            }
        }
    }

    fn stop(&self, mut postgres: Postgres) {
        let steps = [
            (Signal::INT, STOP_PATIENCE),
            (Signal::QUIT, Duration::from_secs(10)),
            (Signal::KILL, Duration::from_secs(10)),
        ];
        for (signal, patience) in steps {
            if !self.is_alive(&mut postgres) {
                return;
            }
            postmaster::signal(postgres.pid(), signal);
            let deadline = Instant::now() + patience;
            while self.is_alive(&mut postgres) && Instant::now() < deadline {
                std::thread::sleep(LOOK_STARTING);
            }
        }
    }

    fn is_alive(&self, postgres: &mut Postgres) -> bool {
        match postgres {
            // Also collects the child, so that no zombie is left.
            Postgres::Child(child) => matches!(child.try_wait(), Ok(None)),
            Postgres::Adopted(pid) => postmaster::is_postgres_on(*pid, &self.cluster),
        }
    }

    fn died(&self) -> Problem {
        Problem::new(
            format!("Postgres stopped while starting: {}", self.log_tail()),
            format!("see {}", self.data_dir.log_file().display()),
        )
    }

    /// The last lines Postgres printed.
    fn log_tail(&self) -> String {
        let text = std::fs::read(self.data_dir.log_file()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text[text.len().saturating_sub(2000)..]).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

impl Postgres {
    fn pid(&self) -> Pid {
        match self {
            Self::Child(child) => Pid::from_child(child),
            Self::Adopted(pid) => *pid,
        }
    }
}

/// Makes a rename last.
fn sync_dir(path: &Path) -> Result<(), Problem> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(|error| io_problem("sync", path, &error))
}
