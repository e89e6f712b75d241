//! Judges the names of a released image: sources that contradict each other, production without a version, and
//! versions that are excluded.

use super::Failure;
use super::context::ReleaseContext;
use super::request::ReleaseRequest;
use crate::tagging::{DerivedTags, EnvironmentName, ExcludedVersions, PlannedTag};

/// Warns of sources that contradict each other, and of a release to production without a version.
///
/// # Errors
/// A refusal of contradictions where a policy applies: the input `version` is refused as well, where the
/// image is called by another one.
pub(super) fn check_names(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    derived: &DerivedTags,
) -> Result<(), Failure> {
    check_contradictions(request, context, derived)?;
    if let Some(environment) = production_without_version(request, derived) {
        context.notices.warning(format!(
            "{}: the release to {environment} has no version: event, source tag, label and the sixteen highest version tags of the source repository name none; set the input version",
            request.source
        ));
    }
    Ok(())
}

/// Warns of sources that contradict each other.
///
/// # Errors
/// As [`check_names`].
pub(super) fn check_contradictions(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    derived: &DerivedTags,
) -> Result<(), Failure> {
    let provenance = &derived.provenance;
    let of_version = provenance.version_contradictions.iter();
    let of_version = of_version.map(|text| (text, VERSION_HINT));
    let of_commit = provenance.commit_contradiction.iter();
    let of_commit = of_commit.map(|text| (text, COMMIT_HINT));
    for (text, hint) in of_version.chain(of_commit) {
        if request.naming.refuses_contradictions {
            return Err(Failure::refused(format!("{}: {text}", request.source))
                .with_reason(
                    "for an environment of the policy, everything that names the image must agree",
                )
                .with_hint(hint));
        }
        context
            .notices
            .warning(format!("{}: {text}", request.source));
    }
    Ok(())
}

const VERSION_HINT: &str = "promote the image by its SHA tag or digest if the source's tag is wrong, correct the label org.opencontainers.image.version in the build, or correct the input version";
const COMMIT_HINT: &str = "promote the image by its digest, or correct the label org.opencontainers.image.revision in the build";

fn production_without_version<'a>(
    request: &'a ReleaseRequest,
    derived: &DerivedTags,
) -> Option<&'a EnvironmentName> {
    let environment = request.environment.as_ref();
    let environment = environment.filter(|environment| environment.is_production());
    environment.filter(|_| request.rules.is_default() && derived.version.is_none())
}

/// Refuses to release a version that is excluded: no line would ever name it.
///
/// # Errors
/// Names the version and the pattern that excludes it.
pub fn refuse_excluded_version(
    excluded: &ExcludedVersions,
    derived: &DerivedTags,
) -> Result<(), Failure> {
    let find_pattern = |planned: &PlannedTag| {
        let version = planned.version()?;
        // The tag of a line has the name of no version: `0.29` is the line of 0.29.1.
        let tag = planned.kind.is_immutable().then_some(&planned.tag);
        let pattern = excluded.excluding(&version, tag)?;
        Some((version.to_string(), pattern.to_owned()))
    };
    match derived.tags.iter().find_map(find_pattern) {
        Some((version, pattern)) => Err(Failure::input(format!(
            "version {version} is excluded by exclude-versions ({pattern})"
        ))
        .with_reason("an excluded version never counts, so it cannot be released")
        .with_hint(
            "release another version, or remove the pattern from exclude-versions (for an environment: of the policy file)",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventFacts, GitRef, LocalCheckout};
    use crate::tagging::{TagRules, derive_push_tags};

    /// Tags of the default table for a git tag.
    fn tags_of(git_tag: &str) -> DerivedTags {
        let facts = EventFacts::from_checkout(&LocalCheckout {
            git_ref: Some(GitRef::Tag(git_tag.to_owned())),
            ..LocalCheckout::default()
        });
        derive_push_tags(Some(&facts), None, &TagRules::Default).unwrap()
    }

    #[test]
    fn promise_4_only_a_version_is_refused_as_excluded_and_no_line() {
        for (pattern, git_tag, is_refused) in [
            ("0.29", "v0.29.1", false),
            ("0.29", "v0.29", true),
            ("latest*", "v1.4.0", false),
            ("1.4.*", "v1.4.0", true),
            ("web-*", "web-v1.4.0", true),
            ("1.28.9", "v1.28.9+k3s1", true),
            ("1.28.9", "v1.28.10+k3s1", false),
        ] {
            let excluded = ExcludedVersions::parse([pattern]).unwrap();
            let refused = refuse_excluded_version(&excluded, &tags_of(git_tag));
            assert_eq!(refused.is_err(), is_refused, "{pattern} {git_tag}");
        }
    }
}
