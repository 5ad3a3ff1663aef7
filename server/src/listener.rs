//! The accept loop: hyper over TCP, with the limits `axum::serve` does not have.
//!
//! A client that is slow to send its request head, or to read its answer, loses the connection; a flood of connections
//! waits in the kernel's queue; running out of file descriptors pauses accepting instead of spinning; a stop lets the
//! requests at work finish.

mod stall;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use stall::StallGuard;

/// What clients may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections; more wait in the kernel.
    pub connections: usize,
    /// For a request head to arrive, counted from the first chance to send it; also ends idle connections.
    pub head: Duration,
    /// For a client to take the next bytes of its answer.
    pub stalled_write: Duration,
    /// For requests at work to finish after a stop.
    pub drain: Duration,
    /// Pause after an error that accepting again at once would only repeat, such as no free file descriptor.
    pub accept_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head: Duration::from_secs(10),
            stalled_write: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            accept_pause: Duration::from_secs(1),
        }
    }
}

/// The two stages of a stop.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Accept nothing new and finish what is at work. Endless answers (event streams) end when they see this.
    pub stopping: CancellationToken,
    /// Drop what is at work.
    pub forced: CancellationToken,
}

/// Serves until [`Shutdown::stopping`], then until the last request is done, the time for it is over, or
/// [`Shutdown::forced`]. Each request carries [`ConnectInfo`] with the peer's address.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits, shutdown: &Shutdown) {
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).keep_alive(true);
    let connections = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();

    while let Some((stream, peer)) = next_connection(&listener, &connections, limits, shutdown).await {
        let Ok(slot) = Arc::clone(&connections).try_acquire_owned() else { continue };
        // Answers are written in one piece: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let app = app.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            app.clone().oneshot(request)
        });
        let io = TokioIo::new(StallGuard::new(stream, limits.stalled_write));
        let connection = graceful.watch(http.serve_connection(io, service));
        let forced = shutdown.forced.clone();
        tokio::spawn(async move {
            tokio::select! {
                result = connection => {
                    if let Err(error) = result {
                        tracing::debug!(%peer, %error, "connection ended early");
                    }
                }
                () = forced.cancelled() => {}
            }
            drop(slot);
        });
    }
    // Closes the port: a supervisor may start the next process while this one finishes.
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(limits.drain) => tracing::warn!("some requests did not finish in time"),
        () = shutdown.forced.cancelled() => tracing::warn!("stopped without waiting for requests"),
    }
    shutdown.forced.cancel();
}

/// The next connection once there is a free place for it; `None` when it is time to stop.
async fn next_connection(
    listener: &TcpListener,
    connections: &Semaphore,
    limits: Limits,
    shutdown: &Shutdown,
) -> Option<(TcpStream, SocketAddr)> {
    let accept = async {
        loop {
            // Only this loop takes places, so the one seen free here is free after `accept`.
            drop(connections.acquire().await.ok()?);
            match listener.accept().await {
                Ok(connection) => return Some(connection),
                Err(error) if is_about_the_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections, waiting");
                    tokio::time::sleep(limits.accept_pause).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = shutdown.stopping.cancelled() => None,
        connection = accept => connection,
    }
}

/// The client went away between its SYN and our `accept`: nothing is wrong here.
fn is_about_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests;
