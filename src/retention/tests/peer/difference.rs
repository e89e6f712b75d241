//! Kinds of content and rules for which the action and the planner do not do the same.

use crate::image::Digest;
use crate::retention::tests::peer::cleanup_action::{CleanupOptions, children, subject};
use crate::retention::*;
use crate::tagging::TagPattern;

/// Kind of content or of rules for which they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    NestedIndex,
    TaggedPart,
    EvidenceOfPart,
    SharedPart,
    ReservedTag,
    RecordedUse,
    MissingSubject,
    CountAfterAge,
    ExcludedTag,
}

impl Difference {
    pub const ALL: [Self; 9] = [
        Self::NestedIndex,
        Self::TaggedPart,
        Self::EvidenceOfPart,
        Self::SharedPart,
        Self::ReservedTag,
        Self::RecordedUse,
        Self::MissingSubject,
        Self::CountAfterAge,
        Self::ExcludedTag,
    ];

    /// Returns its title in docs/retention.md.
    pub fn title(self) -> &'static str {
        match self {
            Self::NestedIndex => "An index lists an index",
            Self::TaggedPart => "A child or referrer has a tag of its own",
            Self::EvidenceOfPart => "A referrer is about a child",
            Self::SharedPart => "A referrer belongs to several images",
            Self::ReservedTag => "A hold or a record is a tag",
            Self::RecordedUse => "Records, holds or files name an image",
            Self::MissingSubject => "A subject or child is missing",
            Self::CountAfterAge => "A number to keep, with an age or exceptions",
            Self::ExcludedTag => "An image with an excluded tag has another tag",
        }
    }
}

/// Returns the kinds that a repository and options have.
pub fn find_differences(snapshot: &RetentionSnapshot, options: &CleanupOptions) -> Vec<Difference> {
    let web = Links(&snapshot.repositories[0]);
    let is_counted_late = options.older_than.is_some() || !options.exclude_tags.is_empty();
    let found = [
        (
            Difference::NestedIndex,
            web.any(|it| web.is_listed(it) && web.is_index(it)),
        ),
        (
            Difference::TaggedPart,
            web.any(|it| web.is_part(it) && web.has_own_tag(it)),
        ),
        (
            Difference::EvidenceOfPart,
            web.any(|it| web.subjects(it).iter().any(|it| web.is_part(*it))),
        ),
        (Difference::SharedPart, web.any(|it| web.is_shared(it))),
        (Difference::ReservedTag, web.has_reserved_tag()),
        (
            Difference::RecordedUse,
            !snapshot.environments.is_empty()
                || !snapshot.pins.is_empty()
                || !snapshot.holds.is_empty(),
        ),
        (
            Difference::MissingSubject,
            web.any(|it| web.names_missing(it)),
        ),
        (
            Difference::CountAfterAge,
            options.keep_n_tagged.is_some() && is_counted_late,
        ),
        (
            Difference::ExcludedTag,
            web.any(|it| {
                web.is_tagged(it, &options.exclude_tags) && web.is_tagged(it, &options.delete_tags)
            }),
        ),
    ];
    let found = found.into_iter().filter(|(_, is_there)| *is_there);
    found.map(|(difference, _)| difference).collect()
}

/// Links of a repository, as slow as they are short.
struct Links<'a>(&'a RepositorySnapshot);

impl Links<'_> {
    fn any(&self, is_so: impl Fn(Digest) -> bool) -> bool {
        self.0.manifests.keys().any(|digest| is_so(*digest))
    }

    fn is_tagged(&self, digest: Digest, patterns: &[TagPattern]) -> bool {
        let tags = self
            .0
            .tags
            .iter()
            .filter(|(_, target)| target.digest == digest);
        tags.into_iter()
            .any(|(tag, _)| patterns.iter().any(|it| it.matches(tag)))
    }

    fn is_index(&self, digest: Digest) -> bool {
        children(&self.0.manifests[&digest]).next().is_some()
    }

    /// Returns the indexes that list a manifest.
    fn parents(&self, digest: Digest) -> Vec<Digest> {
        let all = self.0.manifests.iter();
        let listing = all.filter(|(_, manifest)| children(manifest).any(|it| it == digest));
        listing.map(|(parent, _)| *parent).collect()
    }

    /// Returns what a manifest is evidence about, by its content and its tags.
    fn subjects(&self, digest: Digest) -> Vec<Digest> {
        let tags = self
            .0
            .tags
            .iter()
            .filter(|(_, target)| target.digest == digest);
        let by_tag = tags.filter_map(|(tag, _)| match ReservedTag::parse(tag)? {
            ReservedTag::Evidence(subject) => Some(subject),
            _ => None,
        });
        let mut subjects: Vec<Digest> = by_tag.chain(subject(&self.0.manifests[&digest])).collect();
        subjects.retain(|subject| self.0.manifests.contains_key(subject));
        subjects.sort();
        subjects.dedup();
        subjects
    }

    fn is_listed(&self, digest: Digest) -> bool {
        !self.parents(digest).is_empty()
    }

    fn is_part(&self, digest: Digest) -> bool {
        self.is_listed(digest) || !self.subjects(digest).is_empty()
    }

    /// Returns whether a referrer is about two images, or an index lists it that is not about the same.
    fn is_shared(&self, digest: Digest) -> bool {
        let subjects = self.subjects(digest);
        let parents = self.parents(digest);
        let is_of_another = |parent: &Digest| self.subjects(*parent) != subjects;
        subjects.len() > 1
            || !subjects.is_empty() && parents.iter().any(is_of_another)
            || self.is_index(digest) && !subjects.is_empty() && self.lists_others(digest)
    }

    /// Returns whether a list of referrers lists what is not about its own subject.
    fn lists_others(&self, digest: Digest) -> bool {
        let subjects = self.subjects(digest);
        children(&self.0.manifests[&digest])
            .filter(|child| self.0.manifests.contains_key(child))
            .any(|child| self.subjects(child) != subjects)
    }

    fn has_own_tag(&self, digest: Digest) -> bool {
        let mut tags = self.0.tags.iter();
        tags.any(|(tag, target)| target.digest == digest && ReservedTag::parse(tag).is_none())
    }

    fn has_reserved_tag(&self) -> bool {
        let reserved = self.0.tags.keys().filter_map(ReservedTag::parse);
        let mut others = reserved.filter(|it| !matches!(it, ReservedTag::Evidence(_)));
        others.next().is_some()
    }

    fn names_missing(&self, digest: Digest) -> bool {
        let manifest = &self.0.manifests[&digest];
        let tags = self
            .0
            .tags
            .iter()
            .filter(|(_, target)| target.digest == digest);
        let by_tag = tags.filter_map(|(tag, _)| match ReservedTag::parse(tag)? {
            ReservedTag::Evidence(subject) => Some(subject),
            _ => None,
        });
        let named = children(manifest).chain(subject(manifest)).chain(by_tag);
        named
            .into_iter()
            .any(|it| !self.0.manifests.contains_key(&it))
    }
}
