//! Sends what is planned, one call after the other, and records the result of each.

use super::Publication;
use super::plan::{Plan, PlannedCheck, PlannedDeployment, digest};
use crate::ports::{PublisherError, Spot};
use crate::request::published::{Placed, Published, Reviewer};

/// The code host does not answer: the rest is left to the sweep.
struct Stopped;

impl Publication<'_> {
    /// Sends the plan. Returns `false` if something is left to the sweep.
    pub(super) async fn write(&self, plan: &Plan, published: &mut Published) -> bool {
        let written = async {
            self.write_checks(plan, published).await?;
            self.write_comment(plan, published).await?;
            self.request_reviews(plan, published).await?;
            self.write_deployments(plan, published).await
        };
        written.await.is_ok() && !plan.is_cut
    }

    async fn write_checks(&self, plan: &Plan, published: &mut Published) -> Result<(), Stopped> {
        let repository = &self.at.repository;
        for PlannedCheck { key, check, spot } in &plan.checks {
            let mut put = self.publisher.put_check(repository, check, *spot).await;
            if matches!((&put, spot), (Err(PublisherError::Gone { .. }), Spot::At(_))) {
                put = self.publisher.put_check(repository, check, Spot::Unsure).await;
            }
            self.keep(published.checks.entry(key.clone()).or_default(), put, digest(check), &check.name)?;
        }
        Ok(())
    }

    async fn write_comment(&self, plan: &Plan, published: &mut Published) -> Result<(), Stopped> {
        let Some((text, spot)) = &plan.comment else { return Ok(()) };
        let mut put = self.publisher.put_comment(self.at, text, *spot).await;
        if matches!((&put, spot), (Err(PublisherError::Gone { .. }), Spot::At(_))) {
            put = self.publisher.put_comment(self.at, text, Spot::Unsure).await;
        }
        self.keep(published.comment.get_or_insert_default(), put, digest(text), "the comment")
    }

    async fn request_reviews(&self, plan: &Plan, published: &mut Published) -> Result<(), Stopped> {
        if plan.reviewers.is_empty() {
            return Ok(());
        }
        let reviewers: Vec<Reviewer> = plan.reviewers.iter().map(|(reviewer, _)| reviewer.clone()).collect();
        let requested = self.publisher.request_reviews(self.at, &reviewers).await;
        self.accepted(requested, "the review requests")?;
        // A reviewer whom the code host refused is not requested again either.
        published.requested.extend(plan.reviewers.iter().cloned());
        Ok(())
    }

    async fn write_deployments(&self, plan: &Plan, published: &mut Published) -> Result<(), Stopped> {
        let repository = &self.at.repository;
        for PlannedDeployment { request, new, status } in &plan.deployments {
            let kept = published.requests.entry(request.clone()).or_default();
            if let Some((deployment, spot)) = new {
                let put = self.publisher.put_deployment(repository, deployment, *spot).await;
                let placed = kept.deployment.get_or_insert_default();
                self.keep(placed, put, digest(deployment), "a deployment")?;
            }
            if let Some(id) = kept.deployment.as_ref().and_then(|placed| placed.id) {
                let set = self.publisher.set_deployment(repository, id, status).await;
                self.accepted(set, "the status of a deployment")?;
                kept.state = Some(status.state);
            }
        }
        Ok(())
    }

    /// Records the result of a write. What was refused is not tried again until its content changes.
    fn keep(
        &self,
        placed: &mut Placed,
        put: Result<u64, PublisherError>,
        digest: String,
        what: &str,
    ) -> Result<(), Stopped> {
        let id = self.accepted(put, what)?.or(placed.id);
        *placed = Placed { id, digest, begun: false };
        Ok(())
    }

    /// Returns `None` if the code host refused for good.
    fn accepted<T>(&self, answer: Result<T, PublisherError>, what: &str) -> Result<Option<T>, Stopped> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error @ (PublisherError::Refused { .. } | PublisherError::Gone { .. })) => {
                tracing::warn!(pull_request = %self.at, what, reason = %error, "not published: the code host refused it");
                Ok(None)
            }
            Err(error @ PublisherError::Unavailable { .. }) => {
                tracing::warn!(pull_request = %self.at, what, reason = %error, "not published yet; the sweep tries again");
                Err(Stopped)
            }
        }
    }
}
