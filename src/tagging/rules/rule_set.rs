//! The rules of the inputs `tags` and `flavor`, in order of priority.

use super::flavor::Flavor;
use super::list_input::{ListEntry, parse_entries};
use super::rule::{RuleKind, TagRule};
use super::rule_error::{RuleError, RuleProblem};
use super::rule_parser;
use crate::image::{Reference, Repository, TagOrDigest};
use crate::tagging::printable_name::printable_name;
use crate::tagging::{CompatDifference, CompatMode, Finding, ImmutableTags};

/// Rules, and what goes for all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct TagRuleSet {
    pub(crate) rules: Vec<TagRule>,
    pub(crate) flavor: Flavor,
    pub(crate) mode: CompatMode,
    is_default: bool,
    /// Whether tags of version lines are given.
    pub(crate) gives_lines: bool,
    /// Tags that are immutable whatever rule gives them.
    immutable: ImmutableTags,
    /// What was found while they were read.
    pub(crate) findings: Vec<Finding>,
}

/// What docker/metadata-action does where no rule is given.
const DEFAULT_RULES: &str =
    "type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr";

impl TagRuleSet {
    /// Reads the inputs; without rules those that docker/metadata-action has then.
    ///
    /// # Errors
    /// The first entry that is malformed.
    pub fn parse(tags: &str, flavor: &str, mode: CompatMode) -> Result<Self, RuleError> {
        let given = Self::parse_given(tags, flavor, mode)?;
        match given.rules.is_empty() {
            true => Ok(Self {
                is_default: true,
                ..Self::parse_given(DEFAULT_RULES, flavor, mode)?
            }),
            false => Ok(given),
        }
    }

    fn parse_given(tags: &str, flavor: &str, mode: CompatMode) -> Result<Self, RuleError> {
        let mut findings = Vec::new();
        let entries = parse_list(tags, "tags", mode, &mut findings)?;
        let mut rules = entries
            .iter()
            .map(|entry| rule_parser::parse_rule(entry, mode, &mut findings))
            .collect::<Result<Vec<_>, _>>()?;
        sort_by_priority(&mut rules);
        let entries = parse_list(flavor, "flavor", mode, &mut findings)?;
        Ok(Self {
            rules,
            flavor: Flavor::parse(&entries, mode, &mut findings)?,
            mode,
            is_default: false,
            gives_lines: true,
            immutable: ImmutableTags::default(),
            findings,
        })
    }

    /// How closely docker/metadata-action is followed.
    pub fn mode(&self) -> CompatMode {
        self.mode
    }

    /// Returns the rules without the tags of version lines.
    pub fn without_lines(self) -> Self {
        Self {
            gives_lines: false,
            ..self
        }
    }

    /// Returns the rules with tags that are immutable whatever rule gives them.
    pub fn with_immutable_tags(self, immutable: ImmutableTags) -> Self {
        Self { immutable, ..self }
    }

    /// Returns the tags that are immutable whatever rule gives them.
    pub fn immutable_tags(&self) -> &ImmutableTags {
        &self.immutable
    }

    /// Takes the tag of each rule that is a reference of one of `images`, as other programs give their
    /// tags: `ghcr.io/acme/web:1.4.0`.
    ///
    /// # Errors
    /// A reference of another image, or one with a digest.
    pub fn resolve_references(mut self, images: &[String]) -> Result<Self, RuleError> {
        for rule in &mut self.rules {
            let RuleKind::Raw { value } = &mut rule.kind else {
                continue;
            };
            let Some(reference) = parse_whole_reference(value) else {
                continue;
            };
            let images = images.iter().filter_map(|image| image.parse().ok());
            let mut images = images.filter(|image: &Repository| *image == reference.repository);
            match (&reference.target, images.next()) {
                (TagOrDigest::Tag(tag), Some(_)) => *value = tag.to_string(),
                _ => {
                    return Err(RuleError {
                        input: "tags",
                        line: rule.line,
                        rule: printable_name(&rule.text),
                        column: 1,
                        problem: RuleProblem::OtherReference,
                    });
                }
            }
        }
        Ok(self)
    }

    /// Returns whether the default table applies as it is: no rule, no flavor and no mode is given.
    pub fn is_plain_default(&self) -> bool {
        let is_plain = self.gives_lines
            && self.immutable == ImmutableTags::default()
            && self.mode == CompatMode::default();
        self.is_default && is_plain && self.flavor == Flavor::default()
    }

    /// Whether there is no rule but what goes without saying.
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// Whether any tag is made of the commit.
    pub fn needs_commit(&self) -> bool {
        let is_sha = |rule: &TagRule| matches!(rule.kind, RuleKind::Sha { .. });
        self.rules.iter().any(is_sha) || self.mentions("sha")
    }

    /// Whether any text of the rules holds the expression `name`.
    pub fn mentions(&self, name: &str) -> bool {
        let affixes = [&self.flavor.prefix.text, &self.flavor.suffix.text];
        self.rules
            .iter()
            .flat_map(TagRule::templates)
            .any(|text| text.contains(name))
            || affixes.into_iter().any(|text| text.contains(name))
    }

    /// Whether any rule needs the name of the default branch.
    pub fn needs_default_branch(&self) -> bool {
        let needs =
            |rule: &TagRule| matches!(&rule.kind, RuleKind::Edge { branch } if branch.is_empty());
        self.rules.iter().any(needs)
    }
}

/// Parses a text that is a reference as a whole: with a path, and a tag or digest.
fn parse_whole_reference(text: &str) -> Option<Reference> {
    let (_, name) = text.rsplit_once('/')?;
    let at = text.len() - name.len() + name.find([':', '@'])?;
    let (repository, target) = text.split_at(at);
    format!("{}{target}", repository.to_lowercase())
        .parse()
        .ok()
}

/// The entries of a list; in strict mode a `#` begins a comment wherever it begins a line's text.
fn parse_list(
    text: &str,
    input: &'static str,
    mode: CompatMode,
    findings: &mut Vec<Finding>,
) -> Result<Vec<ListEntry>, RuleError> {
    let mut entries =
        parse_entries(text).map_err(|error| RuleError::from_list_error(input, &error))?;
    let (comments, data): (Vec<_>, Vec<_>) = entries
        .drain(..)
        .partition(|entry| entry.text.starts_with('#'));
    if mode == CompatMode::Strict {
        return Ok(data);
    }
    for entry in &comments {
        let text = format!(
            "{input}, line {}: an indented # begins no comment: {}",
            entry.line,
            printable_name(&entry.text)
        );
        findings.push(Finding::from_difference(CompatDifference::Comment, text));
    }
    entries.extend(comments);
    entries.extend(data);
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

/// By priority, the highest first, else as written. One that is no number is neither higher nor
/// lower than any other, so this is an insertion as JavaScript engines sort few things: an order
/// with such a thing in it has no other meaning.
fn sort_by_priority(rules: &mut [TagRule]) {
    for end in 1..rules.len() {
        let (mut low, mut high) = (0, end);
        while low < high {
            let middle = low + (high - low) / 2;
            let goes_before = rules[end]
                .priority
                .zip(rules[middle].priority)
                .is_some_and(|(new, old)| new > old);
            if goes_before {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        rules[low..=end].rotate_right(1);
    }
}
