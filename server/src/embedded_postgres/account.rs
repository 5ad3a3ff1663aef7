//! The unprivileged user Postgres runs as when Plumbline is started by root.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::problem::Problem;

/// Users tried in this order when the data directory has no owner of its own yet.
const CANDIDATES: [&str; 3] = ["plumbline", "postgres", "nobody"];

/// A user and its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name in `/etc/passwd`, or the number when it has none.
    pub name: String,
    /// User id, never 0.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl Account {
    /// `None` when we are not root ourselves: then Postgres simply runs as we do. As root: the owner of the data
    /// directory if that is not root, else the first of `plumbline`, `postgres`, `nobody` that exists.
    pub fn for_data_dir(data_dir: &Path) -> Result<Option<Self>, Problem> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        if let Ok(meta) = std::fs::metadata(data_dir)
            && meta.uid() != 0
        {
            let name = accounts(&passwd).find(|account| account.uid == meta.uid()).map(|account| account.name);
            let name = name.unwrap_or_else(|| meta.uid().to_string());
            return Ok(Some(Self { name, uid: meta.uid(), gid: meta.gid() }));
        }
        CANDIDATES
            .iter()
            .find_map(|name| accounts(&passwd).find(|account| account.name == *name && account.uid != 0))
            .map(Some)
            .ok_or_else(|| {
                Problem::new(
                    "Postgres never runs as root, and there is no unprivileged user to run it as",
                    "useradd --system plumbline",
                )
            })
    }

    /// Makes a command run as this user, without root's supplementary groups.
    pub(super) fn apply(account: Option<&Self>, command: &mut Command) {
        if let Some(account) = account {
            command.gid(account.gid).uid(account.uid);
        }
    }

    /// Gives a file or directory to this user.
    pub(super) fn give(account: Option<&Self>, path: &Path) -> std::io::Result<()> {
        match account {
            Some(account) => std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid)),
            None => Ok(()),
        }
    }
}

/// The entries of `/etc/passwd`; malformed lines are skipped.
fn accounts(passwd: &str) -> impl Iterator<Item = Account> + '_ {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { name, uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwd_lines_are_read_and_broken_ones_skipped() {
        let text = "root:x:0:0:root:/root:/bin/bash\n# comment\nbroken:x\npostgres:x:101:104::/var:/bin/sh\n";
        let names: Vec<_> = accounts(text).map(|account| (account.name, account.uid, account.gid)).collect();
        assert_eq!(names, [("root".to_owned(), 0, 0), ("postgres".to_owned(), 101, 104)]);
    }
}
