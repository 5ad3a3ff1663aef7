//! The browser tests: Playwright and Chromium against the release binary with its own embedded Postgres, and a second
//! process of it on the same database.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use crate::{
    Outcome, build, needs,
    postgres::temporary_folder,
    process::{self, Companion, tied},
    test::TestRun,
    workspace::{Workspace, create_folder, remove_folder},
};

/// How long the server may take from its start to `ready`: a new cluster, migrations and demo data.
const START_LIMIT: Duration = Duration::from_mins(2);

/// `cargo xtask e2e [ARGS...]`
pub fn standalone(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    build::release(workspace)?;
    let run = run(workspace, arguments)?;
    if run.success { Ok(()) } else { Err(String::new()) }
}

/// Runs Playwright with these further arguments against the release binary, which must be built.
pub fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome<TestRun> {
    needs::node()?;
    needs::postgres()?;
    let chromium = needs::chromium()?;
    let folder = workspace.root.join("end2end");
    needs::npm_packages(&folder)?;

    let server = Server::start(workspace)?;
    let mut playwright = tied(folder.join("node_modules/.bin/playwright"), "TERM", None);
    playwright.current_dir(&folder).arg("test").args(arguments);
    playwright.env("PLUMBLINE_E2E_URL", &server.url).env("PLUMBLINE_E2E_SECOND_URL", &server.second_url);
    playwright.env("PLUMBLINE_E2E_CHROMIUM", chromium);
    let (summary, success) = process::run_keeping(&mut playwright, is_summary)?;
    if !success {
        println!("The server's log: {}", server.log.display());
    }
    Ok(TestRun { summary, success })
}

/// Playwright's last lines: `  12 passed (8.1s)`, `  1 failed`, `  2 skipped`.
fn is_summary(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let number = words.next().is_some_and(|word| word.parse::<u32>().is_ok());
    number && matches!(words.next(), Some("passed" | "failed" | "skipped" | "flaky" | "interrupted"))
}

/// `plumbline serve --demo` with an empty data folder, and another process beside it.
struct Server {
    url: String,
    second_url: String,
    log: PathBuf,
    data: PathBuf,
    /// In the order in which they stop: the first one has the database.
    second: Option<Companion>,
    first: Option<Companion>,
}

impl Server {
    fn start(workspace: &Workspace) -> Outcome<Self> {
        let data = temporary_folder("e2e")?;
        let logs = workspace.scratch().join("e2e");
        create_folder(&logs)?;
        let (log, folder) = (logs.join("server.log"), data.join("data"));
        let (url, second_url) = (String::new(), String::new());
        let mut server = Self { url, second_url, log, data, second: None, first: None };

        let mut command = serve(workspace)?;
        command.arg("--demo").env("PLUMBLINE_DATA_DIR", &folder);
        (server.first, server.url) = start(&mut command, &server.log)?;
        let mut command = serve(workspace)?;
        // The socket of the first one's Postgres.
        let database = format!("postgres:///plumbline?host={}&user=plumbline", folder.join("run").display());
        command.env("DATABASE_URL", database);
        (server.second, server.second_url) = start(&mut command, &logs.join("second-server.log"))?;
        println!("Servers for the browser tests: {} and {}", server.url, server.second_url);
        Ok(server)
    }
}

fn serve(workspace: &Workspace) -> Outcome<Command> {
    let mut command = tied(workspace.server_binary("release"), "TERM", None);
    for name in ["DATABASE_URL", "PLUMBLINE_TEST_DATABASE_URL", "PLUMBLINE_DATA_DIR"] {
        command.env_remove(name);
    }
    command.current_dir(&workspace.root).arg("serve").env("PLUMBLINE_LISTEN", free_address()?);
    // One browser signs in as everybody, many times a minute: that is what the limits are there to stop.
    command.env("PLUMBLINE_RATE_LIMITS", "off");
    Ok(command)
}

/// Starts a server and waits for its address.
fn start(command: &mut Command, log: &Path) -> Outcome<(Option<Companion>, String)> {
    let log_file = File::create(log).map_err(|error| format!("cannot write {}: {error}", log.display()))?;
    let mut process = Companion::start(command.stdout(Stdio::piped()).stderr(log_file), "TERM")?;
    let output = process.output().ok_or("the server's output is not piped")?;
    let url = wait_until_ready(output).map_err(|error| format!("{error}; see {}", log.display()))?;
    Ok((Some(process), url))
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.second.take());
        drop(self.first.take());
        let _ = remove_folder(&self.data);
    }
}

/// Reads lines until `ready http://ADDRESS`; goes on reading in the background so that the server never blocks.
fn wait_until_ready(output: impl std::io::Read + Send + 'static) -> Outcome<String> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(url) = line.strip_prefix("ready ") {
                let _ = send.send(url.trim().to_owned());
            }
        }
    });
    receive.recv_timeout(START_LIMIT).map_err(|error| match error {
        mpsc::RecvTimeoutError::Timeout => format!("the server was not ready within {} s", START_LIMIT.as_secs()),
        mpsc::RecvTimeoutError::Disconnected => "the server stopped before it was ready".into(),
    })
}

/// An address nobody listens on at the moment.
pub fn free_address() -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map(|address| address.to_string()).map_err(|error| format!("no free port: {error}"))
}
