//! Requires the signature of this release's signer on an image that is reused.

use crate::image::Digest;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::failure::signing_failure;
use crate::release::plan::destination_state::DestinationState;
use crate::release::request::SigningOptions;
use crate::release::verify::evidence;
use crate::signing::Signer;
use crate::transfer::Side;

/// Requires that this release's signer has signed the existing image that is reused: its labels alone
/// prove nothing.
///
/// # Errors
/// A refusal where the signature is missing.
pub(crate) async fn require_own_signature(
    signing: &SigningOptions,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    seen: &[DestinationState],
    root: Digest,
) -> Result<(), Failure> {
    let ReleaseContext {
        registry, notices, ..
    } = context;
    let requirement = signing.signer.requirement(registry.http(), notices).await;
    let requirement = requirement.map_err(signing_failure)?;
    let there = destinations.iter().zip(seen).filter(|(_, seen)| {
        let mut named = seen.tag_digests.values().flatten();
        named.any(|named| *named == root)
    });
    for (destination, _) in there {
        let place = &destination.name;
        let found = evidence::check_signatures(&destination.store, &requirement, root)
            .await
            .map_err(|error| Failure::from_referrer_error(Side::Destination, place, error))?;
        if !found.iter().any(|checked| checked.result.is_ok()) {
            return Err(Failure::refused(format!(
                "{place} has the image {root} of the same commit, expected a signature with {}",
                match &signing.signer {
                    Signer::Key(_) | Signer::LoggedKey(_) => "this key",
                    Signer::Keyless(_) => "the identity of this job",
                }
            ))
            .with_reason(
                "the release would sign this image, and only its own labels say what it is",
            )
            .with_hint(
                "promote the existing image by its digest to sign it, or set existing: fail",
            ));
        }
    }
    Ok(())
}
