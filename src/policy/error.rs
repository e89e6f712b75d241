use thiserror::Error;

use super::ServiceNameError;
use crate::event::RefFilterError;
use crate::gate::FreezeWindowError;
use crate::image::{ImageSourceError, ReferenceError};
use crate::notices::similar_word;
use crate::tagging::{EnvironmentName, EnvironmentNameError, ExcludedVersionsError, RuleError};

/// Position in the policy file, in lines and characters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePosition {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

/// Problem of a policy file, with its position. Text of the file is made printable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {}, column {}: {problem}", at.line, at.column)]
pub struct PolicyError {
    /// Where.
    pub at: FilePosition,
    /// What.
    pub problem: PolicyProblem,
}

/// Problem of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyProblem {
    /// More than `POLICY_LIMIT` bytes.
    #[error("the file has more than 1 MiB")]
    TooLarge,
    /// More of something than any policy has.
    #[error("expected at most {1} {0}")]
    TooMany(&'static str, usize),
    /// More repositories than any policy has.
    #[error(
        "expected at most {0} repositories in all environments together, services times environments"
    )]
    TooManyRepositories(usize),
    /// The text of a repository is longer than any name.
    #[error("expected a repository of at most {0} characters")]
    LongRepository(usize),
    /// Bytes that are no UTF-8.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// No YAML.
    #[error("invalid YAML: {0}")]
    Yaml(String),
    /// More levels than any policy has.
    #[error("the value is nested too deeply")]
    TooDeep,
    /// `&a`, `*a` or `!a`.
    #[error(
        "YAML anchors (&), aliases (*) and tags (!) are not supported: write the value out, or in quotes"
    )]
    NotPlain,
    /// `---` in the middle.
    #[error("the file holds more than one document")]
    SecondDocument,
    /// A key that is a list or a mapping.
    #[error("a key must be text")]
    KeyNotText,
    /// A key in quotes, with blanks at its beginning or end.
    #[error("the key {0} has blanks around it: remove them")]
    BlankAroundKey(String),
    /// Another word than those that a key takes.
    #[error("{text:?} is not one of {}", words.join(", "))]
    NotOneOf {
        /// The word, made printable.
        text: String,
        /// The words.
        words: &'static [&'static str],
    },
    /// Two of the same.
    #[error("{what} is there twice, first in line {first}")]
    Duplicate {
        /// The key or entry.
        what: String,
        /// The line of the first.
        first: usize,
    },
    /// Another shape than is wanted.
    #[error("expected {wanted}, got {found}")]
    Shape {
        /// What is wanted.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A key that means nothing.
    #[error("the key {key} is not known here{}", did_you_mean(*similar))]
    UnknownKey {
        /// The key.
        key: String,
        /// The known one that is like it.
        similar: Option<&'static str>,
        /// All known ones.
        known: Vec<&'static str>,
    },
    /// A key of `retention` outside of it.
    #[error("the key {0} belongs to retention, of the file or of an environment")]
    KeyOfRetention(&'static str),
    /// A key that must be there.
    #[error("the key {0} is missing")]
    Missing(&'static str),
    /// No name of an environment.
    #[error("{name:?} {reason}")]
    Environment {
        /// The text.
        name: String,
        /// Why it is none.
        reason: EnvironmentNameError,
    },
    /// No name of a service.
    #[error("{name:?} {reason}")]
    Service {
        /// The text.
        name: String,
        /// Why it is none.
        reason: ServiceNameError,
    },
    /// No repository, or none with some service in it.
    #[error("the repository {0}")]
    Repository(ImageSourceError),
    /// A repository with a tag or digest.
    #[error("the repository names a tag or digest, and an environment has many tags")]
    TaggedRepository,
    /// Braces that are not one `{service}` in the path.
    #[error("{0:?} may contain {{service}} once, in its path, and no other braces")]
    Braces(String),
    /// `{service}` without services.
    #[error("{{service}} needs a list of services, and services is missing")]
    NoServices,
    /// Services without `{service}`.
    #[error("services has no effect: no repository contains {{service}}")]
    UnusedServices,
    /// `from` names no environment.
    #[error("there is no environment {from}{}", did_you_mean(similar.as_deref()))]
    NoEnvironment {
        /// The name.
        from: String,
        /// The one that is like it.
        similar: Option<String>,
        /// The environments that there are, as far as one line can name them.
        known: Vec<String>,
    },
    /// One of the two has a repository for each service, and the other has not.
    #[error(
        "the repositories of this environment and of {0} must both have {{service}} in them, or neither"
    )]
    DiffersFromSource(String),
    /// `from` leads back: the environments on the way, the first of them also at the end.
    #[error("{} takes its images from itself: {}", .0.first().map_or("", String::as_str), .0.join(" from "))]
    Circle(Vec<String>),
    /// A repository of two environments.
    #[error("{place} belongs to the environment {other} already")]
    SameRepository {
        /// The repository.
        place: String,
        /// The other environment.
        other: String,
    },
    /// The text of tags holds no rule.
    #[error("tags contains no rule: remove it to derive the tags from the image")]
    NoRules,
    /// The tag rules are malformed.
    #[error(transparent)]
    Rule(Box<RuleError>),
    /// A list without an entry.
    #[error("expected one or more {0}, got an empty list")]
    Empty(&'static str),
    /// A mapping without any of its keys.
    #[error("expected at least one of the keys {}, got none", .0.join(", "))]
    NoKey(Vec<&'static str>),
    /// None of the keys of which a mapping has one.
    #[error("one of the keys {} is missing", .0.join(", "))]
    NoneOf(&'static [&'static str]),
    /// Two of the keys of which a mapping has one.
    #[error("expected one of the keys {}, got more", .0.join(", "))]
    TwoOf(&'static [&'static str]),
    /// No date, or no time.
    #[error("{text:?} is not {wanted}")]
    Date {
        /// The text.
        text: String,
        /// What is wanted.
        wanted: &'static str,
    },
    /// An environment demands signatures, and nobody is named who makes them.
    #[error("sign is {0}, and signers is missing")]
    SignWithoutSigners(&'static str),
    /// Signers of an environment that demands no signatures.
    #[error("signers has no effect: sign is not keyless or key")]
    SignersWithoutSign,
    /// No signer makes the signatures that are demanded.
    #[error("sign is {0}, and no entry of signers has {key}", key = signer_key(.0))]
    NoOwnSigner(&'static str),
    /// A key of certificates for a signer with a key.
    #[error("{0} has no effect: a signature of a key has no certificate")]
    CertificateKey(&'static str),
    /// A private key in the policy.
    #[error("key is a private key, which everybody can read here")]
    PrivateKey,
    /// Blanks, or characters that nobody sees, in a text that has none.
    #[error("{0} contains a blank or a character that is not visible")]
    BlankInside(String),
    /// No OIDC issuer.
    #[error("{0:?} is not an OIDC issuer: expected a URL")]
    Issuer(String),
    /// No repository on GitHub.
    #[error("{0:?} is not a repository on GitHub: expected owner/name")]
    SignerRepository(String),
    /// An identity that workflows of more than one repository can have.
    #[error("repository is missing: {0} does not name one repository")]
    NoSignerRepository(String),
    /// Braces in `records` that are neither `{service}` nor `{environment}` in the path.
    #[error(
        "{0:?} may contain {{service}} once and {{environment}}, in its path, and no other braces"
    )]
    RecordsBraces(String),
    /// Records in a repository with a tag or digest.
    #[error("records names a tag or digest, and each record has a tag of its own")]
    TaggedRecords,
    /// Two services of an environment would have their records in one repository.
    #[error("the services of the environment {0} would share a repository of records")]
    SharedRecords(String),
    /// `{service}` in `records` of an environment with one repository.
    #[error("records contains {{service}}, and the repository of the environment {0} does not")]
    ServiceOfRecords(String),
    /// A pattern of excluded versions is malformed.
    #[error(transparent)]
    ExcludedVersions(ExcludedVersionsError),
    /// A text that is no value of its key.
    #[error("{text:?} {reason}")]
    Value {
        /// The text.
        text: String,
        /// Why it is none, after the text.
        reason: String,
    },
    /// A text longer than any of its kind.
    #[error("expected at most {0} characters")]
    LongText(usize),
    /// Not a path below the root of the repository.
    #[error("{0:?} is not a path in the repository: expected a relative path without . and ..")]
    RepositoryFile(String),
    /// No name of a stage of a Dockerfile.
    #[error(
        "{0:?} is not the name of a stage: expected letters, digits, dots, dashes or underscores"
    )]
    BuildTarget(String),
    /// Patterns of refs that admit no ref.
    #[error("refs: {0}")]
    Refs(RefFilterError),
    /// Two moments that are no freeze window.
    #[error("the freeze window is malformed: {0}")]
    FreezeWindow(FreezeWindowError),
    /// Signers of an attestation that need not be signed.
    #[error("signers has no effect: signed is false")]
    SignersOfUnsigned,
    /// A key that another one leaves without effect.
    #[error("{0} has no effect with {1}")]
    KeyWithoutEffect(&'static str, &'static str),
    /// A gate that asks the environment before, where there is none.
    #[error("the gate {0} needs the environment that images come from, and from is missing")]
    NoSourceOfGate(&'static str),
    /// A gate that is to be turned off.
    #[error("{0}: false turns no gate off: expected the rule of the gate")]
    GateTurnedOff(&'static str),
    /// A key that adds signed statements to releases that are not signed.
    #[error("{0} has no effect: sign is not keyless or key")]
    NeedsSign(&'static str),
    /// A gate that no image can pass.
    #[error(
        "{gate} can never pass: it needs signatures by signers of {from}, and sign is not keyless or key there"
    )]
    UnsignedEvidence {
        /// The gate, or its key.
        gate: String,
        /// The environments that images come from.
        from: String,
    },
    /// A service weakens a gate.
    #[error("{key} is weaker than in the environment {environment}")]
    WeakerGate {
        /// Key below the gates of the service, such as `scan.fail-on`.
        key: String,
        /// The environment.
        environment: String,
    },
    /// Gates of a service in an environment with one repository.
    #[error("the environment {0} has one repository for all services, and no gates by service")]
    GatesOfNoService(String),
    /// Production without signatures.
    #[error("production needs signed records, and sign is not keyless or key")]
    UnsignedProduction,
    /// Production without a gate of evidence.
    #[error("production needs the gate scan or attestations")]
    UngatedProduction,
    /// Production whose rules give moving tags only.
    #[error("production needs an immutable tag, and no rule in tags gives one")]
    NoImmutableTag,
    /// A signer of production that any ref can be.
    #[error("{subject} pins no ref, and the environment {environment} is production")]
    UnpinnedSigner {
        /// The signer.
        subject: String,
        /// The environment.
        environment: String,
    },
    /// Records of an environment before production, which are not signed.
    #[error(
        "production rests on records of {from} ({gates}), and sign of {from} is not keyless or key"
    )]
    UnsignedSource {
        /// The environment before.
        from: String,
        /// Names of the gates.
        gates: String,
    },
    /// A signer of an environment before production, who any ref can be.
    #[error(
        "{subject} pins no ref, and gates of production {environment} rest on the signer ({gates})"
    )]
    UnpinnedSource {
        /// The signer.
        subject: String,
        /// The production environment.
        environment: String,
        /// Names of the gates.
        gates: String,
    },
    /// A prune rule that names reserved tags only.
    #[error("{0:?} names only tags of records, holds or evidence, which no rule deletes")]
    ReservedTags(String),
    /// Orphans of a rule that is about tags.
    #[error("orphans has no effect: the rule is not about untagged images")]
    OrphansOfTags,
    /// `defaults` times environments is more than any policy has.
    #[error(
        "defaults are too large for so many environments: expected at most 4 MiB in all of them together"
    )]
    LargeDefaults,
}

