//! Facts about a released image that reports show, and that no step of the release depends on.

use std::fmt;

use crate::image::{CommitId, Digest, Platform, Tag};
use crate::signing::{Identity, Requirement};
use crate::tagging::EnvironmentName;

/// Environments before and after the one that is released to, by the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromotionPath {
    /// Environment that its images come from.
    pub from: Option<EnvironmentName>,
    /// Environments that take their images from it.
    pub next: Vec<EnvironmentName>,
}

/// Platform of the image, with the size of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformContent {
    /// Platform, such as `linux/arm64`; `None` if the image names none.
    pub platform: Option<Platform>,
    /// Bytes of config and layers as they are stored; `None` if the manifest was not read.
    pub bytes: Option<u64>,
}

/// Image that a moving tag pointed to before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousImage {
    /// Tag.
    pub tag: Tag,
    /// Its digest.
    pub digest: Digest,
    /// Commit by its labels, if they were read and name one.
    pub commit: Option<CommitId>,
    /// Address of the source repository by its labels, as written.
    pub source: Option<String>,
}

/// Signer of an image, and how to check its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerName {
    /// Name, such as `the key 3f…`. May hold text from outside.
    pub text: String,
    /// What to check for.
    pub check: SignerCheck,
}

/// What a signature of a signer is checked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerCheck {
    /// A key.
    Key {
        /// Whether a transparency log has the signatures.
        is_logged: bool,
    },
    /// A certificate with exactly this identity.
    Identity {
        /// Subject of the certificate.
        subject: String,
        /// Issuer that confirmed it.
        issuer: String,
    },
    /// One of several signers, a pattern, or an identity with conditions.
    Other,
}

impl SignerName {
    /// Returns the name of the signer that a requirement demands.
    pub fn from_requirement(requirement: &Requirement) -> Self {
        Self {
            text: requirement.to_string(),
            check: signer_check(requirement),
        }
    }

    /// Returns the name of the signer of a certificate identity.
    pub fn from_identity(identity: &Identity) -> Self {
        Self {
            text: identity.to_string(),
            check: identity_check(identity),
        }
    }
}

impl fmt::Display for SignerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn signer_check(requirement: &Requirement) -> SignerCheck {
    match requirement {
        Requirement::Key { log, .. } => SignerCheck::Key {
            is_logged: log.is_some(),
        },
        Requirement::Identity { identity, .. } => identity_check(identity),
        Requirement::LoggedSignatures(logged) => signer_check(logged),
        Requirement::Any(_) => SignerCheck::Other,
    }
}

fn identity_check(identity: &Identity) -> SignerCheck {
    let subject = identity.subject.to_string();
    match subject.contains('*') || !identity.conditions.is_empty() {
        true => SignerCheck::Other,
        false => SignerCheck::Identity {
            subject,
            issuer: identity.issuer.clone(),
        },
    }
}
