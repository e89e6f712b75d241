//! Chooses the version of a promoted image: that of the first source that names a full version.

use semver::Version;

use super::default_tags::{refuse_deleted, require_published};
use super::printable_name::printable_name;
use super::tag_plan::DerivedTags;
use super::{ImageOrigin, TaggingError, VersionOrigin};
use crate::event::{EventFacts, EventName, GitRef, ReleaseBranch, parse_version};
use crate::image::Tag;

/// Version, and the source that names it.
pub(super) struct NamedVersion {
    pub(super) version: Version,
    pub(super) prerelease: bool,
    pub(super) origin: VersionOrigin,
    /// Rule of the version's tag, for people.
    pub(super) rule: String,
}

/// Chooses the version, and records its source and the sources that contradict it.
pub(super) fn choose_version(
    derived: &mut DerivedTags,
    facts: Option<&EventFacts>,
    branch: Option<&ReleaseBranch>,
    source: &ImageOrigin,
) -> Result<Option<NamedVersion>, TaggingError> {
    let mut named = named_versions(derived, facts, branch, source)?.into_iter();
    let Some(chosen) = named.next() else {
        note_partial_label(derived, source);
        return Ok(None);
    };
    derived.provenance.version = Some(chosen.origin);
    derived.provenance.version_contradictions = named
        .filter(|other| contradicts(&chosen.version, &other.version))
        .map(|other| contradiction(&chosen, &other))
        .collect();
    Ok(Some(chosen))
}

/// Returns the versions that the sources name, the source that counts first.
fn named_versions(
    derived: &mut DerivedTags,
    facts: Option<&EventFacts>,
    branch: Option<&ReleaseBranch>,
    source: &ImageOrigin,
) -> Result<Vec<NamedVersion>, TaggingError> {
    let named = |version, origin: VersionOrigin, rule: String| NamedVersion {
        version,
        prerelease: false,
        origin,
        rule,
    };
    let names = &source.names;
    let of_input = names.requested_version.clone().map(|version| {
        let rule = "the input version".to_owned();
        named(version, VersionOrigin::Input, rule)
    });
    let of_event = match facts {
        Some(facts) => event_version(derived, facts, branch, source)?,
        None => None,
    };
    let of_source_tag = names.source_tag.as_ref().and_then(|tag| {
        let rule = format!("the version of the source's tag {tag}");
        Some(named(tag_version(tag)?, VersionOrigin::SourceTag, rule))
    });
    // The version of the release record comes here, once records are kept.
    let of_label = source.version.as_deref().and_then(|label| {
        let rule = "the version that the image names".to_owned();
        Some(named(parse_version(label)?, VersionOrigin::Label, rule))
    });
    let of_repository = highest_first(&names.repository_tags)
        .into_iter()
        .map(|(version, tag)| {
            let rule = format!("the version of the tag {tag} in the source repository");
            named(version, VersionOrigin::RepositoryTags, rule)
        });
    let before = [of_input, of_event, of_source_tag, of_label];
    Ok(before.into_iter().flatten().chain(of_repository).collect())
}

/// Returns the version that a tag is, if it is a full one.
pub(super) fn tag_version(tag: &Tag) -> Option<Version> {
    parse_version(tag.as_str())
}

/// Returns the version tags among `tags` with their versions, the highest first.
pub(super) fn highest_first<'a>(
    tags: impl IntoIterator<Item = &'a Tag>,
) -> Vec<(Version, &'a Tag)> {
    let versions = tags.into_iter();
    let versions = versions.filter_map(|tag| Some((tag_version(tag)?, tag)));
    let mut versions: Vec<_> = versions.collect();
    versions.sort_by(|(one, one_tag), (other, other_tag)| {
        let order = other.cmp_precedence(one);
        order.then_with(|| one_tag.cmp(other_tag))
    });
    versions
}

/// Returns whether one image cannot be both versions. A release and its pre-release may be one image:
/// a tested pre-release becomes the release, and a build may label it with the release's numbers.
pub(super) fn contradicts(chosen: &Version, other: &Version) -> bool {
    let numbers = |version: &Version| (version.major, version.minor, version.patch);
    let is_prerelease_of_other = chosen.pre.is_empty() != other.pre.is_empty();
    let may_be_same = is_prerelease_of_other && numbers(chosen) == numbers(other);
    chosen.cmp_precedence(other).is_ne() && !may_be_same
}

pub(super) fn contradiction(chosen: &NamedVersion, other: &NamedVersion) -> String {
    format!(
        "the version is {} ({}), but {} ({})",
        printable_name(&chosen.version.to_string()),
        chosen.rule,
        printable_name(&other.version.to_string()),
        other.rule
    )
}

fn note_partial_label(derived: &mut DerivedTags, source: &ImageOrigin) {
    if let Some(label) = &source.version {
        derived.add_note(format!(
            "the version that the image names, {}, is no full version: no version tags",
            printable_name(label)
        ));
    }
}

fn event_version(
    derived: &mut DerivedTags,
    facts: &EventFacts,
    branch: Option<&ReleaseBranch>,
    source: &ImageOrigin,
) -> Result<Option<NamedVersion>, TaggingError> {
    refuse_deleted(facts)?;
    derived.notes.extend(facts.notes.iter().cloned());
    if let Some(branch) = branch {
        return Ok(branch_version(branch));
    }
    note_foreign_branch(derived, facts);
    let (tag, prerelease) = match (&facts.event, &facts.git_ref, &facts.release) {
        (EventName::Release, _, Some(release)) => (require_published(release)?, release.prerelease),
        (
            EventName::Push | EventName::WorkflowDispatch | EventName::Create,
            Some(GitRef::Tag(tag)),
            _,
        ) => (tag.as_str(), false),
        _ => return Ok(None),
    };
    note_other_commit(derived, facts, source);
    let rule = format!("the version of the tag {}", printable_name(tag));
    let Some(version) = parse_version(tag) else {
        derived.add_note(format!(
            "the tag {} is no full version",
            printable_name(tag)
        ));
        return Ok(None);
    };
    Ok(Some(NamedVersion {
        version,
        prerelease,
        origin: VersionOrigin::Event,
        rule,
    }))
}

pub(super) fn branch_version(branch: &ReleaseBranch) -> Option<NamedVersion> {
    Some(NamedVersion {
        version: branch.version.clone()?,
        prerelease: false,
        origin: VersionOrigin::Event,
        rule: format!(
            "the version of the branch release/{}",
            printable_name(&branch.label)
        ),
    })
}

fn note_foreign_branch(derived: &mut DerivedTags, facts: &EventFacts) {
    let foreign = facts
        .pull_request
        .as_ref()
        .filter(|pull_request| !pull_request.same_repository)
        .and_then(|pull_request| pull_request.head_ref.as_deref())
        .filter(|head| head.starts_with("release/"));
    if let Some(head) = foreign {
        derived.add_note(format!(
            "the branch {} is of another repository: it names no version here",
            printable_name(head)
        ));
    }
}

fn note_other_commit(derived: &mut DerivedTags, facts: &EventFacts, source: &ImageOrigin) {
    if let (Some(event), Some(image)) = (&facts.commit, &source.revision)
        && event != image
    {
        derived.add_note(format!(
            "the event is about the commit {}, the image was built from {}",
            event.short(),
            image.short()
        ));
    }
}
