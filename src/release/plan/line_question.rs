//! Facts that a decision on a version line depends on, and that are not known yet.

use std::collections::BTreeSet;

use crate::image::{Digest, Tag};

/// Facts that a decision depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LineQuestion {
    /// Digests of version tags.
    Digests(Vec<Tag>),
    /// Creation times of the images of version tags, and of our own image.
    CreationTimes(Vec<Tag>),
    /// What the records say of roots.
    Records(Vec<Digest>),
    /// What the intents of a root say.
    Intents(Digest),
    /// Whether the destination has an image.
    Image(Digest),
}

/// Questions of several decisions, each asked once.
#[derive(Debug, Default)]
pub(crate) struct LineQuestions {
    pub(crate) digests: BTreeSet<Tag>,
    pub(crate) creation_times: BTreeSet<Tag>,
    pub(crate) records: BTreeSet<Digest>,
    pub(crate) intents: BTreeSet<Digest>,
    pub(crate) images: BTreeSet<Digest>,
}

impl LineQuestions {
    pub(crate) fn add(&mut self, question: LineQuestion) {
        match question {
            LineQuestion::Digests(tags) => self.digests.extend(tags),
            LineQuestion::CreationTimes(tags) => self.creation_times.extend(tags),
            LineQuestion::Records(roots) => self.records.extend(roots),
            LineQuestion::Intents(root) => {
                self.intents.insert(root);
            }
            LineQuestion::Image(digest) => {
                self.images.insert(digest);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.digests.is_empty()
            && self.creation_times.is_empty()
            && self.records.is_empty()
            && self.intents.is_empty()
            && self.images.is_empty()
    }
}
