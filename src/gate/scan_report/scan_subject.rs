use std::collections::BTreeSet;

use super::report_error::ScanReportError;
use crate::gate::json_stream::JsonStream;
use crate::image::{Digest, Platform};

/// Most digests of manifests, and most layers.
const DIGEST_LIMIT: usize = 4096;

/// Digests of the image that a report is about. Malformed ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanSubject {
    /// Digests of manifests under a name of a repository, the root's or a child's.
    pub repo_digests: BTreeSet<Digest>,
    /// Digest of the child that the scanner read. Grype computes one, which no registry has, for an image of a
    /// Docker daemon: it binds, and where it is foreign it does not contradict the others.
    pub manifest_digest: Option<Digest>,
    /// Digest of the image's config.
    pub config_digest: Option<Digest>,
    /// Digests of the layers, in their order.
    pub layers: Vec<Digest>,
}

impl ScanSubject {
    /// Returns whether no digest of a manifest or a config is known. Layers bind nothing.
    pub fn is_unbound(&self) -> bool {
        self.manifests().next().is_none() && self.config_digest.is_none()
    }

    /// Returns the digests of all manifests.
    pub fn manifests(&self) -> impl Iterator<Item = Digest> {
        self.repo_digests
            .iter()
            .copied()
            .chain(self.manifest_digest)
    }

    /// Reads a list of references with digests, `alpine@sha256:…`.
    pub(super) fn read_repo_digests(
        &mut self,
        json: &mut JsonStream<'_>,
    ) -> Result<(), ScanReportError> {
        json.list(|json| {
            let digest = json.text()?.and_then(digest_in_name);
            digest.map_or(Ok(()), |digest| self.add_repo_digest(digest))
        })
        .map(drop)
    }

    /// Adds the digest of a manifest under a name of a repository.
    pub(super) fn add_repo_digest(&mut self, digest: Digest) -> Result<(), ScanReportError> {
        refuse_more(self.repo_digests.len())?;
        self.repo_digests.insert(digest);
        Ok(())
    }

    /// Adds a layer, unless its digest is malformed.
    pub(super) fn add_layer(&mut self, digest: Option<Digest>) -> Result<(), ScanReportError> {
        refuse_more(self.layers.len())?;
        self.layers.extend(digest);
        Ok(())
    }
}

/// Platform of an image, by the names of its config.
#[derive(Default)]
pub(super) struct PlatformMembers {
    os: String,
    architecture: String,
    variant: Option<String>,
    os_version: Option<String>,
}

impl PlatformMembers {
    /// Reads a member of a config, unless it says nothing of the platform.
    pub fn read_member(
        &mut self,
        json: &mut JsonStream<'_>,
        name: &str,
    ) -> Result<(), ScanReportError> {
        match name {
            "os" => self.os = json.short_text()?.unwrap_or_default(),
            "architecture" => self.architecture = json.short_text()?.unwrap_or_default(),
            "variant" => self.variant = json.short_text()?,
            "os.version" => self.os_version = json.short_text()?,
            _ => {}
        }
        Ok(())
    }

    /// Returns the platform; `None` without an operating system or an architecture.
    pub fn into_platform(self) -> Option<Platform> {
        let is_known = !self.os.is_empty() && !self.architecture.is_empty();
        is_known.then_some(Platform {
            os: self.os,
            architecture: self.architecture,
            variant: self.variant,
            os_version: self.os_version,
        })
    }
}

fn refuse_more(count: usize) -> Result<(), ScanReportError> {
    if count < DIGEST_LIMIT {
        return Ok(());
    }
    let text = format!("it names more than {DIGEST_LIMIT} digests of the image");
    Err(ScanReportError::TooLarge(text))
}

/// Returns the digest in a reference or a package URL: `alpine@sha256:…`, `pkg:oci/web@sha256%3A…?arch=amd64`.
pub(crate) fn digest_in_name(name: &str) -> Option<Digest> {
    let (_, version) = name.split(['?', '#']).next()?.rsplit_once('@')?;
    version.replace("%3A", ":").replace("%3a", ":").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_a_name_is_its_version() {
        let hex = "a".repeat(64);
        let digest: Digest = format!("sha256:{hex}").parse().unwrap();
        for name in [
            format!("alpine@sha256:{hex}"),
            format!("registry.example:5000/team/web:1.4@sha256:{hex}"),
            format!("pkg:oci/web@sha256%3A{hex}?arch=amd64&repository_url=a.example/b"),
            format!("pkg:oci/web@sha256%3a{hex}#sub"),
        ] {
            assert_eq!(digest_in_name(&name), Some(digest), "{name}");
        }
        for name in [
            String::new(),
            "REDACTED".to_owned(),
            format!("sha256:{hex}"),
            format!("alpine@sha256:{}", &hex[1..]),
            format!("alpine@sha256:{hex}0"),
            format!("pkg:oci/web@1.4?checksum=x@sha256:{hex}"),
        ] {
            assert_eq!(digest_in_name(&name), None, "{name}");
        }
    }
}
