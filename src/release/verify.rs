//! Checking the signatures of an image.

use super::beside::{self, Checked};
use super::{Context, Failure, source};
use crate::image::{Digest, Location};
use crate::signing::{PublicKey, Requirement};
use crate::transfer::Side;

/// A check that is asked for.
#[derive(Debug, Clone)]
pub struct Verify {
    /// The image.
    pub source: Location,
    /// The key that it should be signed with.
    pub key: PublicKey,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The image, as it was asked for.
    pub source: Location,
    /// Its digest.
    pub root: Digest,
    /// The fingerprint of the key.
    pub key: Digest,
    /// Every signature there is.
    pub signatures: Vec<Checked>,
}

impl Verification {
    /// Whether at least one signature is good.
    pub fn passed(&self) -> bool {
        self.signatures.iter().any(|checked| checked.result.is_ok())
    }
}

/// Checks every signature of an image.
///
/// # Errors
/// An image that is not there, or signatures that cannot be read: that is not the same as none.
pub async fn verify(request: &Verify, context: &Context) -> Result<Verification, Failure> {
    let (store, root) = source::with_referrers(context, &request.source).await?;
    let requirement = Requirement::Key {
        key: request.key.clone(),
        log: None,
    };
    let signatures = beside::all(&store, &requirement, root)
        .await
        .map_err(|error| beside::failure(Side::Source, &request.source, error))?;
    Ok(Verification {
        source: request.source.clone(),
        root,
        key: request.key.fingerprint(),
        signatures,
    })
}
