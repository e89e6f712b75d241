use crate::image::Digest;
use crate::record::{Timeline, TimelineEntry};

/// Root with its version, if a record says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRoot {
    /// Digest.
    pub digest: Digest,
    /// Version.
    pub version: Option<String>,
}

impl NamedRoot {
    /// Returns the root that an entry is about.
    pub(crate) fn of_entry(entry: &TimelineEntry) -> Self {
        Self {
            digest: entry.root,
            version: entry.version.clone(),
        }
    }

    /// Returns the root with the version of its newest release.
    pub(crate) fn find(timeline: &Timeline, digest: Digest) -> Self {
        let mut newest_first = timeline.entries().iter().rev();
        let release = newest_first.find(|entry| entry.action.is_release() && entry.root == digest);
        Self {
            digest,
            version: release.and_then(|release| release.version.clone()),
        }
    }
}

impl std::fmt::Display for NamedRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{version} ({})", self.digest.short()),
            None => self.digest.fmt(f),
        }
    }
}
