//! The table of keys. The parser takes names, limits and words from here, and the JSON Schema and the
//! documentation's table are written from it.

use super::limits::{ENVIRONMENTS, EXCLUDED_VERSIONS, SERVICES};
use super::text_form::{
    ENVIRONMENT_NAME, REPOSITORY_TEMPLATE, SERVICE_NAME, TAG_RULES, TextForm, VERSION_PATTERN,
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
    /// Mapping from names to mappings that all have the same keys.
    Mappings {
        /// Form of the names.
        names: &'static TextForm,
        /// The most names.
        limit: usize,
        /// Keys of each mapping.
        keys: &'static KeySet,
    },
}

/// List of texts in the policy file.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListShape {
    pub(super) form: &'static TextForm,
    /// The most entries.
    pub(super) limit: usize,
    /// Whether no entry may be in the list twice.
    pub(super) is_unique: bool,
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
}

/// Shapes of values, in messages.
pub(super) const A_LIST: &str = "a list";
pub(super) const RULES_TEXT: &str = "text with a rule per line";
pub(super) const NAMED_ENVIRONMENTS_MAPPING: &str = "a mapping from names to environments";

/// Words of the key `unbound`.
pub(super) const UNBOUND_WORDS: [&str; 2] = ["refuse", "allow"];

pub(super) const SERVICE_LIST: ListShape = ListShape {
    form: &SERVICE_NAME,
    limit: SERVICES,
    is_unique: true,
    noun: "services",
};

pub(super) const EXCLUDED_VERSION_LIST: ListShape = ListShape {
    form: &VERSION_PATTERN,
    limit: EXCLUDED_VERSIONS,
    is_unique: false,
    noun: "excluded versions",
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
    ],
    reserved: &["records"],
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
            shape: ValueShape::Text(&ENVIRONMENT_NAME),
            is_required: false,
            help: "Environment that the images come from. An environment without it is the first of its chain",
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
    ],
    reserved: &[
        "refs",
        "sign",
        "trust",
        "gates",
        "production",
        "immutable",
        "keep",
    ],
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
