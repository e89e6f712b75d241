//! The inputs that say who has to have signed, and whose word counts for that.

use super::invocation::Invocation;
use super::pem_input::text_or_file;
use super::trust_inputs;
use super::unused_inputs::refuse_unused_inputs;
use crate::cli::{Input, InputCondition, Verb};
use crate::release::{Failure, ImageCheck, RequiredEvidence};
use crate::signing::{CertificateCondition, Identity, PublicKey, Requirement, WildcardPattern};

/// The inputs that say what a certificate has to say of the run.
const CONDITIONS: [(Input, CertificateCondition); 7] = [
    (
        Input::CertificateGithubWorkflowRepository,
        CertificateCondition::Repository,
    ),
    (
        Input::CertificateGithubWorkflowRef,
        CertificateCondition::Ref,
    ),
    (
        Input::CertificateGithubWorkflowSha,
        CertificateCondition::Sha,
    ),
    (
        Input::CertificateGithubWorkflowTrigger,
        CertificateCondition::Trigger,
    ),
    (
        Input::CertificateGithubWorkflowName,
        CertificateCondition::Name,
    ),
    (
        Input::CertificateGithubWorkflowUri,
        CertificateCondition::Workflow,
    ),
    (
        Input::CertificateRunnerEnvironment,
        CertificateCondition::RunnerEnvironment,
    ),
];

/// What the source of a promotion has to have beside it, where that is asked for.
pub(super) async fn source_check_inputs(
    invocation: &Invocation,
) -> Result<Option<ImageCheck>, Failure> {
    let arguments = &invocation.arguments;
    if !arguments.is_accepted(Input::VerifySource) {
        return Ok(None);
    }
    if arguments.switch(Input::VerifySource)? {
        return check_inputs(invocation).await.map(Some);
    }
    refuse_unused_inputs(arguments, &[InputCondition::VerifiesSource])?;
    Ok(None)
}

/// What an image has to have beside it.
pub(super) async fn check_inputs(invocation: &Invocation) -> Result<ImageCheck, Failure> {
    let mut wanted: Vec<RequiredEvidence> = invocation.arguments.values(Input::Attestation)?;
    if wanted.is_empty() {
        wanted.push(RequiredEvidence::Signature);
    }
    Ok(ImageCheck {
        requirement: signer_requirement(invocation).await?,
        wanted,
    })
}

async fn signer_requirement(invocation: &Invocation) -> Result<Requirement, Failure> {
    let logged = transparency_log_input(invocation)?;
    match expected_signer(invocation)? {
        ExpectedSigner::Key(text) => {
            let wrong = |reason: String| invocation.arguments.error(Input::Key, None, reason);
            let key = PublicKey::parse(&text).map_err(|error| wrong(error.to_string()))?;
            let log = match logged {
                Some(true) => Some(trust_inputs::load_trust_root(invocation).await?),
                // A key says all by itself.
                _ => None,
            };
            Ok(Requirement::Key { key, log })
        }
        ExpectedSigner::Identity(identity) => Ok(Requirement::Identity {
            identity,
            trust: trust_inputs::load_trust_root(invocation).await?,
            logged: logged.unwrap_or(true),
        }),
    }
}

/// Who has to have signed, as it is given.
pub(super) enum ExpectedSigner {
    /// The text of a public key.
    Key(String),
    /// What a certificate has to say.
    Identity(Identity),
}

/// The one of both that is given.
pub(super) fn expected_signer(invocation: &Invocation) -> Result<ExpectedSigner, Failure> {
    let arguments = &invocation.arguments;
    let key = arguments.entries(Input::Key).first();
    let identity = arguments.entries(Input::CertificateIdentity).first();
    match (key, identity) {
        (Some(_), Some(_)) => Err(Failure::input(
            "key and certificate-identity are both given: a signature has one or the other",
        )
        .with_hint("give the key of a signer with a key, or the certificate identity of a keyless signer")),
        (None, None) => Err(Failure::input(
            "no signer is given: key or certificate-identity is required",
        )
        .with_hint("give the public key (cosign.pub), or the workflow that signs as certificate-identity: https://github.com/OWNER/REPO/.github/workflows/FILE@REF, with * for any characters")),
        (Some(entry), None) => {
            refuse_unused_inputs(arguments, &[InputCondition::ChecksCertificate])?;
            let wrong = |reason: String| arguments.error(Input::Key, None, reason);
            Ok(ExpectedSigner::Key(text_or_file(&entry.text).map_err(wrong)?))
        }
        (None, Some(entry)) => Ok(ExpectedSigner::Identity(Identity {
            subject: WildcardPattern::new(&entry.text),
            issuer: arguments
                .text(Input::CertificateOidcIssuer)
                .unwrap_or_default()
                .to_owned(),
            conditions: parse_conditions(invocation)?,
        })),
    }
}

fn parse_conditions(
    invocation: &Invocation,
) -> Result<Vec<(CertificateCondition, String)>, Failure> {
    let mut conditions = Vec::new();
    for (name, condition) in CONDITIONS {
        if let Some(wanted) = invocation.arguments.value(name)? {
            conditions.push((condition, wanted));
        }
    }
    Ok(conditions)
}

/// What `transparency-log` says, where it is given. Where something is released it says how to sign.
pub(super) fn transparency_log_input(invocation: &Invocation) -> Result<Option<bool>, Failure> {
    if invocation.arguments.verb == Verb::Promote {
        return Ok(None);
    }
    let choice = invocation.arguments.choice(Input::TransparencyLog)?;
    Ok(choice.map(|choice| choice == "on"))
}
