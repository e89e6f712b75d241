//! Which endpoint of the distribution API a path names.

use percent_encoding::percent_decode_str;

/// An endpoint of the distribution API.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    Base,
    Manifest {
        repository: String,
        reference: String,
    },
    Blob {
        repository: String,
        digest: String,
    },
    Uploads {
        repository: String,
    },
    Upload {
        repository: String,
        id: String,
    },
    Tags {
        repository: String,
    },
    Referrers {
        repository: String,
        digest: String,
    },
    Unknown,
}

impl Route {
    pub fn parse(path: &str) -> Self {
        let path = percent_decode_str(path).decode_utf8_lossy();
        if path == "/v2/" || path == "/v2" {
            return Self::Base;
        }
        let Some(rest) = path.strip_prefix("/v2/") else {
            return Self::Unknown;
        };
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            [name @ .., "blobs", "uploads", ""] => {
                named(name, |repository| Self::Uploads { repository })
            }
            [name @ .., "blobs", "uploads", id] => named(name, |repository| Self::Upload {
                repository,
                id: (*id).to_owned(),
            }),
            [name @ .., "blobs", digest] => named(name, |repository| Self::Blob {
                repository,
                digest: (*digest).to_owned(),
            }),
            [name @ .., "manifests", reference] => named(name, |repository| Self::Manifest {
                repository,
                reference: (*reference).to_owned(),
            }),
            [name @ .., "referrers", digest] => named(name, |repository| Self::Referrers {
                repository,
                digest: (*digest).to_owned(),
            }),
            [name @ .., "tags", "list"] => named(name, |repository| Self::Tags { repository }),
            _ => Self::Unknown,
        }
    }

    pub fn repository(&self) -> Option<&str> {
        match self {
            Self::Base | Self::Unknown => None,
            Self::Manifest { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Uploads { repository }
            | Self::Upload { repository, .. }
            | Self::Tags { repository }
            | Self::Referrers { repository, .. } => Some(repository),
        }
    }
}

/// A route, if the parts are a repository's name; else no endpoint, as the routers of
/// real registries do.
fn named(parts: &[&str], route: impl FnOnce(String) -> Route) -> Route {
    if !parts.is_empty() && parts.iter().all(|part| is_component(part)) {
        route(parts.join("/"))
    } else {
        Route::Unknown
    }
}

fn is_component(part: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    part.bytes()
        .all(|byte| alphanumeric(byte) || b"._-".contains(&byte))
        && part.bytes().next().is_some_and(alphanumeric)
}

/// Whether the text is a digest of the one algorithm which this registry knows.
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

pub fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|byte| word(byte) || b".-".contains(&byte))
}
