//! Branches and pull requests that are called what a release is called. Anybody who may push can
//! name a branch, so none of them takes the tag of a version line that has releases, and none moves a
//! tag that has the form of an immutable one (promise 3).

use super::look::Seen;
use super::source::Resolved;
use super::{Context, Destination, Failure, Request};
use crate::image::{Digest, Place};
use crate::tagging::{Derived, Mode, PlannedTag, TagRules, release_on_line};

/// Notes the tags that are those of version lines, so that they stay where they are.
///
/// # Errors
/// A refusal: of a tag that has the form of an immutable one and names another image, and in strict
/// mode of one of a version line.
pub(super) fn check(
    request: &Request,
    context: &Context,
    destinations: &[Destination],
    derived: &Derived,
    seen: &mut [Seen],
    image: &Resolved,
) -> Result<(), Failure> {
    let root = image.root.digest;
    for (Destination { place, .. }, seen) in destinations.iter().zip(seen) {
        for planned in derived.tags.iter().filter(|tag| tag.is_named_by_event()) {
            let tag = &planned.tag;
            if seen.named(tag) == Some(root) {
                continue;
            }
            if let Some(release) = release_on_line(tag, &seen.tags) {
                let line = format!("{tag} is the version line of {}", release.tag);
                if is_strict(&request.rules) {
                    return Err(refused(place, planned, &line));
                }
                let why = format!("{tag} stays: it is the version line of {}", release.tag);
                let text = format!(
                    "{place}: tag {why}, which no branch moves ({})",
                    planned.rule
                );
                context.notices.warning(text);
                seen.lines.insert(tag.clone(), why);
            } else if let (Some(form), Some(there)) = (planned.immutable_form(), seen.named(tag)) {
                return Err(taken(place, planned, form, [there, root]));
            }
        }
    }
    Ok(())
}

fn is_strict(rules: &TagRules) -> bool {
    matches!(rules, TagRules::Given(given) if given.rules.mode() == Mode::Strict)
}

const HINT: &str = "rename the branch, or leave the rule out for it (enable=false)";

fn refused(place: &Place, planned: &PlannedTag, line: &str) -> Failure {
    Failure::refused(format!("tag {} of {place} for a branch", planned.tag))
        .why(format!("{line}, which no branch moves ({})", planned.rule))
        .hint(HINT)
}

fn taken(place: &Place, planned: &PlannedTag, form: &str, [there, root]: [Digest; 2]) -> Failure {
    let (tag, rule) = (&planned.tag, &planned.rule);
    Failure::refused(format!("tag {tag} of {place} names {there}, not {root}"))
        .why(format!(
            "{tag} reads as {form}, and no branch moves such a tag ({rule})"
        ))
        .hint(HINT)
}
