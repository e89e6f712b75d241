//! The version that the input `version` gives a pushed image.

use semver::Version;

use super::default_tags::{plan_line_tags, plan_version_tag};
use super::printable_name::printable_name;
use super::promoted_version::{NamedVersion, branch_version, contradiction, contradicts};
use super::tag_plan::DerivedTags;
use super::{TaggingError, VersionOrigin};
use crate::event::{EventFacts, parse_version};

/// Rule of the tag that the input `version` gives.
const REQUESTED: &str = "the input version";

impl DerivedTags {
    /// Adds the version that a push is asked for to the tags of its event, with its version lines.
    ///
    /// # Errors
    /// An event about a pull request, or one that names another version.
    pub fn with_requested_version(
        mut self,
        facts: Option<&EventFacts>,
        version: &Version,
    ) -> Result<Self, TaggingError> {
        let text = printable_name(&version.to_string());
        if facts.is_some_and(|facts| facts.pull_request.is_some()) {
            return Err(TaggingError::VersionOfPullRequest(text));
        }
        if self.provenance.version == Some(VersionOrigin::Event) {
            let of_event = self.version.as_deref().and_then(parse_version);
            return match of_event.filter(|named| named.cmp_precedence(version).is_ne()) {
                Some(named) => Err(TaggingError::OtherVersion {
                    requested: text,
                    named: named.to_string(),
                }),
                None => Ok(self),
            };
        }
        plan_version_tag(&mut self, version, REQUESTED)?;
        plan_line_tags(&mut self, version, false);
        self.provenance.version = Some(VersionOrigin::Input);
        self.record_branch_contradiction(facts, version)?;
        Ok(self.into_ordered())
    }

    /// Records that the release branch of a push names another version.
    fn record_branch_contradiction(
        &mut self,
        facts: Option<&EventFacts>,
        version: &Version,
    ) -> Result<(), TaggingError> {
        let branch = match facts {
            Some(facts) => facts.release_branch()?,
            None => None,
        };
        let of_branch = branch.as_ref().and_then(branch_version);
        let Some(other) = of_branch.filter(|other| contradicts(version, &other.version)) else {
            return Ok(());
        };
        let requested = NamedVersion {
            version: version.clone(),
            prerelease: false,
            origin: VersionOrigin::Input,
            rule: REQUESTED.to_owned(),
        };
        let contradiction = contradiction(&requested, &other);
        self.provenance.version_contradictions.push(contradiction);
        Ok(())
    }
}
