//! How long rules take. The limit holds for a release build:
//!
//! ```sh
//! cargo test --release --test it tags::figures -- --nocapture
//! ```

use std::time::Duration;

use jiff::Timestamp;
use shipmark::event::{EventFacts, EventInputs};
use shipmark::tagging::{CompatMode, TagContext, TagRuleSet, expand_rules};

const RULES: [&str; 10] = [
    "type=semver,pattern={{version}}",
    "type=semver,pattern={{major}}.{{minor}}",
    "type=semver,pattern={{major}},enable={{is_not_default_branch}}",
    "type=pep440,pattern={{version}}",
    r"type=match,pattern=v(\d+)\.(\d+),group=1",
    "type=ref,event=tag",
    "type=edge",
    "type=raw,value={{tag}}-{{date 'YYYYMMDD' tz='Europe/Berlin'}}",
    "type=raw,value=nightly",
    "type=sha",
];

#[test]
fn a_hundred_rules_take_less_than_a_millisecond() {
    let tags: Vec<_> = (0..10).flat_map(|_| RULES).collect();
    let tags = tags.join("\n");
    let facts = EventFacts::parse(&EventInputs {
        name: "push",
        git_ref: Some("refs/tags/v1.4.0"),
        sha: Some("860c1904a1ce19322e91ac35af1ab07466440c37"),
        ..EventInputs::default()
    });
    let subject = TagContext::from_facts(Some(facts.unwrap()), Timestamp::UNIX_EPOCH);
    let expand = |mode| {
        let rules = TagRuleSet::parse(&tags, "", mode).unwrap();
        let expansion = expand_rules(&rules, &subject).unwrap();
        assert_eq!(expansion.tags.len(), 90);
    };
    let limit = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 1 });
    for mode in [CompatMode::Compatible, CompatMode::Strict] {
        let start = time_on_cpu();
        let mut rounds = 0;
        // The kernel counts in ticks of some milliseconds: enough of them make one of no account.
        while time_on_cpu() - start < Duration::from_millis(200) {
            expand(mode);
            rounds += 1;
        }
        let each = (time_on_cpu() - start) / rounds;
        println!("100 rules, {mode:?}: {each:?}");
        assert!(each < limit, "{mode:?}: {each:?}");
    }
}

/// How long this thread has been on a processor: what it took by itself, whatever else the machine
/// does meanwhile.
fn time_on_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = stat.split(' ').next().unwrap();
    Duration::from_nanos(nanoseconds.parse().unwrap())
}
