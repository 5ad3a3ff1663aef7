//! Where things are: the repository, cargo's target folder, and the folder of browser files the server embeds.

use std::path::{Path, PathBuf};

use crate::{Outcome, process};

/// The folders a step works in.
pub struct Workspace {
    /// The repository.
    pub root: PathBuf,
    /// Cargo's target folder: `CARGO_TARGET_DIR`, the configured one, or `target` in the repository.
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo, which knows every way the target folder can be set.
    pub fn find() -> Outcome<Self> {
        // As cargo says it now: with a target directory that several checkouts share, another one may have compiled this.
        let own = environment("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Path::new(&own).parent().ok_or("xtask is not inside the workspace")?.to_path_buf();
        let metadata = process::capture(process::cargo().current_dir(&root).args([
            "metadata",
            "--format-version=1",
            "--no-deps",
            "--offline",
        ]))?;
        let metadata: serde_json::Value =
            serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata is not JSON: {error}"))?;
        let target = metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
        Ok(Self { root, target: PathBuf::from(target) })
    }

    /// What the server embeds. Always inside the repository, because the folder is part of the server's source code.
    pub fn package(&self) -> PathBuf {
        self.root.join("target/site/pkg")
    }

    /// Scratch space of the build steps: intermediate files, stamps, installed npm tools.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// The server built by `cargo build`, with or without `--release`.
    pub fn server_binary(&self, profile: &str) -> PathBuf {
        self.target.join(profile).join("plumbline")
    }
}

/// Reads an environment variable; unset and empty are the same.
#[expect(clippy::disallowed_methods, reason = "the ban is for the product, whose configuration lives in one file")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Like `std::fs::create_dir_all`, with the path in the message.
pub fn create_folder(path: &Path) -> Outcome {
    std::fs::create_dir_all(path).map_err(|error| format!("cannot create {}: {error}", path.display()))
}

/// Removes a folder and all in it; not being there is fine.
pub fn remove_folder(path: &Path) -> Outcome {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Like `std::fs::read`, with the path in the message.
pub fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Like `std::fs::write`, with the path in the message.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Outcome {
    std::fs::write(path, content).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Every file below `folder` in a fixed order, without hidden ones, `node_modules` and `target`.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == "node_modules" || name == "target" {
            continue;
        }
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
