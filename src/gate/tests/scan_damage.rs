//! Damaged reports: what a cut, a member that is there twice or a changed digest does to a verdict.

use super::scan_cases::{ReportCase, read_cases};

/// Places at which each report is cut, and members that are doubled.
const PLACES: usize = 12;

/// Judges a case with one report in place of another.
fn passes_with(case: &ReportCase, number: usize, damaged: &[u8]) -> bool {
    let contents = case.reports.iter().enumerate();
    let contents: Vec<&[u8]> = contents
        .map(|(at, (_, content))| if at == number { damaged } else { content })
        .collect();
    case.judge(&contents).verdict.has_passed()
}

/// Calls `visit` with every report of the cases that `wanted` chooses, and with its number.
fn each_report(
    wanted: impl Fn(&ReportCase) -> bool,
    mut visit: impl FnMut(&ReportCase, usize, &str),
) {
    let cases = read_cases();
    let mut count = 0;
    for case in cases.iter().filter(|case| wanted(case)) {
        for (number, (_, content)) in case.reports.iter().enumerate() {
            visit(case, number, std::str::from_utf8(content).unwrap());
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

/// Returns at most [`PLACES`] of these numbers, spread over all.
fn spread(places: Vec<usize>) -> Vec<usize> {
    let step = places.len().div_ceil(PLACES).max(1);
    places.into_iter().step_by(step).collect()
}

/// Returns the places after the colon of members, outside of texts with an escape.
fn member_ends(text: &str) -> Vec<usize> {
    text.match_indices("\": ").map(|(at, _)| at).collect()
}

/// Returns the report with a member of another value before the one whose name ends at a place.
fn with_double_member(text: &str, name_end: usize, value: &str) -> String {
    let name_start = text[..name_end].rfind('"').unwrap();
    let name = &text[name_start..=name_end];
    format!(
        "{}{name}: {value}, {}",
        &text[..name_start],
        &text[name_start..]
    )
}

#[test]
fn promise_6_a_cut_report_never_passes() {
    each_report(
        |_| true,
        |case, number, text| {
            let end = text.trim_end().len();
            for at in spread((0..end).filter(|at| text.is_char_boundary(*at)).collect()) {
                assert!(
                    !passes_with(case, number, &text.as_bytes()[..at]),
                    "{} at {at}",
                    case.name
                );
            }
        },
    );
}

#[test]
fn promise_6_a_report_with_a_member_twice_never_passes() {
    each_report(
        |_| true,
        |case, number, text| {
            for at in spread(member_ends(text)) {
                for value in ["null", "\"LOW\"", "[]"] {
                    let damaged = with_double_member(text, at, value);
                    let passes = passes_with(case, number, damaged.as_bytes());
                    assert!(
                        !passes,
                        "{}: {}",
                        case.name,
                        &damaged[at..][..40.min(damaged.len() - at)]
                    );
                }
            }
        },
    );
}

#[test]
fn promise_6_a_changed_digest_turns_no_fail_into_a_pass() {
    each_report(
        |case| !case.passes,
        |case, number, text| {
            for (at, _) in text.match_indices("sha256:") {
                let digit = at + "sha256:".len();
                let changed = if text.as_bytes()[digit] == b'0' {
                    "1"
                } else {
                    "0"
                };
                let damaged = format!("{}{changed}{}", &text[..digit], &text[digit + 1..]);
                assert!(
                    !passes_with(case, number, damaged.as_bytes()),
                    "{} at {at}",
                    case.name
                );
            }
        },
    );
}
