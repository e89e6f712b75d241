//! Branches that are called what something else is called: signatures, records, version lines, releases.

use jiff::Timestamp;
use shipmark::release::{Failure, ReleaseOutcome, ReleaseRequest, ReleaseVerb, TagChange};
use shipmark::tagging::{CompatMode, TagContext, TagRuleSet, TagRules};

use crate::moves::{labelled, tag};
use crate::registry::{Profile, Registry};
use crate::support::*;

const MODES: [CompatMode; 2] = [CompatMode::Compatible, CompatMode::Strict];

/// A push of an image to `registry` with these rules, or with the default tags.
fn pushed_to(
    registry: &Registry,
    digest: &str,
    git_ref: &str,
    rules: Option<(&str, &str, CompatMode)>,
) -> ReleaseRequest {
    let place = format!("{}/web", registry.host());
    let source = format!("{place}@{digest}");
    let mut request = request(ReleaseVerb::Push, &source, &[&place], pushed(git_ref));
    if let Some((tags, flavor, mode)) = rules {
        let rules = TagRuleSet::parse(tags, flavor, mode).unwrap();
        let subject = TagContext::from_facts(pushed(git_ref), Timestamp::UNIX_EPOCH);
        request.rules = TagRules::new(rules, subject);
    }
    request
}

/// Every spelling of a tag that is for signatures and the like.
fn reserved() -> Vec<String> {
    let hex = "0123456789abcdef".repeat(4);
    let mut all = vec![
        "shipmark.prod.x".to_owned(),
        "Shipmark.x".to_owned(),
        "SHIPMARK.".to_owned(),
        "hold.x".to_owned(),
        "HOLD.1".to_owned(),
    ];
    for algorithm in ["sha256", "SHA256", "sha512", "Sha384", "blake3"] {
        for hex in [hex.clone(), hex.to_uppercase()] {
            for ending in ["", ".sig", ".att", ".sbom", ".SIG", ".x", "-x", "ab", "_1"] {
                all.push(format!("{algorithm}-{hex}{ending}"));
            }
        }
    }
    all
}

/// Neither a branch or git tag, nor a rule's value, prefix, suffix, pattern or flavor.
#[tokio::test]
async fn promise_2_nothing_gives_the_tag_of_a_signature_or_record() {
    let registry = Registry::start(Profile::plain()).await;
    let image = labelled(&registry, "web", Some(COMMIT), 1);
    for name in reserved() {
        let (front, back) = name.split_at(4);
        let main = "refs/heads/main".to_owned();
        let end = format!("refs/heads/{back}");
        let cases = [
            (
                format!("refs/heads/{name}"),
                "type=ref,event=branch".to_owned(),
                String::new(),
            ),
            (
                format!("refs/tags/{name}"),
                "type=ref,event=tag".to_owned(),
                String::new(),
            ),
            (
                main.clone(),
                format!("type=raw,value={name}"),
                String::new(),
            ),
            (
                format!("refs/heads/{name}"),
                "type=raw,value={{branch}}".to_owned(),
                String::new(),
            ),
            (
                end.clone(),
                format!("type=ref,event=branch,prefix={front}"),
                String::new(),
            ),
            (
                end,
                "type=ref,event=branch".to_owned(),
                format!("prefix={front}"),
            ),
            (
                format!("refs/heads/{front}"),
                "type=ref,event=branch".to_owned(),
                format!("suffix={back}"),
            ),
            (
                format!("refs/heads/{name}"),
                "type=match,pattern=.*,group=0,value={{branch}}".to_owned(),
                String::new(),
            ),
            (
                main,
                "type=raw,value=it".to_owned(),
                format!("latest=true\nprefix={name},onlatest=true"),
            ),
        ];
        for (git_ref, tags, flavor) in cases {
            for mode in MODES {
                let rules = Some((tags.as_str(), flavor.as_str(), mode));
                let case = format!("{mode:?} {git_ref} {tags} {flavor}");
                let request = pushed_to(&registry, &image, &git_ref, rules);
                registry.clear_log();
                let (failure, text) = failed(request, &context()).await;
                let of_event = tags.starts_with("type=ref");
                match of_event {
                    true => assert!(matches!(failure, Failure::Refused(_)), "{case}: {text}"),
                    false => assert!(matches!(failure, Failure::Input(_)), "{case}: {text}"),
                }
                assert!(
                    text.contains("for signatures, referrers, records and holds"),
                    "{case}: {text}"
                );
                assert_eq!(registry.count_of("PUT "), 0, "{case}");
            }
        }
        // The default tags do without it.
        for git_ref in [format!("refs/heads/{name}"), format!("refs/tags/{name}")] {
            let request = pushed_to(&registry, &image, &git_ref, None);
            done(request, &context()).await;
            let tags: Vec<_> = registry.tags("web").into_keys().collect();
            assert_eq!(tags, ["git-9f3c2a1"], "{git_ref}");
        }
    }
}

