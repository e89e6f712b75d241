//! Lines that name our own image, while a higher version is there.

use super::*;
use crate::release::plan::line_warnings::LineWarnings;

fn at_own_image(hours: Option<i64>, is_repeated: bool) -> DestinationState {
    let tags = [
        ("9.9.9", "typo"),
        ("1.5.0", "new"),
        ("1.4.1", "root"),
        ("latest", "root"),
    ];
    let times = [("root", Some(0)), ("typo", Some(-9_000)), ("new", hours)];
    let mut there = with_times(seen(&tags), &times);
    there.immutable_tags = [tag("1.4.1")].into();
    if !is_repeated {
        there.tag_digests.insert(tag("1.4.1"), None);
    }
    there
}

#[test]
fn promise_4_a_line_that_an_earlier_attempt_wrote_moves_to_the_version_in_progress() {
    let moved = LineDecision::HigherRelease(release("1.5.0"), digest("new"));
    let stays_there = stays(LineHold::AtOwnImage(release("1.5.0")));
    for (hours, is_repeated, expected) in [
        (Some(1), true, &moved),
        (Some(24), true, &moved),
        (Some(-24), true, &moved),
        (None, true, &moved),
        (Some(25), true, &stays_there),
        (Some(1), false, &stays_there),
        (None, false, &stays_there),
    ] {
        let there = at_own_image(hours, is_repeated);
        let decision = decide(&line("latest", "1.4.1"), &there);
        assert_eq!(&decision, expected, "{hours:?} {is_repeated}");
    }
}

#[test]
fn promise_4_a_rollback_by_hand_stays_and_is_warned_about() {
    let latest = line("latest", "1.4.1");
    let text = |there: &DestinationState| {
        let mut warnings = LineWarnings::default();
        warnings.record_decision(&latest, &decide(&latest, there));
        let texts: Vec<_> = warnings.to_texts(&"oci:x".parse().unwrap()).collect();
        texts.join("\n")
    };
    let stays_there = text(&at_own_image(Some(1440), true));
    assert!(
        stays_there.starts_with("oci:x: latest stays at 1.4.1, although 1.5.0 is higher"),
        "{stays_there}"
    );
    let moved = text(&at_own_image(Some(1), true));
    assert!(
        moved.starts_with("oci:x: latest moves to the higher version 1.5.0"),
        "{moved}"
    );
}

#[test]
fn promise_4_the_last_decision_on_a_line_is_warned_about() {
    let latest = line("latest", "1.4.1");
    let mut warnings = LineWarnings::default();
    for decision in [
        passes("1.10.6"),
        stays(LineHold::InProgress(release("2.0.0"))),
        stays(LineHold::InProgress(release("2.0.0"))),
    ] {
        warnings.record_decision(&latest, &decision);
    }
    let texts: Vec<_> = warnings.to_texts(&"oci:x".parse().unwrap()).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(
        texts[0].starts_with("oci:x: latest is not moved"),
        "{texts:?}"
    );
}

/// The line names the seventeenth version.
#[test]
fn promise_4_a_line_does_not_go_back_behind_sixteen_higher_versions() {
    let versions: Vec<String> = (10..27).map(|patch| format!("1.5.{patch}")).collect();
    let there = |count: usize| {
        let mut tags: Vec<(&str, &str)> = versions[versions.len() - count..]
            .iter()
            .map(|text| (text.as_str(), text.as_str()))
            .collect();
        tags.extend([("1.4.0", "old"), ("latest", "1.5.10")]);
        let times: Vec<_> = tags.iter().map(|(_, of)| (*of, Some(-99))).collect();
        let times = [times, vec![("root", Some(0))]].concat();
        with_times(seen(&tags), &times)
    };
    let latest = line("latest", "1.4.1");
    let limit = stays(LineHold::LookupLimit(release("1.5.26")));
    assert_eq!(decide(&latest, &there(17)), limit);
    assert_eq!(decide(&latest, &there(16)), limit);
    let unknown = stays(LineHold::UnknownImage(release("1.5.26")));
    assert_eq!(decide(&latest, &there(15)), unknown);
}
