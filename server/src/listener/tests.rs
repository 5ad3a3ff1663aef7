use std::time::Instant;

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

/// The usual limits, but a stop closes the port at once.
fn at_once() -> Limits {
    Limits { notice: Duration::ZERO, ..Limits::default() }
}

async fn start(limits: Limits) -> Running {
    let app = Router::new()
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }))
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_millis(400)).await;
                "done"
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::default();
    let task = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { serve(listener, app, limits, &shutdown).await }
    });
    Running { address, shutdown, task }
}

/// Sends a request that closes the connection and reads everything.
async fn get_text(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text).await;
    text
}

#[tokio::test]
async fn requests_know_their_peer() {
    let server = start(at_once()).await;
    assert!(get_text(server.address, "/peer").await.ends_with("127.0.0.1"));
}

#[tokio::test]
async fn a_head_that_does_not_come_closes_the_connection() {
    let server = start(Limits { head: Duration::from_millis(200), ..at_once() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /peer HTTP/1.1\r\nhost:").await.unwrap();
    let began = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_connection_over_the_limit_waits_for_a_free_place() {
    let server = start(Limits { connections: 1, ..at_once() }).await;
    let first = TcpStream::connect(server.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let address = server.address;
    let second = tokio::spawn(async move { get_text(address, "/peer").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished());
    drop(first);
    assert!(second.await.unwrap().contains("200 OK"));
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_refuses_new_ones() {
    let server = start(at_once()).await;
    let address = server.address;
    let request = tokio::spawn(async move { get_text(address, "/slow").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.stopping.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(address).await.is_err());
    assert!(request.await.unwrap().ends_with("done"));
    server.task.await.unwrap();
}

#[tokio::test]
async fn a_forced_stop_waits_for_nothing() {
    let server = start(at_once()).await;
    let address = server.address;
    let request = tokio::spawn(async move { get_text(address, "/slow").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.stopping.cancel();
    server.shutdown.forced.cancel();
    let began = Instant::now();
    server.task.await.unwrap();
    assert!(!request.await.unwrap().contains("done"));
    assert!(began.elapsed() < Duration::from_millis(250));
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_a_stop() {
    let server = start(Limits { drain: Duration::from_millis(100), ..at_once() }).await;
    let address = server.address;
    let request = tokio::spawn(async move { get_text(address, "/slow").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.stopping.cancel();
    server.task.await.unwrap();
    assert!(!request.await.unwrap().contains("done"));
}

#[tokio::test]
async fn a_connection_made_before_the_port_closed_still_gets_its_answer() {
    let server = start(at_once()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    server.shutdown.stopping.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("200 OK") && text.contains("connection: close"), "{text}");
    server.task.await.unwrap();
}

#[tokio::test]
async fn between_a_stop_and_closing_the_port_requests_are_served() {
    let server = start(Limits { notice: Duration::from_millis(300), ..Limits::default() }).await;
    server.shutdown.stopping.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(get_text(server.address, "/peer").await.contains("200 OK"));
    server.task.await.unwrap();
}
