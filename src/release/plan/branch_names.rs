//! Checks the tags of branches and pull requests that have the name of a release. Anyone who may
//! push can name a branch, so none of them takes the tag of a version line that has releases, and
//! none moves a tag that has the form of an immutable one (promise 3).

use super::destination_state::DestinationState;
use crate::image::{Destination, Digest, Tag};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::request::ReleaseRequest;
use crate::tagging::{
    CompatMode, DerivedTags, PlannedTag, ReleaseSeries, ReleaseVersion, TagRules, VersionLine,
    affixed_immutable_form, release_on_line,
};

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
        let guard = NameGuard {
            request,
            context,
            place,
            root,
        };
        for planned in &derived.tags {
            if seen.tag_digest(&planned.tag) == Some(root) {
                continue;
            }
            if planned.is_named_by_event() {
                guard.check_branch_tag(planned, seen)?;
            } else if planned.may_take_line() {
                guard.check_named_line(planned, seen);
            }
        }
    }
    Ok(())
}

/// What is checked at one destination.
struct NameGuard<'a> {
    request: &'a ReleaseRequest,
    context: &'a ReleaseContext,
    place: &'a Destination,
    root: Digest,
}

impl NameGuard<'_> {
    /// Checks the tag of a branch or a pull request.
    fn check_branch_tag(
        &self,
        planned: &PlannedTag,
        seen: &mut DestinationState,
    ) -> Result<(), Failure> {
        let (place, tag) = (self.place, &planned.tag);
        if let Some(release) = release_on_line(tag, &seen.tags) {
            let line = format!("{tag} is the version line of {}", release.tag);
            if is_strict(&self.request.rules) {
                return Err(self.version_line_failure(planned, &line));
            }
            let why = format!("{tag} stays: it is the version line of {}", release.tag);
            let text = format!(
                "{place}: tag {why}, which no branch moves ({})",
                planned.rule
            );
            self.context.notices.warning(text);
            seen.lines.insert(tag.clone(), why);
            return Ok(());
        }
        let Some(there) = seen.tag_digest(tag) else {
            return Ok(());
        };
        let form = immutable_form(&self.request.rules, planned)
            .or_else(|| is_two_number_release(tag, seen).then_some("a version"));
        if let Some(form) = form {
            let digests = [there, self.root];
            return Err(self.immutable_form_failure(planned, form, digests));
        }
        self.check_affixed_form(planned, there, seen)
    }

    /// Checks a tag that another image has, and that reads as an immutable one with text around it. Compatible
    /// mode leaves it and warns, since it may be the branch's own.
    fn check_affixed_form(
        &self,
        planned: &PlannedTag,
        there: Digest,
        seen: &mut DestinationState,
    ) -> Result<(), Failure> {
        let (place, tag) = (self.place, &planned.tag);
        let Some(form) = affixed_immutable_form(tag, &seen.tags) else {
            return Ok(());
        };
        if is_strict(&self.request.rules) {
            let digests = [there, self.root];
            return Err(self.immutable_form_failure(planned, form, digests));
        }
        let why = format!("{tag} stays: it reads as {form}");
        self.context.notices.warning(format!(
            "{place}: tag {why} and points to another image, and no branch moves such a tag ({}): {}",
            planned.rule,
            hint(&self.request.rules)
        ));
        seen.lines.insert(tag.clone(), why);
        Ok(())
    }

    /// Checks a tag such as `latest` that a rule gives for an event without a version. In strict mode
    /// it leaves a version line that has releases; compatible mode moves it, and warns.
    fn check_named_line(&self, planned: &PlannedTag, seen: &mut DestinationState) {
        let (place, tag) = (self.place, &planned.tag);
        let Some(release) = release_on_line(tag, &seen.tags) else {
            return;
        };
        let line = format!("{tag} is the version line of {}", release.tag);
        match is_strict(&self.request.rules) {
            true => {
                let why = format!("{tag} stays: it is the version line of {}", release.tag);
                seen.lines.insert(tag.clone(), why);
            }
            false => self.context.notices.warning(format!(
                "{place}: {line}, and moves to an image without a version ({}): disable the rule for such \
                 events (enable=), or set mode: strict",
                planned.rule
            )),
        }
    }

    fn version_line_failure(&self, planned: &PlannedTag, line: &str) -> Failure {
        Failure::refused(format!(
            "tag {} of {} for a branch",
            planned.tag, self.place
        ))
        .with_reason(format!("{line}, which no branch moves ({})", planned.rule))
        .with_hint(hint(&self.request.rules))
    }

    fn immutable_form_failure(
        &self,
        planned: &PlannedTag,
        form: &str,
        [there, root]: [Digest; 2],
    ) -> Failure {
        let (tag, rule) = (&planned.tag, &planned.rule);
        Failure::refused(format!(
            "tag {tag} of {} points to {there}, expected {root}",
            self.place
        ))
        .with_reason(format!(
            "{tag} reads as {form}, and no branch moves such a tag ({rule})"
        ))
        .with_hint(hint(&self.request.rules))
    }
}

/// Returns whether a tag of two numbers is a release: the version line of that name has none.
fn is_two_number_release(tag: &Tag, seen: &DestinationState) -> bool {
    let version = ReleaseVersion::parse(tag.as_str());
    version.is_some_and(|version| version.numbers().len() == 2)
        && seen
            .releases(&ReleaseSeries::default())
            .on_line(&VersionLine::Latest)
            .any(|it| it.tag == *tag)
}

/// What an immutable tag of this name would stand for, by itself or by the rules of the run.
fn immutable_form(rules: &TagRules, planned: &PlannedTag) -> Option<&'static str> {
    planned.immutable_form().or_else(|| match rules {
        TagRules::Custom(given) => given.rules.immutable_form(&planned.tag),
        TagRules::Default | TagRules::FlavoredDefault(_) => None,
    })
}

fn is_strict(rules: &TagRules) -> bool {
    rules.mode() == CompatMode::Strict
}

fn hint(rules: &TagRules) -> &'static str {
    match rules {
        TagRules::Custom(_) => "rename the branch, or disable the rule for it (enable=false)",
        TagRules::Default | TagRules::FlavoredDefault(_) => {
            "rename the branch, or set the input tags, whose rules replace the default ones"
        }
    }
}
