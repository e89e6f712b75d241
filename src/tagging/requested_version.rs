//! The version that the input `version` gives a pushed image.

use super::default_tags::{plan_line_tags, plan_version_tag};
use super::printable_name::printable_name;
use super::promoted_version::{NamedVersion, branch_version, contradiction, contradicts};
use super::tag_plan::DerivedTags;
use super::{NamedRelease, TaggingError, VersionOrigin};
use crate::event::EventFacts;

/// Plans the version that a push is asked for in addition to the tags of its event, with its version lines.
///
/// # Errors
/// An event about a pull request, or one that names another version.
pub(super) fn plan_requested_version(
    derived: &mut DerivedTags,
    facts: Option<&EventFacts>,
    release: &NamedRelease,
) -> Result<(), TaggingError> {
    let text = printable_name(&release.to_tag_text());
    if facts.is_some_and(|facts| facts.pull_request.is_some()) {
        return Err(TaggingError::VersionOfPullRequest(text));
    }
    if derived.provenance.version == Some(VersionOrigin::Event) {
        return match derived.version.as_ref().filter(|named| **named != text) {
            Some(named) => Err(TaggingError::OtherVersion {
                requested: text,
                named: printable_name(named),
            }),
            None => Ok(()),
        };
    }
    let requested = NamedVersion::of_input(release.clone());
    plan_version_tag(derived, release, &requested.rule)?;
    plan_line_tags(derived, release, false);
    derived.provenance.version = Some(VersionOrigin::Input);
    match facts {
        Some(facts) => record_branch_contradiction(derived, facts, &requested),
        None => Ok(()),
    }
}

/// Records that the release branch of a push names another version.
fn record_branch_contradiction(
    derived: &mut DerivedTags,
    facts: &EventFacts,
    requested: &NamedVersion,
) -> Result<(), TaggingError> {
    let branch = facts.release_branch()?;
    let of_branch = branch.as_ref().and_then(branch_version);
    let others = &mut derived.provenance.version_contradictions;
    others.extend(
        of_branch
            .filter(|other| contradicts(requested, other))
            .map(|other| contradiction(requested, &other)),
    );
    Ok(())
}
