//! A throw-away Postgres for tests and query checks: own folder, Unix socket only, quick instead of durable, never as
//! root, gone with xtask.

use std::{
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    Outcome, needs,
    process::{self, Companion, tied},
    workspace::{Workspace, create_folder, files_below, remove_folder, write},
};

/// All folders of ours begin so; the process id of their xtask follows.
const FOLDER_PREFIX: &str = "plumbline-xtask-";

/// Losing everything in a power cut is fine here, so nothing waits for the disk.
const SETTINGS: &str = "
listen_addresses = ''
max_connections = 200
shared_buffers = 128MB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
log_min_messages = warning
";

/// A running server. Dropped, it stops and its folder is removed.
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    server: Option<Companion>,
}

impl Postgres {
    /// Creates and starts one.
    pub fn start() -> Outcome<Self> {
        let programs = needs::postgres()?;
        let folder = temporary_folder("postgres")?;
        let user = unprivileged_user()?;
        if let Some((user, group)) = user {
            chown(&folder, Some(user), Some(group))
                .map_err(|error| format!("cannot give {} to Postgres' user: {error}", folder.display()))?;
        }
        let data = folder.join("data");
        let mut initdb = tied(programs.join("initdb"), "KILL", user);
        initdb.current_dir(&folder).arg("--pgdata").arg(&data);
        initdb.args(["--username=plumbline", "--auth=trust", "--encoding=UTF8", "--no-sync"]);
        initdb.arg(if cfg!(target_os = "linux") { "--locale=C.UTF-8" } else { "--no-locale" });
        process::capture(&mut initdb)?;
        let configuration = data.join("postgresql.auto.conf");
        write(&configuration, format!("{SETTINGS}unix_socket_directories = '{}'\n", folder.display()))?;

        let log = std::fs::File::create(folder.join("log")).map_err(|error| format!("Postgres' log: {error}"))?;
        let mut command = tied(programs.join("postgres"), "INT", user);
        command.current_dir(&folder).arg("-D").arg(&data).stdout(Stdio::null()).stderr(log);
        // A group of its own: Ctrl+C reaches the programs that use it, which still need it while they stop.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let server = Companion::start(&mut command, "INT")?;
        let mut postgres = Self { programs, folder, server: Some(server) };
        postgres.wait()?;
        Ok(postgres)
    }

    fn wait(&mut self) -> Outcome {
        for _ in 0..600 {
            if self.psql("postgres", &["--command", "select 1"]).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.server.as_mut().and_then(Companion::ended) {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("the temporary Postgres did not start ({status}):\n{log}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("the temporary Postgres did not start within 30 s".into())
    }

    /// Creates a database and applies the migrations to it; returns its URL.
    pub fn migrated_database(&self, workspace: &Workspace, name: &str) -> Outcome<String> {
        let url = self.new_database(name)?;
        let migrations = files_below(&workspace.root.join("migrations"));
        for file in migrations.iter().filter(|path| path.extension().is_some_and(|extension| extension == "sql")) {
            self.psql(name, &["--file", &file.to_string_lossy()])?;
        }
        Ok(url)
    }

    /// Creates an empty database, in place of one with the same name; returns its URL.
    pub fn new_database(&self, name: &str) -> Outcome<String> {
        self.psql("postgres", &["--command", &format!("drop database if exists {name} with (force)")])?;
        self.psql("postgres", &["--command", &format!("create database {name}")])?;
        Ok(self.url(name))
    }

    /// One of its programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// How a program connects to a database of this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=plumbline", self.folder.display())
    }

    fn psql(&self, database: &str, arguments: &[&str]) -> Outcome<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--username=plumbline"]);
        psql.arg("--host").arg(&self.folder).args(["--dbname", database]);
        process::capture(psql.args(arguments))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.server.take());
        if let Err(error) = remove_folder(&self.folder) {
            eprintln!("{error}");
        }
    }
}

/// A new folder in the system's temporary folder, which users other than root can reach.
pub fn temporary_folder(purpose: &str) -> Outcome<PathBuf> {
    let folder = std::env::temp_dir().join(format!("{FOLDER_PREFIX}{}-{purpose}", std::process::id()));
    sweep();
    remove_folder(&folder)?;
    create_folder(&folder)?;
    Ok(folder)
}

/// Removes folders of xtasks that were killed before they could.
fn sweep() {
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let process = name.strip_prefix(FOLDER_PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| Path::new("/proc/self").exists() && !Path::new("/proc").join(process).exists())
        {
            let _ = remove_folder(&entry.path());
        }
    }
}

/// Postgres refuses to run as root: the user and group ids to run it as instead; `None` when we are not root.
fn unprivileged_user() -> Outcome<Option<(u32, u32)>> {
    if !process::is_root() {
        return Ok(None);
    }
    let id = |flag: &str, name: &str| -> Option<u32> {
        process::capture(Command::new("id").args([flag, name])).ok()?.trim().parse().ok()
    };
    let user = ["postgres", "nobody"].into_iter().find_map(|name| Some((id("-u", name)?, id("-g", name)?)));
    user.map(Some)
        .ok_or_else(|| "Postgres refuses to run as root, and there is neither a user postgres nor nobody".into())
}
