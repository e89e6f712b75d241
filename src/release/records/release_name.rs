use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::location::TimelineLocation;
use super::open_timeline::OpenTimeline;
use crate::image::{Digest, Tag};
use crate::record::{DigestPrefix, TimelineEntry};
use crate::release::Failure;
use crate::tagging::ReleaseVersion;
use crate::transfer::Side;

/// Release of a timeline, as a user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseName {
    /// Its version.
    Version(String),
    /// Its digest, or the id of a record about it.
    Digest(Digest),
}

impl FromStr for ReleaseName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let digest = text.parse().map(Self::Digest);
        Ok(digest.unwrap_or_else(|_| Self::Version(text.to_owned())))
    }
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => f.write_str(version),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl OpenTimeline {
    /// Returns the root that a name means. All its entries are read.
    ///
    /// # Errors
    /// A version that no counted release has, and a store that cannot tell.
    pub(crate) async fn find_root(&self, name: &ReleaseName) -> Result<Digest, Failure> {
        let root = match name {
            ReleaseName::Digest(digest) => self.find_record_root(*digest).await?.unwrap_or(*digest),
            ReleaseName::Version(version) => self.find_version_root(version).await?,
        };
        self.read_root(root).await?;
        Ok(root)
    }

    /// Returns the root of the record with this id; `None` if the timeline has no such record.
    async fn find_record_root(&self, id: Digest) -> Result<Option<Digest>, Failure> {
        let prefix = DigestPrefix::from_digest(id);
        for name in self.view.names().iter().filter(|it| it.record == prefix) {
            let reading = self.view.read(name).await?;
            let counted = reading.counted().map(|record| &record.entry);
            if let Some(entry) = counted.filter(|entry| entry.record.digest() == id) {
                return Ok(Some(entry.root));
            }
        }
        Ok(None)
    }

    async fn find_version_root(&self, version: &str) -> Result<Digest, Failure> {
        let known = self.view.timeline_known();
        let mut releases = known.entries().iter().rev();
        let is_it = |entry: &&TimelineEntry| {
            let named = entry.version.as_deref();
            entry.action.is_release() && named.is_some_and(|named| is_same_version(named, version))
        };
        if let Some(entry) = releases.find(is_it) {
            return Ok(entry.root);
        }
        let mut moved = None;
        for tag in self
            .tags
            .iter()
            .filter(|tag| is_same_version(tag.as_str(), version))
        {
            if let Some(root) = self.resolve_tag(tag).await? {
                self.read_root(root).await?;
                let names = self.view.released_names(root);
                if names.iter().any(|name| is_same_version(name, version)) {
                    return Ok(root);
                }
                moved = Some((tag, root));
            }
        }
        let location = self.view.location();
        let failure = Failure::refused(format!(
            "the timeline of {} at {} has no release {version}",
            location.environment,
            location.entries()
        ));
        let failure = match moved {
            Some((tag, root)) => failure.with_reason(format!(
                "the tag {tag} names {root}, of which no record says that it is this version"
            )),
            None => failure,
        };
        Err(failure
            .with_hint(self.advise("name a version that was released there, a digest or a record")))
    }

    /// Returns the root that the environment is on.
    ///
    /// # Errors
    /// A timeline without a current release.
    pub(crate) fn require_current(&self) -> Result<Digest, Failure> {
        let location = self.view.location();
        let environment = &location.environment;
        let known = self.view.timeline_known();
        let current = known.current().map(|(_, root)| root);
        current.ok_or_else(|| {
            Failure::refused(format!(
                "the timeline of {environment} at {} has no current release",
                location.entries()
            ))
            .with_hint(self.advise("release another image"))
        })
    }

    /// Returns the failure for a root that was never released.
    pub(crate) fn unreleased(&self, root: Digest) -> Failure {
        let location = self.view.location();
        Failure::refused(format!(
            "the timeline of {} at {} has no release of {root}",
            location.environment,
            location.entries()
        ))
        .with_hint(self.advise("name a version that was released there, a digest or a record"))
    }

    /// Returns what to do next: in a timeline without any record that counts `adopt`, else `advice`.
    pub(crate) fn advise(&self, advice: &str) -> String {
        match self.recent.timeline.entries().is_empty() {
            true => adoption_advice(self.view.location()),
            false => advice.to_owned(),
        }
    }

    /// Returns the digest that a tag names now.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn resolve_tag(&self, tag: &Tag) -> Result<Option<Digest>, Failure> {
        let digest = self.destination.store.resolve_tag(tag).await;
        let place = &self.destination.name;
        digest.map_err(|error| Failure::from_store_error(Side::Destination, place, error))
    }
}

/// Returns what to do where no record counts, and releases may be there.
pub(crate) fn adoption_advice(location: &TimelineLocation) -> String {
    let advice = format!(
        "no record counts there yet: if releases were made before records were kept, record them with shipmark adopt --environment {}; a policy has to allow it with adopt-until",
        location.environment
    );
    match &location.entries_at {
        Some(records) => format!(
            "{advice}. If {} has their entries, copy these to {records}",
            location.destination
        ),
        None => advice,
    }
}

/// Returns whether two texts name the same version: `v1.4.0` is 1.4.0, and 1.4 is a line.
pub(crate) fn is_same_version(one: &str, other: &str) -> bool {
    let parsed = ReleaseVersion::parse(one).zip(ReleaseVersion::parse(other));
    let is_same = |(one, other): (ReleaseVersion, ReleaseVersion)| {
        one.numbers().len() == other.numbers().len() && one.cmp_precedence(&other).is_eq()
    };
    one == other || parsed.is_some_and(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_by_version_or_digest() {
        let digest = Digest::from_bytes(b"root");
        let named: ReleaseName = digest.to_string().parse().unwrap();
        assert_eq!(named, ReleaseName::Digest(digest));
        let named: ReleaseName = "v1.4.0".parse().unwrap();
        assert_eq!(named, ReleaseName::Version("v1.4.0".to_owned()));
        assert!(is_same_version("v1.4.0", "1.4.0"));
        assert!(is_same_version("nightly", "nightly"));
        assert!(!is_same_version("1.4.0", "1.4.1"));
        assert!(!is_same_version("1.4", "1.4.0"));
        assert!(!is_same_version("1.4.0", "1.4.0-rc.1"));
        assert!(!is_same_version("nightly", "weekly"));
    }
}
