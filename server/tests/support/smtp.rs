//! A mail server for tests: takes mail on this machine and keeps it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail as it came in.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Whom it is for, by the envelope.
    pub to: String,
    /// All of it.
    pub raw: Vec<u8>,
}

/// The server.
#[derive(Clone, Default)]
pub struct Smtp {
    taken: Arc<Mutex<Vec<Taken>>>,
    replies: Arc<Mutex<VecDeque<&'static str>>>,
    port: u16,
}

impl Smtp {
    /// Starts one. It takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let smtp = Self { port: listener.local_addr().unwrap().port(), ..Self::default() };
        let server = smtp.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.talk(stream).await });
            }
        });
        smtp
    }

    /// What `PLUMBLINE_SMTP_URL` says to reach it.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Answers the next mail like this instead of taking it; `250` takes it all the same.
    pub fn reply(&self, reply: &'static str) {
        self.replies.lock().unwrap().push_back(reply);
    }

    /// What came in since the last time, also what was refused in the end.
    pub fn take(&self) -> Vec<Taken> {
        std::mem::take(&mut *self.taken.lock().unwrap())
    }

    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 sink\r\n").await.ok()?;
        let mut to = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let reply = match line.get(..4)?.to_ascii_uppercase().as_str() {
                "EHLO" => "250-sink\r\n250 8BITMIME",
                "RCPT" => {
                    line.trim_end().clone_into(&mut to);
                    "250 ok"
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.ok()?;
                    let mut raw = Vec::new();
                    while !raw.ends_with(b"\r\n.\r\n") {
                        raw.push(stream.read_u8().await.ok()?);
                    }
                    raw.truncate(raw.len() - 3);
                    self.taken.lock().unwrap().push(Taken { to: to.clone(), raw });
                    self.replies.lock().unwrap().pop_front().unwrap_or("250 taken")
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await.ok()?;
                    return None;
                }
                _ => "250 ok",
            };
            stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
        }
    }
}
