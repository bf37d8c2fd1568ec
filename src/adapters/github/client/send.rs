//! Sends a call within its deadline, repeats it if that is safe, and waits for the end of a limit.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, LINK, LOCATION};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use octocrab::OctoBody;
use tokio::time::{Instant, timeout_at};

use super::GithubClient;
use super::auth::Authorization;
use super::call::{Answer, Call, CallError, body_error, message};
use super::etag::Cached;
use super::limits::Reached;
use super::page::{is_full, linked};

/// How often a call is tried.
const TRIES: u32 = 3;
/// How many redirects are followed. A renamed repository has one.
const REDIRECTS: usize = 3;
/// The most bytes of an answer. A page of 100 reviews has at most 65,536 characters of four bytes each, and little more.
const LONGEST: usize = 32 << 20;
/// The version of GitHub's REST interface.
pub(in super::super) const API_VERSION: &str = "2022-11-28";

/// A try without an answer.
struct Failed {
    error: CallError,
    how: How,
}

/// How a try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Repeating is of no use.
    Final,
    /// The token may have expired.
    Unauthorized,
    /// GitHub did nothing, and will do nothing before then.
    Limited(Timestamp),
    /// GitHub may or may not have done it.
    Broken,
}

impl GithubClient {
    /// Makes a call, with as many tries as are safe before its deadline.
    pub(in super::super) async fn call(&self, call: &Call) -> Result<Answer, CallError> {
        let client = self.with_one_deadline();
        let answer = timeout_at(client.deadline(), client.tried(call)).await;
        answer.unwrap_or_else(|_| Err(CallError::unavailable(call, "it did not answer in time")))
    }

    /// Like [`Self::call`], within the deadline of the caller.
    pub(super) async fn tried(&self, call: &Call) -> Result<Answer, CallError> {
        let (mut tries, mut renewed) = (1, false);
        loop {
            let authorization = self.authorization(call).await?;
            self.wait_for_limit(call, &authorization).await?;
            let Failed { error, how } = match self.once(call, &authorization).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            match how {
                How::Unauthorized if !renewed && self.renewable(&authorization).await => {
                    renewed = true;
                    continue;
                }
                // GitHub did nothing, so repeating is safe. The loop waits for the limit above.
                How::Limited(_) if tries < TRIES => {}
                How::Broken if tries < TRIES && call.repeatable => self.pause(tries, &error).await?,
                How::Final | How::Unauthorized | How::Limited(_) | How::Broken => return Err(error),
            }
            tracing::debug!(call = call.what, reason = %error, "repeating a call to GitHub");
            tries += 1;
        }
    }

    /// Waits for the end of a limit, if that is before the deadline.
    async fn wait_for_limit(&self, call: &Call, authorization: &Authorization) -> Result<(), CallError> {
        let now = self.now();
        let limits = &self.shared.limits;
        let Some(Reached { until, why }) = limits.reached(&authorization.scope, now) else { return Ok(()) };
        let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        self.sleep(wait).await.map_err(|TooLong| CallError::Unavailable {
            what: call.what.clone(),
            why: format!("GitHub's limit on calls is reached ({why})"),
            until: Some(until),
        })?;
        limits.remove(&authorization.scope, until);
        Ok(())
    }

    async fn pause(&self, tries: u32, error: &CallError) -> Result<(), CallError> {
        let pause = self.pause.saturating_mul(tries);
        // Without randomness, all clients that failed together would return together.
        let part = getrandom::u32().unwrap_or(u32::MAX / 2);
        let jitter = pause.mul_f64(f64::from(part) / f64::from(u32::MAX));
        self.sleep(pause.saturating_add(jitter)).await.map_err(|TooLong| error.clone())
    }

    #[expect(clippy::disallowed_methods, reason = "it waits for time to pass at GitHub")]
    async fn sleep(&self, time: Duration) -> Result<(), TooLong> {
        if Instant::now().checked_add(time).is_none_or(|end| end >= self.deadline()) {
            return Err(TooLong);
        }
        tokio::time::sleep(time).await;
        Ok(())
    }

    /// One try, including redirects.
    async fn once(&self, call: &Call, authorization: &Authorization) -> Result<Answer, Failed> {
        let mut path = call.path.clone();
        for _ in 0..=REDIRECTS {
            match self.hop(call, authorization, &path).await? {
                Hop::Answered(answer) => return Ok(answer),
                Hop::Redirected(next) => path = next,
            }
        }
        Err(last(CallError::unreadable(&call.what, "too many redirects")))
    }

