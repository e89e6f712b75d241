//! How a registry behaves: one of the known ones, with what a test changes about it.

use std::collections::BTreeSet;

use super::Registry;
use super::auth::Auth;
use super::ca::{Identity, TestCa};
use super::fixture::fixture;
use super::flavor::Flavor;
use super::store::Store;
use super::token_rules::TokenRules;

/// The user whom the profiles with auth know; ECR's is `AWS`.
pub const USER: &str = "ci";
/// The password of that user.
pub const PASSWORD: &str = "secret";

/// How a registry behaves.
#[derive(Clone)]
pub struct Profile {
    pub(super) flavor: Flavor,
    pub(super) auth: Auth,
    pub(super) identity: Option<Identity>,
    pub(super) page_size: usize,
    pub(super) page_length_max: usize,
    pub(super) tag_order: TagOrder,
    pub(super) unknown_last: UnknownLast,
    pub(super) links_pages: bool,
    pub(super) referrers: bool,
    pub(super) late_referrers: bool,
    pub(super) oci_subject: bool,
    pub(super) immutable: Option<String>,
    pub(super) mounts: bool,
    pub(super) single_posts: bool,
    pub(super) deletes: bool,
    pub(super) ranges: bool,
    pub(super) absolute_locations: bool,
    pub(super) repositories: Option<BTreeSet<String>>,
    pub(super) manifest_limit: usize,
    pub(super) chunk_min: u64,
    pub(super) chunk_max: u64,
    pub(super) chunk_taken: u64,
    pub(super) body_max: u64,
    pub(super) discard_blobs: bool,
    pub(super) cdn: Option<Cdn>,
    pub(super) date: Option<String>,
}

/// The order in which tags are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TagOrder {
    /// That of their bytes, as the specification says.
    Sorted,
    Unsorted,
    /// The newest last.
    Pushed,
    /// Whatever their case.
    Folded,
}

/// What a registry makes of `last` if it is no tag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum UnknownLast {
    /// The tags that would come after it.
    Next,
    Refused,
    Nothing,
    Everything,
}

/// Another host that serves the blobs.
#[derive(Clone)]
pub(super) struct Cdn {
    pub url: String,
    pub store: Store,
}

impl Profile {
    /// All that the spec offers, open to everybody.
    pub fn plain() -> Self {
        Self {
            flavor: Flavor::Plain,
            auth: Auth::None,
            identity: None,
            page_size: 1000,
            page_length_max: usize::MAX,
            tag_order: TagOrder::Sorted,
            unknown_last: UnknownLast::Next,
            links_pages: true,
            referrers: true,
            late_referrers: false,
            oci_subject: true,
            immutable: None,
            mounts: true,
            single_posts: true,
            deletes: true,
            ranges: true,
            absolute_locations: false,
            repositories: None,
            manifest_limit: 4 * 1024 * 1024,
            chunk_min: 0,
            chunk_max: u64::MAX,
            chunk_taken: u64::MAX,
            body_max: u64::MAX,
            discard_blobs: false,
            date: None,
            cdn: None,
        }
    }

    /// The distribution project's registry 3: no referrers, no deletion by default.
    pub fn distribution() -> Self {
        Self {
            absolute_locations: true,
            ..Self::of(Flavor::Distribution)
        }
        .referrers(false)
        .deletes(false)
    }

    /// Basic auth, no mount, referrers.
    pub fn ecr() -> Self {
        Self::of(Flavor::Ecr)
            .mounts(false)
            .auth(Auth::basic("AWS", PASSWORD))
    }

    /// Tokens from its own host, no referrers, small chunks.
    pub fn ghcr() -> Self {
        Self::of(Flavor::Ghcr)
            .referrers(false)
            .max_chunk(4 * 1024 * 1024)
            .auth(Auth::OwnRealm(rules("ghcr.io").anonymous("*", &["pull"])))
    }

    /// Tokens from another host, to everybody for pulling. Whether it has referrers is
    /// assumed.
    pub fn docker_hub() -> Self {
        Self::of(Flavor::DockerHub).auth(Auth::TokenHost(
            rules("registry.docker.io").anonymous("*", &["pull"]),
        ))
    }

    pub fn harbor() -> Self {
        Self::of(Flavor::Harbor).auth(Auth::OwnRealm(
            rules("harbor-registry").path("/service/token"),
        ))
    }

    /// Tokens from another host, for a service that is no host's name. Whether it has
    /// referrers is assumed.
    pub fn gitlab() -> Self {
        let rules = rules("container_registry").path("/jwt/auth");
        let refusing = rules.refuse_with(fixture("gitlab/403_token_denied"));
        Self::of(Flavor::Gitlab)
            .referrers(false)
            .auth(Auth::TokenHost(refusing))
    }

    /// Basic auth, no mount, no referrers.
    pub fn artifactory() -> Self {
        Self::of(Flavor::Artifactory)
            .mounts(false)
            .referrers(false)
            .auth(Auth::basic(USER, PASSWORD))
    }

