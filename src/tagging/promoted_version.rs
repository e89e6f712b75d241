//! Chooses the version of a promoted image: that of the first source that names a full version.

use super::default_tags::{refuse_deleted, require_published};
use super::printable_name::printable_name;
use super::tag_plan::DerivedTags;
use super::{ImageOrigin, NamedRelease, ReleaseVersion, TaggingError, VersionOrigin, tag_name};
use crate::event::{EventFacts, EventName, GitRef, ReleaseBranch};
use crate::image::Tag;

/// Version, and the source that names it.
pub(super) struct NamedVersion {
    pub(super) release: NamedRelease,
    pub(super) prerelease: bool,
    pub(super) origin: VersionOrigin,
    /// Rule of the version's tag, for people.
    pub(super) rule: String,
}

impl NamedVersion {
    /// Returns the version of the input `version`.
    pub(super) fn of_input(release: NamedRelease) -> Self {
        Self {
            release,
            prerelease: false,
            origin: VersionOrigin::Input,
            rule: "the input version".to_owned(),
        }
    }
}

/// Chooses the version, and records its source and the sources that contradict it.
pub(super) fn choose_version(
    derived: &mut DerivedTags,
    facts: Option<&EventFacts>,
    branch: Option<&ReleaseBranch>,
    source: &ImageOrigin,
) -> Result<Option<NamedVersion>, TaggingError> {
    let mut named = named_versions(derived, facts, branch, source)?.into_iter();
    let Some(mut chosen) = named.next() else {
        note_partial_label(derived, source);
        return Ok(None);
    };
    let mut others: Vec<_> = named.collect();
    restore_build_part(&mut chosen, &others);
    derived.provenance.version = Some(chosen.origin);
    derived.provenance.version_contradictions = others
        .drain(..)
        .filter(|other| contradicts(&chosen, other))
        .map(|other| contradiction(&chosen, &other))
        .collect();
    Ok(Some(chosen))
}

/// Reads a tag such as `1.28.3-k3s1` as the release `1.28.3+k3s1`, where another source spells it so: a tag
/// cannot contain `+`.
fn restore_build_part(chosen: &mut NamedVersion, others: &[NamedVersion]) {
    let text = chosen.release.to_tag_text();
    let is_release = |other: &&NamedVersion| !other.release.version.is_prerelease();
    let mut spelled = others.iter().filter(is_release);
    if chosen.release.version.is_prerelease()
        && let Some(other) = spelled.find(|other| other.release.to_tag_text() == text)
    {
        chosen.release = other.release.clone();
    }
}

/// Returns the versions that the sources name, the source that counts first.
fn named_versions(
    derived: &mut DerivedTags,
    facts: Option<&EventFacts>,
    branch: Option<&ReleaseBranch>,
    source: &ImageOrigin,
) -> Result<Vec<NamedVersion>, TaggingError> {
    let named = |release, origin: VersionOrigin, rule: String| NamedVersion {
        release,
        prerelease: false,
        origin,
        rule,
    };
    let names = &source.names;
    let of_input = names.requested_version.clone().map(NamedVersion::of_input);
    let of_event = match facts {
        Some(facts) => event_version(derived, facts, branch, source)?,
        None => None,
    };
    let of_source_tag = names.source_tag.as_ref().and_then(|tag| {
        let rule = format!("the version of the source's tag {tag}");
        Some(named(
            NamedRelease::parse_image_name(tag.as_str())?,
            VersionOrigin::SourceTag,
            rule,
        ))
    });
    // The version of the release record comes here, once records are kept.
    let of_label = source.version.as_deref().and_then(|label| {
        let rule = "the version that the image names".to_owned();
        Some(named(
            NamedRelease::parse_image_name(label)?,
            VersionOrigin::Label,
            rule,
        ))
    });
    let of_repository = highest_first(&names.repository_tags)
        .into_iter()
        .map(|(release, tag)| {
            let rule = format!("the version of the tag {tag} in the source repository");
            named(release, VersionOrigin::RepositoryTags, rule)
        });
    let before = [of_input, of_event, of_source_tag, of_label];
    Ok(before.into_iter().flatten().chain(of_repository).collect())
}

