use super::rule::{RuleKind, TagRule};
use super::rule_set::TagRuleSet;

/// Spelling of SHA tags by a rule without expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiteralCommitTag<'a> {
    /// Text before the commit.
    pub prefix: &'a str,
    /// Text after the commit.
    pub suffix: &'a str,
    /// Whether the commit is written with all its digits.
    pub is_long: bool,
}

impl TagRuleSet {
    /// Returns the spelling of the first rule `type=sha` that gives every event a tag of the same
    /// spelling: its condition and affixes are no expressions.
    pub fn literal_commit_tag(&self) -> Option<LiteralCommitTag<'_>> {
        self.rules
            .iter()
            .find_map(|rule| self.literal_spelling(rule))
    }

    fn literal_spelling<'a>(&'a self, rule: &'a TagRule) -> Option<LiteralCommitTag<'a>> {
        let RuleKind::Sha { long: is_long } = rule.kind else {
            return None;
        };
        let (flavor_prefix, flavor_suffix) = (&self.flavor.prefix.text, &self.flavor.suffix.text);
        let prefix = rule.prefix.as_ref().unwrap_or(flavor_prefix);
        let suffix = rule.suffix.as_ref().unwrap_or(flavor_suffix);
        let is_literal = [prefix, suffix].iter().all(|text| !text.contains("{{"));
        (rule.enable == "true" && is_literal).then_some(LiteralCommitTag {
            prefix,
            suffix,
            is_long,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::tagging::{CompatMode, TagRuleSet};

    #[test]
    fn only_a_rule_without_expressions_spells_sha_tags() {
        for (rules, spelled) in [
            ("type=sha", Some(("sha-", "", false))),
            (
                "type=raw,value=a\ntype=sha,prefix=git-,format=long",
                Some(("git-", "", true)),
            ),
            ("type=sha,prefix=,suffix=-x", Some(("", "-x", false))),
            ("type=sha,prefix={{branch}}-", None),
            ("type=sha,enable={{is_default_branch}}", None),
            ("type=sha,enable=false", None),
            ("type=raw,value=a", None),
        ] {
            let rules = TagRuleSet::parse(rules, "", CompatMode::Compatible).unwrap();
            let found = rules.literal_commit_tag();
            let found = found.map(|found| (found.prefix, found.suffix, found.is_long));
            assert_eq!(found, spelled, "{rules:?}");
        }
    }
}
