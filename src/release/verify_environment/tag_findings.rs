//! Tags of an environment that name something else than its records say.

use std::collections::BTreeMap;

use super::current_state::CurrentState;
use super::environment_finding::{EnvironmentFinding, FindingKind};
use crate::image::Digest;
use crate::record::{
    ExpectedRoot, HistoryReadings, ReadEntry, RecordedTagKind, TagDrift, expected_tags,
};
use crate::release::Failure;
use crate::release::history::{read_drift, read_tag};

impl CurrentState {
    /// Compares the tags that the current release wrote, and the immutable ones of the other releases that were read,
    /// with what they name.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(super) async fn tag_findings(&self) -> Result<Vec<EnvironmentFinding>, Failure> {
        if self.timeline.entries().is_empty() {
            return Ok(Vec::new());
        }
        let readings = self.view.to_readings();
        let (own, others) = futures_util::future::try_join(
            self.environment_tag_findings(&readings),
            read_drift(
                self.expected_tags(&readings),
                &self.timeline,
                &self.images,
                self.location(),
            ),
        )
        .await?;
        let others = others.iter().map(|drift| self.drift_finding(drift));
        Ok(own.into_iter().chain(others).collect())
    }

    /// Returns what each tag other than the environment's must name. Whether a release that is withdrawn wrote a moving
    /// tag last does not matter: the rollback put the tag back on the current one.
    fn expected_tags(&self, readings: &HistoryReadings) -> BTreeMap<String, ExpectedRoot> {
        let read = readings.read_entries();
        let releases = read.iter().filter(|it| it.entry.action.is_release());
        let releases: Vec<&ReadEntry> = releases.copied().collect();
        let mut expected = expected_tags(&releases, &self.timeline, false);
        expected.retain(|_, root| root.is_immutable);
        let current = current_release(&releases, self.root());
        let current: Vec<&ReadEntry> = current.into_iter().collect();
        for (tag, root) in expected_tags(&current, &self.timeline, false) {
            expected.entry(tag).or_insert(root);
        }
        expected
    }

    /// Compares the environment's tags: that of its name, and what its rules gave the current release.
    async fn environment_tag_findings(
        &self,
        readings: &HistoryReadings,
    ) -> Result<Vec<EnvironmentFinding>, Failure> {
        let read = readings.read_entries();
        let written = current_release(&read, self.root());
        let written = written.into_iter().flat_map(|release| &release.tags);
        let written = written.filter(|tag| tag.kind == RecordedTagKind::Environment);
        let mut tags: Vec<_> = written.filter_map(|tag| tag.name.parse().ok()).collect();
        let by_name = self.location().environment.tag();
        if !tags.contains(by_name) && self.tags.contains(by_name) {
            tags.push(by_name.clone());
        }
        let mut findings = Vec::new();
        for tag in tags {
            let found = read_tag(&self.images, self.location(), &tag).await?;
            if found != self.root() {
                let expected = self.root().map(|root| ExpectedRoot {
                    root,
                    is_immutable: false,
                });
                let drift = TagDrift::new(tag, expected, found, &self.timeline);
                findings.push(self.environment_finding(&drift));
            }
        }
        Ok(findings)
    }

    fn environment_finding(&self, drift: &TagDrift) -> EnvironmentFinding {
        FindingKind::EnvironmentTag.found(self.drift_text(drift)).with_hint(
            "wait for a release that is under way, repeat one that died, or release the expected image again: shipmark history tells which",
        )
    }

    fn drift_finding(&self, drift: &TagDrift) -> EnvironmentFinding {
        let text = self.drift_text(drift);
        match (drift.is_immutable, drift.expected) {
            (true, Some(expected)) => FindingKind::ImmutableTag.found(text).with_hint(format!(
                "no release moves an immutable tag: point {} to {expected} by hand",
                drift.tag
            )),
            _ => FindingKind::MovingTag
                .found(text)
                .with_hint("release the highest version of the line again"),
        }
    }

    /// Returns what a tag names, and what it must name.
    fn drift_text(&self, drift: &TagDrift) -> String {
        let names = match drift.found {
            Some(found) if self.timeline.is_withdrawn(found) => {
                format!("names {found}, which is withdrawn")
            }
            Some(found) => format!("names {found}"),
            None => "is gone".to_owned(),
        };
        match drift.expected {
            Some(expected) => format!("the tag {} {names}, expected {expected}", drift.tag),
            None => format!("the tag {} {names}, expected no image", drift.tag),
        }
    }
}

/// Returns the newest release of the current root that was read.
fn current_release<'a>(read: &[&'a ReadEntry], root: Option<Digest>) -> Option<&'a ReadEntry> {
    let mut newest_first = read.iter().rev();
    let is_current = |it: &&&ReadEntry| it.entry.action.is_release() && Some(it.entry.root) == root;
    newest_first.find(is_current).copied()
}
