//! `plumbline serve`: migrate, then serve until SIGTERM.
//!
//! The port opens first and answers `/livez` at once; everything else is 503 until the database is there and migrated.
//! An external database that is down is waited for. On SIGTERM or Ctrl+C readiness goes off, requests at work finish,
//! then the private Postgres stops; a second signal does not wait for requests.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use backend::accounts::invitations;
use backend::{Backend, MovableClock, SystemEntropy};
use clap::Args;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{CliError, demo};
use crate::config::{BaseUrl, Config};
use crate::database::{self, Database};
use crate::embedded_postgres::Purpose;
use crate::health::{self, Health};
use crate::jobs::Jobs;
use crate::jobs::imports::Imports;
use crate::jobs::news::News;
use crate::jobs::worker::Sender;
use crate::listener::{self, Limits, Shutdown};
use crate::metrics;
use crate::middleware::answer::Answer;
use crate::middleware::request_id::{self, RequestId};
use crate::problem::Problem;

/// Pause between tries to reach a database.
const RETRY: Duration = Duration::from_secs(1);

/// Arguments of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Fill an empty database with a small organisation and offer its people on the sign-in page
    #[arg(long)]
    pub demo: bool,
}

/// Everything the routes are made from.
pub struct Serving {
    /// The use cases.
    pub backend: Backend,
    /// The configuration.
    pub config: Arc<Config>,
    /// The address people type.
    pub base_url: BaseUrl,
    /// Started with `--demo`.
    pub demo: bool,
    /// Says when something was committed, by whichever process.
    pub news: News,
    /// Cancelled when the server stops: event streams end, background work finishes.
    pub stopping: CancellationToken,
}

/// Makes the product's routes.
pub type BuildRouter = fn(Serving) -> Router;

/// Runs it.
pub async fn run(config: Config, args: ServeArgs, build_router: BuildRouter) -> Result<ExitCode, CliError> {
    for name in &config.without_effect {
        tracing::warn!("{name} is set, but this release does not use it yet");
    }
    let shutdown = Shutdown::default();
    let stop = shutdown.stopping.clone();
    let signals = watch_signals(shutdown.clone())?;
    let listener = bind(config.listen, "PLUMBLINE_LISTEN").await?;
    let address = listener.local_addr()?;
    let metrics = match config.metrics_listen {
        Some(listen) => Some((bind(listen, "PLUMBLINE_METRICS_LISTEN").await?, metrics::install()?)),
        None => None,
    };
    let limits = Limits { connections: connection_limit(), ..Limits::default() };

    let health = Health::new(stop.clone());
    let routes = Arc::new(OnceLock::new());
    let gate = Router::new().merge(health::routes(health.clone())).fallback({
        let routes = Arc::clone(&routes);
        move |request| pass(Arc::clone(&routes), request)
    });
    let server = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { listener::serve(listener, gate, limits, &shutdown).await }
    });

    let started = tokio::select! {
        started = start(config, args, address, metrics, &stop, build_router) => Some(started),
        () = stop.cancelled() => None,
    };
    let (result, running) = match started {
        Some(Ok((product, database, jobs))) => {
            let _ = routes.set(product);
            health.started(database.pool().clone());
            announce(address);
            stop.cancelled().await;
            tracing::info!("stopping");
            (Ok(ExitCode::SUCCESS), Some((database, jobs)))
        }
        // Nobody has been served yet who could be cut off.
        Some(Err(error)) => {
            shutdown.forced.cancel();
            (Err(error), None)
        }
        None => {
            shutdown.forced.cancel();
            (Ok(ExitCode::SUCCESS), None)
        }
    };
    stop.cancel();
    let _ = server.await;
    if let Some((database, jobs)) = running {
        shutdown.forced.run_until_cancelled(jobs.finished()).await;
        database.close().await;
    }
    signals.abort();
    result
}

