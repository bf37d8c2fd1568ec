//! Protects the local servers from web pages of other origins: they have no authentication.
//!
//! A page of another origin can send requests to loopback. A page whose host name was rebound to loopback even has the
//! same origin as the server. Both reveal their own name in `Host` or `Origin`.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::server::failure;

/// Lets a request through only if it names this machine as its host, and comes from no page of another origin.
pub(crate) async fn only_this_machine(headers: HeaderMap, request: Request, next: Next) -> Response {
    if headers.get_all(header::HOST).iter().count() > 1 || !names_this_machine(&headers, &header::HOST, "") {
        return failure(
            StatusCode::MISDIRECTED_REQUEST,
            "not-this-host",
            "call this server as `localhost`, `127.0.0.1` or `[::1]`",
        );
    }
    if !names_this_machine(&headers, &header::ORIGIN, "://") {
        return failure(StatusCode::FORBIDDEN, "other-origin", "a page of another origin may not call this server");
    }
    next.run(request).await
}

/// Whether the header is absent or names loopback, with any port. `behind` is the text before the name.
fn names_this_machine(headers: &HeaderMap, name: &HeaderName, behind: &str) -> bool {
    let Some(value) = headers.get(name) else { return true };
    let Ok(value) = value.to_str() else { return false };
    let authority = if behind.is_empty() { Some(value) } else { value.split_once(behind).map(|(_, rest)| rest) };
    let Some(authority) = authority else { return false };
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) | None => authority,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::names_this_machine;
    use axum::http::{HeaderMap, header};

    #[test]
    fn only_the_names_of_loopback_pass() {
        let host = |value: &str| {
            let headers = HeaderMap::from_iter([(header::HOST, value.parse().unwrap())]);
            names_this_machine(&headers, &header::HOST, "")
        };
        for good in ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]", "[::1]:8080"] {
            assert!(host(good), "{good}");
        }
        for bad in ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "", "::1:"]
        {
            assert!(!host(bad), "{bad}");
        }
    }

    #[test]
    fn an_origin_passes_if_it_is_this_machine_and_null_does_not() {
        let origin = |value: &str| {
            let headers = HeaderMap::from_iter([(header::ORIGIN, value.parse().unwrap())]);
            names_this_machine(&headers, &header::ORIGIN, "://")
        };
        assert!(origin("http://127.0.0.1:8080") && origin("http://localhost"));
        assert!(!origin("http://evil.example") && !origin("null"));
        assert!(names_this_machine(&HeaderMap::new(), &header::ORIGIN, "://"));
    }
}
