//! Table of the behaviour in which registries differ from the specification or from one another, and of
//! the file that handles it. `docs/registries.md` is generated from it.

/// Behaviour of a registry that needs code of its own.
#[derive(Debug, Clone, Copy)]
pub struct RegistryQuirk {
    /// Name of the registry's product or service.
    pub registry: &'static str,
    /// What the registry does.
    pub behaviour: &'static str,
    /// Path in `src/` of the file, or of the room, that handles it.
    pub handled_in: &'static str,
    /// How the behaviour is known.
    pub evidence: QuirkEvidence,
}

/// Evidence for the behaviour of a registry.
#[derive(Debug, Clone, Copy)]
pub enum QuirkEvidence {
    /// Recorded response in `tests/data/registries/`, without the extension.
    Fixture(&'static str),
    /// No recorded response; the source of the claim, such as an issue.
    Assumed(&'static str),
}

use QuirkEvidence::{Assumed, Fixture};

const fn quirk(
    registry: &'static str,
    behaviour: &'static str,
    handled_in: &'static str,
    evidence: QuirkEvidence,
) -> RegistryQuirk {
    RegistryQuirk {
        registry,
        behaviour,
        handled_in,
        evidence,
    }
}

/// All quirks, by registry.
pub const REGISTRY_QUIRKS: &[RegistryQuirk] = &[
    quirk(
        "Amazon ECR",
        "refuses to move an immutable tag with status 400",
        "registry/error.rs",
        Fixture("ecr/400_immutable_tag"),
    ),
    quirk(
        "Amazon ECR",
        "refuses an immutable tag also if it already points to the same digest",
        "release/",
        Assumed("docker/buildx#663"),
    ),
    quirk(
        "Amazon ECR",
        "deletes an image with its last tag",
        "image/registry_vendor.rs",
        Assumed("Amazon ECR user guide, \"Deleting an image\""),
    ),
    quirk(
        "Artifactory",
        "answers 403 to the HEAD of a manifest that does not exist, and 404 to its GET",
        "registry/manifests.rs",
        Fixture("artifactory/404_manifest"),
    ),
    quirk(
        "Artifactory",
        "refuses to overwrite a tag with status 403 and the code UNAUTHORIZED",
        "registry/error.rs",
        Fixture("artifactory/403_overwrite"),
    ),
    quirk(
        "Artifactory",
        "answers 406 if it does not have the referrers API",
        "registry/referrers_api.rs",
        Fixture("artifactory/406_referrers"),
    ),
    quirk(
        "Azure Container Registry",
        "refuses to move a locked tag with status 405",
        "registry/error.rs",
        Fixture("acr/405_locked"),
    ),
    quirk(
        "Docker Hub",
        "refuses to move an immutable tag with status 403 and no code",
        "registry/error.rs",
        Fixture("dockerhub/403_immutable_tag"),
    ),
    quirk(
        "Docker Hub",
        "serves the repositories of docker.io under another host",
        "image/reference.rs",
        Fixture("dockerhub/401_challenge"),
    ),
    quirk(
        "GitHub Container Registry",
        "answers 416 to a chunk of more than 4 MiB, and accepts a blob of any size in one PUT",
        "registry/chunk_policy.rs",
        Assumed("oras-project/rust-oci-client#35"),
    ),
    quirk(
        "GitHub Container Registry",
        "redirects a request for referrers to a page of github.com",
        "registry/referrers_api.rs",
        Assumed("artifacthub/hub#4785"),
    ),
    quirk(
        "GitHub Container Registry",
        "answers 405 to every deletion",
        "image/registry_vendor.rs",
        Assumed("containers/skopeo#1880"),
    ),
    quirk(
        "GitLab",
        "returns the manifest of a digest for the tag sha256-<hex> that does not exist",
        "referrers/append_to_tag.rs",
        Assumed("oras-project/oras-go#1396"),
    ),
    quirk(
        "Google Artifact Registry",
        "refuses to move an immutable tag with status 400 and the code MANIFEST_INVALID",
        "registry/error.rs",
        Fixture("gar/400_immutable_tag"),
    ),
    quirk(
        "Harbor",
        "refuses to move an immutable tag with status 412",
        "registry/error.rs",
        Fixture("harbor/412_immutable_tag"),
    ),
    quirk(
        "Harbor",
        "answers 401, 403 or 501, or a web page, to a request for referrers before version 2.8",
        "registry/referrers_api.rs",
        Assumed("goharbor/harbor before 2.8"),
    ),
    quirk(
        "Harbor",
        "loses an upload session, and answers 404 or 410 to the PUT of its blob",
        "registry/upload_session.rs",
        Assumed("goharbor/harbor#17898"),
    ),
    quirk(
        "Quay",
        "answers 413 to a request for more than 100 tags a page",
        "registry/tag_list.rs",
        Assumed("google/go-containerregistry#1963"),
    ),
    quirk(
        "Quay",
        "answers 400 to a request for the referrers of a manifest that does not exist",
        "registry/referrers_api.rs",
        Fixture("quay/400_referrers"),
    ),
    quirk(
        "registries behind Cloudflare",
        "answer 520 to 524 for a failure that passes",
        "http/retry.rs",
        Assumed("goharbor/harbor#22417"),
    ),
    quirk(
        "token services",
        "grant the last of several scopes alone",
        "registry/auth.rs",
        Assumed("estesp/manifest-tool#53"),
    ),
];
