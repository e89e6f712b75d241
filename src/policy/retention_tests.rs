//! The key `retention`.

use super::tests::{read, refused};
use crate::retention::{PruneSelector, RetentionRules};
use crate::tagging::TagPattern;

/// The example of the documentation.
const EXAMPLE: &str = "\
environments:
  dev:
    repository: dev.example.com/team/web
  prod:
    repository: prod.example.com/team/web
    from: dev
retention:
  keep:
    released: 7y                 # what a counted record says was released: image, signatures, SBOMs, records
    rollback: 5                  # roots of the newest five releases of every environment, in every repository
    tags: ['lts-*']
    pinned: ['deploy/**/*.yaml'] # digests that these files name, at the policy's commit
  prune:
    - {tags: 'pr-*', older-than: 14d}
    - {tags: ['buildcache', 'cache-*'], older-than: 3d}
    - {tags: 'sha-*', older-than: 30d, keep-last: 20}
    - {versions: '*', keep-last: 10}     # version order, pre-releases apart
    - {untagged: true, older-than: 7d}
  grace: 24h
  limits: {share: 30%, images: 100}
";

fn rules(text: &str, environment: &str) -> RetentionRules {
    let policy = read(text).unwrap();
    let name = environment.parse().unwrap();
    policy.stage(&name).unwrap().retention()
}

fn texts(rules: &RetentionRules) -> Vec<String> {
    rules.prune.iter().map(ToString::to_string).collect()
}

fn patterns(rules: &RetentionRules) -> Vec<&str> {
    rules.keep.tags.iter().map(TagPattern::as_str).collect()
}

/// A policy with two environments, with a key of the file and one of the environment `a`.
fn written(file: &str, own: &str) -> String {
    format!("environments:\n  a: {{repository: x/a{own}}}\n  b: {{repository: x/b}}\n{file}\n")
}

/// A policy with a retention of the file.
fn with_retention(text: &str) -> String {
    written(&format!("retention: {{{text}}}"), "")
}

#[test]
fn the_example_gives_rules_to_every_environment() {
    for environment in ["dev", "prod"] {
        let rules = rules(EXAMPLE, environment);
        let released = rules.keep.released.clone().unwrap();
        assert_eq!(released.to_string(), "7y");
        assert_eq!(rules.keep.rollback, Some(5));
        assert_eq!(patterns(&rules), ["lts-*"]);
        assert_eq!(rules.keep.pinned, ["deploy/**/*.yaml"]);
        assert_eq!(
            texts(&rules),
            [
                "tags: pr-*, older-than: 14d",
                "tags: buildcache cache-*, older-than: 3d",
                "tags: sha-*, older-than: 30d, keep-last: 20",
                "versions: *, keep-last: 10",
                "untagged, older-than: 7d",
            ]
        );
        assert_eq!(rules.grace.to_string(), "24h");
        assert_eq!((rules.limits.share, rules.limits.images), (30, 100));
    }
}

#[test]
fn a_policy_without_retention_deletes_nothing() {
    let found = rules(&written("", ""), "a");
    assert_eq!(found, RetentionRules::default());
    assert!(found.prune.is_empty());
    assert_eq!(found.grace.to_string(), "24h");
    assert_eq!((found.limits.share, found.limits.images), (30, 100));
    let kept = rules(&with_retention("keep: {tags: v*}"), "a");
    assert!(kept.prune.is_empty());
}

#[test]
fn keep_rules_of_an_environment_add_up_and_its_other_keys_replace() {
    let file = "retention: {keep: {released: 1y, rollback: 5, tags: v*, pinned: a.yaml}, prune: [{tags: pr-*, older-than: 14d}], grace: 2d, limits: {share: 10%, images: 5}}";
    let own = ", retention: {keep: {released: 7y, rollback: 3, tags: [lts, v*], pinned: [b.yaml]}, prune: [{untagged: true, orphans: true, older-than: 1d}], grace: 1h, limits: {images: 7}}";
    let a = rules(&written(file, own), "a");
    assert_eq!(a.keep.released.clone().unwrap().to_string(), "7y");
    assert_eq!(a.keep.rollback, Some(5));
    assert_eq!(patterns(&a), ["v*", "lts"]);
    assert_eq!(a.keep.pinned, ["a.yaml", "b.yaml"]);
    assert_eq!(texts(&a), ["untagged and orphans, older-than: 1d"]);
    let selector = PruneSelector::Untagged { orphans: true };
    assert_eq!(a.prune[0].selector, selector);
    assert_eq!(a.grace.to_string(), "1h");
    assert_eq!((a.limits.share, a.limits.images), (10, 7));
    let b = rules(&written(file, own), "b");
    assert_eq!(texts(&b), ["tags: pr-*, older-than: 14d"]);
    assert_eq!(b.keep.released.clone().unwrap().to_string(), "1y");
    assert_eq!(b.grace.to_string(), "2d");
    let none = rules(&written(file, ", retention: {prune: []}"), "a");
    assert!(none.prune.is_empty());
    assert_eq!(none.keep.rollback, Some(5));
}

