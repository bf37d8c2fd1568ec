//! One call: the caller, the parts of the path, and the requested page.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::response::ok;
use crate::adapters::embedded::simulator::GithubSimulator;
use crate::adapters::embedded::simulator::pull::PullRequest;
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::world::{Account, AccountType, Repository, Team, World};
use crate::adapters::github_rest::{PAGE, escaped};
use crate::ident::{Login, PullRequestRef, RepositoryName, TeamSlug};

/// The prefix of the simulator's own tokens, as GitHub's tokens have theirs.
const TOKEN_PREFIX: &str = "standin_";
/// How many items a page holds unless the caller asks for another number.
const PER_PAGE: usize = 30;

/// The kind of token that a call is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credential {
    /// The login itself, which anyone on this machine can use.
    Login,
    /// A token of the App's installation.
    Installation,
    /// A token that the App has signed.
    App,
}

/// A call by a known account, while the simulator is available.
pub(in super::super) struct Call {
    pub(super) host: GithubSimulator,
    /// The state when the call arrived.
    pub(in super::super) world: Arc<World>,
    pub(in super::super) by: Arc<Account>,
    path: BTreeMap<String, String>,
    query: Vec<(String, String)>,
    uri: Uri,
    /// The `Host` header.
    authority: Option<String>,
}

impl FromRequestParts<GithubSimulator> for Call {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, host: &GithubSimulator) -> Result<Self, Refusal> {
        let (call, kind) = Self::made(parts, host).await?;
        match kind {
            Credential::Login | Credential::Installation => Ok(call),
            Credential::App => Err(Refusal::Unauthenticated { detail: "Bad credentials" }),
        }
    }
}

/// A call that only the App itself may make.
pub(super) struct AppCall(pub(super) Call);

impl FromRequestParts<GithubSimulator> for AppCall {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, host: &GithubSimulator) -> Result<Self, Refusal> {
        let (call, kind) = Call::made(parts, host).await?;
        match kind {
            Credential::Login | Credential::App => Ok(Self(call)),
            Credential::Installation => {
                Err(Refusal::Unauthenticated { detail: "A JSON web token could not be decoded" })
            }
        }
    }
}

impl Call {
    async fn made(parts: &mut Parts, host: &GithubSimulator) -> Result<(Self, Credential), Refusal> {
        let world = host.world();
        if world.settings.unavailable {
            return Err(Refusal::Unavailable);
        }
        let (by, kind) = caller(host, &world, &parts.headers)?;
        let path = path_parameters(parts, host).await?;
        let Query(query) = Query::try_from_uri(&parts.uri)
            .map_err(|_| Refusal::Malformed { detail: "Problems parsing the query".to_owned() })?;
        let authority = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
        Ok((Self { host: host.clone(), world, by, path, query, uri: parts.uri.clone(), authority }, kind))
    }
}

