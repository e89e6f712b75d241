//! Reads the key `retention` of the file and of an environment.

use super::declared_retention_keys::{
    API_LIST, KEEP_KEYS, LIMIT_KEYS, PINNED_LIST, PRUNE_BOUNDS, PRUNE_KEYS, PRUNE_LIST,
    RETENTION_KEYS, RETENTION_TAG_LIST, UNTAGGED_WORDS,
};
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::limits::IMAGE_COUNT;
use super::problem_list::ProblemList;
use super::repository_file::parse_repository_file;
use super::retention_keys::RetentionKeys;
use super::yaml_fields::YamlFields;
use super::yaml_node::{YamlNode, YamlText, not_a_value, parse_text_value, printable_text};
use crate::retention::{KeepRules, PruneRule, PruneSelector, RegistryApiRule, names_reserved_tags};
use crate::rule_duration::RuleDuration;
use crate::tagging::TagPattern;

impl RetentionKeys {
    /// Reads the key.
    pub(super) fn parse(node: YamlNode, problems: &mut ProblemList) -> Self {
        let Some(mut fields) = node.into_fields(&RETENTION_KEYS, problems) else {
            return Self::default();
        };
        let keep = fields.take("keep").map(|(_, node)| node);
        let prune = fields.take("prune").map(|(_, node)| node);
        let limits = fields.take("limits");
        let mut limits = limits.and_then(|(_, node)| node.into_fields(&LIMIT_KEYS, problems));
        let limits = limits.as_mut();
        let (share, images) = limits.map_or((None, None), |limits| {
            (
                limits.read("share", problems, parse_share),
                limits.read("images", problems, parse_number),
            )
        });
        Self {
            keep: keep.map_or_else(KeepRules::default, |node| parse_keep(node, problems)),
            prune: prune.map(|list| parse_prune_rules(list, problems)),
            grace: fields.read("grace", problems, parse_text_value),
            share,
            images,
            apis: parse_apis(&mut fields, problems),
        }
    }
}

fn parse_apis(fields: &mut YamlFields, problems: &mut ProblemList) -> Vec<RegistryApiRule> {
    let texts = fields.read("apis", problems, |node| {
        node.into_one_or_more_texts(API_LIST)
    });
    let texts = texts.into_iter().flatten();
    let mut rules: Vec<RegistryApiRule> = Vec::new();
    for YamlText { text, position } in texts {
        // An address may have a login in it, which no message repeats.
        let shown = text.split_whitespace().next().unwrap_or_default();
        let rule = text.trim().parse::<RegistryApiRule>();
        let rule = rule.map_err(|error| position.to_error(not_a_value(shown, error)));
        let Some(rule) = problems.keep(rule) else {
            continue;
        };
        if rules.iter().any(|known| known.registry == rule.registry) {
            let twice = not_a_value(shown, "names a registry that is there already");
            problems.add(position.to_error(twice));
        }
        rules.push(rule);
    }
    rules
}

fn parse_keep(node: YamlNode, problems: &mut ProblemList) -> KeepRules {
    let Some(mut fields) = node.into_fields(&KEEP_KEYS, problems) else {
        return KeepRules::default();
    };
    let tags = read_patterns(&mut fields, "tags", problems);
    let files = fields.read("pinned", problems, |node| {
        node.into_one_or_more_texts(PINNED_LIST)
    });
    let files = files.into_iter().flatten();
    KeepRules {
        released: fields.read("released", problems, parse_keep_duration),
        rollback: fields.read("rollback", problems, parse_number),
        tags: tags.into_iter().map(|(pattern, _)| pattern).collect(),
        pinned: files
            .filter_map(|text| problems.keep(parse_repository_file(&text)))
            .collect(),
    }
}

fn parse_prune_rules(list: YamlNode, problems: &mut ProblemList) -> Vec<PruneRule> {
    let entries = problems.keep(list.into_entries(PRUNE_LIST));
    let entries = entries.into_iter().flatten();
    entries
        .filter_map(|entry| parse_prune_rule(entry, problems))
        .collect()
}

