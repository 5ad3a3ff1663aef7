//! The browser's files, inside the binary: `cargo xtask build` stages them in `target/site/pkg`, this serves them.
//!
//! A build holds one set: `plumbline-HASH.js`, `plumbline-HASH_bg.wasm` and `plumbline-HASH.css`, each also as `.br` and
//! `.gz`. The hash is in the name, so a browser never asks twice for the same file. A server built without the folder
//! (tests, a plain `cargo build`) has no assets: its pages are then plain HTML and work all the same. A debug server
//! reads the folder while it runs.

use std::borrow::Cow;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use leptos::config::LeptosOptions;
use rust_embed::RustEmbed;

/// The first folder of every asset's address; Leptos' default.
const PACKAGE: &str = "/pkg/{file}";

/// For files whose name changes with their content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// For files that keep their name.
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

const FAVICON: &[u8] = include_bytes!("../static/favicon.svg");

/// Nothing behind a sign-in belongs into a search engine.
const ROBOTS: &str = "User-agent: *\nDisallow: /\n";

#[derive(RustEmbed)]
#[folder = "../target/site/pkg"]
#[allow_missing = true]
struct Package;

/// The name all files of this build share, such as `plumbline-0123456789abcdef`; `None` when the server was built
/// without them. The style sheet is `/pkg/NAME.css`.
pub fn output_name() -> Option<String> {
    Package::iter().find_map(|file| file.strip_suffix(".js").map(str::to_owned))
}

/// What Leptos' `HydrationScripts` needs to name the right files: `output_name` is [`output_name`], or empty without
/// assets (the shell then leaves style sheet and scripts out).
pub fn leptos_options() -> LeptosOptions {
    LeptosOptions::builder().output_name(output_name().unwrap_or_default()).build()
}

/// `/pkg/…`, `/favicon.svg` and `/robots.txt`: the same for everybody, no session, no database.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(
            PACKAGE,
            get(|Path(file): Path<String>, headers: HeaderMap| async move { package_file(&file, &headers) }),
        )
        .route("/favicon.svg", get(|| async { fixed("image/svg+xml", FAVICON) }))
        .route("/robots.txt", get(|| async { fixed("text/plain; charset=utf-8", ROBOTS.as_bytes()) }))
}

fn fixed(content_type: &'static str, content: &'static [u8]) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, FOR_A_DAY),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, content).into_response()
}

fn package_file(file: &str, request: &HeaderMap) -> Response {
    let Some(content_type) = content_type(file) else { return StatusCode::NOT_FOUND.into_response() };
    let accepted = Accepted::of(request);
    let variants = [("br", ".br", accepted.brotli), ("gzip", ".gz", accepted.gzip), ("", "", true)];
    let found = variants.into_iter().filter(|(_, _, accepted)| *accepted).find_map(|(encoding, suffix, _)| {
        let file = Package::get(&format!("{file}{suffix}"))?;
        Some((encoding, file))
    });
    let Some((encoding, file)) = found else { return StatusCode::NOT_FOUND.into_response() };

    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, FOR_EVER);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..18]));
    let unchanged = names_etag(request, &etag);
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(ETAG, etag);
    }
    if unchanged {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !encoding.is_empty() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    let content = match file.data {
        Cow::Borrowed(content) => Bytes::from_static(content),
        Cow::Owned(content) => Bytes::from(content),
    };
    (headers, Body::from(content)).into_response()
}

/// The types of files that are served; the compressed ones beside them are not addresses of their own.
fn content_type(file: &str) -> Option<&'static str> {
    match file.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "wasm" => Some("application/wasm"),
        "css" => Some("text/css; charset=utf-8"),
        _ => None,
    }
}

/// The compressions a client takes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Accepted {
    brotli: bool,
    gzip: bool,
}

impl Accepted {
    fn of(headers: &HeaderMap) -> Self {
        let mut accepted = Self::default();
        let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        for choice in values.flat_map(|value| value.split(',')) {
            let (name, parameters) = choice.split_once(';').unwrap_or((choice, ""));
            let weight = parameters.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
            let takes = weight.is_none_or(|weight| weight > 0.0);
            match name.trim().to_ascii_lowercase().as_str() {
                "br" => accepted.brotli = takes,
                "gzip" | "x-gzip" => accepted.gzip = takes,
                _ => {}
            }
        }
        accepted
    }
}

/// Whether the client already has this version.
fn names_etag(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut candidates = values.flat_map(|value| value.split(',')).map(str::trim);
    candidates.any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &'static str) -> Accepted {
        Accepted::of(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]))
    }

    #[test]
    fn reads_which_compressions_a_client_takes() {
        assert_eq!(accept("gzip, deflate, br, zstd"), Accepted { brotli: true, gzip: true });
        assert_eq!(accept("br;q=0, GZIP;q=0.5"), Accepted { brotli: false, gzip: true });
        assert_eq!(accept("identity"), Accepted::default());
        assert_eq!(Accepted::of(&HeaderMap::new()), Accepted::default());
    }

    #[test]
    fn knows_a_version_the_client_has() {
        let asks = |value: &'static str| {
            names_etag(&HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]), "\"abc\"")
        };
        assert!(asks("\"abc\""));
        assert!(asks("\"other\", W/\"abc\""));
        assert!(asks("*"));
        assert!(!asks("\"abcd\""));
    }

    #[test]
    fn serves_nothing_but_the_browser_files() {
        for file in ["plumbline.js.br", "plumbline", "../Cargo.toml", "absent.js", ""] {
            assert_eq!(package_file(file, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{file}");
        }
    }

    /// Only where a build has staged files; then every header of a delivery is checked.
    #[test]
    fn a_staged_file_comes_compressed_and_may_be_kept_for_ever() {
        let Some(name) = output_name() else { return };
        let file = format!("{name}.css");
        let plain = package_file(&file, &HeaderMap::new());
        assert_eq!(plain.status(), StatusCode::OK);
        assert_eq!(plain.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
        assert_eq!(plain.headers()[CACHE_CONTROL], FOR_EVER);
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
        let etag = plain.headers()[ETAG].clone();
        let again = package_file(&file, &HeaderMap::from_iter([(IF_NONE_MATCH, etag.clone())]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[ETAG], etag);
        if Package::get(&format!("{file}.br")).is_some() {
            let brotli = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"))]);
            let packed = package_file(&file, &brotli);
            assert_eq!(packed.headers()[CONTENT_ENCODING], "br");
            assert_ne!(packed.headers()[ETAG], etag);
        }
    }
}
