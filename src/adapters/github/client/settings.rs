//! The settings of a client, read from texts. Reports all problems at once.

use std::fmt;

use http::Uri;
use octocrab::jsonwebtoken::EncodingKey;

use super::limits::Resource;
use crate::ident::{Secret, quoted};

/// The API of github.com.
pub const GITHUB: &str = "https://api.github.com";

/// The base of pull requests' web pages: `https://github.com` for github.com's API, and for an Enterprise Server its host.
///
/// # Errors
/// The problem with the API's URL.
pub fn web_url(base_url: &str) -> Result<String, String> {
    let BaseUrl(uri) = BaseUrl::new(base_url)?;
    let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let host =
        host.strip_prefix("api.").filter(|rest| base_url.contains("//api.") && rest.contains('.')).unwrap_or(host);
    Ok(format!("{}://{host}", uri.scheme_str().unwrap_or("https")))
}

/// Settings as texts, from the environment or a secret.
#[derive(Clone, Copy, Default)]
pub struct GivenSettings<'t> {
    /// The API's URL, such as `https://host/api/v3` of a GitHub Enterprise Server. Default: [`GITHUB`].
    pub base_url: Option<&'t str>,
    pub app_id: Option<&'t str>,
    /// The App's private key, PEM. Line ends may be written as `\n`.
    pub private_key: Option<&'t str>,
    /// The App's installation. Default: looked up for each owner.
    pub installation_id: Option<&'t str>,
    /// A personal access token, instead of an App.
    pub token: Option<&'t str>,
}

impl fmt::Debug for GivenSettings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenSettings").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub struct GithubSettings {
    pub(super) base: BaseUrl,
    pub(super) access: Access,
}

/// The API's URL: `https`, or `http` for a loopback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseUrl(Uri);

#[derive(Debug, Clone)]
pub(super) enum Access {
    App(AppAccess),
    Token(Token),
}

#[derive(Debug, Clone)]
pub(super) struct AppAccess {
    pub(super) id: u64,
    pub(super) key: Secret<EncodingKey>,
    pub(super) installation: Option<u64>,
}

/// A bearer token: visible ASCII, so that a header can hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token(Secret<Box<str>>);

