//! The data directory: what lies in it, whose it is, and when it must not be touched.
//!
//! ```text
//! plumbline-data   marker: Plumbline made this directory
//! lock, guests     see `access`
//! postgres/        the cluster (PGDATA); `postgres.new` while initdb still works on it
//! run/             the Unix socket
//! postgres.log     what Postgres prints
//! ```

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::{Account, NAME};
use crate::problem::Problem;

const MARKER: &str = "plumbline-data";
const MARKER_TEXT: &str = "Made by Plumbline, layout 1. Keep this file: without it the directory is not used.\n";
/// What a directory may hold before the marker is written: our own locks, and what mkfs leaves behind.
const HARMLESS: [&str; 3] = ["lock", "guests", "lost+found"];
/// `sockaddr_un.sun_path` holds 107 bytes and a NUL; this is the part after the directory.
const SOCKET_FILE: &str = "/.s.PGSQL.5432";
const LONGEST_SOCKET_PATH: usize = 107;
/// A log larger than this is put aside at the next start.
const LARGE_LOG: u64 = 10 * 1024 * 1024;

/// A data directory that is ours to use.
#[derive(Debug, Clone)]
pub(super) struct DataDir {
    path: PathBuf,
    account: Option<Account>,
}

impl DataDir {
    /// Checks the directory and creates what is missing.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        check(path)?;
        let account = Account::for_data_dir(path)?;
        // Parents keep the usual permissions, only the directory itself is private.
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| io_problem("create", parent, &error))?;
        }
        let data_dir = Self { path: path.to_owned(), account };
        data_dir.private_dir(path)?;
        if let Some(account) = &data_dir.account {
            check_reachable(path, account)?;
        }
        Ok(data_dir)
    }

    /// Says that the directory is ours. The caller holds the lock.
    pub(super) fn mark(&self) -> Result<(), Problem> {
        let marker = self.path.join(MARKER);
        if !marker.exists() {
            std::fs::write(&marker, MARKER_TEXT).map_err(|error| io_problem("write", &marker, &error))?;
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The user Postgres runs as; `None`: as we do.
    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// PGDATA.
    pub(super) fn cluster(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// Where initdb works until it is done.
    pub(super) fn unfinished_cluster(&self) -> PathBuf {
        self.path.join("postgres.new")
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// Opens the log for appending; a large one is kept once as `postgres.log.1`.
    pub(super) fn open_log(&self) -> Result<File, Problem> {
        let path = self.log_file();
        if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LARGE_LOG) {
            let old = self.path.join("postgres.log.1");
            std::fs::rename(&path, &old).map_err(|error| io_problem("rename", &path, &error))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let mut file = file.map_err(|error| io_problem("open", &path, &error))?;
        let _ = file.flush();
        Ok(file)
    }

    /// The directory of the Unix socket. A data directory with a long path has it below `/tmp`.
    pub(super) fn socket_dir(&self) -> PathBuf {
        let inside = self.path.join("run");
        if inside.as_os_str().len() + SOCKET_FILE.len() <= LONGEST_SOCKET_PATH {
            return inside;
        }
        let hash = Sha256::digest(self.path.as_os_str().as_bytes());
        let name = URL_SAFE_NO_PAD.encode(&hash[..9]);
        PathBuf::from(format!("/tmp/plumbline-{name}"))
    }

    /// Creates the socket's directory; refuses one that somebody else has put there.
    pub(super) fn create_socket_dir(&self) -> Result<PathBuf, Problem> {
        let dir = self.socket_dir();
        self.private_dir(&dir)?;
        Ok(dir)
    }

    /// The database's address through the socket.
    pub(super) fn url(&self) -> String {
        format!("postgres:///{NAME}?host={}&user={NAME}", percent_encode(self.socket_dir().as_os_str().as_bytes()))
    }

    /// A directory of mode 0700 that belongs to the user Postgres runs as.
    fn private_dir(&self, path: &Path) -> Result<(), Problem> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(io_problem("create", path, &error));
            }
            _ => {}
        }
        let meta = std::fs::symlink_metadata(path).map_err(|error| io_problem("look at", path, &error))?;
        let us = rustix::process::geteuid().as_raw();
        let owner = self.account.as_ref().map_or(us, |account| account.uid);
        // A link is fine for the data directory (an operator's choice), not for a socket in a shared /tmp.
        let linked = meta.is_symlink() && path != self.path;
        let meta = std::fs::metadata(path).map_err(|error| io_problem("look at", path, &error))?;
        if linked || !meta.is_dir() || (meta.uid() != owner && meta.uid() != us) {
            return Err(Problem::new(
                format!("{} belongs to user {}, not to user {owner}", path.display(), meta.uid()),
                "run plumbline as the user who owns it, or choose another PLUMBLINE_DATA_DIR",
            ));
        }
        Account::give(self.account.as_ref(), path).map_err(|error| io_problem("change the owner of", path, &error))?;
        std::fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(|error| io_problem("change the mode of", path, &error))
    }
}