    async fn hop(&self, call: &Call, authorization: &Authorization, path: &str) -> Result<Hop, Failed> {
        let cached = call.conditional.then(|| self.shared.cache.get(&authorization.scope, path)).flatten();
        let request = request(call, authorization, path, cached.as_ref()).map_err(last)?;
        let (status, headers, body) = self.transfer(call, request).await?;
        if let (StatusCode::NOT_MODIFIED, Some(cached)) = (status, cached) {
            self.shared.limits.learn(&authorization.scope, (304, &headers, ""), self.now());
            // The tag does not cover the header, which may name a page that is new.
            let next = if headers.contains_key(LINK) { self.next(call, &headers)? } else { cached.next };
            return Ok(Hop::Answered(Answer { what: call.what.clone(), body: cached.body, next }));
        }
        let text = if status.is_success() { String::new() } else { message(&body) };
        let limited = self.shared.limits.learn(&authorization.scope, (status.as_u16(), &headers, &text), self.now());
        if status.is_redirection()
            && call.method == http::Method::GET
            && let Some(location) = text_of(&headers, &LOCATION)
        {
            return self.below(call, location).map(Hop::Redirected);
        }
        if !status.is_success() {
            let request_id = text_of(&headers, "x-github-request-id").map(printable);
            let error =
                CallError::Refused { what: call.what.clone(), status: status.as_u16(), message: text, request_id };
            return Err(refused(call, error, status, limited));
        }
        let next = self.next(call, &headers)?;
        let cacheable = call.conditional && !(next.is_none() && is_full(path, &body));
        if let (true, Some(tag)) = (cacheable, text_of(&headers, ETAG)) {
            let cached = Cached { tag: tag.to_owned(), body: body.clone(), next: next.clone() };
            self.shared.cache.put(&authorization.scope, path, cached);
        }
        Ok(Hop::Answered(Answer { what: call.what.clone(), body, next }))
    }

    /// The path of the next page.
    fn next(&self, call: &Call, headers: &HeaderMap) -> Result<Option<String>, Failed> {
        let next = text_of(headers, LINK).and_then(|links| linked(links, "next"));
        next.map(|link| self.below(call, link)).transpose()
    }

    fn below(&self, call: &Call, link: &str) -> Result<String, Failed> {
        self.shared.settings.base.below(link).map_err(|why| last(CallError::unreadable(&call.what, why)))
    }

    /// Sends a request and reads its answer to the end.
    async fn transfer(
        &self,
        call: &Call,
        request: Request<OctoBody>,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), Failed> {
        let broken = |why: String| Failed { error: CallError::unavailable(call, why), how: How::Broken };
        let _permit = self.shared.under_way.acquire().await.map_err(|closed| broken(closed.to_string()))?;
        let answer = self.shared.transport.send(request).await;
        // The transport's message is long and adds nothing.
        let answer = answer.map_err(|_| broken("the connection failed".to_owned()))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, LONGEST).collect().await.map_err(|error| broken(body_error(error.as_ref())))?;
        Ok((parts.status, parts.headers, body.to_bytes().to_vec()))
    }
}

/// The result of one request.
enum Hop {
    Answered(Answer),
    /// The path to call instead.
    Redirected(String),
}

/// The wait would end after the deadline.
struct TooLong;

const fn last(error: CallError) -> Failed {
    Failed { error, how: How::Final }
}

fn refused(call: &Call, error: CallError, status: StatusCode, limited: Option<Timestamp>) -> Failed {
    if let Some(until) = limited {
        let error = CallError::Unavailable { what: call.what.clone(), why: error.to_string(), until: Some(until) };
        return Failed { error, how: How::Limited(until) };
    }
    let how = match status {
        StatusCode::UNAUTHORIZED => How::Unauthorized,
        _ if status.is_server_error() => How::Broken,
        _ => How::Final,
    };
    Failed { error, how }
}

fn request(
    call: &Call,
    authorization: &Authorization,
    path: &str,
    cached: Option<&Cached>,
) -> Result<Request<OctoBody>, CallError> {
    let wrong = |why: String| CallError::unavailable(call, why);
    let mut bearer = HeaderValue::from_str(&format!("Bearer {}", authorization.token.expose()))
        .map_err(|_| wrong("cannot send the token".to_owned()))?;
    bearer.set_sensitive(true);
    let mut request = Request::builder()
        .method(call.method.clone())
        .uri(path)
        .header(ACCEPT, "application/vnd.github+json")
        .header("x-github-api-version", API_VERSION)
        .header(AUTHORIZATION, bearer);
    if let Some(cached) = cached {
        request = request.header(IF_NONE_MATCH, &cached.tag);
    }
    let body = match &call.body {
        Some(body) => {
            request = request.header(CONTENT_TYPE, "application/json");
            OctoBody::from(body.to_string())
        }
        None => OctoBody::empty(),
    };
    request.body(body).map_err(|error| wrong(format!("cannot make the request: {error}")))
}

fn text_of(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(64).collect()
}