impl Token {
    pub(super) fn new(text: &str) -> Option<Self> {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then(|| Self(Secret::new(text.into())))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// All problems of the given settings. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", problems.join("; "))]
pub struct SettingsError {
    /// In the order of the settings.
    pub problems: Vec<String>,
}

impl GithubSettings {
    /// # Errors
    /// Names every setting that is missing or malformed.
    pub fn read(given: GivenSettings<'_>) -> Result<Self, SettingsError> {
        let mut problems = Vec::new();
        let base = kept(&mut problems, BaseUrl::new(given.base_url.unwrap_or(GITHUB)));
        let access = match given.token {
            Some(token) => token_access(&mut problems, token, &given),
            None => app_access(&mut problems, &given),
        };
        match (base, access) {
            (Some(base), Some(access)) if problems.is_empty() => Ok(Self { base, access }),
            _ => Err(SettingsError { problems }),
        }
    }
}

fn kept<T>(problems: &mut Vec<String>, read: Result<T, String>) -> Option<T> {
    read.map_err(|problem| problems.push(problem)).ok()
}

fn token_access(problems: &mut Vec<String>, token: &str, given: &GivenSettings<'_>) -> Option<Access> {
    if given.app_id.is_some() || given.private_key.is_some() || given.installation_id.is_some() {
        problems.push("both a token and an App are given: keep one".to_owned());
    }
    let token =
        Token::new(token.trim()).ok_or_else(|| "the token is empty or has characters that no token has".to_owned());
    kept(problems, token).map(Access::Token)
}

fn app_access(problems: &mut Vec<String>, given: &GivenSettings<'_>) -> Option<Access> {
    let number = |what: &str, text: &str| {
        let read = text.trim().parse().ok().filter(|id: &u64| *id > 0);
        read.ok_or_else(|| format!("the {what} `{}` is not a number above 0", quoted(text)))
    };
    let missing = |what: &str| format!("the {what} is missing: give the App's id and private key, or a token");
    let id = given.app_id.ok_or_else(|| missing("App's id")).and_then(|text| number("App's id", text));
    let id = kept(problems, id);
    let key = kept(problems, given.private_key.ok_or_else(|| missing("App's private key")).and_then(private_key));
    let installation = given.installation_id.map(|text| number("installation's id", text)).transpose();
    let installation = kept(problems, installation)?;
    Some(Access::App(AppAccess { id: id?, key: key?, installation }))
}

fn private_key(pem: &str) -> Result<Secret<EncodingKey>, String> {
    // Environment variables often have line ends as `\n`.
    let pem = pem.trim().replace("\\n", "\n");
    EncodingKey::from_rsa_pem(pem.as_bytes())
        .map(Secret::new)
        .map_err(|_| "the App's private key is not an RSA key in PEM, as GitHub creates it".to_owned())
}

impl BaseUrl {
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("the base URL `{}` {why}", quoted(text));
        let uri: Uri = text.trim().trim_end_matches('/').parse().map_err(|_| wrong("is not a URL"))?;
        if uri.query().is_some() || uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(wrong("must not have a user or a query"));
        }
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => Ok(Self(uri)),
            (Some("http"), Some(host)) if is_loopback(host) => Ok(Self(uri)),
            (Some("http"), Some(_)) => Err(wrong("must begin with https:// (http:// is for this machine only)")),
            _ => Err(wrong("must begin with https://")),
        }
    }

    /// Whether its certificate may have a root that only its owners trust. Loopback addresses have no certificates.
    pub(super) fn is_an_enterprise_server(&self) -> bool {
        let known = |host: &str| host == "api.github.com" || host.ends_with(".ghe.com") || is_loopback(host);
        !self.0.host().is_some_and(|host| known(&host.to_ascii_lowercase()))
    }

    pub(super) fn uri(&self) -> Uri {
        self.0.clone()
    }

    pub(super) fn origin(&self) -> Uri {
        let mut parts = self.0.clone().into_parts();
        parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
        Uri::from_parts(parts).unwrap_or_else(|_| self.0.clone())
    }

    /// A path below the host. GraphQL has one URL: `https://host/api/graphql` on an Enterprise Server, whose REST
    /// interface is at `https://host/api/v3`, and else `/graphql` beside the paths of REST.
    pub(super) fn path(&self, resource: Resource, path: &str) -> String {
        let base = self.0.path().trim_end_matches('/');
        match resource {
            Resource::Rest => format!("{base}{path}"),
            Resource::Graphql => format!("{}/graphql{path}", base.strip_suffix("/v3").unwrap_or(base)),
        }
    }

    /// The path and query of a link below this URL. Errors if it leads elsewhere.
    pub(super) fn below(&self, link: &str) -> Result<String, String> {
        let uri: Uri = link.parse().map_err(|_| "a link is not a URL".to_owned())?;
        let elsewhere = || Err("a link leads to another host".to_owned());
        if let Some(host) = uri.host() {
            let same = uri.authority() == self.0.authority() && uri.scheme() == self.0.scheme();
            // A proxy on this machine may have its own address in links.
            let both_local = is_loopback(host) && self.0.host().is_some_and(is_loopback);
            if !same && !both_local {
                return elsewhere();
            }
        }
        let Some(path) = uri.path_and_query() else { return elsewhere() };
        let below = path.as_str().strip_prefix(self.0.path().trim_end_matches('/'));
        match below.filter(|below| below.starts_with('/')) {
            Some(below) => Ok(below.to_owned()),
            None => elsewhere(),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(given: GivenSettings<'_>) -> Vec<String> {
        GithubSettings::read(given).unwrap_err().problems
    }

    #[test]
    fn all_problems_are_reported_at_once_without_secrets() {
        let given = GivenSettings {
            base_url: Some("http://github.example.com/api/v3"),
            app_id: Some("Iv1.abc"),
            private_key: Some("-----BEGIN hush-----"),
            installation_id: Some("0"),
            token: None,
        };
        let all = problems(given).join("\n");
        for part in ["http:// is for this machine only", "`Iv1.abc`", "not an RSA key", "installation's id `0`"] {
            assert!(all.contains(part), "{all}");
        }
        assert!(!all.contains("hush") && !format!("{given:?}").contains("hush"));
    }

    #[test]
    fn either_an_app_or_a_token_is_needed() {
        assert_eq!(problems(GivenSettings::default()).len(), 2);
        let both = GivenSettings { token: Some("ghp_x"), app_id: Some("1"), ..GivenSettings::default() };
        assert_eq!(problems(both), ["both a token and an App are given: keep one"]);
        let token = GivenSettings { token: Some("ghp_hush\n"), ..GivenSettings::default() };
        let settings = GithubSettings::read(token).unwrap();
        assert!(!format!("{settings:?}").contains("hush"));
        assert!(GithubSettings::read(GivenSettings { token: Some("a b"), ..token }).is_err());
    }

    #[test]
    fn only_a_link_on_the_same_host_and_below_the_base_is_followed() {
        let base = BaseUrl::new("https://ghes.example.com/api/v3/").unwrap();
        let below = |link: &str| base.below(link);
        assert_eq!(
            below("https://ghes.example.com/api/v3/repositories/7/pulls?page=2").unwrap(),
            "/repositories/7/pulls?page=2"
        );
        for link in [
            "https://evil.example.com/api/v3/repositories/7",
            "http://ghes.example.com/api/v3/repositories/7",
            "https://ghes.example.com:8443/api/v3/repositories/7",
            "https://ghes.example.com/login",
            "https://ghes.example.com/api/v3x/y",
            "not a link",
        ] {
            assert!(below(link).is_err(), "{link}");
        }
        let here = BaseUrl::new("http://127.0.0.1:4010").unwrap();
        assert_eq!(here.below("http://localhost:4020/repositories/7?page=2").unwrap(), "/repositories/7?page=2");
    }

    #[test]
    fn graphql_has_one_url_beside_the_paths_of_rest() {
        for (api, rest, graphql) in [
            (GITHUB, "/user", "/graphql"),
            ("https://ghes.example.com/api/v3", "/api/v3/user", "/api/graphql"),
            ("https://ghes.example.com/api/v3/", "/api/v3/user", "/api/graphql"),
            ("https://proxy.example.com/github", "/github/user", "/github/graphql"),
        ] {
            let base = BaseUrl::new(api).unwrap();
            let path = |resource, path| base.path(resource, path);
            assert_eq!((path(Resource::Rest, "/user"), path(Resource::Graphql, "")), (rest.into(), graphql.into()));
            assert_eq!(base.origin().path(), "/", "{api}");
        }
    }

    #[test]
    fn the_web_url_is_derived_from_the_api() {
        for (api, web) in [
            (GITHUB, "https://github.com"),
            ("https://api.acme.ghe.com", "https://acme.ghe.com"),
            ("https://ghes.example.com/api/v3", "https://ghes.example.com"),
            ("https://ghes.example.com:8443/api/v3/", "https://ghes.example.com:8443"),
            ("http://127.0.0.1:4010", "http://127.0.0.1:4010"),
        ] {
            assert_eq!(web_url(api).as_deref(), Ok(web));
        }
        assert!(web_url("ftp://x").unwrap_err().contains("ftp://x"));
    }

    #[test]
    fn only_an_enterprise_server_may_have_root_certificates_of_its_own() {
        let is = |url: &str| BaseUrl::new(url).unwrap().is_an_enterprise_server();
        for url in [GITHUB, "https://API.github.com", "https://api.acme.ghe.com", "http://127.0.0.1:4010"] {
            assert!(!is(url), "{url}");
        }
        for url in ["https://ghes.example.com/api/v3", "https://api.github.com.example.com", "https://evilghe.com"] {
            assert!(is(url), "{url}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_addresses_only() {
        for url in ["http://127.0.0.1:1", "http://localhost", "http://[::1]:8080", "https://api.github.com"] {
            assert!(BaseUrl::new(url).is_ok(), "{url}");
        }
        for url in ["http://127.0.0.1.evil.example", "ftp://x", "/api", "https://a@b", "https://a/?q=1", ""] {
            assert!(BaseUrl::new(url).is_err(), "{url}");
        }
    }
}