/// What a branch's name is to the tags of a repository.
#[tokio::test]
async fn promise_3_a_branch_takes_no_tag_of_a_release_or_of_its_lines() {
    for (there, branch) in [
        ("2.1.0", "2"),
        ("2.1.0", "v2"),
        ("v2.1.0", "v2"),
        ("v2.1.0", "v2.1"),
        ("2.1.0", "2.1"),
        ("2.1.0", "latest"),
        ("2.1.0-alpine", "2-alpine"),
        ("2.1.0-bookworm-slim", "2-bookworm-slim"),
        ("2.1.0-bookworm-slim", "latest-bookworm-slim"),
        ("0.3.0", "0.3"),
    ] {
        for is_there in [true, false] {
            for rule in ["type=ref,event=branch", "type=raw,value={{branch}}"] {
                for mode in MODES {
                    let registry = Registry::start(Profile::plain()).await;
                    let [released, ours] =
                        [1, 2].map(|number| labelled(&registry, "web", Some(COMMIT), number));
                    tag(&registry, there, &released);
                    if is_there {
                        tag(&registry, branch, &released);
                    }
                    let before = registry.tags("web");
                    let tags = format!("{rule}\ntype=raw,value=other");
                    let git_ref = format!("refs/heads/{branch}");
                    let rules = Some((tags.as_str(), "", mode));
                    let request = pushed_to(&registry, &ours, &git_ref, rules);
                    let case = format!("{mode:?} {rule} {there} {branch} {is_there}");
                    let (context, said) = context_with(settings());
                    match shipmark::release::run(&request, &context).await {
                        Ok(outcome) => {
                            let mut after = registry.tags("web");
                            assert_eq!(after.remove("other"), Some(ours), "{case}");
                            assert_eq!(after, before, "{case}");
                            let is_given = change(&outcome, branch);
                            match mode {
                                CompatMode::Compatible => {
                                    let stays = matches!(is_given, Some(TagChange::Stays { .. }));
                                    assert!(stays, "{case}: {is_given:?}");
                                    let warned = said.warnings();
                                    let line = format!("the version line of {there}");
                                    assert!(warned.contains(&line), "{case}: {warned}");
                                }
                                CompatMode::Strict => assert_eq!(is_given, None, "{case}"),
                            }
                        }
                        Err(failure) => {
                            // What only the repository's tags show.
                            assert!(branch.contains("-bookworm-"), "{case}: {failure:?}");
                            assert_eq!(mode, CompatMode::Strict, "{case}");
                            assert!(matches!(failure, Failure::Refused(_)), "{case}");
                            assert_eq!(registry.tags("web"), before, "{case}");
                        }
                    }
                }
            }
        }
    }
}

fn change<'a>(outcome: &'a ReleaseOutcome, tag: &str) -> Option<&'a TagChange> {
    let mut tags = outcome.destinations[0].tags.iter();
    Some(&tags.find(|it| it.tag.as_str() == tag)?.change)
}

#[tokio::test]
async fn promise_3_a_branch_moves_no_tag_of_a_version_or_commit() {
    for name in [
        "v2.1.0",
        "2.1.0",
        "2.1.0-rc.1",
        "2.1.0-alpine",
        "git-1234567",
        "sha-1234567",
    ] {
        for rule in ["type=ref,event=branch", "type=raw,value={{branch}}"] {
            for mode in MODES {
                let registry = Registry::start(Profile::plain()).await;
                let [there, ours] =
                    [1, 2].map(|number| labelled(&registry, "web", Some(COMMIT), number));
                tag(&registry, name, &there);
                let git_ref = format!("refs/heads/{name}");
                let request = pushed_to(&registry, &ours, &git_ref, Some((rule, "", mode)));
                registry.clear_log();
                let (failure, text) = failed(request, &context()).await;
                let case = format!("{mode:?} {rule} {name}: {text}");
                match mode {
                    CompatMode::Compatible => {
                        assert!(matches!(failure, Failure::Refused(_)), "{case}")
                    }
                    // It gives no tag at all.
                    CompatMode::Strict => assert!(matches!(failure, Failure::Input(_)), "{case}"),
                }
                assert_eq!(registry.count_of("PUT "), 0, "{case}");
                assert_eq!(registry.tags("web")[name], there, "{case}");
            }
        }
    }
}

