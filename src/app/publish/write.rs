//! Writes what is planned, one call after the other, and keeps what came of each.

use super::plan::{Deployed, Plan, digest};
use crate::ident::PullRequestRef;
use crate::ports::{Publisher, PublisherError, Spot};
use crate::request::published::{Placed, Published, Reviewer};

/// The page that is written.
#[derive(Clone, Copy)]
struct Writer<'a> {
    page: &'a dyn Publisher,
    at: &'a PullRequestRef,
}

/// The code host does not answer: the rest is owed.
struct Stopped;

/// Writes the plan, and says whether all of it.
pub(super) async fn write(page: &dyn Publisher, at: &PullRequestRef, plan: &Plan, published: &mut Published) -> bool {
    let writer = Writer { page, at };
    let written = async {
        writer.checks(plan, published).await?;
        writer.comment(plan, published).await?;
        writer.reviewers(plan, published).await?;
        writer.deployments(plan, published).await
    };
    written.await.is_ok() && !plan.is_cut
}

impl Writer<'_> {
    async fn checks(self, plan: &Plan, published: &mut Published) -> Result<(), Stopped> {
        let repository = &self.at.repository;
        for (key, check, spot) in &plan.checks {
            let mut put = self.page.put_check(repository, check, *spot).await;
            if matches!((&put, spot), (Err(PublisherError::Gone { .. }), Spot::At(_))) {
                put = self.page.put_check(repository, check, Spot::Unsure).await;
            }
            self.keep(published.checks.entry(key.clone()).or_default(), put, digest(check), &check.name)?;
        }
        Ok(())
    }

    async fn comment(self, plan: &Plan, published: &mut Published) -> Result<(), Stopped> {
        let Some((text, spot)) = &plan.comment else { return Ok(()) };
        let mut put = self.page.put_comment(self.at, text, *spot).await;
        if matches!((&put, spot), (Err(PublisherError::Gone { .. }), Spot::At(_))) {
            put = self.page.put_comment(self.at, text, Spot::Unsure).await;
        }
        self.keep(published.comment.get_or_insert_default(), put, digest(text), "the comment")
    }

    async fn reviewers(self, plan: &Plan, published: &mut Published) -> Result<(), Stopped> {
        if plan.reviewers.is_empty() {
            return Ok(());
        }
        let reviewers: Vec<Reviewer> = plan.reviewers.iter().map(|(reviewer, _)| reviewer.clone()).collect();
        let asked = self.page.request_reviews(self.at, &reviewers).await;
        self.heard(asked, "who is asked for a review")?;
        // Whoever was refused is not asked again either.
        published.asked.extend(plan.reviewers.iter().cloned());
        Ok(())
    }

    async fn deployments(self, plan: &Plan, published: &mut Published) -> Result<(), Stopped> {
        let repository = &self.at.repository;
        for Deployed { request, new, status } in &plan.deployments {
            let kept = published.requests.entry(request.clone()).or_default();
            if let Some((deployment, spot)) = new {
                let put = self.page.put_deployment(repository, deployment, *spot).await;
                let placed = kept.deployment.get_or_insert_default();
                self.keep(placed, put, digest(deployment), "a deployment")?;
            }
            if let Some(id) = kept.deployment.as_ref().and_then(|placed| placed.id) {
                let set = self.page.set_deployment(repository, id, status).await;
                self.heard(set, "the status of a deployment")?;
                kept.state = Some(status.state);
            }
        }
        Ok(())
    }

    /// Keeps what came of putting something there. What was refused is not tried again until it would say something
    /// else.
    fn keep(
        self,
        placed: &mut Placed,
        put: Result<u64, PublisherError>,
        digest: String,
        what: &str,
    ) -> Result<(), Stopped> {
        let id = self.heard(put, what)?.or(placed.id);
        *placed = Placed { id, digest, begun: false };
        Ok(())
    }

    /// What was answered; none where it was refused for good.
    fn heard<T>(self, answer: Result<T, PublisherError>, what: &str) -> Result<Option<T>, Stopped> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error @ (PublisherError::Refused { .. } | PublisherError::Gone { .. })) => {
                tracing::warn!(pull_request = %self.at, what, reason = %error, "it is not published");
                Ok(None)
            }
            Err(error @ PublisherError::Unavailable { .. }) => {
                tracing::warn!(pull_request = %self.at, what, reason = %error, "it is not published yet");
                Err(Stopped)
            }
        }
    }
}
