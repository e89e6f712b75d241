//! The inputs that say who has to have signed, and whose word counts for that.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::signing::text_or_file;
use super::{Given, context};
use crate::cli::Verb;
use crate::release::{Check, Failure, Wanted};
use crate::signing::{
    BUNDLE_LIMIT, Condition, Identity, Pattern, PublicKey, Requirement, TrustRoot, Tuf,
};

/// The inputs that say what a certificate has to say of the run.
const CONDITIONS: [(&str, Condition); 7] = [
    (
        "certificate-github-workflow-repository",
        Condition::Repository,
    ),
    ("certificate-github-workflow-ref", Condition::Ref),
    ("certificate-github-workflow-sha", Condition::Sha),
    ("certificate-github-workflow-trigger", Condition::Trigger),
    ("certificate-github-workflow-name", Condition::Name),
    ("certificate-github-workflow-uri", Condition::Workflow),
    (
        "certificate-runner-environment",
        Condition::RunnerEnvironment,
    ),
];

/// What the source of a promotion has to have beside it, where that is asked for.
pub(super) async fn source_check(given: &Given) -> Result<Option<Check>, Failure> {
    let arguments = &given.arguments;
    if !arguments.takes("verify-source") {
        return Ok(None);
    }
    if arguments.switch("verify-source")? {
        return check(given).await.map(Some);
    }
    let said = ["key", "certificate-identity", "attestation"]
        .into_iter()
        .find(|name| !arguments.entries(name).is_empty());
    match said {
        Some(name) => Err(
            Failure::input(format!("{name} is given, and nothing is checked"))
                .hint("say verify-source: true, or leave it out"),
        ),
        None => Ok(None),
    }
}

/// What an image has to have beside it.
pub(super) async fn check(given: &Given) -> Result<Check, Failure> {
    let mut wanted: Vec<Wanted> = given.arguments.values("attestation")?;
    if wanted.is_empty() {
        wanted.push(Wanted::Signature);
    }
    Ok(Check {
        requirement: requirement(given).await?,
        wanted,
    })
}

async fn requirement(given: &Given) -> Result<Requirement, Failure> {
    let logged = logged(given)?;
    match signer(given)? {
        Named::Key(text) => {
            let wrong = |reason: String| given.arguments.error("key", None, reason);
            let key = PublicKey::read(&text).map_err(|error| wrong(error.to_string()))?;
            let log = match logged {
                Some(true) => Some(root(given).await?),
                // A key says all by itself.
                _ => None,
            };
            Ok(Requirement::Key { key, log })
        }
        Named::Identity(identity) => Ok(Requirement::Identity {
            identity,
            trust: root(given).await?,
            logged: logged.unwrap_or(true),
        }),
    }
}

/// Who has to have signed, as it is given.
pub(super) enum Named {
    /// The text of a public key.
    Key(String),
    /// What a certificate has to say.
    Identity(Identity),
}

/// The one of both that is given.
pub(super) fn signer(given: &Given) -> Result<Named, Failure> {
    let arguments = &given.arguments;
    let key = arguments.entries("key").first();
    let identity = arguments.entries("certificate-identity").first();
    match (key, identity) {
        (Some(_), Some(_)) => Err(Failure::input(
            "key and certificate-identity are both given: a signature has one or the other",
        )
        .hint("give the key of who signs with one, or the identity of who signs keyless")),
        (None, None) => Err(Failure::input(
            "nothing says who has to have signed: neither key nor certificate-identity is given",
        )
        .hint("give the public key (cosign.pub), or the workflow that signs as certificate-identity: https://github.com/OWNER/REPO/.github/workflows/FILE@REF, with * for any characters")),
        (Some(entry), None) => {
            refuse_unused(given)?;
            let wrong = |reason: String| arguments.error("key", None, reason);
            Ok(Named::Key(text_or_file(&entry.text).map_err(wrong)?))
        }
        (None, Some(entry)) => Ok(Named::Identity(Identity {
            subject: Pattern::new(&entry.text),
            issuer: arguments
                .text("certificate-oidc-issuer")
                .unwrap_or_default()
                .to_owned(),
            conditions: conditions(given)?,
        })),
    }
}

fn conditions(given: &Given) -> Result<Vec<(Condition, String)>, Failure> {
    let mut conditions = Vec::new();
    for (name, condition) in CONDITIONS {
        if let Some(wanted) = given.arguments.value(name)? {
            conditions.push((condition, wanted));
        }
    }
    Ok(conditions)
}

/// A condition that is given and not looked at is a mistake that would let through what it is for.
fn refuse_unused(given: &Given) -> Result<(), Failure> {
    let names = CONDITIONS.iter().map(|(name, _)| *name);
    let unused = names
        .chain(["certificate-oidc-issuer"])
        .find(|name| !given.arguments.entries(name).is_empty());
    match unused {
        Some(name) => Err(Failure::input(format!(
            "{name} is given with key: what a key signed has no certificate"
        ))
        .hint("give certificate-identity in place of key, or leave it out")),
        None => Ok(()),
    }
}

/// What `transparency-log` says, where it is given. Where something is released it says how to sign.
pub(super) fn logged(given: &Given) -> Result<Option<bool>, Failure> {
    if given.arguments.verb == Verb::Promote {
        return Ok(None);
    }
    let said = given.arguments.choice("transparency-log")?;
    Ok(said.map(|said| said == "on"))
}

/// Whose word counts: the file that is given, else the public instance's.
pub(super) async fn root(given: &Given) -> Result<Arc<TrustRoot>, Failure> {
    let root = match given.arguments.entries("trusted-root").first() {
        Some(entry) => {
            let wrong = |reason: String| given.arguments.wrong("trusted-root", entry, reason);
            let json = read(Path::new(&entry.text))
                .map_err(|error| wrong(format!("cannot be read: {error}")))?;
            TrustRoot::read(&json)
                .map_err(|error| wrong(format!("is no trusted root that can be used: {error}")))?
        }
        None => public(given).await?,
    };
    Ok(Arc::new(root))
}

async fn public(given: &Given) -> Result<TrustRoot, Failure> {
    let log = &given.log;
    if given.arguments.switch("offline")? {
        log.info("the roots of the public instance are those of this program");
        let root = TrustRoot::embedded();
        return root.map_err(|error| Failure::service(format!("the trusted root: {error}")));
    }
    let client = context::connections(given)?;
    let root = repository(given).trust_root(&client, &log.notices()).await;
    root.map_err(|error| {
        Failure::service(format!("the roots of the public instance: {error}"))
            .why("its repository is broken, or something between here and there answers in its place; a clock that is wrong shows so too")
            .hint("offline: true goes by the roots in this program, trusted-root by a file")
    })
}

/// Where the public instance says what it is. What it says is kept in the user's cache; a job's runner
/// has none that lasts.
#[expect(clippy::disallowed_methods, reason = "the surface reads the clock")]
pub(super) fn repository(given: &Given) -> Tuf {
    let environment = &given.environment;
    let cache = environment.path("XDG_CACHE_HOME").map(Path::to_owned);
    let cache = cache.or_else(|| Some(environment.path("HOME")?.join(".cache")));
    let kept = cache.filter(|path| path.is_absolute() && !environment.in_runner());
    Tuf::public(
        Timestamp::now(),
        kept.map(|path| path.join("shipmark").join("tuf")),
    )
}

/// A file of at most one byte more than is looked at.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?
        .take(BUNDLE_LIMIT + 1)
        .read_to_end(&mut content)?;
    Ok(content)
}
