use std::path::Path;

use super::samples::{self, promoted, run, samples};
use super::*;
use crate::release::{Failure, ReleaseOutcome};
use crate::report::policy_comparison::ProposedPolicy;
use crate::report::sample_outcomes::{self, HOSTILE};
use crate::tagging::{MovingTagSource, TagKind};

/// Returns whether the samples are written instead of compared.
#[expect(clippy::disallowed_methods, reason = "a test's own switch")]
fn updates_samples() -> bool {
    let is_set = |name| std::env::var_os(name).is_some();
    assert!(
        !(is_set("CI") && is_set("UPDATE_DECLARED")),
        "in CI samples are only checked"
    );
    is_set("UPDATE_DECLARED")
}

#[test]
fn summaries_are_the_kept_samples() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/summaries");
    for (name, summary) in samples() {
        let file = folder.join(format!("{name}.md"));
        if updates_samples() {
            std::fs::write(&file, &summary).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            summary, kept,
            "{name} is not what is kept: UPDATE_DECLARED=1 cargo test --lib summary, then scripts/summary-pictures.sh"
        );
    }
}

fn summary(change: impl Fn(&mut ReleaseOutcome)) -> String {
    let mut outcome = promoted(true);
    change(&mut outcome);
    release_summary(&outcome, None, &run("Release", "push", "v1.4.0"))
}

#[test]
fn production_without_a_signature_is_an_alert() {
    for (environment, is_signed, is_alert) in [
        ("prod", false, true),
        ("production", false, true),
        ("eu-live", false, true),
        ("prod", true, false),
        ("staging", false, false),
        ("pre-prod", false, false),
    ] {
        let mut outcome = promoted(is_signed);
        outcome.environment = Some(environment.parse().unwrap());
        let page = release_summary(&outcome, None, &SummaryContext::default());
        assert_eq!(
            page.contains("> [!WARNING]\n> **Not signed.**"),
            is_alert,
            "{page}"
        );
        assert_eq!(
            page.contains("| Signed | **not signed** |"),
            !is_signed,
            "{page}"
        );
    }
}

#[test]
fn signatures_that_nobody_verified_are_an_alert_in_production() {
    let copied = |outcome: &mut ReleaseOutcome| {
        outcome.signer = None;
        let copied = &mut outcome.destinations[0].referrers.copied;
        copied.insert(crate::referrers::ReferrerKind::Signature, 2);
    };
    let page = summary(copied);
    assert!(page.contains("**Signatures not verified.**"), "{page}");
    assert!(
        page.contains("2 signatures came with the image, **not verified**"),
        "{page}"
    );
    let page = summary(|outcome| {
        let signer = outcome.signer.clone();
        copied(outcome);
        outcome.source_signer = signer;
    });
    assert!(!page.contains("[!WARNING]"), "{page}");
    assert!(
        page.contains("| Signed | source verified: signed by "),
        "{page}"
    );
    assert!(page.contains("cosign verify \\\n"), "{page}");
}

#[test]
fn commits_are_compared_where_both_labels_name_the_repository() {
    let compared = "/acme/web/compare/2b2e9271c0ffee00d1ce5eed4a11ab07466440c3...860c1904a1ce19322e91ac35af1ab07466440c37>)";
    assert!(summary(|_| {}).contains(compared));
    for source in [
        None,
        Some("https://gitlab.com/acme/web"),
        Some("https://github.com/acme/fork"),
    ] {
        let page = summary(|outcome| {
            let previous = outcome.destinations[0].previous.as_mut().unwrap();
            previous.source = source.map(str::to_owned);
        });
        assert!(page.contains("| Changes | `2b2e927...860c190` |"), "{page}");
        assert!(!page.contains("/compare/"), "{page}");
    }
    let elsewhere = summary(|outcome| {
        outcome.source_repository = Some("https://gitlab.com/acme/web".to_owned());
    });
    assert!(
        !elsewhere.contains("/compare/") && !elsewhere.contains("/commit/"),
        "{elsewhere}"
    );
    let page = summary(|outcome| {
        outcome.destinations[0].previous.as_mut().unwrap().commit = None;
    });
    assert!(
        !page.contains("| Changes |") && page.contains("| Previously | `sha256:"),
        "{page}"
    );
}

#[test]
fn a_promotion_goes_on_where_the_policy_says() {
    let next = |names: &[&str], from: Option<&str>, environment: &str| {
        summary(|outcome| {
            outcome.path.next = names.iter().map(|name| name.parse().unwrap()).collect();
            outcome.path.from = from.map(|name| name.parse().unwrap());
            outcome.environment = Some(environment.parse().unwrap());
        })
    };
    let page = next(&["staging", "eu"], None, "dev");
    assert!(page.contains(
        "shipmark promote --environment staging \\\n  --source ghcr.io/acme/web/prod@sha256:"
    ));
    assert!(
        page.contains("shipmark promote --environment eu "),
        "{page}"
    );
    assert!(!next(&[], Some("dev"), "qa").contains("shipmark promote -"));
    assert!(!next(&[], None, "prod").contains("shipmark promote -"));
    assert!(next(&[], None, "dev").contains("shipmark promote --images REGISTRY/REPOSITORY \\\n"));
}

