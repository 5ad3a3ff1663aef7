//! Finding the programs of Postgres on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::problem::Problem;

/// The oldest version Plumbline works with.
pub const OLDEST_MAJOR: u32 = 15;

/// Where the Linux distributions keep Postgres; `*` stands for the version.
const USUAL_PLACES: [(&str, &str); 3] = [("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/usr/local/pgsql", "bin")];

const INSTALL: &str = "install Postgres 15 or newer (Debian, Ubuntu: apt-get install postgresql), or set DATABASE_URL";

/// The programs of one Postgres version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// Where they are.
    pub dir: PathBuf,
    /// Major version.
    pub major: u32,
}

impl Binaries {
    /// Path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// The newest version there is, or, for a data directory that exists, the version that made it.
pub fn for_major(search_path: &[PathBuf], wanted: Option<u32>) -> Result<Binaries, Problem> {
    choose(find_all(search_path), wanted)
}

fn choose(mut found: Vec<Binaries>, wanted: Option<u32>) -> Result<Binaries, Problem> {
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    let Some(newest) = found.first() else {
        return Err(Problem::new("no Postgres programs (initdb, postgres) were found on this machine", INSTALL));
    };
    match wanted {
        None if newest.major < OLDEST_MAJOR => Err(Problem::new(
            format!("the newest Postgres on this machine is {}, Plumbline needs {OLDEST_MAJOR}", newest.major),
            INSTALL,
        )),
        None => Ok(newest.clone()),
        Some(major) => found.iter().find(|binaries| binaries.major == major).cloned().ok_or_else(|| {
            let versions: Vec<_> = found.iter().map(|binaries| binaries.major.to_string()).collect();
            Problem::new(
                format!(
                    "the data directory belongs to Postgres {major}, this machine has only {}",
                    versions.join(" and ")
                ),
                format!(
                    "install postgresql-{major} again; to change the version, run `plumbline backup --out FILE` with \
                     Postgres {major} installed and `plumbline restore FILE` into an empty PLUMBLINE_DATA_DIR"
                ),
            )
        }),
    }
}

fn find_all(search_path: &[PathBuf]) -> Vec<Binaries> {
    let usual = USUAL_PLACES.iter().flat_map(|(parent, bin)| {
        let versions = std::fs::read_dir(parent).into_iter().flatten().flatten();
        versions.map(|entry| entry.path().join(bin)).collect::<Vec<_>>()
    });
    let mut dirs: Vec<PathBuf> = search_path.iter().cloned().chain(usual).collect();
    dirs.retain(|dir| dir.join("initdb").is_file() && dir.join("postgres").is_file());
    let mut found: Vec<Binaries> = Vec::new();
    for dir in dirs {
        let dir = home(dir);
        if !found.iter().any(|binaries| binaries.dir == dir)
            && let Some(major) = version(&dir)
        {
            found.push(Binaries { dir, major });
        }
    }
    found
}

/// The directory the programs really lie in, when `dir` only holds links to them.
fn home(dir: PathBuf) -> PathBuf {
    let real = dir.join("postgres").canonicalize().ok();
    let real = real.as_deref().and_then(Path::parent).filter(|real| real.join("initdb").is_file());
    real.map_or(dir, Path::to_owned)
}

fn version(dir: &Path) -> Option<u32> {
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` → 15
fn parse_version(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("(PostgreSQL) ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(majors: &[u32]) -> Vec<Binaries> {
        majors.iter().map(|major| Binaries { dir: PathBuf::from(format!("/pg/{major}/bin")), major: *major }).collect()
    }

    #[test]
    fn versions_are_read_from_what_postgres_prints() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta2\n"), Some(18));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn a_new_directory_gets_the_newest_an_old_one_its_own() {
        assert_eq!(choose(installed(&[15, 17, 16]), None).unwrap().major, 17);
        assert_eq!(choose(installed(&[15, 17, 16]), Some(15)).unwrap().major, 15);
    }

    #[test]
    fn a_missing_or_old_version_comes_with_advice() {
        assert!(choose(installed(&[]), None).unwrap_err().mend.contains("apt-get install postgresql"));
        assert!(choose(installed(&[14]), None).unwrap_err().what.contains("is 14"));
        for wanted in [14, 99] {
            let problem = choose(installed(&[15, 16]), Some(wanted)).unwrap_err();
            assert!(problem.what.contains(&format!("belongs to Postgres {wanted}")), "{problem}");
            assert!(problem.mend.contains("plumbline restore"), "{problem}");
        }
    }
}
