//! Chooses the SHA tag of a promoted image, in the spelling that the image has already.

use super::commit_tag_form::{ends_in_commit, spelled_commit, spelling_rank};
use super::default_tags::plan_commit_tag;
use super::tag_plan::{DerivedTags, ImmutableTagSource, TagKind};
use super::{CommitTagOrigin, ImageOrigin};
use crate::image::{CommitId, Tag};

/// SHA tag, and the source of its spelling.
struct SpelledCommitTag {
    tag: Tag,
    origin: CommitTagOrigin,
    rule: String,
}

/// Plans the SHA tag, and records its source and a label that contradicts it.
pub(super) fn plan_promoted_commit_tag(derived: &mut DerivedTags, source: &ImageOrigin) {
    derived.provenance.commit_contradiction = commit_contradiction(source);
    if let Some(spelled) = spelled_commit_tag(source) {
        derived.provenance.commit_tag = Some(spelled.origin);
        let kind = TagKind::Immutable(ImmutableTagSource::Commit);
        derived.add_tag(spelled.tag, kind, spelled.rule);
        return;
    }
    match &source.revision {
        Some(commit) => {
            derived.provenance.commit_tag = Some(CommitTagOrigin::Commit);
            plan_commit_tag(derived, commit, "the commit of the image");
        }
        None => derived.add_note("the image names no commit, so there is no git- tag"),
    }
}

/// Returns the SHA tag in a spelling that a source says, the source that counts first.
fn spelled_commit_tag(source: &ImageOrigin) -> Option<SpelledCommitTag> {
    if let Some(tag) = source_commit_tag(source) {
        return Some(SpelledCommitTag {
            tag: tag.clone(),
            origin: CommitTagOrigin::SourceTag,
            rule: "the SHA tag of the source".to_owned(),
        });
    }
    // The SHA tag of the release record comes here, once records are kept.
    let commit = source.revision.as_ref()?;
    let form = source.names.commit_tag_form.as_ref();
    let of_rule = form.and_then(|form| {
        Some(SpelledCommitTag {
            tag: form.commit_tag(commit)?,
            origin: CommitTagOrigin::FromRule,
            rule: format!("the SHA tag by the rule of {}", form.environment),
        })
    });
    of_rule.or_else(|| {
        let tag = tags_of_commit(&source.names.repository_tags, commit).into_iter();
        Some(SpelledCommitTag {
            tag: tag.take(1).next()?.clone(),
            origin: CommitTagOrigin::RepositoryTags,
            rule: "the SHA tag in the source repository".to_owned(),
        })
    })
}

/// Returns the commit that only the tags of the source repository can spell, if there is one.
pub(super) fn unspelled_commit(source: &ImageOrigin) -> Option<&CommitId> {
    match spelled_commit_tag(source) {
        Some(_) => None,
        None => source.revision.as_ref(),
    }
}

/// Returns the tags that end in the commit, the usual spellings first.
pub fn tags_of_commit<'a>(
    tags: impl IntoIterator<Item = &'a Tag>,
    commit: &CommitId,
) -> Vec<&'a Tag> {
    let of_commit = tags.into_iter().filter(|tag| ends_in_commit(tag, commit));
    let mut of_commit: Vec<_> = of_commit.collect();
    of_commit.sort_by_key(|tag| spelling_rank(tag));
    of_commit
}

/// Returns the tag that was given as source, if it is a SHA tag.
fn source_commit_tag(source: &ImageOrigin) -> Option<&Tag> {
    let tag = source.names.source_tag.as_ref()?;
    let form = source.names.commit_tag_form.as_ref();
    let revision = source.revision.as_ref();
    let is_of_commit = revision.is_some_and(|commit| ends_in_commit(tag, commit));
    (is_of_commit || spelled_commit(tag, form).is_some()).then_some(tag)
}

fn commit_contradiction(source: &ImageOrigin) -> Option<String> {
    let (tag, built) = (source_commit_tag(source)?, source.revision.as_ref()?);
    let form = source.names.commit_tag_form.as_ref();
    let digits = spelled_commit(tag, form)?;
    (!built.begins_with(digits)).then(|| {
        format!(
            "the source's tag {tag} names the commit {digits}, but the image was built from {built}"
        )
    })
}
