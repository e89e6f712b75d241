//! The table of keys. The parser takes names, limits and words from here, and the JSON Schema and the
//! documentation's table are written from it.

use super::limits::{ENVIRONMENTS, EXCLUDED_VERSIONS, SERVICES, SIGNERS, SOURCES};
use super::text_form::{
    ACTION_NAME, CALENDAR_DATE, CERTIFICATE_IDENTITY, DATE_OR_TIME, ENVIRONMENT_NAME,
    GITHUB_REPOSITORY, OIDC_ISSUER, PUBLIC_KEY, RECORDS_TEMPLATE, REPOSITORY_TEMPLATE,
    SERVICE_NAME, TAG_RULES, TextForm, VERSION_PATTERN,
};

/// Key of a mapping in the policy file.
#[derive(Debug)]
pub(super) struct KeyDeclaration {
    /// Name as it is written, such as `exclude-versions`.
    pub(super) name: &'static str,
    pub(super) shape: ValueShape,
    pub(super) is_required: bool,
    /// Meaning, in one line of Markdown.
    pub(super) help: &'static str,
}

/// Shape of the value that a key takes.
#[derive(Debug)]
pub(super) enum ValueShape {
    /// One text.
    Text(&'static TextForm),
    /// One of several words; the first is the default.
    Choice(&'static [&'static str]),
    /// List of texts.
    List(ListShape),
    /// One text, or a list of texts.
    OneOrMore(ListShape),
    /// Mapping from names to mappings that all have the same keys.
    Mappings {
        /// Form of the names.
        names: &'static TextForm,
        /// The most names.
        limit: usize,
        /// Keys of each mapping.
        keys: &'static KeySet,
    },
    /// List of mappings that all have the same keys.
    Entries(EntriesShape),
}

/// List of mappings in the policy file, at least one.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntriesShape {
    /// Keys of each mapping.
    pub(super) keys: &'static KeySet,
    /// The most entries.
    pub(super) limit: usize,
    /// Name of the entries in messages.
    pub(super) noun: &'static str,
}

/// List of texts in the policy file.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListShape {
    pub(super) form: &'static TextForm,
    /// The most entries.
    pub(super) limit: usize,
    /// Whether no entry may be in the list twice.
    pub(super) is_unique: bool,
    /// Whether the list may have no entry.
    pub(super) may_be_empty: bool,
    /// Name of the entries in messages.
    pub(super) noun: &'static str,
}

/// Keys that a mapping can have.
#[derive(Debug)]
pub(super) struct KeySet {
    /// The mapping, in messages.
    pub(super) shape: &'static str,
    pub(super) known: &'static [KeyDeclaration],
    /// Keys of later versions, which are refused by name.
    pub(super) reserved: &'static [&'static str],
    /// Keys of which each mapping has exactly one; empty if there is no such choice.
    pub(super) one_of: &'static [&'static str],
}

/// Shapes of values, in messages.
pub(super) const A_LIST: &str = "a list";
pub(super) const RULES_TEXT: &str = "text with a rule per line";
pub(super) const NAMED_ENVIRONMENTS_MAPPING: &str = "a mapping from names to environments";

/// Words of the key `unbound`.
pub(super) const UNBOUND_WORDS: [&str; 2] = ["refuse", "allow"];

/// Words of the key `sign`.
pub(super) const SIGN_WORDS: [&str; 3] = ["off", "keyless", "key"];

/// Words of the key `actions`.
pub(super) const ACTION_WORDS: [&str; 7] = [
    "push",
    "promote",
    "adopt",
    "reinstate",
    "rollback",
    "deployed",
    "failed",
];

pub(super) const SERVICE_LIST: ListShape = ListShape {
    form: &SERVICE_NAME,
    limit: SERVICES,
    is_unique: true,
    may_be_empty: true,
    noun: "services",
};

pub(super) const EXCLUDED_VERSION_LIST: ListShape = ListShape {
    form: &VERSION_PATTERN,
    limit: EXCLUDED_VERSIONS,
    is_unique: false,
    may_be_empty: true,
    noun: "excluded versions",
};

pub(super) const SOURCE_LIST: ListShape = ListShape {
    form: &ENVIRONMENT_NAME,
    limit: SOURCES,
    is_unique: true,
    may_be_empty: false,
    noun: "environments",
};

pub(super) const ACTION_LIST: ListShape = ListShape {
    form: &ACTION_NAME,
    limit: ACTION_WORDS.len(),
    is_unique: true,
    may_be_empty: false,
    noun: "actions",
};

pub(super) const SIGNER_LIST: EntriesShape = EntriesShape {
    keys: &SIGNER_KEYS,
    limit: SIGNERS,
    noun: "signers",
};