    fn of(flavor: Flavor) -> Self {
        Self {
            flavor,
            // Of distribution's registry 3.1.2; assumed of the others.
            single_posts: false,
            ..Self::plain()
        }
    }

    pub fn auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// HTTPS with a good certificate of this authority.
    pub fn tls(self, ca: &TestCa) -> Self {
        self.tls_as(ca.valid())
    }

    /// HTTPS with any certificate.
    pub fn tls_as(self, identity: Identity) -> Self {
        Self {
            identity: Some(identity),
            ..self
        }
    }

    /// The most tags or referrers in one answer.
    pub fn page_size(self, page_size: usize) -> Self {
        Self { page_size, ..self }
    }

    /// A page of tags that is asked for with a greater length is refused.
    pub fn page_length_max(self, page_length_max: usize) -> Self {
        Self {
            page_length_max,
            ..self
        }
    }

    pub fn unsorted_tags(self) -> Self {
        self.tag_order(TagOrder::Unsorted)
    }

    /// The order in which tags are listed.
    pub fn tag_order(self, tag_order: TagOrder) -> Self {
        Self { tag_order, ..self }
    }

    /// What follows a tag in the list that is none.
    pub fn unknown_last(self, unknown_last: UnknownLast) -> Self {
        Self {
            unknown_last,
            ..self
        }
    }

    /// A page of tags does not say that there is another.
    pub fn unlinked_pages(self) -> Self {
        Self {
            links_pages: false,
            ..self
        }
    }

    /// What answers give as their date, instead of the machine's.
    pub fn date(self, date: &str) -> Self {
        Self {
            date: Some(date.to_owned()),
            ..self
        }
    }

    /// Whether there is a referrers API, and `OCI-Subject` with it.
    pub fn referrers(self, referrers: bool) -> Self {
        Self {
            referrers,
            oci_subject: referrers,
            ..self
        }
    }

    /// No list of referrers, and no word of the API, for a repository that has nothing yet:
    /// go-containerregistry's registry, zot.
    pub fn late_referrers(self) -> Self {
        Self {
            late_referrers: true,
            ..self
        }
    }

    /// Whether pushes are answered with `OCI-Subject`, whatever the referrers API: Quay
    /// has the API without the header, ECR once had the header without the API.
    pub fn oci_subject(self, oci_subject: bool) -> Self {
        Self {
            oci_subject,
            ..self
        }
    }

    /// Tags that match this pattern (`*` for any run of characters) are not moved.
    pub fn immutable_tags(self, pattern: &str) -> Self {
        Self {
            immutable: Some(pattern.to_owned()),
            ..self
        }
    }

    pub fn mounts(self, mounts: bool) -> Self {
        Self { mounts, ..self }
    }

    /// Whether a whole blob can come with the request that opens a session. Else that is all the
    /// request does.
    pub fn single_posts(self, single_posts: bool) -> Self {
        Self {
            single_posts,
            ..self
        }
    }

    pub fn deletes(self, deletes: bool) -> Self {
        Self { deletes, ..self }
    }

    /// Whether `Range` is heeded on blobs; else they come whole with 200.
    pub fn ranges(self, ranges: bool) -> Self {
        Self { ranges, ..self }
    }

    /// Blobs are read from this other registry, to which they are copied when they are
    /// asked for.
    pub fn redirect_blobs_to(self, other: &Registry) -> Self {
        let cdn = Cdn {
            url: other.url(),
            store: other.store(),
        };
        Self {
            cdn: Some(cdn),
            ..self
        }
    }

    /// Only these repositories exist; a push creates no other.
    pub fn repositories<const N: usize>(self, names: [&str; N]) -> Self {
        let repositories = names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            repositories: Some(repositories),
            ..self
        }
    }

    pub fn manifest_limit(self, manifest_limit: usize) -> Self {
        Self {
            manifest_limit,
            ..self
        }
    }

    /// Announced as `OCI-Chunk-Min-Length`; after a smaller chunk there is no other.
    pub fn min_chunk(self, chunk_min: u64) -> Self {
        Self { chunk_min, ..self }
    }

    /// Larger chunks are answered with 416.
    pub fn max_chunk(self, chunk_max: u64) -> Self {
        Self { chunk_max, ..self }
    }

    /// So much of a chunk is taken, and the rest left, as the answer's `Range` tells.
    pub fn takes_of_a_chunk(self, chunk_taken: u64) -> Self {
        Self {
            chunk_taken,
            ..self
        }
    }

    /// A proxy stands before it that answers 413 to larger bodies.
    pub fn max_body(self, body_max: u64) -> Self {
        Self { body_max, ..self }
    }

    /// Of uploaded blobs above 1 MiB only digest and size are kept.
    pub fn discard_blob_bodies(self) -> Self {
        Self {
            discard_blobs: true,
            ..self
        }
    }
}

fn rules(service: &str) -> TokenRules {
    TokenRules::new(service).user(USER, PASSWORD)
}
