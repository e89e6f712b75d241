//! Signature that an environment demands of the images that are released to it.

use super::location::TimelineLocation;
use crate::record::{RecordAction, TimelineEntry};
use crate::referrers::ListedEvidence;
use crate::release::Failure;
use crate::release::verify::evidence::check_evidence;
use crate::transfer::{ImageStore, Side};

/// Most reasons that are told.
const REASON_LIMIT: usize = 3;

/// Returns why a release lacks a signature of one of the environment's signers who may record releases; `None` if it
/// has one, or needs none: the environment does not sign, or it is adopted and was made before that. Where something
/// was `listed` about the image, that is not listed again.
///
/// # Errors
/// Signatures that cannot be read.
pub(crate) async fn missing_release_signature(
    (store, location): (&ImageStore, &TimelineLocation),
    release: &TimelineEntry,
    listed: Option<ListedEvidence<'_>>,
) -> Result<Option<String>, Failure> {
    let is_adopted = release.action == RecordAction::Adopt;
    let Some(trust) = location.trust.as_ref().filter(|_| !is_adopted) else {
        return Ok(None);
    };
    let mut reasons: Vec<String> = Vec::new();
    for accepted in trust.release_requirements() {
        let image = (store, release.root);
        let found = check_evidence(image, listed, &accepted.requirement, &[]).await;
        let found = found.map_err(|error| {
            Failure::from_referrer_error(Side::Destination, &location.destination, error)
        })?;
        for signature in found.signatures {
            let reason = match signature.result {
                Ok(good) if accepted.is_in_time(&good.evidence, release.planned_at) => {
                    return Ok(None);
                }
                Ok(_) => "it was not signed before until of its signer".to_owned(),
                Err(error) => error.to_string(),
            };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    reasons.truncate(REASON_LIMIT);
    Ok(Some(match reasons.is_empty() {
        true => "it has no signature".to_owned(),
        false => reasons.join(", "),
    }))
}
