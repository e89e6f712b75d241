//! Diagram of a check in Mermaid: the environments, what is current, and what a promotion would move.

use super::check_phrases;
use super::check_report::CheckReport;
use super::mermaid_text;
use crate::image::Digest;
use crate::notices::to_printable;
use crate::policy::ReleasePolicy;
use crate::release::{CheckedRelease, CheckedService, CurrentImage};

/// Most services of a diagram that can still be read.
const SERVICE_LIMIT: usize = 20;
/// Most other environments of a diagram.
const ENVIRONMENT_LIMIT: usize = 30;
/// Most characters of a text in a diagram.
const LABEL_LIMIT: usize = 80;

/// Returns the flowchart; `None` if no service was checked.
pub(super) fn flowchart(report: &CheckReport) -> Option<String> {
    let outcome = &report.outcome;
    if outcome.services.is_empty() {
        return None;
    }
    let name = |name: Option<&str>, otherwise: &str| escape_label(name.unwrap_or(otherwise));
    let source = outcome.path.from.as_ref().map(|it| it.as_str());
    let target = outcome.environment.as_ref().map(|it| it.as_str());
    let shown = outcome.services.iter().take(SERVICE_LIMIT).enumerate();
    let more = outcome.services.len().saturating_sub(SERVICE_LIMIT);
    let more = |node: &str| match more {
        0 => String::new(),
        more => format!("    {node}[\"and {more} more\"]\n"),
    };
    let mut chart = String::from("flowchart LR\n");
    chart += &format!("  subgraph source[\"{}\"]\n", name(source, "source"));
    for (number, checked) in shown.clone() {
        chart += &format!("    s{number}[\"{}\"]\n", source_label(checked));
    }
    chart += &more("smore");
    chart += &format!(
        "  end\n  subgraph target[\"{}\"]\n",
        name(target, "destination")
    );
    for (number, checked) in shown.clone() {
        chart += &format!("    t{number}[\"{}\"]\n", target_label(checked));
    }
    chart += &more("tmore");
    chart += "  end\n";
    for (number, checked) in shown {
        let phrase = check_phrases::service_phrase(checked);
        let arrow = match check_phrases::service_word(checked) {
            "releasable" => "==>",
            _ => "-.->",
        };
        chart += &format!("  s{number} {arrow}|\"{phrase}\"| t{number}\n");
    }
    if let Some(policy) = &report.policy {
        chart += &other_environments(&policy.policy, source, target);
    }
    Some(chart)
}

fn source_label(checked: &CheckedService) -> String {
    let name = service_name(checked);
    match &checked.release {
        Some(release) => image_label(name, release.version.as_deref(), &release.root),
        None => image_text(name, "image not known"),
    }
}

fn target_label(checked: &CheckedService) -> String {
    let name = service_name(checked);
    match checked.release.as_deref().map(current_image) {
        Some(Some(current)) => image_label(
            name,
            current.image.version.as_deref(),
            &current.image.digest,
        ),
        Some(None) => image_text(name, "no image yet"),
        None => image_text(name, "image not known"),
    }
}

/// Returns the current image of the first destination.
pub(super) fn current_image(release: &CheckedRelease) -> Option<&CurrentImage> {
    release.destinations.first()?.current.as_ref()
}

fn service_name(checked: &CheckedService) -> &str {
    checked.service.as_ref().map_or("image", |it| it.as_str())
}

fn image_label(name: &str, version: Option<&str>, digest: &Digest) -> String {
    match version {
        Some(version) => image_text(&format!("{name} {version}"), &digest.short()),
        None => image_text(name, &digest.short()),
    }
}

fn image_text(first: &str, second: &str) -> String {
    format!("{}<br>{}", escape_label(first), escape_label(second))
}

/// Returns the environments that are not of this promotion, with their ways.
fn other_environments(
    policy: &ReleasePolicy,
    source: Option<&str>,
    target: Option<&str>,
) -> String {
    let environments = policy.environments();
    if environments.len() > ENVIRONMENT_LIMIT {
        return String::new();
    }
    let node = |name: &str| match name {
        name if Some(name) == target => Some("target".to_owned()),
        name if Some(name) == source => Some("source".to_owned()),
        name => {
            let at = environments
                .iter()
                .position(|it| it.name().as_str() == name);
            at.map(|at| format!("e{at}"))
        }
    };
    let mut nodes = String::new();
    let mut arrows = String::new();
    for environment in environments {
        let name = environment.name().as_str();
        let Some(to) = node(name) else { continue };
        if ![source, target].contains(&Some(name)) {
            nodes += &format!("  {to}[\"{}\"]\n", escape_label(name));
        }
        let from = environment.from().iter();
        for from in from.filter_map(|from| node(from.as_str())) {
            if (from.as_str(), to.as_str()) != ("source", "target") {
                arrows += &format!("  {from} --> {to}\n");
            }
        }
    }
    nodes + &arrows
}

/// Returns text for a label in quotes.
fn escape_label(text: &str) -> String {
    mermaid_text::escape_label(&to_printable(text, LABEL_LIMIT), " .:/-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ReleasePolicy;
    use crate::report::check_report::CheckedPolicy;
    use crate::report::sample_outcomes::HOSTILE;
    use crate::report::summary::sample_check;

    #[test]
    fn environments_show_what_is_current_and_what_would_move() {
        let policy = "environments:\n  dev: {repository: 'd/{service}'}\n  stage: {repository: 's/{service}', from: dev}\n  prod: {repository: 'p/{service}', from: stage}\n  eu: {repository: 'e/{service}', from: prod}\nservices: [web]\n";
        let mut report = sample_check("1.3.0");
        report.policy = Some(CheckedPolicy {
            file: "a".to_owned(),
            digests: Vec::new(),
            policy: ReleasePolicy::parse(policy.as_bytes()).unwrap(),
        });
        report.outcome.services[0].failures.clear();
        let release = report.outcome.services[0].release.as_mut().unwrap();
        release.version = Some("1.4.0".to_owned());
        release.would_write = true;
        insta::assert_snapshot!(flowchart(&report).unwrap(), @r#"
        flowchart LR
          subgraph source["stage"]
            s0["web 1.4.0<br>sha256:af2bdbe1aa9b"]
          end
          subgraph target["prod"]
            t0["web 1.3.0<br>sha256:af2bdbe1aa9b"]
          end
          s0 ==>|"would be released"| t0
          e0["dev"]
          e3["eu"]
          e0 --> source
          target --> e3
        "#);
    }

    #[test]
    fn many_services_are_counted() {
        let mut report = sample_check("1.3.0");
        let one = report.outcome.services[0].clone();
        report.outcome.services = vec![one; SERVICE_LIMIT + 3];
        let chart = flowchart(&report).unwrap();
        assert_eq!(chart.matches("[\"and 3 more\"]").count(), 2, "{chart}");
        assert_eq!(chart.matches("-.->").count(), SERVICE_LIMIT);
    }

    #[test]
    fn promise_8_no_version_changes_the_chart() {
        let plain = flowchart(&sample_check("1.3.0")).unwrap();
        let long = "\"]; click s0 \"javascript:1\"\n%%{init}%%<br>".repeat(3_000);
        for text in [HOSTILE, long.as_str()] {
            let chart = flowchart(&sample_check(text)).unwrap();
            assert_eq!(chart.lines().count(), plain.lines().count(), "{chart}");
            assert_eq!(
                chart.matches('"').count(),
                plain.matches('"').count(),
                "{chart}"
            );
            assert!(chart.len() < plain.len() + 2_000, "{chart}");
        }
    }
}
