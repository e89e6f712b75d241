//! The inputs that say who has to have signed, and whose word counts for that.

use super::invocation::Invocation;
use super::pem_input::text_or_file;
use super::trust_inputs;
use super::unused_inputs::refuse_unused_inputs;
use crate::cli::{Input, InputCondition, InputError, Verb};
use crate::gate::WildcardPattern;
use crate::release::{Failure, ImageCheck, RequiredEvidence};
use crate::signing::{CertificateCondition, Identity, PublicKey, Requirement};

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

/// Variable with which cosign puts signatures into another repository than that of the image.
const REPOSITORY_VARIABLE: &str = "COSIGN_REPOSITORY";

/// Refuses the variable that moves signatures elsewhere: they would be missed, or missing.
pub(super) fn refuse_cosign_repository(invocation: &Invocation) -> Result<(), Failure> {
    match invocation.environment.get(REPOSITORY_VARIABLE) {
        None => Ok(()),
        Some(_) => Err(Failure::input(format!(
            "{REPOSITORY_VARIABLE} is set, which is not supported"
        ))
        .with_reason("signatures are read and written in the repository of the image alone")
        .with_hint(format!(
            "unset {REPOSITORY_VARIABLE}, and copy the signatures to the repository of the image"
        ))),
    }
}

/// What an image has to have beside it.
pub(super) async fn check_inputs(invocation: &Invocation) -> Result<ImageCheck, Failure> {
    refuse_cosign_repository(invocation)?;
    let mut wanted: Vec<RequiredEvidence> = invocation.arguments.values(Input::Attestation)?;
    if wanted.is_empty() {
        wanted.push(RequiredEvidence::Signature);
    }
    Ok(ImageCheck {
        requirement: signer_requirement(invocation).await?,
        wanted,
    })
}

/// Returns who must have signed.
pub(super) async fn signer_requirement(invocation: &Invocation) -> Result<Requirement, Failure> {
    let required = logged_requirement(invocation).await?;
    let is_release = is_of_release(invocation.arguments.verb);
    let log_mode = invocation.arguments.choice(Input::TransparencyLog)?;
    Ok(match log_mode.filter(|_| !is_release) {
        Some("attestations") => Requirement::LoggedSignatures(Box::new(required)),
        _ => required,
    })
}

/// Who has to have signed, with a log that holds all of it where one is required.
async fn logged_requirement(invocation: &Invocation) -> Result<Requirement, Failure> {
    let logged = transparency_log_input(invocation)?;
    match expected_signer(invocation)? {
        ExpectedSigner::Key(text) => {
            let logs: Vec<_> = match logged {
                Some(true) => {
                    let roots = trust_inputs::load_trust_roots(invocation).await?;
                    roots.into_iter().map(Some).collect()
                }
                // A key says all by itself.
                _ => vec![None],
            };
            let keys = parse_keys(invocation, &text)?;
            let each = keys.into_iter().flat_map(|key| {
                let logs = logs.iter().cloned();
                logs.map(move |log| {
                    let key = key.clone();
                    Requirement::Key { key, log }
                })
            });
            Ok(Requirement::any_of(each.collect()))
        }
        ExpectedSigner::Identity(identity) => {
            let roots = trust_inputs::load_trust_roots(invocation).await?;
            let each = roots.into_iter().map(|trust| Requirement::Identity {
                identity: identity.clone(),
                trust,
                logged: logged.unwrap_or(true),
            });
            Ok(Requirement::any_of(each.collect()))
        }
    }
}

/// Reads the public keys of a text, any of which counts.
pub(super) fn parse_keys(
    invocation: &Invocation,
    text: &str,
) -> Result<Vec<PublicKey>, InputError> {
    let wrong = |reason: String| invocation.arguments.file_error(Input::Key, reason);
    PublicKey::parse_all(text).map_err(|error| wrong(error.to_string()))
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
        (None, Some(entry)) => expected_identity(invocation, &entry.text),
    }
}

fn expected_identity(invocation: &Invocation, subject: &str) -> Result<ExpectedSigner, Failure> {
    refuse_hidden_space(invocation, Input::CertificateIdentity, subject)?;
    if subject.bytes().all(|character| character == b'*') {
        invocation.log.warning(&format!(
            "{}: * accepts every identity of the issuer: name the workflow that signs",
            Input::CertificateIdentity
        ));
    }
    let issuer = invocation.arguments.text(Input::CertificateOidcIssuer);
    refuse_hidden_space(
        invocation,
        Input::CertificateOidcIssuer,
        issuer.unwrap_or_default(),
    )?;
    Ok(ExpectedSigner::Identity(Identity {
        subject: WildcardPattern::new(subject),
        issuer: issuer.unwrap_or_default().to_owned(),
        conditions: parse_conditions(invocation)?,
    }))
}

/// Refuses a space without width, which comes with text that is copied from a page and matches nothing.
fn refuse_hidden_space(invocation: &Invocation, input: Input, text: &str) -> Result<(), Failure> {
    let Some(at) = text.find('\u{200b}') else {
        return Ok(());
    };
    let before = text[..at].chars().count();
    let reason = format!("a zero-width space (U+200B) follows character {before}: remove it");
    Err(invocation.arguments.error(input, None, reason).into())
}

fn parse_conditions(
    invocation: &Invocation,
) -> Result<Vec<(CertificateCondition, String)>, Failure> {
    let mut conditions = Vec::new();
    for (name, condition) in CONDITIONS {
        if let Some(wanted) = invocation.arguments.value::<String>(name)? {
            refuse_hidden_space(invocation, name, &wanted)?;
            conditions.push((condition, wanted));
        }
    }
    Ok(conditions)
}

/// Returns whether the verb checks the source of a release.
fn is_of_release(verb: Verb) -> bool {
    matches!(verb, Verb::Promote | Verb::Check)
}

/// What `transparency-log` says, where it is given. Where something is released it says how to sign.
pub(super) fn transparency_log_input(invocation: &Invocation) -> Result<Option<bool>, Failure> {
    if is_of_release(invocation.arguments.verb) {
        return Ok(None);
    }
    let choice = invocation.arguments.choice(Input::TransparencyLog)?;
    Ok(choice.map(|choice| choice != "off"))
}
