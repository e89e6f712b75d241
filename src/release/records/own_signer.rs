//! Whether a run signs as its environment demands, before anything is written.

use super::location::TimelineLocation;
use super::options::RunAccount;
use crate::record::RecordAction;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::failure::signing_failure;
use crate::release::request::SigningOptions;

/// Requires that the run may record `action` in an environment that signs.
///
/// # Errors
/// A refusal where the run does not sign, or signs as somebody whose record would not count.
pub(crate) async fn require_own_signer(
    context: &ReleaseContext,
    location: &TimelineLocation,
    signing: Option<&SigningOptions>,
    account: &RunAccount,
    action: &RecordAction,
) -> Result<(), Failure> {
    let Some(trust) = &location.trust else {
        return Ok(());
    };
    let environment = &location.environment;
    let Some(signing) = signing else {
        return Err(Failure::refused(format!(
            "{environment} of {} signs its records, and this run signs nothing",
            location.destination
        ))
        .with_reason("a record that is not signed does not count there")
        .with_hint("set sign: keyless, or sign: key with signing-key"));
    };
    let own = signing
        .signer
        .run_requirement(context.registry.http(), &context.notices);
    let own = own.await.map_err(signing_failure)?;
    trust.require_own(&own, action, account.now).map_err(|reason| {
        Failure::refused(format!(
            "this run may not record {action} in {environment} of {}",
            location.destination
        ))
        .with_reason(reason.to_string())
        .with_hint(format!(
            "run the workflow that the signers of {environment} name, or add this one to them in the policy"
        ))
    })
}