#[test]
fn all_problems_of_a_retention_are_named_in_one_run() {
    let text = "\
environments:
  a: {repository: x/a, retention: {keep: {}}}
retention:
  keep: {released: 7 years, rollback: 0, tags: [a b], pinned: ['../x', /etc], rolback: 1}
  prune:
    - {tags: 'hold.*', older-than: 1d}
    - {tags: ['sha256-*', 'shipmark.prod.*'], older-than: 1d}
    - {tags: ['sha256-*', 'sha-*'], older-than: 1d}
    - {older-than: 1d}
    - {tags: a, untagged: true, older-than: 1d}
    - {tags: a}
    - {untagged: false, keep-last: x}
    - {versions: '*', orphans: true, keep-last: 1}
    - text
  grace: 1y
  limits: {share: 130%, images: 01}
";
    insta::assert_snapshot!(refused(text), @r#"
    line 2, column 42: expected at least one of the keys released, rollback, tags, pinned, got none
    line 4, column 20: "7 years" is not a duration: expected whole numbers with units (w, d, h, m, s), such as 24h, 90d or 1d12h
    line 4, column 39: "0" is not a number from 1 to 999999
    line 4, column 49: "a b" contains ' ', which is in no tag
    line 4, column 64: "../x" is not a path in the repository: expected a relative path without . and ..
    line 4, column 72: "/etc" is not a path in the repository: expected a relative path without . and ..
    line 4, column 79: the key rolback is not known here; did you mean rollback?
    line 6, column 14: "hold.*" names only tags of records, holds or evidence, which no rule deletes. remove the rule: evidence goes with its image, records stay, and unhold lifts a hold
    line 7, column 15: "sha256-*" names only tags of records, holds or evidence, which no rule deletes. remove the rule: evidence goes with its image, records stay, and unhold lifts a hold
    line 7, column 27: "shipmark.prod.*" names only tags of records, holds or evidence, which no rule deletes. remove the rule: evidence goes with its image, records stay, and unhold lifts a hold
    line 9, column 7: one of the keys tags, versions, untagged is missing. write tags: or versions: and patterns, or untagged: true
    line 10, column 17: expected one of the keys tags, versions, untagged, got more. write two entries of the list
    line 11, column 7: expected at least one of the keys older-than, keep-last, got none
    line 12, column 18: "false" is not one of true
    line 12, column 36: "x" is not a number from 1 to 999999
    line 13, column 23: orphans has no effect: the rule is not about untagged images. write orphans: true into a rule with untagged: true, or remove it
    line 14, column 7: expected a mapping with the key tags, versions or untagged, got text
    line 15, column 10: "1y" is not a duration: expected whole numbers with units (w, d, h, m, s), such as 24h, 90d or 1d12h
    line 16, column 19: "130%" is not a share from 1% to 100%, such as 30%
    line 16, column 33: "01" is not a number from 1 to 999999
    "#);
}

#[test]
fn a_registry_of_an_environment_replaces_that_of_the_file() {
    let file = "retention: {apis: [h.example.com=harbor, 'g.example.com=gitlab https://gitlab.example.com']}";
    let own = ", retention: {apis: h.example.com=quay}";
    let texts = |environment: &str| -> Vec<String> {
        let rules = rules(&written(file, own), environment);
        rules.apis.iter().map(ToString::to_string).collect()
    };
    let gitlab = "g.example.com=gitlab https://gitlab.example.com/";
    assert_eq!(texts("a"), ["h.example.com=quay", gitlab]);
    assert_eq!(texts("b"), ["h.example.com=harbor", gitlab]);
}

#[test]
fn a_registry_with_an_api_has_a_vendor_and_an_address_that_keeps_logins_secret() {
    let text = "\
environments: {a: {repository: x/a}}
retention:
  apis:
    - harbor.example.com
    - h.example.com=nexus
    - h.example.com=
    - h.example.com=harbor http://h.example.com
    - h.example.com=harbor https://robot:secret@h.example.com
    - h.example.com=harbor https://h.example.com more
    - 'h example=harbor'
    - localhost:5000=harbor http://127.0.0.1:9000
    - localhost:5000=quay
";
    insta::assert_snapshot!(refused(text), @r#"
    line 4, column 7: "harbor.example.com" is not of the form REGISTRY=VENDOR or REGISTRY=VENDOR ADDRESS
    line 5, column 7: "h.example.com=nexus" names the vendor "nexus", which is not one of acr, artifactory, docker-hub, ecr, gar, ghcr, gitlab, harbor and quay
    line 6, column 7: "h.example.com=" is not of the form REGISTRY=VENDOR or REGISTRY=VENDOR ADDRESS
    line 7, column 7: "h.example.com=harbor" has an address that is not an https address without a login
    line 8, column 7: "h.example.com=harbor" has an address that is not an https address without a login
    line 9, column 7: "h.example.com=harbor" is not of the form REGISTRY=VENDOR or REGISTRY=VENDOR ADDRESS
    line 10, column 7: "h" has a malformed registry "h example"
    line 12, column 7: "localhost:5000=quay" names a registry that is there already
    "#);
}

#[test]
fn a_file_that_is_added_may_not_change_the_retention_of_an_environment() {
    let own = read(&with_retention("prune: [{tags: a, older-than: 1d}]")).unwrap();
    let added = |text: &str| own.clone().with(read(&with_retention(text)).unwrap());
    assert!(added("prune: [{tags: a, older-than: 24h}]").is_ok());
    assert!(added("prune: [{tags: a, older-than: 2d}]").is_err());
    assert!(own.clone().with(read(&written("", "")).unwrap()).is_err());
}

#[test]
fn an_environment_with_a_retention_states_it() {
    let policy = read(&written("", ", retention: {grace: 1h}")).unwrap();
    let states: Vec<bool> = policy
        .environments()
        .iter()
        .map(|it| it.states("retention"))
        .collect();
    assert_eq!(states, [true, false]);
}