/// Opens and migrates the database, waiting for one that is down, and makes the routes.
async fn start(
    config: Config,
    args: ServeArgs,
    address: SocketAddr,
    metrics: Option<(TcpListener, PrometheusHandle)>,
    stop: &CancellationToken,
    build_router: BuildRouter,
) -> Result<(Router, Database, Jobs), CliError> {
    let database = Database::open(&config, Purpose::Serve).await?;
    if let Err(problem) = migrate_when_reachable(&database).await {
        database.close().await;
        return Err(problem.into());
    }
    let clock = Arc::new(MovableClock::default());
    let backend = Backend::new(database.pool().clone(), clock.clone(), Arc::new(SystemEntropy))
        .with_time_zone(config.time_zone.clone());
    let mut serving = Serving {
        backend,
        news: News::default(),
        base_url: config.base_url(address),
        config: Arc::new(config),
        demo: args.demo,
        stopping: stop.clone(),
    };
    if let Err(error) = prepare(&mut serving, &clock).await {
        database.close().await;
        return Err(error);
    }
    let jobs = Jobs::start(&serving.backend, clock, &serving.news, senders(), stop);
    if let Some((listener, handle)) = metrics {
        tokio::spawn(metrics::serve(listener, handle, serving.backend.clone(), stop.clone()));
    }
    Ok((build_router(serving), database, jobs))
}

/// Who does the work of the outbox that reaches further than the database.
fn senders() -> Vec<Arc<dyn Sender>> {
    vec![Arc::new(Imports)]
}

/// What has to be in the database before the first request.
async fn prepare(serving: &mut Serving, clock: &MovableClock) -> Result<(), CliError> {
    clock.read(serving.backend.pool()).await?;
    // Somebody's own database does not become a demo.
    serving.demo = serving.demo && demo::fill_when_empty(&serving.backend).await?;
    if serving.demo {
        return Ok(());
    }
    if let Some(secret) = invitations::setup_link(&serving.backend).await? {
        let link = format!("{}{}", serving.base_url.origin(), app::urls::setup(&secret));
        tracing::warn!("nobody is admin yet: open {link} to become the first one; the link works once");
    }
    Ok(())
}

async fn migrate_when_reachable(database: &Database) -> Result<(), Problem> {
    let mut told = false;
    loop {
        match database.migrate().await {
            Ok(()) => return Ok(()),
            Err(error) if database::is_unreachable(&error) => {
                if !told {
                    tracing::warn!(%error, "the database cannot be reached; waiting for it");
                    told = true;
                }
                tokio::time::sleep(RETRY).await;
            }
            Err(error) => return Err(database::explain(&error)),
        }
    }
}

/// Everything but health: the product's routes once they exist.
async fn pass(routes: Arc<OnceLock<Router>>, mut request: Request) -> Response {
    if let Some(product) = routes.get() {
        // A router's error type is uninhabited.
        return product.clone().oneshot(request).await.into_response();
    }
    let id = RequestId::random(&SystemEntropy);
    let headers = [(request_id::HEADER, id.to_string()), (header::RETRY_AFTER, "2".to_owned())];
    request.extensions_mut().insert(id);
    let detail = "Plumbline is starting. Please try again in a few seconds.";
    (headers, Answer::to(&request).with(StatusCode::SERVICE_UNAVAILABLE, "Starting", detail)).into_response()
}

async fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener, Problem> {
    TcpListener::bind(address).await.map_err(|error| {
        let mend = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!("stop what uses the port, or choose another with {setting}"),
            std::io::ErrorKind::PermissionDenied => {
                format!("ports below 1024 need root; choose another with {setting}")
            }
            _ => format!("set {setting} to an address of this machine"),
        };
        Problem::new(format!("cannot listen on {address}: {error}"), mend)
    })
}

/// Raises the limit of open files as far as it goes and leaves some for the database and files.
fn connection_limit() -> u32 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let usual = Limits::default().connections;
    let files = files.and_then(|files| u32::try_from(files).ok()).unwrap_or(u32::MAX);
    // Few files: half of them for connections keeps pages readable.
    usual.min((files / 2).max(files.saturating_sub(200)))
}

fn announce(address: SocketAddr) {
    // Nobody may be reading standard output.
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "ready http://{address}");
    let _ = stdout.flush();
    tracing::info!(%address, "ready");
}

/// The first SIGTERM or SIGINT stops, the second forces.
fn watch_signals(shutdown: Shutdown) -> std::io::Result<tokio::task::JoinHandle<()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if shutdown.stopping.is_cancelled() {
                shutdown.forced.cancel();
            }
            shutdown.stopping.cancel();
        }
    }))
}
