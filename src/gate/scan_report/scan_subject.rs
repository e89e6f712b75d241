use std::collections::BTreeSet;

use crate::image::Digest;

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
}

/// Returns the digest in a reference or a package URL: `alpine@sha256:…`, `pkg:oci/web@sha256%3A…?arch=amd64`.
pub(in crate::gate) fn digest_in_name(name: &str) -> Option<Digest> {
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