fn parse_prune_rule(entry: YamlNode, problems: &mut ProblemList) -> Option<PruneRule> {
    let at = entry.position;
    let mut fields = entry.into_fields(&PRUNE_KEYS, problems)?;
    if PRUNE_BOUNDS
        .iter()
        .all(|key| fields.position(key).is_none())
    {
        problems.add(at.to_error(PolicyProblem::NoKey(PRUNE_BOUNDS.to_vec())));
    }
    let orphans_at = fields.position("orphans");
    let orphans = fields.read("orphans", problems, YamlNode::into_flag);
    let is_untagged = fields.position("untagged").is_some();
    if let (Some(at), false) = (orphans_at, is_untagged) {
        problems.add(at.to_error(PolicyProblem::OrphansOfTags));
    }
    fields.read("untagged", problems, |node| node.into_word(&UNTAGGED_WORDS));
    let tags = read_pruned_tags(&mut fields, "tags", problems);
    let versions = read_pruned_tags(&mut fields, "versions", problems);
    let selector = match (tags, versions, is_untagged) {
        (Some(patterns), None, false) => Some(PruneSelector::Tags(patterns)),
        (None, Some(patterns), false) => Some(PruneSelector::Versions(patterns)),
        (None, None, true) => Some(PruneSelector::Untagged {
            orphans: orphans.unwrap_or(false),
        }),
        // Every other choice of keys is a problem already.
        _ => None,
    };
    let older_than = fields.read("older-than", problems, parse_text_value);
    let keep_last = fields.read("keep-last", problems, parse_number);
    Some(PruneRule {
        selector: selector?,
        older_than,
        keep_last,
    })
}

/// Reads the patterns of a prune rule. One with reserved tags only would never delete anything.
fn read_pruned_tags(
    fields: &mut YamlFields,
    name: &str,
    problems: &mut ProblemList,
) -> Option<Vec<TagPattern>> {
    fields.position(name)?;
    let patterns = read_patterns(fields, name, problems);
    if patterns.iter().all(|(it, _)| names_reserved_tags(it)) {
        for (pattern, at) in &patterns {
            let text = printable_text(pattern.as_str());
            problems.add(at.to_error(PolicyProblem::ReservedTags(text)));
        }
    }
    Some(patterns.into_iter().map(|(pattern, _)| pattern).collect())
}

fn read_patterns(
    fields: &mut YamlFields,
    name: &str,
    problems: &mut ProblemList,
) -> Vec<(TagPattern, FilePosition)> {
    let texts = fields.read(name, problems, |node| {
        node.into_one_or_more_texts(RETENTION_TAG_LIST)
    });
    let texts = texts.into_iter().flatten();
    let patterns = texts.filter_map(|YamlText { text, position }| {
        let pattern = TagPattern::parse(text.trim());
        let pattern = pattern.map_err(|error| position.to_error(not_a_value(text.trim(), error)));
        Some((problems.keep(pattern)?, position))
    });
    patterns.collect()
}

fn parse_keep_duration(node: YamlNode) -> Result<RuleDuration, PolicyError> {
    let YamlText { text, position } = node.into_text()?;
    RuleDuration::parse_with_years(text.trim())
        .map_err(|error| position.to_error(not_a_value(text.trim(), error)))
}

fn parse_number(node: YamlNode) -> Result<usize, PolicyError> {
    let YamlText { text, position } = node.into_text()?;
    let text = text.trim();
    find_number(text, IMAGE_COUNT).ok_or_else(|| {
        let reason = format!("is not a number from 1 to {IMAGE_COUNT}");
        position.to_error(not_a_value(text, reason))
    })
}

fn parse_share(node: YamlNode) -> Result<u8, PolicyError> {
    let YamlText { text, position } = node.into_text()?;
    let text = text.trim();
    let number = text.strip_suffix('%').and_then(|it| find_number(it, 100));
    let share = number.and_then(|number| u8::try_from(number).ok());
    share.ok_or_else(|| {
        position.to_error(not_a_value(
            text,
            "is not a share from 1% to 100%, such as 30%",
        ))
    })
}

/// Reads a number from 1 to `limit`, without zeros before it.
fn find_number(text: &str, limit: usize) -> Option<usize> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|_| is_number)?;
    (1..=limit).contains(&number).then_some(number)
}
