//! What a step needs on the machine: each function installs it where that is possible without asking (rustup targets;
//! Debian packages as root; npm packages inside the repository), else fails naming the exact command to run.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, process, workspace::Workspace};

/// The browser's compilation target.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The oldest Postgres the product runs on.
const OLDEST_POSTGRES: u32 = 15;

/// Makes sure rustc can compile for the browser.
pub fn wasm_target(workspace: &Workspace) -> Outcome {
    let installed = || {
        let mut rustc = Command::new("rustc");
        rustc.current_dir(&workspace.root).args(["--print", "target-libdir", "--target", WASM_TARGET]);
        process::capture(&mut rustc).is_ok_and(|folder| Path::new(folder.trim()).is_dir())
    };
    if installed() {
        return Ok(());
    }
    let advice = format!("the WASM target is missing; run: rustup target add {WASM_TARGET}");
    if process::which("rustup").is_none() {
        return Err(format!("{advice} (without rustup: your distribution's package of Rust's {WASM_TARGET} library)"));
    }
    println!("Installing the WASM target");
    let mut rustup = Command::new("rustup");
    rustup.current_dir(&workspace.root).args(["target", "add", WASM_TARGET]);
    process::run(&mut rustup).map_err(|error| format!("{advice}\n{error}"))?;
    if installed() { Ok(()) } else { Err(advice) }
}

/// The folder with `postgres`, `initdb` and `psql`.
pub fn postgres() -> Outcome<PathBuf> {
    if let Some(folder) = find_postgres() {
        return Ok(folder);
    }
    apt_install("postgresql", "Postgres 15 or later", "brew install postgresql@17")?;
    find_postgres().ok_or_else(|| {
        format!("the distribution's Postgres is older than {OLDEST_POSTGRES}; see https://www.postgresql.org/download/")
    })
}

fn find_postgres() -> Option<PathBuf> {
    let complete = |folder: &Path| ["postgres", "initdb", "psql"].iter().all(|p| process::is_program(&folder.join(p)));
    let in_path = process::which("postgres").and_then(|program| program.parent().map(Path::to_path_buf));
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin"));
    let homebrew = std::fs::read_dir("/opt/homebrew/opt").into_iter().flatten().flatten();
    let homebrew = homebrew.filter(|e| e.file_name().to_string_lossy().starts_with("postgresql@"));
    let candidates = in_path.into_iter().chain(debian).chain(homebrew.map(|e| e.path().join("bin")));
    let suitable = candidates.filter(|folder| complete(folder)).filter_map(|folder| {
        let version = postgres_version(&folder)?;
        (version >= OLDEST_POSTGRES).then_some((version, folder))
    });
    suitable.max_by_key(|(version, _)| *version).map(|(_, folder)| folder)
}

/// The major version: `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15.
fn postgres_version(folder: &Path) -> Option<u32> {
    let answer = process::capture(Command::new(folder.join("postgres")).arg("--version")).ok()?;
    let version = answer.split_whitespace().nth(2)?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The Chromium that the browser tests drive.
pub fn chromium() -> Outcome<PathBuf> {
    let find = || ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(process::which);
    if let Some(program) = find() {
        return Ok(program);
    }
    apt_install("chromium", "Chromium", "brew install --cask chromium")?;
    find().ok_or_else(|| "Chromium was installed but is not in PATH".into())
}

/// The oldest Node the browser tests' packages run on.
const OLDEST_NODE: u32 = 20;

/// Checks that Node and npm are there and recent enough.
pub fn node() -> Outcome {
    let advice = format!(
        "install Node {OLDEST_NODE} or later with npm (https://nodejs.org/en/download; on Debian 13: apt-get install nodejs npm)"
    );
    if process::which("npm").is_none() {
        return Err(format!("npm is missing; {advice}"));
    }
    let version =
        process::capture(Command::new("node").arg("--version")).map_err(|_| format!("Node is missing; {advice}"))?;
    let major: Option<u32> =
        version.trim().trim_start_matches('v').split('.').next().and_then(|number| number.parse().ok());
    match major {
        Some(major) if major >= OLDEST_NODE => Ok(()),
        _ => Err(format!("Node {} is too old; {advice}", version.trim())),
    }
}

/// Installs the packages of the lock file in `folder`, unless the installed ones come from the same lock file.
pub fn npm_packages(folder: &Path) -> Outcome {
    let lock = folder.join("package-lock.json");
    let stamp = folder.join("node_modules/.installed-from");
    let wanted = crate::workspace::read(&lock)?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("Installing npm packages into {}", folder.join("node_modules").display());
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    process::run(npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))?;
    crate::workspace::write(&stamp, wanted)
}

fn apt_install(package: &str, what: &str, on_macos: &str) -> Outcome {
    if process::which("apt-get").is_none() {
        let command =
            if cfg!(target_os = "macos") { on_macos.into() } else { format!("install the package {package}") };
        return Err(format!("{what} is missing; run: {command}"));
    }
    let advice = format!("{what} is missing; run: sudo apt-get update && sudo apt-get install --yes {package}");
    if !process::is_root() {
        return Err(advice);
    }
    println!("Installing {what}: apt-get install {package}");
    for arguments in [&["update", "-qq"][..], &["install", "-qq", "--yes", "--no-install-recommends", package]] {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        process::capture(&mut apt).map_err(|error| format!("{advice}\n{error}"))?;
    }
    Ok(())
}
