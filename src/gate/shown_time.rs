//! Times and lengths of time in verdicts.

use std::time::Duration;

use jiff::Timestamp;

/// Units of a length of time, the largest first, with the lengths from which on they are used.
const UNITS: [(u64, u64, &str); 4] = [
    (2 * 86_400, 86_400, "d"),
    (3_600, 3_600, "h"),
    (60, 60, "min"),
    (0, 1, "s"),
];

/// Returns a time in UTC: `2026-11-20T12:00:00Z`.
pub(super) fn shown_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns a length of time in its largest unit, and the next one if it is not a whole number of them: `26 h`,
/// `1 h 5 min`.
pub(super) fn shown_age(age: Duration) -> String {
    let seconds = age.as_secs();
    let at = UNITS.iter().position(|(from, ..)| seconds >= *from);
    let at = at.unwrap_or(UNITS.len() - 1);
    let (_, unit, name) = UNITS[at];
    let whole = format!("{} {name}", seconds / unit);
    match UNITS.get(at + 1) {
        Some((_, next, name)) if seconds % unit >= *next => {
            format!("{whole} {} {name}", seconds % unit / next)
        }
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_two_units_at_most() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (3_600, "1 h"),
            (3_659, "1 h"),
            (5_400, "1 h 30 min"),
            (26 * 3_600, "26 h"),
            (48 * 3_600, "2 d"),
            (49 * 3_600 + 59, "2 d 1 h"),
            (90 * 86_400 + 1, "90 d"),
        ] {
            assert_eq!(shown_age(Duration::from_secs(seconds)), text);
        }
    }
}
