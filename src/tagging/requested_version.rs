//! The version that the input `version` gives a pushed image.

use semver::Version;

use super::default_tags::{plan_line_tags, plan_version_tag};
use super::printable_name::printable_name;
use super::tag_plan::DerivedTags;
use super::{TaggingError, VersionOrigin};
use crate::event::{EventFacts, parse_version};

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
        plan_version_tag(&mut self, version, "the input version")?;
        plan_line_tags(&mut self, version, false);
        self.provenance.version = Some(VersionOrigin::Input);
        Ok(self.into_ordered())
    }
}
