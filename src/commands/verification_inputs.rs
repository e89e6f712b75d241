//! The inputs that say who has to have signed, and whose word counts for that.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::signing_inputs::text_or_file;
use super::{Invocation, context_inputs};
use crate::cli::Verb;
use crate::release::{Failure, ImageCheck, RequiredEvidence};
use crate::signing::{
    BUNDLE_LIMIT, CertificateCondition, Identity, PublicKey, Requirement, TrustRoot, TufRepository,
    WildcardPattern,
};

/// The inputs that say what a certificate has to say of the run.
const CONDITIONS: [(&str, CertificateCondition); 7] = [
    (
        "certificate-github-workflow-repository",
        CertificateCondition::Repository,
    ),
    ("certificate-github-workflow-ref", CertificateCondition::Ref),
    ("certificate-github-workflow-sha", CertificateCondition::Sha),
    (
        "certificate-github-workflow-trigger",
        CertificateCondition::Trigger,
    ),
    (
        "certificate-github-workflow-name",
        CertificateCondition::Name,
    ),
    (
        "certificate-github-workflow-uri",
        CertificateCondition::Workflow,
    ),
    (
        "certificate-runner-environment",
        CertificateCondition::RunnerEnvironment,
    ),
];

/// What the source of a promotion has to have beside it, where that is asked for.
pub(super) async fn source_check_inputs(given: &Invocation) -> Result<Option<ImageCheck>, Failure> {
    let arguments = &given.arguments;
    if !arguments.is_accepted("verify-source") {
        return Ok(None);
    }
    if arguments.switch("verify-source")? {
        return check_inputs(given).await.map(Some);
    }
    let input = ["key", "certificate-identity", "attestation"]
        .into_iter()
        .find(|name| !arguments.entries(name).is_empty());
    match input {
        Some(name) => Err(
            Failure::input(format!("{name} is given, and nothing is checked"))
                .with_hint("say verify-source: true, or leave it out"),
        ),
        None => Ok(None),
    }
}

/// What an image has to have beside it.
pub(super) async fn check_inputs(given: &Invocation) -> Result<ImageCheck, Failure> {
    let mut wanted: Vec<RequiredEvidence> = given.arguments.values("attestation")?;
    if wanted.is_empty() {
        wanted.push(RequiredEvidence::Signature);
    }
    Ok(ImageCheck {
        requirement: signer_requirement(given).await?,
        wanted,
    })
}

