//! Checking the signatures and attestations of an image.

use super::beside::{self, Attestation, Checked};
use super::{Context, Failure, source};
use crate::image::{Digest, Location};
use crate::signing::{AttestationRule, Flaw, PREDICATE, Requirement};
use crate::transfer::{Side, Store};

/// A check that is asked for.
#[derive(Debug, Clone)]
pub struct Verify {
    /// The image.
    pub source: Location,
    /// What it has to have.
    pub check: Check,
}

/// What an image has to have beside it.
#[derive(Debug, Clone)]
pub struct Check {
    /// Who has to have signed all that counts.
    pub requirement: Requirement,
    /// What has to be there: at least one thing.
    pub wanted: Vec<Wanted>,
}

/// Something that has to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A signature.
    Signature,
    /// An attestation.
    Attestation(AttestationRule),
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The image, as it was asked for.
    pub source: Location,
    /// Its digest.
    pub root: Digest,
    /// Who had to have signed.
    pub requirement: Requirement,
    /// Every signature there is.
    pub signatures: Vec<Checked>,
    /// Every attestation there is of a type that was asked for.
    pub attestations: Vec<Attestation>,
    /// What is not there, or not good.
    pub missing: Vec<Wanted>,
}

impl Verification {
    /// Whether all is there that has to be.
    pub fn passed(&self) -> bool {
        self.missing.is_empty()
    }

    /// That something is not there, or not good; nothing where it is.
    pub fn refusal(&self) -> Option<Failure> {
        let missing = self.missing.first()?;
        let failure = Failure::refused(format!(
            "{} has no good {missing} of {}",
            self.source, self.requirement
        ));
        let why: Vec<String> = match missing {
            Wanted::Signature => flaws(self.signatures.iter().map(|found| &found.result)),
            Wanted::Attestation(_) => flaws(self.attestations.iter().map(|found| &found.result)),
        };
        Some(match why.as_slice() {
            [] => failure.why("it has none"),
            [only] => failure.why(only.clone()),
            several => failure.why(format!("none of its {} counts", several.len())),
        })
    }
}

/// Checks everything beside an image.
///
/// # Errors
/// An image that is not there, or what stands beside it cannot be read: that is not the same as
/// none.
pub async fn verify(request: &Verify, context: &Context) -> Result<Verification, Failure> {
    let (store, root) = source::with_referrers(context, &request.source).await?;
    request.check.of(&store, root, &request.source).await
}

fn flaws<'a, T: 'a>(found: impl Iterator<Item = &'a Result<T, Flaw>>) -> Vec<String> {
    found
        .filter_map(|result| Some(result.as_ref().err()?.to_string()))
        .collect()
}

impl Check {
    /// That a source has all of it, before anything is copied.
    pub(super) async fn require(
        &self,
        context: &Context,
        root: Digest,
        source: &Location,
    ) -> Result<(), Failure> {
        let store = source::store(context, source)?;
        let found = self.of(&store, root, source).await?;
        if let Some(failure) = found.refusal() {
            return Err(failure);
        }
        let wanted: Vec<String> = self.wanted.iter().map(ToString::to_string).collect();
        context.notices.info(format!(
            "source {source} has a good {} of {}",
            wanted.join(" and "),
            self.requirement
        ));
        Ok(())
    }

    /// What stands beside `root` in its store, which was asked for as `source`.
    pub(super) async fn of(
        &self,
        store: &Store,
        root: Digest,
        source: &Location,
    ) -> Result<Verification, Failure> {
        let rules = self.wanted.iter().filter_map(|wanted| match wanted {
            Wanted::Signature => None,
            Wanted::Attestation(rule) => Some(rule),
        });
        let rules: Vec<&AttestationRule> = rules.collect();
        let found = beside::everything(store, &self.requirement, root, &rules)
            .await
            .map_err(|error| beside::failure(Side::Source, source, error))?;
        let is_missing = |wanted: &&Wanted| match wanted {
            Wanted::Signature => !found.signatures.iter().any(|found| found.result.is_ok()),
            Wanted::Attestation(rule) => !found.attestations.iter().any(|found| {
                let said = found.result.as_ref();
                said.is_ok_and(|attested| rule.check(attested).is_ok())
            }),
        };
        Ok(Verification {
            source: source.clone(),
            root,
            requirement: self.requirement.clone(),
            missing: self.wanted.iter().filter(is_missing).cloned().collect(),
            signatures: found.signatures,
            attestations: found.attestations,
        })
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signature => f.write_str("signature"),
            Self::Attestation(rule) => write!(f, "attestation {rule}"),
        }
    }
}

/// `signature`, or the type of an attestation with its conditions.
impl std::str::FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "signature" | PREDICATE => Ok(Self::Signature),
            rule => rule.parse().map(Self::Attestation),
        }
    }
}