impl FilePosition {
    pub(super) fn to_error(self, problem: PolicyProblem) -> PolicyError {
        PolicyError { at: self, problem }
    }
}

impl PolicyProblem {
    /// Returns the problem of a repository that is written as `text`. One with capitals is shown whole in
    /// lower case, with its registry and `{service}`.
    pub(super) fn of_repository(reason: ImageSourceError, text: &str) -> Self {
        match reason {
            ImageSourceError::Tagged => Self::TaggedRepository,
            ImageSourceError::Reference(ReferenceError::UpperCase(_)) => {
                let lower = ReferenceError::UpperCase(text.to_ascii_lowercase());
                Self::Repository(lower.into())
            }
            reason => Self::Repository(reason),
        }
    }

    pub(super) fn unknown_environment<'a>(
        from: &EnvironmentName,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        Self::NoEnvironment {
            from: from.to_string(),
            similar: similar_word(from.as_str(), known.clone()).map(str::to_owned),
            known: known.take(NAMED_ENVIRONMENTS).map(str::to_owned).collect(),
        }
    }
}

/// Returns the key that the signers of a word of `sign` have.
fn signer_key(sign: &str) -> &'static str {
    match sign {
        "key" => "key",
        _ => "identity",
    }
}

/// The most environments that a hint names.
const NAMED_ENVIRONMENTS: usize = 10;

fn did_you_mean(word: Option<&str>) -> String {
    word.map(|word| format!("; did you mean {word}?"))
        .unwrap_or_default()
}
