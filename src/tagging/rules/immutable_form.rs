//! Telling by the rules of a run whether a tag is one that they give a version or a commit, with what
//! they put around it: `web-1.4.0` of `prefix=web-`.

use super::{RefRuleKind, RuleKind, TagRule, TagRuleSet, VersionRule};
use crate::image::Tag;
use crate::tagging::tag_name::{immutable_form, is_number};

const VERSION: &str = "a version";
const COMMIT: &str = "a commit";

impl TagRuleSet {
    /// Returns what an immutable tag of this name would stand for by one of the rules.
    pub fn immutable_form(&self, tag: &Tag) -> Option<&'static str> {
        let may_move = |rule: &&TagRule| rule.immutable != Some(false);
        let mut rules = self.rules.iter().filter(may_move);
        rules.find_map(|rule| rule.kind.immutable_form(self.core(rule, tag.as_str())?))
    }

    /// Returns whether at least one rule gives a tag that is never moved: a full version or a commit. The
    /// default table does.
    pub fn gives_immutable_tag(&self) -> bool {
        self.is_default() || self.rules.iter().any(TagRule::gives_immutable_tag)
    }

    /// Returns what a rule puts its prefix and suffix around. What is around it by a template is not known.
    fn core<'a>(&self, rule: &TagRule, tag: &'a str) -> Option<&'a str> {
        let prefix = rule.prefix.as_ref().unwrap_or(&self.flavor.prefix.text);
        let suffix = rule.suffix.as_ref().unwrap_or(&self.flavor.suffix.text);
        let (before, after) = rule.kind.literals();
        let core = tag.strip_prefix(prefix.as_str())?.strip_prefix(before)?;
        core.strip_suffix(suffix.as_str())?.strip_suffix(after)
    }
}

impl TagRule {
    fn gives_immutable_tag(&self) -> bool {
        self.immutable
            .unwrap_or_else(|| self.kind.gives_immutable_tag())
            && self.enable != "false"
    }
}

impl RuleKind {
    /// Returns whether its tags are immutable where the rule does not say so itself.
    fn gives_immutable_tag(&self) -> bool {
        let has = |text: &str, words: &[&str]| words.iter().all(|word| text.contains(word));
        match self {
            Self::Semver(VersionRule { pattern, .. })
            | Self::Pep440(VersionRule { pattern, .. })
            | Self::Release { pattern } => {
                let whole = ["version", "raw"].into_iter();
                let mut whole = whole.map(|word| format!("{{{{{word}}}}}"));
                whole.any(|expression| pattern.contains(&expression))
                    || has(pattern, &["{{major}}", "{{minor}}", "{{patch}}"])
            }
            Self::Sha { .. } | Self::Ref(RefRuleKind::Tag) | Self::Match { .. } => true,
            Self::Raw { value } => has(value, &["{{sha}}"]),
            Self::Schedule { .. }
            | Self::Edge { .. }
            | Self::Ref(RefRuleKind::Branch | RefRuleKind::Pull)
            | Self::Env => false,
        }
    }

    /// Returns what stands before and after the version in the rule's pattern.
    pub(in crate::tagging) fn literals(&self) -> (&str, &str) {
        let (Self::Semver(rule) | Self::Pep440(rule)) = self else {
            return ("", "");
        };
        let before = rule.pattern.split_once("{{").map(|(before, _)| before);
        let after = rule.pattern.rsplit_once("}}").map(|(_, after)| after);
        (before.unwrap_or_default(), after.unwrap_or_default())
    }

    fn immutable_form(&self, core: &str) -> Option<&'static str> {
        let is_version = || {
            let tag = core.parse::<Tag>().ok();
            tag.as_ref().and_then(immutable_form) == Some(VERSION)
        };
        let parts = || core.strip_prefix('v').unwrap_or(core).split('.');
        // A number with two dots is one of a calendar too: `2024.05.01`.
        let is_number_of_three = || parts().count() == 3 && parts().all(is_number);
        let is_of_python = || {
            let begins = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
            parts().count() > 1 && parts().take(2).all(begins)
        };
        let is_commit =
            || matches!(core.len(), 7 | 40 | 64) && core.bytes().all(|b| b.is_ascii_hexdigit());
        match self {
            Self::Semver(_) | Self::Ref(RefRuleKind::Tag) | Self::Release { .. } => {
                is_version().then_some(VERSION)
            }
            Self::Pep440(_) => (is_version() || is_of_python()).then_some(VERSION),
            Self::Match { .. } => (is_version() || is_number_of_three()).then_some(VERSION),
            Self::Sha { .. } => is_commit().then_some(COMMIT),
            Self::Schedule { .. }
            | Self::Edge { .. }
            | Self::Ref(RefRuleKind::Branch | RefRuleKind::Pull)
            | Self::Raw { .. }
            | Self::Env => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tagging::CompatMode;

    #[test]
    fn promise_3_a_tag_is_known_by_what_the_rules_put_around_it() {
        for (rules, flavor, tag, form) in [
            (
                "type=semver,pattern={{version}},prefix=web-",
                "",
                "web-1.4.0",
                Some(VERSION),
            ),
            (
                "type=semver,pattern={{version}},prefix=web-",
                "",
                "web-1.4",
                None,
            ),
            (
                "type=semver,pattern=rel_{{version}}_x",
                "",
                "rel_1.4.0_x",
                Some(VERSION),
            ),
            (
                "type=semver,pattern={{version}}",
                "suffix=_alpine",
                "1.4.0_alpine",
                Some(VERSION),
            ),
            (
                "type=semver,pattern={{version}},suffix=",
                "suffix=_alpine",
                "1.4.0_alpine",
                None,
            ),
            (
                "type=semver,pattern={{version}},prefix={{branch}}-",
                "",
                "main-1.4.0",
                None,
            ),
            (
                "type=pep440,pattern={{version}}",
                "",
                "1.0rc1",
                Some(VERSION),
            ),
            ("type=match,pattern=.*", "", "2024.05.01", Some(VERSION)),
            ("type=sha,prefix=", "", "9f3c2a1", Some(COMMIT)),
            (
                "type=sha,prefix=commit-",
                "",
                "commit-9f3c2a1",
                Some(COMMIT),
            ),
            ("type=sha,prefix=", "", "facade", None),
            ("type=sha,prefix=,immutable=false", "", "9f3c2a1", None),
            (
                "type=ref,event=tag,prefix=web-",
                "",
                "web-v1.4.0",
                Some(VERSION),
            ),
            ("type=ref,event=branch", "prefix=web-", "web-1.4.0", None),
        ] {
            let set = TagRuleSet::parse(rules, flavor, CompatMode::Compatible).unwrap();
            assert_eq!(
                set.immutable_form(&tag.parse().unwrap()),
                form,
                "{rules} {flavor} {tag}"
            );
        }
    }
}
