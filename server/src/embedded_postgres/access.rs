//! One owner at a time: the locks of a data directory.
//!
//! `lock` is held by the process that runs Postgres. `guests` is held, shared, by every command that uses the owner's
//! Postgres; the owner takes it alone before it stops, so that no command loses its database half way.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Purpose;
use super::account::Account;
use super::data_dir::{DataDir, io_problem};
use super::postmaster;
use crate::problem::Problem;

const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What the locks say this process may do.
#[derive(Debug)]
pub(super) enum Access {
    /// Run Postgres here, as long as this file is open.
    Owner(File),
    /// Use the Postgres that runs; this open file tells its owner so.
    Guest(File),
}

/// Becomes the owner, or for a command the guest of an owner whose Postgres is ready. May wait long: dropped, it lets go
/// at once.
pub(super) async fn acquire(data_dir: &DataDir, purpose: Purpose, patience: Duration) -> Result<Access, Problem> {
    let lock = open(data_dir, "lock")?;
    let guests = open(data_dir, "guests")?;
    let deadline = Instant::now() + patience;
    let mut told = false;
    loop {
        if lock.try_lock().is_ok() {
            return Ok(Access::Owner(lock));
        }
        if purpose == Purpose::Command && guests.try_lock_shared().is_ok() {
            if postmaster::ready(&data_dir.cluster()).is_some() && lock.try_lock().is_err() {
                return Ok(Access::Guest(guests));
            }
            unlock(&lock, data_dir)?;
            unlock(&guests, data_dir)?;
        }
        if Instant::now() > deadline {
            return Err(Problem::new(
                format!("another plumbline process uses {}", data_dir.path().display()),
                "stop the other one first, or give this one its own PLUMBLINE_DATA_DIR",
            ));
        }
        if !told {
            tracing::info!(data_dir = %data_dir.path().display(), "waiting for another plumbline process");
            told = true;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Waits until no guest is left and lets no new one in; gives up after `patience`.
pub(super) fn wait_for_guests(data_dir: &DataDir, patience: Duration) -> Option<File> {
    let guests = open(data_dir, "guests").ok()?;
    let deadline = Instant::now() + patience;
    while guests.try_lock().is_err() {
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Some(guests)
}

/// Does some process own this data directory?
pub(super) fn is_owned(path: &Path) -> bool {
    File::open(path.join("lock")).is_ok_and(|lock| lock.try_lock_shared().is_err())
}

fn open(data_dir: &DataDir, name: &str) -> Result<File, Problem> {
    let path = data_dir.path().join(name);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| io_problem("open", &path, &error))?;
    Account::give(data_dir.account(), &path).map_err(|error| io_problem("change the owner of", &path, &error))?;
    Ok(file)
}

fn unlock(file: &File, data_dir: &DataDir) -> Result<(), Problem> {
    file.unlock().map_err(|error| io_problem("unlock", data_dir.path(), &error))
}
