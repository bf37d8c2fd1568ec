//! The members of teams: in the query for facts, or in one of its own if the team is of another organization, whose
//! installation of the App has another token.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::task::Poll;

use serde::Deserialize;
use serde_json::json;

use super::list::{List, Misfit, PAGES, Page, nullable};
use super::shape::{Account, actor};
use super::{escaped, misfit, unavailable};
use crate::adapters::github::client::{Call, GithubClient, Identity, Problem, Queried};
use crate::approval::facts::Person;
use crate::ident::TeamSlug;
use crate::ports::CodeHostError;

/// Members by team. A team that is gone or hidden is absent.
pub(super) type Members = BTreeMap<TeamSlug, Vec<Person>>;

/// Teams as far as their members were read.
#[derive(Debug, Default)]
pub(super) struct Teams(Vec<Team>);

#[derive(Debug)]
struct Team {
    slug: TeamSlug,
    members: List<Account>,
    hidden: bool,
}

#[derive(Deserialize)]
struct Organization {
    #[serde(deserialize_with = "nullable")]
    team: Option<MembersOf>,
}

#[derive(Deserialize)]
struct MembersOf {
    members: Page<Account>,
}

impl Teams {
    pub(super) fn new<'t>(teams: impl IntoIterator<Item = &'t TeamSlug>) -> Self {
        let team = |slug: &TeamSlug| Team { slug: slug.clone(), members: List::fixed(), hidden: false };
        Self(teams.into_iter().map(team).collect())
    }

    pub(super) fn has_more(&self) -> bool {
        self.0.iter().any(|team| team.members.has_more())
    }

    /// The part of a query that reads the next page of each team. A text in JSON is a text in GraphQL, too.
    pub(super) fn selection(&self) -> String {
        let more = self.0.iter().enumerate().filter(|(_, team)| team.members.has_more());
        let part = |(number, team): (usize, &Team)| {
            let (org, slug) = team.slug.parts();
            let (org, slug, after) = (json!(org), json!(slug), json!(team.members.after()));
            format!(
                "  team{number}: organization(login: {org}) {{ team(slug: {slug}) {{ members(first: 100, after: {after}, \
                 membership: ALL) {{ totalCount nodes {{ __typename login databaseId }} pageInfo {{ hasNextPage \
                 endCursor }} }} }} }}\n"
            )
        };
        more.map(part).collect()
    }

    /// Takes the next pages from an answer.
    pub(super) fn add(&mut self, answer: &mut Queried) -> Result<(), CodeHostError> {
        for (number, team) in self.0.iter_mut().enumerate().filter(|(_, team)| team.members.has_more()) {
            let alias = format!("team{number}");
            let organization: Option<Organization> = answer.take(&alias).map_err(|error| unavailable(&error))?;
            let Some(MembersOf { members }) = organization.and_then(|organization| organization.team) else {
                answer.problems.retain(|problem| !hides(problem, &alias));
                tracing::warn!(team = %team.slug, "cannot read the team: it makes nobody eligible");
                (team.hidden, team.members) = (true, List::unread());
                continue;
            };
            team.members.add(Some(members)).map_err(|why| match why {
                Misfit::Changed => changed(&team.slug),
                Misfit::Missing | Misfit::NoNext => misfit(why, answer),
            })?;
        }
        Ok(())
    }

    /// The members, in the order of their ids. Errors if GitHub counts others.
    pub(super) fn members(self) -> Result<Members, CodeHostError> {
        let read = self.0.into_iter().filter(|team| !team.hidden);
        read.map(|Team { slug, members, .. }| {
            let total = members.total;
            let unreadable =
                |why| CodeHostError::Unavailable { detail: format!("the members of the team `{slug}`: {why}") };
            let people = members.items.into_iter().map(|member| actor(Some(member)));
            let people: Vec<Option<Person>> = people.collect::<Result<_, _>>().map_err(unreadable)?;
            let mut people: Vec<Person> = people.into_iter().flatten().collect();
            people.sort_by_key(|member| member.id);
            people.dedup_by_key(|member| member.id);
            if total == Some(people.len()) { Ok((slug, people)) } else { Err(changed(&slug)) }
        })
        .collect()
    }
}

/// Whether GitHub hides the team or its organization.
fn hides(problem: &Problem, alias: &str) -> bool {
    problem.hides(&[alias]) || problem.hides(&[alias, "team"])
}

fn changed(team: &TeamSlug) -> CodeHostError {
    CodeHostError::Unavailable { detail: format!("the team `{team}` changed while it was read") }
}

impl GithubClient {
    /// The teams of organizations other than `org`.
    pub(super) async fn teams_outside(&self, org: &str, teams: &BTreeSet<TeamSlug>) -> Result<Members, CodeHostError> {
        let mut by_org: BTreeMap<&str, Vec<&TeamSlug>> = BTreeMap::new();
        for team in teams.iter().filter(|team| !team.is_of(org)) {
            by_org.entry(team.parts().0).or_default().push(team);
        }
        let read = join_all(by_org.into_iter().map(|(org, teams)| self.teams_of(org, Teams::new(teams)))).await;
        Ok(read.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    async fn teams_of(&self, org: &str, mut teams: Teams) -> Result<Members, CodeHostError> {
        let what = format!("the teams of `{org}`");
        for _ in 0..=PAGES {
            if !teams.has_more() {
                return teams.members();
            }
            let identity =
                Identity::Account { login: org.to_owned(), lookup: format!("/orgs/{}/installation", escaped(org)) };
            let query = format!("query Teams {{\n{}}}", teams.selection());
            let call = Call::query(&query, &json!({}), identity, &what);
            let mut answer = self.query(call).await.map_err(|error| unavailable(&error))?;
            teams.add(&mut answer)?;
            answer.whole().map_err(|error| unavailable(&error))?;
        }
        Err(CodeHostError::Unavailable { detail: format!("{what}: a list does not end after {PAGES} pages") })
    }
}

/// Runs all of the work concurrently. Returns the results in the order of the work.
pub(super) async fn join_all<T>(work: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut under_way: Vec<_> = work.map(|work| (Box::pin(work), None)).collect();
    poll_fn(|context| {
        let mut done = true;
        for (work, result) in &mut under_way {
            if result.is_none() {
                match work.as_mut().poll(context) {
                    Poll::Ready(value) => *result = Some(value),
                    Poll::Pending => done = false,
                }
            }
        }
        if done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    under_way.into_iter().filter_map(|(_, result)| result).collect()
}
