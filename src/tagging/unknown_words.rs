//! Words of tag rules that mean nothing, found before any release.

use jiff::Timestamp;

use super::{CompatDifference, TagContext, TagRuleSet, expand_rules};
use crate::event::WorkflowEvent;

/// Refs for which rules are expanded: a rule for versions reads its pattern only for a version.
const EXAMPLE_REFS: [&str; 2] = ["refs/tags/v1.4.0", "refs/heads/main"];

/// Returns a text for each rule with an attribute or an expression that is not known, without repetition.
/// Compatible mode takes them for empty.
pub fn unknown_words(rules: &TagRuleSet) -> Vec<String> {
    let mut texts = Vec::new();
    for git_ref in EXAMPLE_REFS {
        let context = TagContext {
            workflow: WorkflowEvent {
                event: "push".to_owned(),
                git_ref: git_ref.to_owned(),
                sha: "0".repeat(40),
                ..WorkflowEvent::default()
            },
            ..TagContext::from_facts(None, Timestamp::UNIX_EPOCH)
        };
        // A rule that cannot be expanded for an example says nothing.
        let Ok(expansion) = expand_rules(rules, &context) else {
            continue;
        };
        for finding in expansion.findings {
            let is_unknown = matches!(
                finding.difference,
                Some(CompatDifference::UnknownExpression | CompatDifference::UnknownAttribute)
            );
            if is_unknown && !texts.contains(&finding.text) {
                texts.push(finding.text);
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tagging::CompatMode;

    #[test]
    fn misspelt_expressions_are_found_once() {
        let words = |text: &str| {
            let rules = TagRuleSet::parse(text, "", CompatMode::Compatible).unwrap();
            unknown_words(&rules).join("\n")
        };
        let found = words("type=semver,pattern={{versoin}}\ntype=raw,value=a-{{brunch}}");
        assert_eq!(found.lines().count(), 2, "{found}");
        for part in ["line 1", "{{versoin}}", "line 2", "{{brunch}}"] {
            assert!(found.contains(part), "{part}: {found}");
        }
        assert_eq!(
            words("type=semver,pattern={{version}}\ntype=ref,event=branch"),
            ""
        );
    }
}
