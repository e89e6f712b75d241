use super::default_flavor::apply_to_table;
use super::default_tags::{
    plan_commit_tag, plan_line_tags, plan_version_tag, refuse_deleted, require_published,
};
use super::printable_name::printable_name;
use super::tag_plan::{DerivedTags, MovingTagSource, TagKind};
use super::{EnvironmentName, NamedRelease, ReleaseVersion, TagRules, TaggingError};
use crate::event::{EventFacts, EventName, GitRef, ReleaseBranch};
use crate::image::CommitId;

/// Commit and version of the promoted image, by its record or its labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageOrigin {
    /// The commit it was built from.
    pub revision: Option<CommitId>,
    /// Its version, as written.
    pub version: Option<String>,
}

/// A version, and where it comes from.
struct NamedVersion {
    release: NamedRelease,
    prerelease: bool,
    rule: String,
}

/// Returns the tags of an image that is released to the next environment. They follow the image, not
/// the commit of the event, which on a main branch is a merge that was not built. The event may name
/// the version.
///
/// # Errors
/// A release branch that names another commit than the image's (a refusal, with given rules too),
/// a deleted ref, a release that is not out, or nothing that gives a tag.
pub fn derive_promote_tags(
    facts: Option<&EventFacts>,
    source: &ImageOrigin,
    environment: Option<&EnvironmentName>,
    rules: &TagRules,
) -> Result<DerivedTags, TaggingError> {
    let branch = match facts {
        Some(facts) => facts.release_branch()?,
        None => None,
    };
    if let Some(branch) = &branch {
        require_same_commit(branch, source)?;
    }
    if let TagRules::Custom(given) = rules {
        return given.derive_tags_for(source.revision.as_ref());
    }
    let mut derived = DerivedTags::default();
    let version = choose_version(&mut derived, facts, branch, source)?;
    if let Some(named) = &version {
        plan_version_tag(&mut derived, &named.release, &named.rule)?;
    }
    match &source.revision {
        Some(commit) => plan_commit_tag(&mut derived, commit, "the commit of the image"),
        None => derived.add_note("the image names no commit, so there is no git- tag"),
    }
    if let Some(named) = &version {
        plan_line_tags(&mut derived, &named.release, named.prerelease);
    }
    if let Some(environment) = environment {
        let kind = TagKind::Moving(MovingTagSource::Environment);
        derived.add_tag(environment.tag().clone(), kind, "the environment");
    }
    if derived.tags.is_empty() {
        return Err(derived.no_tags_error());
    }
    Ok(apply_to_table(rules, derived)?.into_ordered())
}

fn require_same_commit(branch: &ReleaseBranch, source: &ImageOrigin) -> Result<(), TaggingError> {
    let Some(named) = branch.commit.clone() else {
        return Ok(());
    };
    let label = printable_name(&branch.label);
    match &source.revision {
        Some(built) if built.begins_with(&named) => Ok(()),
        Some(built) => Err(TaggingError::OtherCommit {
            label,
            named,
            built: built.clone(),
        }),
        None => Err(TaggingError::UnknownCommit { label, named }),
    }
}

/// The event's version, else the image's.
fn choose_version(
    derived: &mut DerivedTags,
    facts: Option<&EventFacts>,
    branch: Option<ReleaseBranch>,
    source: &ImageOrigin,
) -> Result<Option<NamedVersion>, TaggingError> {
    let of_event = match facts {
        Some(facts) => event_version(derived, facts, branch, source)?,
        None => None,
    };
    let of_image = image_version(derived, source, of_event.is_none());
    if let (Some(event), Some(image)) = (&of_event, &of_image)
        && (event.release.version)
            .cmp_precedence(&image.release.version)
            .is_ne()
    {
        derived.add_note(format!(
            "the version is {}, {}; the image's label says {}",
            printable_name(&event.release.version.to_string()),
            event.rule,
            printable_name(&image.release.version.to_string())
        ));
    }
    Ok(of_event.or(of_image))
}

fn image_version(
    derived: &mut DerivedTags,
    source: &ImageOrigin,
    wanted: bool,
) -> Option<NamedVersion> {
    let label = source.version.as_deref()?;
    let is_full = |release: &NamedRelease| release.version.numbers().len() > 2;
    let release = NamedRelease::parse(label).filter(is_full);
    let named = release.map(|release| NamedVersion {
        release,
        prerelease: false,
        rule: "the version that the image names".to_owned(),
    });
    if named.is_none() && wanted {
        derived.add_note(format!(
            "the version that the image names, {}, is not a full version: no version tags",
            printable_name(label)
        ));
    }
    named
}

fn event_version(
    derived: &mut DerivedTags,
    facts: &EventFacts,
    branch: Option<ReleaseBranch>,
    source: &ImageOrigin,
) -> Result<Option<NamedVersion>, TaggingError> {
    refuse_deleted(facts)?;
    derived.notes.extend(facts.notes.iter().cloned());
    if let Some(branch) = branch {
        return Ok(branch_version(derived, branch));
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
    let Some(release) = NamedRelease::parse(tag) else {
        derived.add_note(format!("the tag {} is not a version", printable_name(tag)));
        return Ok(None);
    };
    Ok(Some(NamedVersion {
        release,
        prerelease,
        rule,
    }))
}

fn branch_version(derived: &mut DerivedTags, branch: ReleaseBranch) -> Option<NamedVersion> {
    let label = printable_name(&branch.label);
    if branch.version.is_none() {
        derived.add_note(format!("the branch release/{label} names no full version"));
    }
    let version = ReleaseVersion::from_semver(&branch.version?);
    Some(NamedVersion {
        release: NamedRelease {
            component: String::new(),
            has_v: false,
            version,
        },
        prerelease: false,
        rule: format!("the version of the branch release/{label}"),
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
