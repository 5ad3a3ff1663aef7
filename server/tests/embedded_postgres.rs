//! The private Postgres on real files and processes: creation, sharing, death of the app, and what it must refuse.
//!
//! Skipped, saying so, on a machine without Postgres.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use server::embedded_postgres::{self, Purpose, Settings};
use sqlx::Connection as _;

const PLUMBLINE: &str = env!("CARGO_BIN_EXE_plumbline");

/// A data directory that any user could reach, removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(PathBuf::from(format!("/tmp/plumbline-test-{}-{number}", std::process::id())))
    }

    fn settings(&self, purpose: Purpose) -> Settings {
        Settings {
            shim: PLUMBLINE.into(),
            patience: Duration::from_secs(3),
            ..Settings::new(self.0.clone(), Vec::new(), purpose, 10)
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PLUMBLINE);
        command.args(args).env_remove("DATABASE_URL").env("PLUMBLINE_DATA_DIR", &self.0);
        command.env("PLUMBLINE_LISTEN", "127.0.0.1:0").stderr(Stdio::null());
        command
    }

    fn serve(&self) -> Server {
        let mut child = self.command(&["serve"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("ready http://127.0.0.1:"), "{line:?}");
        Server(child)
    }

    fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.0.join("postgres/postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.parse().ok()?)
    }

    fn runs(&self) -> bool {
        self.postmaster().is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
    }

    fn wait_until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !condition(self) {
            assert!(began.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        if let Some(pid) = self.postmaster() {
            let _ = kill_process(pid, Signal::QUIT);
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Server(Child);

impl Server {
    fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// False on a machine without Postgres.
fn postgres_is_here() -> bool {
    let found = embedded_postgres::inspect(Path::new("/tmp/plumbline-test-none"), &[]).binaries;
    if let Err(problem) = &found {
        eprintln!("skipped: {problem}");
    }
    found.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_made_durable_private_and_never_as_root() {
    if !postgres_is_here() {
        return;
    }
    let dir = Dir::new();
    let handle = embedded_postgres::start_or_join(dir.settings(Purpose::Serve)).await.unwrap();
    assert!(handle.is_owner());

    let status = fs::read_to_string(format!("/proc/{}/status", dir.postmaster().unwrap())).unwrap();
    let uid = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
    assert!(!uid.split_whitespace().any(|field| field == "0"), "Postgres runs as root: {uid}");
    for private in ["", "run"] {
        assert_eq!(fs::metadata(dir.0.join(private)).unwrap().mode() & 0o777, 0o700);
    }

    let mut connection = sqlx::PgConnection::connect(handle.url()).await.unwrap();
    let settings = sqlx::query_scalar!(
        "select name || '=' || setting from pg_settings
         where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums', 'listen_addresses',
                        'server_encoding')
         order by name"
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let settings: Vec<_> = settings.into_iter().flatten().collect();
    assert_eq!(
        settings,
        [
            "data_checksums=on",
            "fsync=on",
            "full_page_writes=on",
            "listen_addresses=",
            "server_encoding=UTF8",
            "synchronous_commit=on"
        ]
    );
    connection.close().await.unwrap();
    handle.stop().await;
    assert!(!dir.runs());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_the_guest_of_an_owner_and_a_second_owner_is_refused() {
    if !postgres_is_here() {
        return;
    }
    let dir = Dir::new();
    let owner = embedded_postgres::start_or_join(dir.settings(Purpose::Serve)).await.unwrap();
    let guest = embedded_postgres::start_or_join(dir.settings(Purpose::Command)).await.unwrap();
    assert!(!guest.is_owner());
    assert_eq!(guest.url(), owner.url());

    let problem = embedded_postgres::start_or_join(dir.settings(Purpose::Serve)).await.unwrap_err();
    assert!(problem.what.contains("another plumbline process"), "{problem}");

    // The owner lets its guest finish.
    let stopping = tokio::spawn(owner.stop());
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(dir.runs());
    guest.stop().await;
    stopping.await.unwrap();
    assert!(!dir.runs());

    // Without an owner a command becomes one, and leaves nothing running.
    let alone = embedded_postgres::start_or_join(dir.settings(Purpose::Command)).await.unwrap();
    assert!(alone.is_owner());
    alone.stop().await;
    assert!(!dir.runs());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_dies_is_started_again() {
    if !postgres_is_here() {
        return;
    }
    let dir = Dir::new();
    let handle = embedded_postgres::start_or_join(dir.settings(Purpose::Serve)).await.unwrap();
    let first = dir.postmaster().unwrap();
    kill_process(first, Signal::KILL).unwrap();
    dir.wait_until("a new Postgres", |dir| dir.postmaster().is_some_and(|pid| pid != first) && dir.runs());
    let began = Instant::now();
    while sqlx::PgConnection::connect(handle.url()).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "the restarted Postgres does not answer");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    handle.stop().await;
    assert!(!dir.runs());
}

#[test]
fn killing_the_server_stops_postgres_and_the_next_server_is_ready_soon() {
    if !postgres_is_here() {
        return;
    }
    let dir = Dir::new();
    let mut server = dir.serve();
    for _ in 0..3 {
        server.signal(Signal::KILL);
        let began = Instant::now();
        server = dir.serve();
        assert!(began.elapsed() < Duration::from_secs(10), "took {:?}", began.elapsed());
    }
    server.signal(Signal::KILL);
    // Told by the kernel.
    dir.wait_until("Postgres to stop with its parent", |dir| !dir.runs());

    // A command in the meantime cleans up after itself, and a server stops cleanly when told.
    assert!(dir.command(&["migrate"]).status().unwrap().success());
    assert!(!dir.runs());
    let mut server = dir.serve();
    assert!(dir.command(&["migrate"]).status().unwrap().success());
    assert!(dir.runs());
    server.signal(Signal::TERM);
    assert!(!dir.runs());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_left_running_is_adopted() {
    if !postgres_is_here() {
        return;
    }
    let dir = Dir::new();
    embedded_postgres::start_or_join(dir.settings(Purpose::Command)).await.unwrap().stop().await;
    // One that nobody's death stops, as after the kernel's request was lost.
    let inspection = embedded_postgres::inspect(&dir.0, &[]);
    let mut command = Command::new(inspection.binaries.unwrap().program("postgres"));
    command.arg("-D").arg(dir.0.join("postgres")).args(["-c", "listen_addresses=", "-k"]).arg(dir.0.join("run"));
    command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(account) = inspection.account.unwrap() {
        use std::os::unix::process::CommandExt as _;
        command.uid(account.uid).gid(account.gid);
    }
    let mut orphan = command.spawn().unwrap();
    dir.wait_until("the orphan to start", Dir::runs);

    let handle = embedded_postgres::start_or_join(dir.settings(Purpose::Serve)).await.unwrap();
    assert_eq!(dir.postmaster(), Some(Pid::from_child(&orphan)));
    let reaper = std::thread::spawn(move || orphan.wait());
    handle.stop().await;
    assert!(!dir.runs());
    reaper.join().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_pid_file_does_not_keep_postgres_from_starting() {
    if !postgres_is_here() {
        return;
    }
    let dir = Dir::new();
    embedded_postgres::start_or_join(dir.settings(Purpose::Command)).await.unwrap().stop().await;
    // The number of a living process of the same user that is no Postgres: Postgres alone would refuse to start.
    let mut sleeper = Command::new("sleep");
    sleeper.arg("60");
    if let Some(account) = embedded_postgres::inspect(&dir.0, &[]).account.unwrap() {
        use std::os::unix::process::CommandExt as _;
        sleeper.uid(account.uid).gid(account.gid);
    }
    let mut sleeper = sleeper.spawn().unwrap();
    let pid_file = dir.0.join("postgres/postmaster.pid");
    let text = format!("{}\n{}\n1700000000\n5432\n\n\n  1  1\nready   \n", sleeper.id(), dir.0.display());
    fs::write(&pid_file, text).unwrap();

    let started = embedded_postgres::start_or_join(dir.settings(Purpose::Command)).await;
    let _ = sleeper.kill();
    let _ = sleeper.wait();
    started.unwrap().stop().await;
}

#[test]
fn root_without_the_right_to_trace_processes_manages_it_too() {
    let root = rustix::process::geteuid().is_root();
    if !postgres_is_here() || !root || Command::new("setpriv").arg("--version").output().is_err() {
        return;
    }
    // As in a container: links like /proc/PID/cwd of another user's process cannot be read.
    let dir = Dir::new();
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-sys_ptrace", PLUMBLINE, "serve"]).env_remove("DATABASE_URL");
    command.env("PLUMBLINE_DATA_DIR", &dir.0).env("PLUMBLINE_LISTEN", "127.0.0.1:0").stderr(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut server = Server(child);
    assert!(line.starts_with("ready "), "{line:?}");
    server.signal(Signal::TERM);
    assert!(!dir.runs());
}

#[test]
fn a_server_that_waits_for_the_data_directory_stops_when_told() {
    if !postgres_is_here() {
        return;
    }
    let dir = Dir::new();
    let _owner = dir.serve();
    let mut waiting = Server(dir.command(&["serve"]).stdout(Stdio::null()).spawn().unwrap());
    std::thread::sleep(Duration::from_secs(2));
    let began = Instant::now();
    waiting.signal(Signal::TERM);
    assert!(began.elapsed() < Duration::from_secs(5), "took {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_when_told_while_postgres_takes_long_to_start() {
    if !postgres_is_here() {
        return;
    }
    let dir = Dir::new();
    let programs = Dir::new();
    fs::create_dir(&programs.0).unwrap();
    // Programs that hand over to the real ones, until there is a file that makes Postgres sleep.
    let (real, slow) = (embedded_postgres::inspect(&dir.0, &[]).binaries.unwrap(), programs.0.join("slow"));
    for program in ["initdb", "postgres"] {
        let path = programs.0.join(program);
        let sleep = format!("[ \"$1\" = -D ] && [ -e {} ] && exec sleep 600", slow.display());
        fs::write(&path, format!("#!/bin/sh\n{sleep}\nexec {} \"$@\"\n", real.program(program).display())).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let settings = Settings { search_path: vec![programs.0.clone()], ..dir.settings(Purpose::Serve) };
    let handle = embedded_postgres::start_or_join(settings).await.unwrap();
    fs::write(&slow, "").unwrap();
    kill_process(dir.postmaster().unwrap(), Signal::KILL).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let began = Instant::now();
    handle.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10), "took {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_path_still_gets_a_socket() {
    if !postgres_is_here() {
        return;
    }
    let mut dir = Dir::new();
    let root = Dir(dir.0.clone());
    dir.0 = dir.0.join("a directory with spaces, a comma and \"quotes\"").join("x".repeat(60));
    let handle = embedded_postgres::start_or_join(dir.settings(Purpose::Command)).await.unwrap();
    assert!(handle.url().contains("host=/tmp/plumbline-"), "{}", handle.url());
    let _ = sqlx::PgConnection::connect(handle.url()).await.unwrap().close().await;
    handle.stop().await;
    drop(root);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_and_damaged_directories_are_refused_and_left_alone() {
    let dir = Dir::new();
    let refused = async |expected: &str| {
        let problem = embedded_postgres::start_or_join(dir.settings(Purpose::Command)).await.unwrap_err();
        assert!(problem.what.contains(expected), "{problem}");
        assert!(!problem.mend.is_empty());
    };
    fs::create_dir(&dir.0).unwrap();
    fs::write(dir.0.join("thesis.tex"), "years of work").unwrap();
    refused("did not make").await;
    fs::write(dir.0.join("PG_VERSION"), "15\n").unwrap();
    refused("Postgres data directory that Plumbline did not make").await;
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 2, "something was written into a foreign directory");

    if !postgres_is_here() {
        return;
    }
    let dir = Dir::new();
    embedded_postgres::start_or_join(dir.settings(Purpose::Command)).await.unwrap().stop().await;
    let version = dir.0.join("postgres/PG_VERSION");
    for (text, expected) in [("99\n", "belongs to Postgres 99"), ("9\n", "belongs to Postgres 9"), ("?", "holds \"?\"")]
    {
        fs::write(&version, text).unwrap();
        let problem = embedded_postgres::start_or_join(dir.settings(Purpose::Command)).await.unwrap_err();
        assert!(problem.what.contains(expected), "{problem}");
    }
}

#[test]
fn a_place_the_unprivileged_user_cannot_reach_is_named() {
    if !postgres_is_here() || !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = Dir::new();
    fs::create_dir(&dir.0).unwrap();
    fs::set_permissions(&dir.0, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = Settings { data_dir: dir.0.join("data"), ..dir.settings(Purpose::Command) };
    let problem = runtime.block_on(embedded_postgres::start_or_join(settings)).unwrap_err();
    assert!(problem.what.contains(&dir.0.display().to_string()), "{problem}");
    assert!(problem.mend.contains("chmod o+x"), "{problem}");
}
