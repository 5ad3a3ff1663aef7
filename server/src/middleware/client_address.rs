//! Whose request it is: the peer, or the client a trusted proxy speaks for.
//!
//! `X-Forwarded-For` is believed only from the peers in `PLUMBLINE_TRUSTED_PROXIES`; anybody else could write anything
//! into it and slip past limits per address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

use crate::config::Networks;

/// The address of the client; an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// Middleware.
pub async fn find(State(proxies): State<Arc<Networks>>, mut request: Request, next: Next) -> Response {
    // Only tests have requests without a connection.
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip().to_canonical());
    let client = client(peer, request.headers(), &proxies);
    request.extensions_mut().insert(ClientAddress(client));
    next.run(request).await
}

/// Walks the list from our end: each trusted proxy vouches for the entry before its own.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &Networks) -> IpAddr {
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut client = peer;
    for entry in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        if !proxies.contains(client) {
            break;
        }
        // Some proxies add the port.
        let entry = entry.trim();
        let Some(address) = entry.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
        else {
            break;
        };
        client = IpAddr::to_canonical(&address);
    }
    client
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::config::Config;

    fn client_of(peer: &str, forwarded: &[&'static str]) -> String {
        let vars = [("PLUMBLINE_TRUSTED_PROXIES".to_owned(), "10.0.0.0/8".to_owned())];
        let config = Config::from_vars(vars, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        client(peer.parse().unwrap(), &headers, &config.trusted_proxies).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client_of("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(client_of("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client_of("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_the_client_wrote_before_the_proxies_is_ignored() {
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1", "198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(client_of("10.0.0.1", &["198.51.100.1, nonsense"]), "10.0.0.1");
    }
}
