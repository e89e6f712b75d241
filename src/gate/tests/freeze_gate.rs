use super::*;
use crate::gate::GateState::{Failed, Passed};

fn window(from: &str, to: &str, zone: &str) -> FreezeWindow {
    overridable_window(from, to, zone, false)
}

fn overridable_window(from: &str, to: &str, zone: &str, allows_override: bool) -> FreezeWindow {
    let [from, to] = [from, to].map(|text| text.parse().unwrap());
    FreezeWindow::new(from, to, zone.parse().unwrap(), allows_override).unwrap()
}

/// Checks at which times a window is in effect.
#[track_caller]
fn assert_frozen(window: &FreezeWindow, times: &[(&str, bool)]) {
    for (text, is_frozen) in times {
        let judgement = judge_freeze(std::slice::from_ref(window), None, time(text));
        assert_eq!(
            !judgement.verdict.has_passed(),
            *is_frozen,
            "{window} at {text}"
        );
        assert!(!judgement.is_overridden);
    }
}

#[test]
fn promise_6_a_window_that_ends_beyond_all_times_is_in_effect() {
    let ever = window("2020-01-01T00:00", "9999-12-31T00:00", "UTC");
    assert_frozen(
        &ever,
        &[
            ("2019-12-31T23:59:59Z", false),
            ("2026-11-20T12:00:00Z", true),
        ],
    );
}

#[test]
fn a_weekly_window_is_one_stretch_and_its_end_is_not_included() {
    let weekend = window("fri 15:00", "mon 06:00", "Europe/Berlin");
    assert_frozen(
        &weekend,
        &[
            ("2026-11-20T13:59:59Z", false),
            ("2026-11-20T14:00:00Z", true),
            ("2026-11-21T12:00:00Z", true),
            ("2026-11-22T23:59:59Z", true),
            ("2026-11-23T04:59:59.999Z", true),
            ("2026-11-23T05:00:00Z", false),
            ("2026-11-25T12:00:00Z", false),
        ],
    );
    // Summer time.
    assert_frozen(
        &weekend,
        &[
            ("2026-07-03T12:59:59Z", false),
            ("2026-07-03T13:00:00Z", true),
            ("2026-07-06T03:59:59Z", true),
            ("2026-07-06T04:00:00Z", false),
        ],
    );
}

#[test]
fn a_weekly_window_may_lie_in_a_day_or_end_before_it_begins_in_the_same_day() {
    let night = window("wed 12:00", "wed 13:00", "UTC");
    assert_frozen(
        &night,
        &[
            ("2026-11-18T11:59:59Z", false),
            ("2026-11-18T12:00:00Z", true),
            ("2026-11-18T13:00:00Z", false),
            ("2026-11-19T12:30:00Z", false),
        ],
    );
    let nearly_a_week = window("wed 13:00", "wed 12:00", "UTC");
    assert_frozen(
        &nearly_a_week,
        &[
            ("2026-11-18T11:59:59Z", true),
            ("2026-11-18T12:00:00Z", false),
            ("2026-11-18T12:59:59Z", false),
            ("2026-11-18T13:00:00Z", true),
            ("2026-11-21T00:00:00Z", true),
        ],
    );
    let over_sunday = window("sun 23:00", "mon 01:00", "Pacific/Auckland");
    assert_frozen(
        &over_sunday,
        &[
            ("2026-11-22T09:59:59Z", false),
            ("2026-11-22T10:00:00Z", true),
            ("2026-11-22T11:59:59Z", true),
            ("2026-11-22T12:00:00Z", false),
        ],
    );
}

#[test]
fn an_absolute_window_is_there_once() {
    let holidays = window("2026-12-23T00:00", "2027-01-02T00:00", "America/New_York");
    assert_frozen(
        &holidays,
        &[
            ("2026-12-23T04:59:59Z", false),
            ("2026-12-23T05:00:00Z", true),
            ("2027-01-02T04:59:59Z", true),
            ("2027-01-02T05:00:00Z", false),
            ("2027-12-24T12:00:00Z", false),
        ],
    );
}

#[test]
fn hours_that_a_dst_change_skips_or_repeats_are_frozen_if_either_reading_is() {
    // In Berlin clocks go from 02:00 to 03:00 on 2026-03-29, at 01:00Z.
    let skipped_start = window("sun 02:30", "sun 04:00", "Europe/Berlin");
    assert_frozen(
        &skipped_start,
        &[
            ("2026-03-29T00:29:59Z", false),
            ("2026-03-29T00:30:00Z", true),
            ("2026-03-29T01:59:59Z", true),
            ("2026-03-29T02:00:00Z", false),
        ],
    );
    let skipped_end = window("sun 01:00", "sun 02:30", "Europe/Berlin");
    assert_frozen(
        &skipped_end,
        &[
            ("2026-03-28T23:59:59Z", false),
            ("2026-03-29T00:00:00Z", true),
            ("2026-03-29T01:29:59Z", true),
            ("2026-03-29T01:30:00Z", false),
        ],
    );
    // From 03:00 to 02:00 on 2026-10-25, at 01:00Z: 02:30 is at 00:30Z and at 01:30Z.
    let repeated_start = window("2026-10-25T02:30", "2026-10-25T04:00", "Europe/Berlin");
    assert_frozen(
        &repeated_start,
        &[
            ("2026-10-25T00:29:59Z", false),
            ("2026-10-25T00:30:00Z", true),
            ("2026-10-25T01:10:00Z", true),
            ("2026-10-25T02:59:59Z", true),
            ("2026-10-25T03:00:00Z", false),
        ],
    );
    let repeated_end = window("sun 01:00", "sun 02:30", "Europe/Berlin");
    assert_frozen(
        &repeated_end,
        &[
            ("2026-10-24T22:59:59Z", false),
            ("2026-10-24T23:00:00Z", true),
            ("2026-10-25T00:45:00Z", true),
            ("2026-10-25T01:29:59Z", true),
            ("2026-10-25T01:30:00Z", false),
        ],
    );
}

