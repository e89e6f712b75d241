//! What a declaration says of a key: its name, the shape of its value, and its meaning.

use super::text_form::TextForm;

/// Key of a mapping in the policy file.
#[derive(Debug)]
pub(super) struct KeyDeclaration {
    /// Name as it is written, such as `exclude-versions`.
    pub(super) name: &'static str,
    pub(super) shape: ValueShape,
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
    /// `true` or `false`; `false` is the default.
    Flag,
    /// One of several words, without a default.
    Word(&'static [&'static str]),
    /// Mapping with keys of its own.
    Mapping(&'static KeySet),
    /// Mapping from names to mappings that all have the same keys.
    Mappings(MappingsShape),
    /// List of mappings that all have the same keys.
    Entries(EntriesShape),
    /// A value of one shape or of the other.
    Either(&'static Self, &'static Self),
}

/// Mapping from names to mappings that all have the same keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct MappingsShape {
    /// Form of the names.
    pub(super) names: &'static TextForm,
    /// The most names.
    pub(super) limit: usize,
    /// Keys of each mapping.
    pub(super) keys: &'static KeySet,
    /// Whether a name may have no mapping.
    pub(super) may_be_nothing: bool,
}

/// List of mappings in the policy file.
#[derive(Debug, Clone, Copy)]
pub(super) struct EntriesShape {
    /// Keys of each mapping.
    pub(super) keys: &'static KeySet,
    /// Form of an entry that is one text instead of a mapping.
    pub(super) text: Option<&'static TextForm>,
    /// The most entries.
    pub(super) limit: usize,
    /// Whether the list may have no entry.
    pub(super) may_be_empty: bool,
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
    /// Keys that each mapping has.
    pub(super) required: &'static [&'static str],
    /// Keys of `retention`, which is another mapping: they are refused with their place.
    pub(super) of_retention: &'static [&'static str],
    /// Whether each mapping has one of the keys at least.
    pub(super) needs_one: bool,
    /// Keys of which each mapping has exactly one; empty if there is no such choice.
    pub(super) one_of: &'static [&'static str],
}
