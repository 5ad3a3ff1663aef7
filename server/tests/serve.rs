//! `plumbline serve` as an operator meets it: a database that is late, a busy port, a bad configuration, a stop.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

fn plumbline(args: &[&str], vars: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plumbline"));
    command.args(args).env_remove("DATABASE_URL").env_remove("PLUMBLINE_DATA_DIR").envs(vars.iter().copied());
    command
}

fn run(args: &[&str], vars: &[(&str, &str)]) -> (Output, String) {
    let output = plumbline(args, vars).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, text)
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(vars: &[(&str, &str)]) -> Self {
        let port = free_port();
        let child = plumbline(&["serve"], vars)
            .env("PLUMBLINE_LISTEN", format!("127.0.0.1:{port}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port }
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn wait_for(&self, path: &str, start: &str) -> String {
        let began = Instant::now();
        loop {
            match self.get(path) {
                Some(answer) if answer.starts_with(start) => return answer,
                answer if began.elapsed() > Duration::from_secs(15) => panic!("no {start} from {path}: {answer:?}"),
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_database_that_is_down_is_waited_for() {
    let database = format!("postgres://nobody@127.0.0.1:{}/none", free_port());
    let mut server = Server::start(&[("DATABASE_URL", &database)]);
    server.wait_for("/livez", "HTTP/1.1 200");
    let answer = server.wait_for("/readyz", "HTTP/1.1 503");
    assert!(answer.contains("starting"), "{answer}");
    let answer = server.wait_for("/rfcs", "HTTP/1.1 503");
    assert!(answer.contains("retry-after"), "{answer}");

    let began = Instant::now();
    kill_process(Pid::from_child(&server.child), Signal::TERM).unwrap();
    assert!(server.child.wait().unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn readiness_is_announced_and_given_up_before_the_port_closes() {
    let base = std::path::Path::new("/tmp").join(format!("plumbline-serve-{}", std::process::id()));
    let mut server = Server::start(&[("PLUMBLINE_DATA_DIR", base.to_str().unwrap())]);
    let mut line = String::new();
    BufReader::new(server.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.is_empty() {
        eprintln!("skipped: no Postgres on this machine");
        return;
    }
    assert_eq!(line, format!("ready http://127.0.0.1:{}\n", server.port));
    server.wait_for("/readyz", "HTTP/1.1 200");
    kill_process(Pid::from_child(&server.child), Signal::TERM).unwrap();
    let answer = server.wait_for("/readyz", "HTTP/1.1 503");
    assert!(answer.contains("stopping"), "{answer}");
    assert!(server.child.wait().unwrap().success());
    std::fs::remove_dir_all(base).unwrap();
}

#[test]
fn mistakes_are_explained_in_one_go() {
    let (output, text) = run(&["serve"], &[("PLUMBLINE_LISTN", "x"), ("PLUMBLINE_DB_POOL", "many")]);
    assert!(!output.status.success());
    assert!(text.contains("2 mistakes") && text.contains("did you mean PLUMBLINE_LISTEN?"), "{text}");
    assert!(!text.contains("panic"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (output, text) = run(&["serve"], &[("PLUMBLINE_LISTEN", &address)]);
    assert!(!output.status.success());
    assert!(text.contains(&address) && text.contains("PLUMBLINE_LISTEN"), "{text}");
}

#[test]
fn doctor_finds_a_foreign_directory_and_says_what_to_do() {
    let output = plumbline(&["doctor"], &[("PLUMBLINE_DATA_DIR", "/usr")]).output().unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("PROBLEM") && text.contains("To mend it:"), "{text}");
}