/// Returns the version tags among `tags` with their releases, the highest first.
pub(super) fn highest_first<'a>(
    tags: impl IntoIterator<Item = &'a Tag>,
) -> Vec<(NamedRelease, &'a Tag)> {
    let releases = tags.into_iter();
    let releases =
        releases.filter_map(|tag| Some((NamedRelease::parse_image_name(tag.as_str())?, tag)));
    let mut releases: Vec<_> = releases.collect();
    releases.sort_by(|(one, one_tag), (other, other_tag)| {
        let order = other.version.cmp_precedence(&one.version);
        let order = order.then_with(|| one.component.cmp(&other.component));
        order.then_with(|| one_tag.cmp(other_tag))
    });
    releases
}

/// Returns whether one image cannot be both versions. A release and its pre-release may be one image:
/// a tested pre-release becomes the release, and a build may label it with the release's numbers. Two
/// components are two images; a version without one may be of any.
pub(super) fn contradicts(chosen: &NamedVersion, other: &NamedVersion) -> bool {
    let components = [&chosen.release.component, &other.release.component];
    if components[0] != components[1] && components.iter().all(|name| !name.is_empty()) {
        return true;
    }
    let (chosen, other) = (&chosen.release.version, &other.release.version);
    let is_prerelease_of_other = chosen.is_prerelease() != other.is_prerelease();
    let may_be_same = is_prerelease_of_other && chosen.cmp_numbers(other).is_eq();
    chosen.cmp_precedence(other).is_ne() && !may_be_same
}

pub(super) fn contradiction(chosen: &NamedVersion, other: &NamedVersion) -> String {
    let text_of = |named: &NamedVersion| {
        let release = &named.release;
        printable_name(&format!("{}{}", release.component, release.version))
    };
    format!(
        "the version is {} ({}), but another source names {} ({})",
        text_of(chosen),
        chosen.rule,
        text_of(other),
        other.rule
    )
}

fn note_partial_label(derived: &mut DerivedTags, source: &ImageOrigin) {
    if let Some(label) = &source.version {
        derived.add_note(format!(
            "the version that the image names, {}, is not a full version: no version tags",
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
    let Some((tag, prerelease)) = released_tag(facts)? else {
        return Ok(None);
    };
    let rule = format!("the version of the tag {}", printable_name(tag));
    let Some(release) = NamedRelease::parse(tag) else {
        note_tag_without_version(derived, tag, source);
        return Ok(None);
    };
    Ok(Some(NamedVersion {
        release,
        prerelease,
        origin: VersionOrigin::Event,
        rule,
    }))
}

/// Returns the git tag that the event releases, and whether its author marked it as a pre-release.
pub(super) fn released_tag(facts: &EventFacts) -> Result<Option<(&str, bool)>, TaggingError> {
    Ok(match (&facts.event, &facts.git_ref, &facts.release) {
        (EventName::Release, _, Some(release)) => {
            Some((require_published(release)?, release.prerelease))
        }
        (
            EventName::Push | EventName::WorkflowDispatch | EventName::Create,
            Some(GitRef::Tag(tag)),
            _,
        ) => Some((tag.as_str(), false)),
        _ => None,
    })
}

/// Returns the release that the name of a release branch is; a date is a name.
pub(super) fn branch_release(branch: &ReleaseBranch) -> Option<NamedRelease> {
    let version = ReleaseVersion::parse(branch.name())?;
    let release = NamedRelease::from_version(version);
    let is_date = tag_name::is_calendar_date(branch.name());
    (release.is_full() && !is_date).then_some(release)
}

pub(super) fn branch_version(branch: &ReleaseBranch) -> Option<NamedVersion> {
    Some(NamedVersion {
        release: branch_release(branch)?,
        prerelease: false,
        origin: VersionOrigin::Event,
        rule: format!(
            "the version of the branch release/{}",
            printable_name(&branch.label)
        ),
    })
}

fn note_tag_without_version(derived: &mut DerivedTags, tag: &str, source: &ImageOrigin) {
    let text = format!("the tag {} is not a version", printable_name(tag));
    match source.names.requested_version {
        Some(_) => derived.add_note(text),
        None => derived.add_warning(format!(
            "{text}: another source gives the image its version, or it has none"
        )),
    }
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
