//! Checks the tags of branches and pull requests that have the name of a release. Anyone who may
//! push can name a branch, so none of them takes the tag of a version line that has releases, and
//! none moves a tag that has the form of an immutable one (promise 3).

use super::observe::DestinationState;
use crate::image::{Destination, Digest};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::request::ReleaseRequest;
use crate::tagging::{CompatMode, DerivedTags, PlannedTag, TagRules, release_on_line};

/// Records the tags that are version lines, so that they are not moved.
///
/// # Errors
/// A refusal: of a tag that has the form of an immutable one and names another image, and in strict
/// mode of one of a version line.
pub(crate) fn check_branch_names(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    derived: &DerivedTags,
    seen: &mut [DestinationState],
    root: Digest,
) -> Result<(), Failure> {
    for (OpenDestination { name: place, .. }, seen) in destinations.iter().zip(seen) {
        for planned in derived.tags.iter().filter(|tag| tag.is_named_by_event()) {
            let tag = &planned.tag;
            if seen.tag_digest(tag) == Some(root) {
                continue;
            }
            if let Some(release) = release_on_line(tag, &seen.tags) {
                let line = format!("{tag} is the version line of {}", release.tag);
                if is_strict(&request.rules) {
                    return Err(version_line_failure(place, planned, &line));
                }
                let why = format!("{tag} stays: it is the version line of {}", release.tag);
                let text = format!(
                    "{place}: tag {why}, which no branch moves ({})",
                    planned.rule
                );
                context.notices.warning(text);
                seen.lines.insert(tag.clone(), why);
            } else if let (Some(form), Some(there)) = (
                immutable_form(&request.rules, planned),
                seen.tag_digest(tag),
            ) {
                return Err(immutable_form_failure(place, planned, form, [there, root]));
            }
        }
    }
    Ok(())
}

/// What an immutable tag of this name would stand for, by itself or by the rules of the run.
fn immutable_form(rules: &TagRules, planned: &PlannedTag) -> Option<&'static str> {
    planned.immutable_form().or_else(|| match rules {
        TagRules::Custom(given) => given.rules.immutable_form(&planned.tag),
        TagRules::Default => None,
    })
}

fn is_strict(rules: &TagRules) -> bool {
    matches!(rules, TagRules::Custom(given) if given.rules.mode() == CompatMode::Strict)
}

const HINT: &str = "rename the branch, or disable the rule for it (enable=false)";

fn version_line_failure(place: &Destination, planned: &PlannedTag, line: &str) -> Failure {
    Failure::refused(format!("tag {} of {place} for a branch", planned.tag))
        .with_reason(format!("{line}, which no branch moves ({})", planned.rule))
        .with_hint(HINT)
}

fn immutable_form_failure(
    place: &Destination,
    planned: &PlannedTag,
    form: &str,
    [there, root]: [Digest; 2],
) -> Failure {
    let (tag, rule) = (&planned.tag, &planned.rule);
    Failure::refused(format!(
        "tag {tag} of {place} points to {there}, expected {root}"
    ))
    .with_reason(format!(
        "{tag} reads as {form}, and no branch moves such a tag ({rule})"
    ))
    .with_hint(HINT)
}