async fn signer_requirement(given: &Invocation) -> Result<Requirement, Failure> {
    let logged = transparency_log_input(given)?;
    match expected_signer(given)? {
        ExpectedSigner::Key(text) => {
            let wrong = |reason: String| given.arguments.error("key", None, reason);
            let key = PublicKey::read(&text).map_err(|error| wrong(error.to_string()))?;
            let log = match logged {
                Some(true) => Some(load_trust_root(given).await?),
                // A key says all by itself.
                _ => None,
            };
            Ok(Requirement::Key { key, log })
        }
        ExpectedSigner::Identity(identity) => Ok(Requirement::Identity {
            identity,
            trust: load_trust_root(given).await?,
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
pub(super) fn expected_signer(given: &Invocation) -> Result<ExpectedSigner, Failure> {
    let arguments = &given.arguments;
    let key = arguments.entries("key").first();
    let identity = arguments.entries("certificate-identity").first();
    match (key, identity) {
        (Some(_), Some(_)) => Err(Failure::input(
            "key and certificate-identity are both given: a signature has one or the other",
        )
        .with_hint("give the key of who signs with one, or the identity of who signs keyless")),
        (None, None) => Err(Failure::input(
            "nothing says who has to have signed: neither key nor certificate-identity is given",
        )
        .with_hint("give the public key (cosign.pub), or the workflow that signs as certificate-identity: https://github.com/OWNER/REPO/.github/workflows/FILE@REF, with * for any characters")),
        (Some(entry), None) => {
            refuse_unused(given)?;
            let wrong = |reason: String| arguments.error("key", None, reason);
            Ok(ExpectedSigner::Key(text_or_file(&entry.text).map_err(wrong)?))
        }
        (None, Some(entry)) => Ok(ExpectedSigner::Identity(Identity {
            subject: WildcardPattern::new(&entry.text),
            issuer: arguments
                .text("certificate-oidc-issuer")
                .unwrap_or_default()
                .to_owned(),
            conditions: parse_conditions(given)?,
        })),
    }
}

fn parse_conditions(given: &Invocation) -> Result<Vec<(CertificateCondition, String)>, Failure> {
    let mut conditions = Vec::new();
    for (name, condition) in CONDITIONS {
        if let Some(wanted) = given.arguments.value(name)? {
            conditions.push((condition, wanted));
        }
    }
    Ok(conditions)
}

/// A condition that is given and not looked at is a mistake that would let through what it is for.
fn refuse_unused(given: &Invocation) -> Result<(), Failure> {
    let names = CONDITIONS.iter().map(|(name, _)| *name);
    let unused = names
        .chain(["certificate-oidc-issuer"])
        .find(|name| !given.arguments.entries(name).is_empty());
    match unused {
        Some(name) => Err(Failure::input(format!(
            "{name} is given with key: what a key signed has no certificate"
        ))
        .with_hint("give certificate-identity in place of key, or leave it out")),
        None => Ok(()),
    }
}

/// What `transparency-log` says, where it is given. Where something is released it says how to sign.
pub(super) fn transparency_log_input(given: &Invocation) -> Result<Option<bool>, Failure> {
    if given.arguments.verb == Verb::Promote {
        return Ok(None);
    }
    let choice = given.arguments.choice("transparency-log")?;
    Ok(choice.map(|choice| choice == "on"))
}

/// Whose word counts: the file that is given, else the public instance's.
pub(super) async fn load_trust_root(given: &Invocation) -> Result<Arc<TrustRoot>, Failure> {
    let root = match given.arguments.entries("trusted-root").first() {
        Some(entry) => {
            let wrong = |reason: String| given.arguments.entry_error("trusted-root", entry, reason);
            let json = read_bounded_file(Path::new(&entry.text))
                .map_err(|error| wrong(format!("cannot be read: {error}")))?;
            TrustRoot::parse(&json)
                .map_err(|error| wrong(format!("is no trusted root that can be used: {error}")))?
        }
        None => load_public_root(given).await?,
    };
    Ok(Arc::new(root))
}

async fn load_public_root(given: &Invocation) -> Result<TrustRoot, Failure> {
    let log = &given.log;
    if given.arguments.switch("offline")? {
        log.info("the roots of the public instance are those of this program");
        let root = TrustRoot::load_embedded();
        return root.map_err(|error| Failure::service(format!("the trusted root: {error}")));
    }
    let client = context_inputs::open_connections(given)?;
    let root = tuf_repository(given)
        .load_trust_root(&client, &log.notices())
        .await;
    root.map_err(|error| {
        Failure::service(format!("the roots of the public instance: {error}"))
            .why("its repository is broken, or something between here and there answers in its place; a clock that is wrong shows so too")
            .with_hint("offline: true goes by the roots in this program, trusted-root by a file")
    })
}

/// Where the public instance says what it is. What it says is kept in the user's cache; a job's runner
/// has none that lasts.
#[expect(clippy::disallowed_methods, reason = "the surface reads the clock")]
pub(super) fn tuf_repository(given: &Invocation) -> TufRepository {
    let environment = &given.environment;
    let cache = environment.path("XDG_CACHE_HOME").map(Path::to_owned);
    let cache = cache.or_else(|| Some(environment.path("HOME")?.join(".cache")));
    let kept = cache.filter(|path| path.is_absolute() && !environment.is_in_runner());
    TufRepository::new(
        Timestamp::now(),
        kept.map(|path| path.join("shipmark").join("tuf")),
    )
}

/// A file of at most one byte more than is looked at.
pub(super) fn read_bounded_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?
        .take(BUNDLE_LIMIT + 1)
        .read_to_end(&mut content)?;
    Ok(content)
}