/// The named segments of the path.
pub(in super::super) async fn path_parameters(
    parts: &mut Parts,
    host: &GithubSimulator,
) -> Result<BTreeMap<String, String>, Refusal> {
    let raw = RawPathParams::from_request_parts(parts, host).await.map_err(|_| Refusal::NotFound)?;
    Ok(raw.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn caller(host: &GithubSimulator, world: &World, headers: &HeaderMap) -> Result<(Arc<Account>, Credential), Refusal> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.ok_or(Refusal::Unauthenticated { detail: "Requires authentication" })?;
    let bad = Refusal::Unauthenticated { detail: "Bad credentials" };
    let token = given.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some(token) = token.map(|(_, token)| token.trim()) else { return Err(bad) };
    let (login, kind) = match (token.strip_prefix(TOKEN_PREFIX), &world.settings.app) {
        (Some(login), _) => (login.to_owned(), Credential::Login),
        (None, Some(app)) if token.contains('.') => {
            host.verify_app_token(app, token)?;
            (format!("{}[bot]", app.slug), Credential::App)
        }
        (None, Some(app)) if host.is_minted(token) => (format!("{}[bot]", app.slug), Credential::Installation),
        (None, _) => return Err(bad),
    };
    let account = Login::new(&login).ok().and_then(|login| world.account(&login).cloned());
    let can_act = |account: &Arc<Account>| account.kind != AccountType::Organization;
    account.filter(can_act).map(|account| (account, kind)).ok_or(bad)
}

impl Call {
    pub(super) fn segment(&self, name: &str) -> Result<&str, Refusal> {
        self.path.get(name).map(String::as_str).ok_or(Refusal::NotFound)
    }

    /// A segment that is a number. Anything else is not found.
    pub(super) fn number(&self, name: &str) -> Result<u64, Refusal> {
        self.segment(name)?.parse().map_err(|_| Refusal::NotFound)
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The repository that the path names, by name or by id.
    pub(super) fn repository(&self) -> Result<&Arc<Repository>, Refusal> {
        let found = if self.path.contains_key("repository") {
            self.world.repositories.get(&self.number("repository")?)
        } else {
            let name = format!("{}/{}", self.segment("owner")?, self.segment("repo")?);
            RepositoryName::new(&name).ok().and_then(|name| self.world.repository(&name))
        };
        found.ok_or(Refusal::NotFound)
    }

    pub(super) fn reference(&self) -> Result<PullRequestRef, Refusal> {
        Ok(PullRequestRef { repository: self.repository()?.name.clone(), number: self.number("number")? })
    }

    pub(super) fn pull(&self) -> Result<&Arc<PullRequest>, Refusal> {
        self.world.pull(&self.reference()?).ok_or(Refusal::NotFound)
    }

    /// The team that the path names, by slug or by id, if callers may see it.
    pub(super) fn team(&self) -> Result<&Arc<Team>, Refusal> {
        let found = if self.path.contains_key("team_id") {
            let id = self.number("team_id")?;
            self.world.teams.values().find(|team| team.id == id)
        } else {
            let slug = format!("{}/{}", self.segment("org")?, self.segment("team")?);
            TeamSlug::new(&slug).ok().and_then(|slug| self.world.teams.get(&slug))
        };
        found.filter(|team| team.readable).ok_or(Refusal::NotFound)
    }

    /// One page of a list, with links to the others.
    pub(super) fn page<T>(&self, items: &[T], shape: impl Fn(&T) -> Value) -> Result<Response, Refusal> {
        let (page, links) = self.numbered_page(items, shape)?;
        list_answer(&page.into(), &links)
    }

    /// Like [`Self::page`], for a list in an object with its length.
    pub(super) fn page_of<T>(
        &self,
        field: &str,
        items: &[T],
        shape: impl Fn(&T) -> Value,
    ) -> Result<Response, Refusal> {
        self.page_in(items, shape, |page| json!({ "total_count": items.len(), field: page }))
    }

    /// Like [`Self::page`], for a list in an object.
    pub(super) fn page_in<T>(
        &self,
        items: &[T],
        shape: impl Fn(&T) -> Value,
        object: impl FnOnce(Vec<Value>) -> Value,
    ) -> Result<Response, Refusal> {
        let (page, links) = self.numbered_page(items, shape)?;
        list_answer(&object(page), &links)
    }

    fn numbered_page<T>(&self, items: &[T], shape: impl Fn(&T) -> Value) -> Result<(Vec<Value>, Vec<String>), Refusal> {
        let size = self.page_size();
        let page =
            self.parameter("page").and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1_usize);
        let last = items.len().div_ceil(size).max(1);
        let before = page.saturating_sub(1).saturating_mul(size);
        let on_page: Vec<Value> = items.iter().skip(before).take(size).map(shape).collect();
        let mut links = Vec::new();
        if page > 1 {
            links.push(("prev", page.saturating_sub(1).min(last)));
        }
        if page < last {
            links.extend([("next", page.saturating_add(1)), ("last", last)]);
        }
        if page > 1 {
            links.push(("first", 1));
        }
        let links = links.into_iter().map(|(relation, page)| self.link(relation, "page", &page.to_string()));
        Ok((on_page, links.collect::<Result<Vec<_>, _>>()?))
    }

    /// One page of a list that is newest first, from the cursor in the parameter `cursor`. As on GitHub, such a list has no
    /// page numbers.
    pub(super) fn page_from<T>(
        &self,
        cursor: &str,
        items: &[(u64, T)],
        shape: impl Fn(&T) -> Value,
    ) -> Result<Response, Refusal> {
        let size = self.page_size();
        let before = self.parameter(cursor).map_or(Ok(u64::MAX), str::parse);
        let before = before.map_err(|_| Refusal::rule(format!("{cursor} is not a cursor")))?;
        let mut rest = items.iter().filter(|(id, _)| *id < before);
        let page: Vec<&(u64, T)> = rest.by_ref().take(size).collect();
        let more =
            rest.next().and(page.last()).map(|(id, _)| self.link("next", cursor, &id.to_string())).transpose()?;
        let page: Vec<Value> = page.into_iter().map(|(_, item)| shape(item)).collect();
        list_answer(&page.into(), more.as_slice())
    }

    /// How many items a page holds. As on GitHub, a larger number than its limit is lowered silently.
    fn page_size(&self) -> usize {
        let size = self.parameter("per_page").and_then(|size| size.parse().ok()).filter(|size| *size > 0);
        size.unwrap_or(PER_PAGE).min(PAGE)
    }

    /// A link to another page of this list: the same query except for the page, on the path with ids.
    fn link(&self, relation: &str, parameter: &str, value: &str) -> Result<String, Refusal> {
        let base = match &self.authority {
            Some(authority) => format!("http://{authority}"),
            None => self.world.settings.address.clone(),
        };
        let kept = self.query.iter().filter(|(key, _)| key != parameter);
        let query: Vec<String> = kept
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .chain([(parameter, value)])
            .map(|(key, value)| format!("{}={}", escaped(key), escaped(value)))
            .collect();
        Ok(format!("<{base}{}?{}>; rel=\"{relation}\"", self.path_by_id()?, query.join("&")))
    }

    fn path_by_id(&self) -> Result<String, Refusal> {
        let path = self.uri.path();
        let after = |segments: usize| path.splitn(segments + 2, '/').nth(segments + 1).unwrap_or_default();
        if path.starts_with("/repos/") {
            return Ok(format!("/repositories/{}/{}", self.repository()?.id, after(3)));
        }
        if path.starts_with("/orgs/") {
            let organization = Login::new(self.segment("org")?)?;
            let organization = self.world.account(&organization).ok_or(Refusal::NotFound)?.id;
            return Ok(format!("/organizations/{organization}/team/{}/{}", self.team()?.id, after(4)));
        }
        Ok(path.to_owned())
    }
}

fn list_answer(body: &Value, links: &[String]) -> Result<Response, Refusal> {
    let mut response = ok(body);
    if !links.is_empty() {
        // Everything in a link is escaped, except for the `Host` header.
        let value = links.join(", ").parse().map_err(|_| Refusal::NotFound)?;
        response.headers_mut().insert(header::LINK, value);
    }
    Ok(response)
}

/// The body of a call. An empty body is read as an empty object.
///
/// As on GitHub, a body that is not JSON is 400, and JSON of another shape is 422.
pub(in super::super) fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    let value: Value =
        serde_json::from_slice(text).map_err(|_| Refusal::Malformed { detail: "Problems parsing JSON".to_owned() })?;
    serde_json::from_value(value).map_err(|error| Refusal::rule(format!("Invalid request: {error}")))
}