/// Is this a directory Plumbline made, or one that does not exist or is empty?
pub(super) fn check(path: &Path) -> Result<(), Problem> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_problem("read", path, &error)),
    };
    if path.join(MARKER).is_file() {
        return major(path).map(|_| ());
    }
    let foreign = entries.flatten().find(|entry| HARMLESS.iter().all(|name| entry.file_name() != *name));
    let Some(foreign) = foreign else { return Ok(()) };
    let what = if path.join("PG_VERSION").exists() {
        format!("{} is a Postgres data directory that Plumbline did not make", path.display())
    } else {
        let name = foreign.file_name();
        format!("{} holds files that Plumbline did not make, such as {}", path.display(), name.display())
    };
    Err(Problem::new(
        what,
        "set PLUMBLINE_DATA_DIR to an empty or new directory; to use a Postgres that exists already, set DATABASE_URL",
    ))
}

/// The Postgres version that made the cluster; `None` when there is none yet.
pub(super) fn major(path: &Path) -> Result<Option<u32>, Problem> {
    let file = path.join("postgres/PG_VERSION");
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        // Unreadable for this user: whoever may start Postgres there will see.
        Err(_) if !path.join("postgres").exists() => return Ok(None),
        Err(error) => return Err(io_problem("read", &file, &error)),
    };
    text.trim().parse().map(Some).map_err(|_| {
        Problem::new(
            format!("{} holds \"{}\" instead of a Postgres version", file.display(), text.trim()),
            "the data directory is damaged: restore a backup into a new PLUMBLINE_DATA_DIR",
        )
    })
}

/// Can the user Postgres runs as get to the directory?
pub(super) fn check_reachable(path: &Path, account: &Account) -> Result<(), Problem> {
    for dir in path.ancestors().skip(1) {
        let Ok(meta) = std::fs::metadata(dir) else { continue };
        let needed = if meta.uid() == account.uid {
            0o100
        } else if meta.gid() == account.gid {
            0o010
        } else {
            0o001
        };
        if meta.mode() & needed == 0 {
            return Err(Problem::new(
                format!(
                    "Postgres never runs as root but as user {}, who may not enter {}",
                    account.name,
                    dir.display()
                ),
                format!("set PLUMBLINE_DATA_DIR to a place like /var/lib/plumbline, or chmod o+x {}", dir.display()),
            ));
        }
    }
    Ok(())
}

/// A failed file operation, in words.
pub(super) fn io_problem(verb: &str, path: &Path, error: &std::io::Error) -> Problem {
    let mend = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "run plumbline as the user who owns it, or choose another directory",
        std::io::ErrorKind::StorageFull => "free some disk space",
        std::io::ErrorKind::ReadOnlyFilesystem => "choose a PLUMBLINE_DATA_DIR on a disk that can be written",
        _ => "look at the directory; PLUMBLINE_DATA_DIR chooses another one",
    };
    Problem::new(format!("cannot {verb} {}: {error}", path.display()), mend)
}

/// For the query part of a URL; `+` would be read differently by libpq and by URL parsers.
fn percent_encode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => char::from(*byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> DataDir {
        DataDir { path: PathBuf::from(path), account: None }
    }

    #[test]
    fn the_socket_path_always_fits() {
        assert_eq!(at("/var/lib/plumbline").socket_dir(), Path::new("/var/lib/plumbline/run"));
        let long = at(&format!("/{}", "x".repeat(100))).socket_dir();
        assert!(long.starts_with("/tmp"), "{long:?}");
        assert_ne!(long, at(&format!("/{}", "y".repeat(100))).socket_dir());
    }

    #[test]
    fn the_url_survives_odd_directory_names() {
        let url = at("/srv/a b+c&d").url();
        assert_eq!(url, "postgres:///plumbline?host=/srv/a%20b%2Bc%26d/run&user=plumbline");
        assert!(url.parse::<sqlx::postgres::PgConnectOptions>().is_ok());
    }
}
