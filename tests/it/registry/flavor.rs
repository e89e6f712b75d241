//! The answers in which the known registries differ. Each is built from the fixture it
//! names, or is marked as assumed.

use super::answer::{ASSUMED, Answer};
use super::fixture::{Fixture, fixture};

/// A known registry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flavor {
    /// What the spec says, where it leaves no choice.
    Plain,
    Distribution,
    Ecr,
    Ghcr,
    DockerHub,
    Harbor,
    Gitlab,
    Artifactory,
}

impl Flavor {
    /// The 401 of Basic auth.
    pub fn basic_challenge(self) -> Answer {
        match self {
            Self::Ecr => fixture("ecr/401_challenge").answer(),
            Self::Artifactory => fixture("artifactory/401_basic").answer(),
            _ => unauthorized()
                .header("www-authenticate", "Basic realm=\"registry\"")
                .known_from(ASSUMED),
        }
    }

    /// The 401 of Bearer auth. The body is the recorded one with this repository's name;
    /// the header is composed, since realm, scopes and error are those of this request.
    pub fn bearer_challenge(self, repository: Option<&str>, challenge: &str) -> Answer {
        let recorded = match self {
            Self::DockerHub => fixture("dockerhub/401_challenge")
                .with("library/nginx", repository.unwrap_or_default()),
            Self::Ghcr => fixture("ghcr/401_challenge"),
            Self::Gitlab => {
                fixture("gitlab/401_challenge").with("group/app", repository.unwrap_or_default())
            }
            Self::Harbor if repository.is_some() => {
                fixture("harbor/401_push").with("team/app", repository.unwrap_or_default())
            }
            _ => match repository {
                Some(name) => fixture("distribution/401_challenge_push").with("team/app", name),
                None => fixture("distribution/401_challenge_v2"),
            },
        };
        recorded.with_header("www-authenticate", challenge).answer()
    }

    pub fn missing_manifest(self, repository: &str, reference: &str, head: bool) -> Answer {
        match self {
            // Artifactory answers 403 to a HEAD: notes/copy-engine.md, no fixture.
            Self::Artifactory if head => Answer::new(403).known_from(ASSUMED),
            Self::Artifactory => fixture("artifactory/404_manifest")
                .with("docker-local/app", repository)
                .answer(),
            Self::Ecr => fixture("ecr/404_manifest").answer(),
            Self::Ghcr => fixture("ghcr/404_manifest").answer(),
            _ => fixture("distribution/404_manifest")
                .with("nosuch", reference)
                .answer(),
        }
    }

    /// What a repository gets that is not among `Profile::repositories`.
    pub fn missing_repository(self, repository: &str) -> Answer {
        match self {
            Self::Ecr => fixture("ecr/404_missing_repository")
                .with("team/app", repository)
                .answer(),
            Self::Harbor => {
                let project = repository.split('/').next().unwrap_or_default();
                fixture("harbor/404_project")
                    .with("nosuch", project)
                    .answer()
            }
            _ => name_unknown(repository),
        }
    }

    /// Whether an immutable tag is refused also when it names the same digest already.
    pub fn refuses_same_digest(self) -> bool {
        match self {
            // ECR: docker/buildx#663. Harbor: assumed.
            Self::Ecr | Self::Harbor => true,
            // All others: assumed.
            _ => false,
        }
    }

    pub fn immutable_tag(self, repository: &str, tag: &str) -> Answer {
        let recorded = match self {
            Self::Ecr => fixture("ecr/400_immutable_tag").with("1.0.2", tag),
            Self::DockerHub => fixture("dockerhub/403_immutable_tag"),
            Self::Harbor => fixture("harbor/412_immutable_tag").with(":v1", &format!(":{tag}")),
            Self::Artifactory => fixture("artifactory/403_overwrite"),
            _ => {
                let message = format!("tag {tag} is immutable");
                return Answer::error(409, "DENIED", &message, ()).known_from(ASSUMED);
            }
        };
        recorded.with("team/app", repository).answer()
    }

    /// What a registry without the referrers API answers.
    pub fn no_referrers(self, digest: &str, host: &str) -> Answer {
        match self {
            Self::Ghcr => elsewhere(digest, host),
            Self::Artifactory => fixture("artifactory/406_referrers").answer(),
            _ => fixture("distribution/404_referrers").answer(),
        }
    }

    /// Whether the answer to a manifest that was pushed by its digest has a `Location`.
    pub fn locates_digests(self) -> bool {
        // ECR sends none: measured, notes/copy-engine.md, no fixture of it.
        self != Self::Ecr
    }

    /// Whether the tag `sha256-<hex>` that is not there names the manifest `sha256:<hex>`:
    /// oras-go#1396, no fixture.
    pub fn resolves_fallback_tag(self) -> bool {
        self == Self::Gitlab
    }

    /// The scope that the challenge of `/v2/` names.
    pub fn placeholder_scope(self) -> Option<&'static str> {
        // A literal placeholder: the note in ghcr/401_challenge.
        (self == Self::Ghcr).then_some("repository:user/image:pull")
    }
}

/// GHCR's 303 to a page on another host, with the digest cut: artifacthub#4785, no
/// fixture. The other host is the same listener by another name.
fn elsewhere(digest: &str, host: &str) -> Answer {
    let port = host.rsplit(':').next().unwrap_or_default();
    let cut: String = digest.chars().take(20).collect();
    Answer::new(303)
        .header(
            "location",
            format!("http://localhost:{port}/packages/{cut}"),
        )
        .known_from(ASSUMED)
}

fn unauthorized() -> Answer {
    Answer::error(401, "UNAUTHORIZED", "authentication required", ())
}

pub fn name_unknown(repository: &str) -> Answer {
    fixture("distribution/404_name_unknown_tags")
        .with("no/such", repository)
        .answer()
}

pub fn blob_unknown(digest: &str) -> Answer {
    recorded_with_digest("distribution/404_blob", digest).answer()
}

pub fn manifest_blob_unknown(digest: &str) -> Answer {
    recorded_with_digest("distribution/400_manifest_blob_unknown", digest).answer()
}

pub fn digest_invalid(why: &str) -> Answer {
    fixture("distribution/400_digest_invalid")
        .with("invalid checksum digest length", why)
        .answer()
}

pub fn upload_unknown() -> Answer {
    fixture("distribution/404_upload_unknown").answer()
}

pub fn delete_disabled() -> Answer {
    fixture("distribution/405_delete_disabled").answer()
}

fn recorded_with_digest(name: &str, digest: &str) -> Fixture {
    fixture(name).with(&format!("sha256:{}", "0".repeat(64)), digest)
}
