//! The table of keys of signers.

use super::key_shapes::{EntriesShape, KeyDeclaration, KeySet, ListShape, ValueShape};
use super::limits::SIGNERS;
use super::text_form::{
    ACTION_NAME, CERTIFICATE_IDENTITY, DATE_OR_TIME, GITHUB_REPOSITORY, OIDC_ISSUER, PUBLIC_KEY,
};

/// Words of the key `actions`.
pub(super) const ACTION_WORDS: [&str; 10] = [
    "push",
    "promote",
    "adopt",
    "reinstate",
    "rollback",
    "deployed",
    "failed",
    "pruned",
    "hold",
    "unhold",
];

pub(super) const ACTION_LIST: ListShape = ListShape {
    form: &ACTION_NAME,
    limit: ACTION_WORDS.len(),
    is_unique: true,
    may_be_empty: false,
    noun: "actions",
};

pub(super) const SIGNER_LIST: EntriesShape = EntriesShape {
    keys: &SIGNER_KEYS,
    text: None,
    limit: SIGNERS,
    may_be_empty: false,
    noun: "signers",
};

/// Keys of a signer.
pub(super) const SIGNER_KEYS: KeySet = KeySet {
    shape: "a mapping with the key identity or key",
    known: &[
        IDENTITY,
        ISSUER,
        SIGNER_REPOSITORY,
        PUBLIC_KEY_OF_SIGNER,
        KeyDeclaration {
            name: "actions",
            shape: ValueShape::List(ACTION_LIST),
            help: "What the signer may record. Default: everything",
        },
        UNTIL,
    ],
    required: &[],
    of_retention: &[],
    needs_one: false,
    one_of: &["identity", "key"],
};

/// Keys of a signer of evidence, which records nothing.
pub(super) const EVIDENCE_SIGNER_KEYS: KeySet = KeySet {
    known: &[
        IDENTITY,
        ISSUER,
        SIGNER_REPOSITORY,
        PUBLIC_KEY_OF_SIGNER,
        UNTIL,
    ],
    ..SIGNER_KEYS
};

const IDENTITY: KeyDeclaration = KeyDeclaration {
    name: "identity",
    shape: ValueShape::Text(&CERTIFICATE_IDENTITY),
    help: "Subject that the signing certificate must have, such as a workflow with its ref; `*` matches any characters. Either `identity` or `key` is required",
};

const ISSUER: KeyDeclaration = KeyDeclaration {
    name: "issuer",
    shape: ValueShape::Text(&OIDC_ISSUER),
    help: "OIDC issuer that the certificate must name. Default: `https://token.actions.githubusercontent.com`",
};

const SIGNER_REPOSITORY: KeyDeclaration = KeyDeclaration {
    name: "repository",
    shape: ValueShape::Text(&GITHUB_REPOSITORY),
    help: "Repository on GitHub whose workflow must have run, such as `acme/web`. Default: the repository in `identity`. Required for a reusable workflow of another repository, and where `identity` has `*` in the name of the repository",
};

const PUBLIC_KEY_OF_SIGNER: KeyDeclaration = KeyDeclaration {
    name: "key",
    shape: ValueShape::Text(&PUBLIC_KEY),
    help: "Public key that must have signed, as PEM or the path of a PEM file in the repository",
};

const UNTIL: KeyDeclaration = KeyDeclaration {
    name: "until",
    shape: ValueShape::Text(&DATE_OR_TIME),
    help: "End of the time in which the signer is accepted: a day, itself included, in UTC, or a time",
};
