//! Judge of the signature gate.

use super::verdict::{GateName, GateVerdict};
use crate::image::Digest;
use crate::notices::to_printable;

/// Signature that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSignature {
    /// Manifest that it is of.
    pub of: Digest,
    /// Digest of the bundle's manifest or of the payload.
    pub digest: Digest,
    /// Signer, if it is good and by an accepted one, else the reason why it does not count.
    pub result: Result<String, String>,
}

/// Limits on a signer and on a reason in a message, in characters.
pub(super) const SIGNER_LIMIT: usize = 200;
pub(super) const REJECTION_LIMIT: usize = 300;
/// Most rejected signatures or attestations that a message lists.
const LISTED_LIMIT: usize = 3;

/// Judges the signatures of a root. One by an accepted signer is enough.
pub fn judge_signature(root: Digest, found: &[FoundSignature]) -> GateVerdict {
    let mut verdict = GateVerdict::new(GateName::Signature);
    let of_root: Vec<&FoundSignature> = found.iter().filter(|found| found.of == root).collect();
    let good = of_root.iter().find_map(|found| found.result.as_ref().ok());
    if let Some(signer) = good {
        let signer = to_printable(signer, SIGNER_LIMIT);
        verdict.add_fact(format!("{} is signed by {signer}", root.short()));
        return verdict;
    }
    let rejected = of_root.iter().filter_map(|found| {
        let reason = found.result.as_ref().err()?;
        Some((found.digest, reason.as_str()))
    });
    let rejected = listed_rejections("signature", rejected);
    let root = root.short();
    verdict.fail(match rejected {
        None => format!("{root} has no signature"),
        Some(rejected) => format!("{root} has no signature of an accepted signer: {rejected}"),
    });
    verdict.add_hint(
        "release the image in the environment that it comes from with sign, or name its signer in gates.signature.signers of the policy",
    );
    verdict
}

/// Returns the first reasons for which signatures or attestations do not count; `None` if there are none.
pub fn listed_rejections<'a>(
    what: &str,
    rejected: impl Iterator<Item = (Digest, &'a str)>,
) -> Option<String> {
    let texts: Vec<String> = rejected
        .map(|(digest, reason)| {
            let reason = to_printable(reason, REJECTION_LIMIT);
            format!("{what} {}: {reason}", digest.short())
        })
        .collect();
    let shown = texts.iter().take(LISTED_LIMIT).cloned();
    let shown = shown.collect::<Vec<_>>().join("; ");
    match texts.len().checked_sub(LISTED_LIMIT) {
        _ if texts.is_empty() => None,
        Some(more) if more > 0 => Some(format!("{shown}; and {more} more")),
        _ => Some(shown),
    }
}
