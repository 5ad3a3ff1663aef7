//! `cargo xtask dev`: a debug build that is made and started anew when a file changes.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    Outcome, build,
    postgres::Postgres,
    process::{self, Companion, tied},
    wasm::Build,
    workspace::{Workspace, files_below},
};

const WATCHED: [&str; 6] = ["app", "server", "style", "migrations", "Cargo.toml", "Cargo.lock"];

const POLL: Duration = Duration::from_millis(400);

/// Goes on until interrupted. A failing build keeps the last good server running.
pub fn watch(workspace: &Workspace) -> Outcome {
    // Queries are checked against a live database while one writes them: `.sqlx` describes the committed ones only.
    let postgres = Postgres::start()?;
    let mut running: Option<Companion> = None;
    loop {
        let seen = times(workspace);
        let start = Instant::now();
        match rebuild(workspace, &postgres) {
            Ok(()) => {
                drop(running.take());
                let mut server = tied(workspace.server_binary("debug"), "TERM", None);
                server.current_dir(&workspace.root).args(["serve", "--demo"]);
                running = Some(Companion::start(&mut server, "TERM")?);
                println!("Rebuilt in {}; watching {}", build::minutes(start), WATCHED.join(", "));
            }
            Err(message) => eprintln!("{message}\nWaiting for a change"),
        }
        while times(workspace) == seen {
            std::thread::sleep(POLL);
            if let Some(status) = running.as_mut().and_then(Companion::ended) {
                eprintln!("The server ended ({status}); waiting for a change");
                running = None;
            }
        }
    }
}

fn rebuild(workspace: &Workspace, postgres: &Postgres) -> Outcome {
    build::browser_files(workspace, Build::Debug)?;
    let mut cargo = build::server(workspace);
    let url = postgres.migrated_database(workspace, "plumbline_queries")?;
    process::run(cargo.env("DATABASE_URL", url).env("SQLX_OFFLINE", "false"))
}

fn times(workspace: &Workspace) -> BTreeMap<PathBuf, SystemTime> {
    let below = |name: &str| {
        let path = workspace.root.join(name);
        if path.is_file() { vec![path] } else { files_below(&path) }
    };
    let time = |path: PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok().map(|time| (path, time));
    WATCHED.into_iter().flat_map(below).filter_map(time).collect()
}
