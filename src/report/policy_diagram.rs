//! Environments and promotions of a policy as a flowchart of Mermaid.

use std::collections::{HashMap, HashSet};

use super::mermaid_text;
use crate::notices::to_printable;
use crate::policy::{EnvironmentRules, ReleasePolicy};
use crate::tagging::EnvironmentName;

/// The most environments of a diagram that can still be read; GitHub draws at most 500 arrows.
const ENVIRONMENT_LIMIT: usize = 100;
/// The most ways from the first environments to the last ones.
const PATH_LIMIT: usize = 100;
/// The most characters of a repository in a diagram.
const LABEL_LIMIT: usize = 200;

/// Returns the flowchart; `None` for a policy without environments or with too many.
pub(super) fn flowchart(policy: &ReleasePolicy) -> Option<String> {
    let environments = policy.environments();
    if environments.is_empty() || environments.len() > ENVIRONMENT_LIMIT {
        return None;
    }
    let numbered = environments.iter().enumerate();
    let numbers: HashMap<&str, usize> = numbered
        .clone()
        .map(|(number, environment)| (environment.name().as_str(), number))
        .collect();
    let mut chart = String::from("flowchart LR\n  push([push])\n");
    for (number, environment) in numbered.clone() {
        chart += &format!("  e{number}[\"{}\"]\n", node_label(environment));
    }
    for (number, environment) in numbered.clone() {
        let from = environment.from().iter();
        let from = from.filter_map(|from| numbers.get(from.as_str()));
        let arrows: String = from
            .map(|from| format!("  e{from} -->|promote| e{number}\n"))
            .collect();
        chart += &match arrows.is_empty() {
            true => format!("  push --> e{number}\n"),
            false => arrows,
        };
    }
    let production = numbered.filter(|(_, environment)| {
        environment.is_production()
            || environment.name().is_production() && !environment.states("production")
    });
    let production: Vec<String> = production.map(|(number, _)| format!("e{number}")).collect();
    if !production.is_empty() {
        chart += &format!(
            "  classDef production stroke-width:3px\n  class {} production\n",
            production.join(",")
        );
    }
    Some(chart)
}

/// Returns the ways that images go from environment to environment, such as `dev -> stage -> prod`, one
/// for each environment that no other takes images from and each way to it, at most
/// [`PATH_LIMIT`]; empty if there are too many environments.
pub(super) fn promotion_paths(policy: &ReleasePolicy) -> Vec<String> {
    let environments = policy.environments();
    if environments.len() > ENVIRONMENT_LIMIT {
        return Vec::new();
    }
    let sources: HashSet<&EnvironmentName> = environments
        .iter()
        .flat_map(EnvironmentRules::from)
        .collect();
    let is_last = |of: &&EnvironmentRules| !sources.contains(of.name());
    let mut paths = Vec::new();
    for last in environments.iter().filter(is_last) {
        extend_paths(policy, vec![last], &mut paths);
    }
    let promotions = paths.into_iter().filter(|names| names.len() > 1);
    promotions.map(|names| names.join(" -> ")).collect()
}

/// Adds every way to the last of `backwards`, up to [`PATH_LIMIT`] in all.
fn extend_paths<'a>(
    policy: &'a ReleasePolicy,
    backwards: Vec<&'a EnvironmentRules>,
    paths: &mut Vec<Vec<&'a str>>,
) {
    let from = backwards.last().map_or(&[][..], |first| first.from());
    let sources: Vec<_> = from.iter().filter_map(|from| policy.stage(from)).collect();
    if paths.len() >= PATH_LIMIT {
        return;
    }
    if sources.is_empty() {
        let names = backwards.iter().rev();
        paths.push(names.map(|of| of.name().as_str()).collect());
    }
    for source in sources {
        let mut longer = backwards.clone();
        longer.push(source);
        extend_paths(policy, longer, paths);
    }
}

fn node_label(environment: &EnvironmentRules) -> String {
    let [name, repository] = [environment.name().to_string(), environment.repository()]
        .map(|text| escape_label(&to_printable(&text, LABEL_LIMIT)));
    format!("{name}<br>{repository}")
}

/// Returns text for a label in quotes.
fn escape_label(text: &str) -> String {
    mermaid_text::escape_label(text, " .:/-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawn(policy: &str) -> Option<String> {
        flowchart(&ReleasePolicy::parse(policy.as_bytes()).unwrap())
    }

    #[test]
    fn promotions_are_arrows() {
        let policy = "environments:\n  dev: {repository: 'a/{service}'}\n  prod: {repository: 'b/{service}', from: dev}\n  test: {repository: 'c/{service}', from: dev}\nservices: [web]\n";
        insta::assert_snapshot!(drawn(policy).unwrap(), @r#"
        flowchart LR
          push([push])
          e0["dev<br>a/#123;service#125;"]
          e1["prod<br>b/#123;service#125;"]
          e2["test<br>c/#123;service#125;"]
          push --> e0
          e0 -->|promote| e1
          e0 -->|promote| e2
          classDef production stroke-width:3px
          class e1 production
        "#);
        let parsed = ReleasePolicy::parse(policy.as_bytes()).unwrap();
        assert_eq!(promotion_paths(&parsed), ["dev -> prod", "dev -> test"]);
        assert_eq!(drawn("environments: {}"), None);
        let many: String = (0..=ENVIRONMENT_LIMIT)
            .map(|number| format!("  e{number}: {{repository: 'oci:{number}'}}\n"))
            .collect();
        assert_eq!(drawn(&format!("environments:\n{many}")), None);
    }

    /// Reads a label back as Mermaid does.
    fn decode(label: &str) -> String {
        let mut parts = label.split('#');
        let mut text = parts.next().unwrap().to_owned();
        for part in parts {
            let (number, rest) = part.split_once(';').unwrap();
            text.extend(number.parse().ok().and_then(char::from_u32));
            text += rest;
        }
        text
    }

    proptest! {
        #[test]
        fn promise_8_no_text_leaves_its_label(text in any::<String>()) {
            let label = escape_label(&text);
            prop_assert!(!label.contains(['"', '<', '>', '%', '`', '_', '*', '[', '\\', '\n']));
            prop_assert!(label.is_ascii());
            prop_assert_eq!(decode(&label), text);
        }

        #[test]
        fn promise_8_no_repository_changes_the_chart(path in "[ -~&&[^:{}']]{1,30}") {
            let policy = format!("environments: {{dev: {{repository: 'oci:x{path}'}}}}");
            let Ok(policy) = ReleasePolicy::parse(policy.as_bytes()) else { return Ok(()) };
            let chart = flowchart(&policy).unwrap();
            prop_assert_eq!(chart.lines().count(), 4, "{}", chart);
            prop_assert_eq!(chart.matches('"').count(), 2, "{}", chart);
        }
    }
}