/// With the default tags, whatever is there; and what is no line goes on as ever.
#[tokio::test]
async fn promise_3_the_default_tags_give_no_branch_the_tag_of_a_line() {
    for (branch, is_given) in [
        ("v1", false),
        ("v1.4", false),
        ("v1.4.0", false),
        ("1", false),
        ("1.4", false),
        ("1-alpine", false),
        ("1.4-alpine", false),
        ("latest", false),
        ("main", true),
        ("v1-is-old-and-tired", true),
        ("12-fix-the-login", true),
        ("feature/12", true),
    ] {
        for released in [None, Some("7.0.0")] {
            let registry = Registry::start(Profile::plain()).await;
            let [there, ours] =
                [1, 2].map(|number| labelled(&registry, "web", Some(COMMIT), number));
            if let Some(released) = released {
                tag(&registry, released, &there);
            }
            let git_ref = format!("refs/heads/{branch}");
            done(pushed_to(&registry, &ours, &git_ref, None), &context()).await;
            let tags = registry.tags("web");
            let own = branch.replace('/', "-");
            assert_eq!(tags.contains_key(&own), is_given, "{branch} {released:?}");
            assert_eq!(tags["git-9f3c2a1"], ours, "{branch} {released:?}");
        }
    }
}

/// With a component, in another spelling, or with a commit at the end: no other release need be there.
#[tokio::test]
async fn promise_3_a_branch_moves_no_tag_that_reads_as_a_version_or_commit_with_text_around_it() {
    for (name, form) in [
        ("web-2.1.0", "a version"),
        ("release/2.1.0", "a version"),
        ("api-1.5", "a version"),
        ("web-1.4.0-rc.1", "a version"),
        ("V1.4.1", "a version"),
        ("1.4.1.Final", "a version"),
        ("main-860c190", "a commit"),
    ] {
        let rule = "type=ref,event=branch";
        let given = MODES.map(|mode| Some((rule, "", mode)));
        for rules in given.into_iter().chain([None]) {
            let registry = Registry::start(Profile::plain()).await;
            let [there, ours] =
                [1, 2].map(|number| labelled(&registry, "web", Some(COMMIT), number));
            let own = name.replace('/', "-");
            tag(&registry, &own, &there);
            let git_ref = format!("refs/heads/{name}");
            let request = pushed_to(&registry, &ours, &git_ref, rules);
            let case = format!("{rules:?} {name}");
            let (context, said) = context_with(settings());
            let outcome = shipmark::release::run(&request, &context).await;
            assert_eq!(registry.tags("web")[&own], there, "{case}");
            match outcome {
                Ok(outcome) => {
                    let is_given = change(&outcome, &own);
                    let stays = matches!(is_given, Some(TagChange::Stays { .. }));
                    assert!(stays, "{case}: {is_given:?}");
                    let warned = said.warnings();
                    assert!(warned.contains(&format!("reads as {form}")), "{warned}");
                }
                Err(failure) => {
                    let is_strict = rules.is_some_and(|(.., mode)| mode == CompatMode::Strict);
                    assert!(is_strict, "{case}: {failure:?}");
                    assert!(matches!(failure, Failure::Refused(_)), "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_tag_of_an_ordinary_branch_follows_it() {
    for branch in [
        "feature-2",
        "v2-rewrite",
        "release/sprint-42",
        "release-1.4",
        "dependabot/cargo/serde-1.0.21",
    ] {
        let registry = Registry::start(Profile::plain()).await;
        let [there, ours] = [1, 2].map(|number| labelled(&registry, "web", Some(COMMIT), number));
        let own = branch.replace('/', "-");
        tag(&registry, &own, &there);
        let rules = Some(("type=ref,event=branch", "", CompatMode::Compatible));
        let git_ref = format!("refs/heads/{branch}");
        done(pushed_to(&registry, &ours, &git_ref, rules), &context()).await;
        assert_eq!(registry.tags("web")[&own], ours, "{branch}");
    }
}
