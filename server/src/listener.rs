//! The accept loop: hyper over TCP, with the limits `axum::serve` does not have.
//!
//! A client that is slow to send its request head, or to read its answer, loses the connection; a flood of connections
//! waits in the kernel's queue; running out of file descriptors pauses accepting instead of spinning; a stop lets the
//! requests at work finish.

mod stall;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use stall::StallGuard;

/// What clients may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections; more wait in the kernel.
    pub connections: u32,
    /// For a request head to arrive, counted from the first chance to send it; also ends idle connections.
    pub head: Duration,
    /// For a client to take the next bytes of its answer.
    pub stalled_write: Duration,
    /// Between a stop and closing the port: load balancers notice, and every answer closes its connection.
    pub notice: Duration,
    /// For requests at work to finish after the port is closed.
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
            notice: Duration::from_millis(500),
            drain: Duration::from_secs(10),
            accept_pause: Duration::from_secs(1),
        }
    }
}

/// A connection made just before the port closed has this long to send the request it was made for.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// The two stages of a stop.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Finish what is at work and begin nothing new. Endless answers (event streams) end when they see this.
    pub stopping: CancellationToken,
    /// Drop what is at work.
    pub forced: CancellationToken,
}

/// Serves until [`Shutdown::stopping`], then until the last request is done, the time for it is over, or
/// [`Shutdown::forced`]. Each request carries [`ConnectInfo`] with the peer's address.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits, shutdown: &Shutdown) {
    let server = Server {
        app,
        limits,
        shutdown: shutdown.clone(),
        port_closed: CancellationToken::new(),
        places: Arc::new(Semaphore::new(limits.connections as usize)),
    };
    let accept_all = async {
        loop {
            let (stream, peer) = server.accept(&listener).await;
            server.spawn(stream, peer);
        }
    };
    tokio::select! {
        () = accept_all => {}
        () = server.notice_given() => {}
    }
    server.close(listener);
    server.port_closed.cancel();
    tokio::select! {
        // Every place is free again: the last connection is gone.
        _ = server.places.acquire_many(limits.connections) => {}
        () = tokio::time::sleep(limits.drain) => tracing::warn!("some requests did not finish in time"),
        () = shutdown.forced.cancelled() => tracing::warn!("stopped without waiting for requests"),
    }
    shutdown.forced.cancel();
}

struct Server {
    app: Router,
    limits: Limits,
    shutdown: Shutdown,
    port_closed: CancellationToken,
    places: Arc<Semaphore>,
}

impl Server {
    async fn notice_given(&self) {
        self.shutdown.stopping.cancelled().await;
        tokio::select! {
            () = tokio::time::sleep(self.limits.notice) => {}
            () = self.shutdown.forced.cancelled() => {}
        }
    }

    /// The next connection, once there is a free place for it.
    async fn accept(&self, listener: &TcpListener) -> (TcpStream, SocketAddr) {
        loop {
            // Only `spawn` takes places, after this: the one seen free here stays free.
            drop(self.places.acquire().await);
            match listener.accept().await {
                Ok(connection) => return connection,
                Err(error) if is_about_the_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections, waiting");
                    tokio::time::sleep(self.limits.accept_pause).await;
                }
            }
        }
    }

    /// Closes the port. Takes what the kernel has already accepted first: those connections would be reset.
    fn close(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        while self.places.available_permits() > 0
            && let Ok((stream, peer)) = listener.accept()
        {
            // The listener does not wait; what it accepts would, unless told.
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.spawn(stream, peer);
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        // Answers are written in one piece: waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let begun = CancellationToken::new();
        let service = hyper::service::service_fn({
            let (app, stopping, begun) = (self.app.clone(), self.shutdown.stopping.clone(), begun.clone());
            move |request: Request<Incoming>| {
                begun.cancel();
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(peer));
                let (app, stopping) = (app.clone(), stopping.clone());
                async move {
                    let mut response = app.oneshot(request).await?;
                    if stopping.is_cancelled() {
                        // The client, or the proxy in front, makes its next connection somewhere else.
                        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    }
                    Ok::<_, Infallible>(response)
                }
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.limits.head);
        let io = TokioIo::new(StallGuard::new(stream, self.limits.stalled_write));
        let connection = http.serve_connection(io, service);
        let (port_closed, forced) = (self.port_closed.clone(), self.shutdown.forced.clone());
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let finished = async {
                tokio::select! {
                    result = connection.as_mut() => return result,
                    () = port_closed.cancelled() => {}
                }
                tokio::select! {
                    result = connection.as_mut() => return result,
                    () = begun.cancelled() => {}
                    () = tokio::time::sleep(FIRST_REQUEST) => {}
                }
                connection.as_mut().graceful_shutdown();
                connection.await
            };
            tokio::select! {
                result = finished => {
                    if let Err(error) = result {
                        tracing::debug!(%peer, %error, "connection ended early");
                    }
                }
                () = forced.cancelled() => {}
            }
            drop(place);
        });
    }
}

/// The client went away between its SYN and our `accept`: nothing is wrong here.
fn is_about_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests;