/// Keys of the file.
pub(super) const POLICY_KEYS: KeySet = KeySet {
    shape: "a mapping with the key environments",
    known: &[
        KeyDeclaration {
            name: "environments",
            shape: ValueShape::Mappings {
                names: &ENVIRONMENT_NAME,
                limit: ENVIRONMENTS,
                keys: &ENVIRONMENT_KEYS,
            },
            is_required: false,
            help: "Environments by name, such as `dev`, `stage` and `prod`. Capitals count as lower case, as in the names of GitHub's environments",
        },
        KeyDeclaration {
            name: "services",
            shape: ValueShape::List(SERVICE_LIST),
            is_required: false,
            help: "Names of the services that `{service}` in repositories stands for",
        },
        KeyDeclaration {
            name: "exclude-versions",
            shape: ValueShape::List(EXCLUDED_VERSION_LIST),
            is_required: false,
            help: "Versions that never count for version lines, in all environments, such as `1.10.6` or `2024.*`. The input of that name is refused",
        },
        KeyDeclaration {
            name: "records",
            shape: ValueShape::Text(&RECORDS_TEMPLATE),
            is_required: false,
            help: "Repository of the release records, for every environment without a key `records` of its own",
        },
    ],
    reserved: &[],
    one_of: &[],
};

/// Keys of an environment.
pub(super) const ENVIRONMENT_KEYS: KeySet = KeySet {
    shape: "a mapping with the key repository",
    known: &[
        KeyDeclaration {
            name: "repository",
            shape: ValueShape::Text(&REPOSITORY_TEMPLATE),
            is_required: true,
            help: "Repository of the environment's images, or `oci:DIR` (image layout). `{service}` stands for the name of a service; it can occur once, in the path",
        },
        KeyDeclaration {
            name: "from",
            shape: ValueShape::OneOrMore(SOURCE_LIST),
            is_required: false,
            help: "Environment that the images come from, or a list of environments in the order in which images are looked up. An environment without it is the first of its chain",
        },
        KeyDeclaration {
            name: "tags",
            shape: ValueShape::Text(&TAG_RULES),
            is_required: false,
            help: "Rules that give the tags, one per line. Default: the tags come from the event or the image",
        },
        KeyDeclaration {
            name: "unbound",
            shape: ValueShape::Choice(&UNBOUND_WORDS),
            is_required: false,
            help: "Scan reports and SBOMs that name no image: `refuse` (default) or `allow`",
        },
        KeyDeclaration {
            name: "exclude-versions",
            shape: ValueShape::List(EXCLUDED_VERSION_LIST),
            is_required: false,
            help: "Versions that never count for version lines in this environment, in addition to those for all environments",
        },
        KeyDeclaration {
            name: "sign",
            shape: ValueShape::Choice(&SIGN_WORDS),
            is_required: false,
            help: "Signatures that each release to the environment has: `keyless`, `key` or `off` (default). The input `sign` can add signatures, and cannot leave out or replace those of the policy",
        },
        KeyDeclaration {
            name: "signers",
            shape: ValueShape::Entries(SIGNER_LIST),
            is_required: false,
            help: "Who may write the records of the environment. Required where `sign` is `keyless` or `key`",
        },
        KeyDeclaration {
            name: "records",
            shape: ValueShape::Text(&RECORDS_TEMPLATE),
            is_required: false,
            help: "Repository of the environment's release records. `{service}` stands for the name of the service and `{environment}` for that of the environment. Default: the repository of the images",
        },
        KeyDeclaration {
            name: "adopt-until",
            shape: ValueShape::Text(&CALENDAR_DATE),
            is_required: false,
            help: "Last day on which `adopt` may record images that were there before records were kept, in UTC. Default: `adopt` is refused",
        },
    ],
    reserved: &["refs", "gates", "production", "immutable", "keep"],
    one_of: &[],
};

/// Keys of a signer.
pub(super) const SIGNER_KEYS: KeySet = KeySet {
    shape: "a mapping with the key identity or key",
    known: &[
        KeyDeclaration {
            name: "identity",
            shape: ValueShape::Text(&CERTIFICATE_IDENTITY),
            is_required: false,
            help: "Subject that the signing certificate must have, such as a workflow with its ref; `*` matches any characters. Either `identity` or `key` is required",
        },
        KeyDeclaration {
            name: "issuer",
            shape: ValueShape::Text(&OIDC_ISSUER),
            is_required: false,
            help: "OIDC issuer that the certificate must name. Default: `https://token.actions.githubusercontent.com`",
        },
        KeyDeclaration {
            name: "repository",
            shape: ValueShape::Text(&GITHUB_REPOSITORY),
            is_required: false,
            help: "Repository on GitHub whose workflow must have run, such as `acme/web`. Default: the repository in `identity`. Required for a reusable workflow of another repository, and where `identity` has `*` in the name of the repository",
        },
        KeyDeclaration {
            name: "key",
            shape: ValueShape::Text(&PUBLIC_KEY),
            is_required: false,
            help: "Public key that must have signed, as PEM or the path of a PEM file in the repository",
        },
        KeyDeclaration {
            name: "actions",
            shape: ValueShape::List(ACTION_LIST),
            is_required: false,
            help: "What the signer may record. Default: everything",
        },
        KeyDeclaration {
            name: "until",
            shape: ValueShape::Text(&DATE_OR_TIME),
            is_required: false,
            help: "End of the time in which the signer may write records: a day, itself included, in UTC, or a time",
        },
    ],
    reserved: &[],
    one_of: &["identity", "key"],
};

impl KeySet {
    /// Returns the declaration of a key.
    pub(super) fn find(&self, name: &str) -> Option<&'static KeyDeclaration> {
        self.known.iter().find(|key| key.name == name)
    }

    /// Returns the names of the known keys.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.known.iter().map(|key| key.name)
    }
}