#[test]
fn a_refusal_says_when_the_freeze_ends() {
    let windows = [
        window("fri 15:00", "mon 06:00", "Europe/Berlin"),
        window("mon 06:00", "mon 08:00", "Europe/Berlin"),
        window("2026-01-01T00:00", "2026-01-02T00:00", "UTC"),
    ];
    let judgement = judge_freeze(&windows, None, time("2026-11-21T12:00:00Z"));
    let reason = "frozen by fri 15:00 to mon 06:00 (Europe/Berlin) until 2026-11-23T06:00:00+01:00 (Europe/Berlin)";
    assert_verdict(&judgement.verdict, Failed, &[reason]);
    let hint = "release at or after 2026-11-23T08:00:00+01:00 (Europe/Berlin)";
    assert_eq!(judgement.verdict.hints(), [hint]);
    let judgement = judge_freeze(&windows, None, time("2026-11-25T12:00:00Z"));
    assert_verdict(&judgement.verdict, Passed, &[]);
    let fact = "outside of fri 15:00 to mon 06:00 (Europe/Berlin); mon 06:00 to mon 08:00 (Europe/Berlin); 2026-01-01T00:00 to 2026-01-02T00:00 (UTC)";
    assert_eq!(judgement.verdict.facts(), [fact]);
    let always = [
        window("mon 00:00", "thu 00:00", "UTC"),
        window("thu 00:00", "mon 00:00", "UTC"),
    ];
    let judgement = judge_freeze(&always, None, time("2026-11-25T12:00:00Z"));
    let hint = "the windows leave no time for a release: change gates.freeze of the policy";
    assert_eq!(judgement.verdict.hints(), [hint]);
}

#[test]
fn a_reason_overrides_windows_that_allow_it() {
    let hard = window("fri 15:00", "mon 06:00", "UTC");
    let soft = overridable_window("sat 00:00", "sun 00:00", "UTC", true);
    let saturday = time("2026-11-21T12:00:00Z");
    let judgement = judge_freeze(std::slice::from_ref(&soft), Some(" fix\u{7} "), saturday);
    assert_verdict(&judgement.verdict, Passed, &[]);
    assert!(judgement.is_overridden);
    let fact = "frozen by sat 00:00 to sun 00:00 (UTC) until 2026-11-22T00:00:00Z, overridden: fix\u{fffd}";
    assert_eq!(judgement.verdict.facts(), [fact]);
    assert_eq!(
        judgement.verdict.warnings(),
        ["freeze overridden: fix\u{fffd}"]
    );
    for blank in [None, Some(""), Some(" \n")] {
        let judgement = judge_freeze(std::slice::from_ref(&soft), blank, saturday);
        assert_verdict(&judgement.verdict, Failed, &["frozen by sat 00:00"]);
        assert!(judgement.verdict.hints()[0].contains("in the input override-freeze"));
    }
    let judgement = judge_freeze(&[soft.clone(), hard.clone()], Some("fix"), saturday);
    let reason = "frozen by fri 15:00 to mon 06:00 (UTC), which override-freeze does not override";
    assert_verdict(&judgement.verdict, Failed, &[reason]);
    assert!(!judgement.is_overridden);
    let judgement = judge_freeze(&[soft, hard], Some("fix"), time("2026-11-25T12:00:00Z"));
    assert_verdict(&judgement.verdict, Passed, &[]);
    assert!(!judgement.is_overridden);
    let warning = "override-freeze has no effect: no freeze window is in effect";
    assert_eq!(judgement.verdict.warnings(), [warning]);
}

#[test]
fn moments_and_zones_are_strict() {
    for text in [
        "",
        "fri",
        "15:00",
        "fri 15",
        "fri 3:00",
        "fri 24:00",
        "fri  15:00",
        "Fri 15:00",
        "friday 15:00",
        "fri 15:00:00",
        "2026-12-23",
        "2026-12-23 00:00",
        "2026-12-23T00:00Z",
        "2026-02-30T00:00",
        "2026-12-23T00:60",
        "26-12-23T00:00",
        "2026-12-23T00:00:00",
    ] {
        assert_eq!(
            text.parse::<FreezeMoment>(),
            Err(FreezeMomentError),
            "{text}"
        );
    }
    for text in ["", "CET+1", "Berlin", "+01:00", "Europe/Nowhere", "local"] {
        assert_eq!(text.parse::<FreezeZone>(), Err(FreezeZoneError), "{text}");
    }
    let refused = |from: &str, to: &str| {
        let [from, to] = [from, to].map(|text| text.parse().unwrap());
        FreezeWindow::new(from, to, "UTC".parse().unwrap(), false).unwrap_err()
    };
    assert_eq!(refused("fri 15:00", "fri 15:00"), FreezeWindowError::Empty);
    let [early, late] = ["2026-12-23T00:00", "2027-01-02T00:00"];
    assert_eq!(refused(late, early), FreezeWindowError::Reversed);
    assert_eq!(refused("fri 15:00", late), FreezeWindowError::MixedMoments);
}