#[test]
fn a_batch_goes_on_with_a_tag_that_all_images_have() {
    let page = |change: &dyn Fn(&mut ReleaseOutcome)| {
        let mut batch = samples::released_batch();
        for (_, end) in &mut batch.services {
            if let crate::release::ServiceOutcome::Completed(outcome) = end {
                outcome.path.next = vec!["eu".parse().unwrap()];
            }
        }
        if let (_, crate::release::ServiceOutcome::Completed(last)) = &mut batch.services[11] {
            change(last);
        }
        batch_summary(&batch, &SummaryContext::default())
    };
    let command = "shipmark promote --environment eu \\\n  --source 1.4.0\n";
    let all = page(&|_| {});
    assert!(all.contains(command), "{all}");
    let differs = page(&|last| last.destinations[0].tags[0].tag = "1.4.1".parse().unwrap());
    assert!(!differs.contains("shipmark promote -"), "{differs}");
}

#[test]
fn a_branch_is_no_version() {
    let page = |name: &str| {
        summary(|outcome| {
            let tag = &mut outcome.destinations[0].tags[3];
            tag.kind = TagKind::Moving(MovingTagSource::Branch);
            tag.tag = "main".parse().unwrap();
            outcome.version = Some(name.to_owned());
        })
    };
    assert!(page("1.4.0").contains("| Version | `1.4.0`"));
    assert!(!page("main").contains("| Version |"));
}

#[test]
fn each_of_several_destinations_has_the_image_by_its_digest() {
    let page = summary(|outcome| {
        let mut second = outcome.destinations[0].clone();
        second.place = "docker.io/acme/web".parse().unwrap();
        outcome.destinations.push(second);
    });
    for place in ["ghcr.io/acme/web/prod", "docker.io/acme/web"] {
        let section = format!("\n### {place}\n\n```text\n{place}@sha256:");
        assert!(page.contains(&section), "{page}");
    }
    assert!(!summary(|_| {}).contains("```text"));
}

#[test]
fn values_of_evidence_are_code() {
    for name in ["verification", "verification-bundle"] {
        let samples = samples();
        let (_, page) = samples.iter().find(|(it, _)| *it == name).unwrap();
        assert!(page.contains("signed at `2026-03-02T10:14:05Z`"), "{page}");
        assert!(page.contains("signed by `https://github.com/"), "{page}");
        assert!(!page.contains("&#8203;"), "{page}");
    }
}

#[test]
fn warnings_are_alerts_and_each_is_shown_once() {
    let mut context = SummaryContext {
        warnings: vec!["a <b>\n hint: c".to_owned(), "a <b>\n hint: c".to_owned()],
        ..SummaryContext::default()
    };
    assert_eq!(
        context.warning_alerts(),
        "\n> [!WARNING]\n> a \\<b>\n>\n> **Hint:** c\n"
    );
    context.warnings = (0..25).map(|number| number.to_string()).collect();
    let alerts = context.warning_alerts();
    assert_eq!(alerts.matches("[!WARNING]").count(), 20);
    assert!(
        alerts.ends_with("\n5 more warnings are in the log.\n"),
        "{alerts}"
    );
}

/// Returns the kinds of nodes that are links, HTML or images, with their text.
fn active_nodes(markdown: &str) -> Vec<String> {
    use comrak::nodes::NodeValue;
    let mut options = comrak::Options::default();
    options.extension.autolink = true;
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.footnotes = true;
    options.extension.math_dollars = true;
    options.extension.alerts = true;
    let arena = comrak::Arena::new();
    let root = comrak::parse_document(&arena, markdown, &options);
    let nodes = root
        .descendants()
        .filter_map(|node| match &node.data().value {
            NodeValue::Link(link) => Some(link.url.clone()),
            NodeValue::Image(image) => Some(image.url.clone()),
            NodeValue::HtmlInline(html) => Some(html.clone()),
            NodeValue::HtmlBlock(html) => Some(html.literal.clone()),
            NodeValue::FootnoteReference(_) | NodeValue::Math(_) => Some("?".to_owned()),
            _ => None,
        });
    nodes.collect()
}

#[test]
fn promise_8_hostile_text_stays_text() {
    let hostile = || HOSTILE.to_owned();
    let attempt = RunAttempt {
        source: Some(hostile()),
        destinations: vec![hostile()],
        services: vec![hostile()],
        environment: Some(hostile()),
        from: Some(hostile()),
        dry_run: false,
    };
    let context = SummaryContext {
        warnings: vec![hostile()],
        attempt,
        ..run(HOSTILE, HOSTILE, HOSTILE)
    };
    let failure = Failure::input(HOSTILE)
        .with_reason(HOSTILE)
        .with_hint(HOSTILE);
    let check = |proposed: Option<ProposedPolicy>| {
        let mut report = check_samples::check_with(HOSTILE);
        if let Some((proposed, comparison)) = proposed.zip(report.comparison.as_mut()) {
            comparison.proposed = proposed;
        }
        check_summary(&report, &context)
    };
    let pages = [
        check(None),
        check(Some(ProposedPolicy::Malformed(vec![hostile()]))),
        check(Some(ProposedPolicy::Unreadable(hostile()))),
        release_summary(&sample_outcomes::hostile_outcome(), None, &context),
        failure_summary("push", &failure, &context),
        batch_summary(&sample_outcomes::hostile_batch(), &context),
        tags_summary(&sample_outcomes::hostile_tags(), &context),
    ];
    let ours = [
        "https://github.com/acme/web/",
        "https://github.com/orgs/acme/",
        "<br>",
        "<details>",
        "</details>",
    ];
    for page in pages {
        for node in active_nodes(&page) {
            let is_ours = ours.iter().any(|begin| node.starts_with(begin));
            assert!(is_ours, "{node:?} in {page}");
        }
        for line in page.lines() {
            assert!(
                !line.starts_with("::") && !line.starts_with("## z"),
                "{page}"
            );
        }
    }
}
