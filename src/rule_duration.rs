//! Length of time in a rule of the policy.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// Length of time in a rule: `24h`, `90d`, `1d12h`. A day has 24 hours, a week seven days.
///
/// Two lengths compare by their time; the text is kept to print it.
#[derive(Debug, Clone)]
pub struct RuleDuration {
    text: String,
    seconds: u64,
}

/// Reason why a text is not a [`RuleDuration`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleDurationError {
    /// It has another form.
    #[error(
        "is not a duration: expected whole numbers with units (w, d, h, m, s), such as 24h, 90d or 1d12h"
    )]
    Malformed,
    /// A number without a unit.
    #[error("is a number without a unit: expected w, d, h, m or s after it, such as 24h or 90d")]
    NoUnit,
    /// A unit is there twice, or after a smaller one.
    #[error(
        "has its units out of order: expected each unit once, the largest first, such as 1d12h"
    )]
    UnitOrder,
    /// It is no time at all.
    #[error("is zero: expected a duration of at least 1s")]
    Zero,
    /// More than any rule needs.
    #[error("is too long: expected at most 36500d")]
    TooLong,
}

const UNITS: [(char, u64); 5] = [
    ('w', 7 * 86_400),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];
/// Seconds of a year.
const YEAR: u64 = 366 * 86_400;
/// Limit on the duration, in seconds: a hundred years.
const LIMIT: u64 = 36_500 * 86_400;
/// Limit on the digits of a number.
const DIGITS: usize = 12;

impl RuleDuration {
    /// Returns the time.
    pub fn to_duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Reads a length that may have years (`7y`, `1y26w`), for rules that keep at least so long. A year has
    /// 366 days, so that it is never shorter than a year of the calendar.
    ///
    /// # Errors
    /// Text of another form.
    pub fn parse_with_years(text: &str) -> Result<Self, RuleDurationError> {
        let (years, rest) = match text.split_once('y') {
            Some((years, rest)) => (Some(years), rest),
            None => (None, text),
        };
        let rest = match years {
            Some(_) if rest.is_empty() => 0,
            _ => sum_units(rest)?,
        };
        let years = years.map_or(Ok(0), parse_number)?.saturating_mul(YEAR);
        Self::from_seconds(text, years.saturating_add(rest))
    }

    /// Returns a length of some hours, at least one.
    pub fn from_hours(hours: u16) -> Self {
        let hours = hours.max(1);
        Self {
            text: format!("{hours}h"),
            seconds: u64::from(hours) * 3_600,
        }
    }

    fn from_seconds(text: &str, seconds: u64) -> Result<Self, RuleDurationError> {
        match seconds {
            0 => Err(RuleDurationError::Zero),
            1..=LIMIT => Ok(Self {
                text: text.to_owned(),
                seconds,
            }),
            _ => Err(RuleDurationError::TooLong),
        }
    }
}

fn parse_number(digits: &str) -> Result<u64, RuleDurationError> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(number) if is_number && digits.len() <= DIGITS => Ok(number),
        _ => Err(RuleDurationError::Malformed),
    }
}

/// Returns the seconds of numbers with units.
fn sum_units(text: &str) -> Result<u64, RuleDurationError> {
    let mut rest = text;
    let mut seconds = 0_u64;
    let mut units = UNITS.iter();
    if text.is_empty() {
        return Err(RuleDurationError::Malformed);
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
        let number = parse_number(number)?;
        let unit = after.chars().next().ok_or(RuleDurationError::NoUnit)?;
        if !UNITS.iter().any(|(name, _)| *name == unit) {
            return Err(RuleDurationError::Malformed);
        }
        let (_, length) = units
            .find(|(name, _)| *name == unit)
            .ok_or(RuleDurationError::UnitOrder)?;
        seconds = seconds.saturating_add(number.saturating_mul(*length));
        rest = &after[1..];
    }
    Ok(seconds)
}

impl FromStr for RuleDuration {
    type Err = RuleDurationError;

    fn from_str(text: &str) -> Result<Self, RuleDurationError> {
        Self::from_seconds(text, sum_units(text)?)
    }
}

impl fmt::Display for RuleDuration {
    /// Writes it as the rule does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for RuleDuration {
    fn eq(&self, other: &Self) -> bool {
        self.seconds == other.seconds
    }
}

impl Eq for RuleDuration {}

impl PartialOrd for RuleDuration {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RuleDuration {
    fn cmp(&self, other: &Self) -> Ordering {
        self.seconds.cmp(&other.seconds)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_duration_is_whole_numbers_with_units() {
        for (text, seconds) in [
            ("24h", 86_400),
            ("90d", 90 * 86_400),
            ("30m", 1_800),
            ("1h30m", 5_400),
            ("7d12h", 7 * 86_400 + 43_200),
            ("2w", 14 * 86_400),
            ("45s", 45),
            ("0d1s", 1),
            ("36500d", LIMIT),
        ] {
            let duration: RuleDuration = text.parse().unwrap();
            assert_eq!(duration.to_duration().as_secs(), seconds, "{text}");
            assert_eq!(duration.to_string(), text);
        }
        let day: RuleDuration = "1d".parse().unwrap();
        assert_eq!(day, "24h".parse().unwrap());
        assert!(day < "25h".parse().unwrap());
    }

    #[test]
    fn other_texts_are_no_duration() {
        use RuleDurationError::*;
        for (text, error) in [
            ("", Malformed),
            ("h", Malformed),
            ("24 h", Malformed),
            (" 24h", Malformed),
            ("24H", Malformed),
            ("24hours", Malformed),
            ("1.5h", Malformed),
            ("-1h", Malformed),
            ("+1h", Malformed),
            ("P1D", Malformed),
            ("２4h", Malformed),
            ("1h🦀", Malformed),
            ("9999999999999s", Malformed),
            ("24", NoUnit),
            ("1h30", NoUnit),
            ("30m1h", UnitOrder),
            ("1h1h", UnitOrder),
            ("0h", Zero),
            ("36500d1s", TooLong),
            ("999999999999w", TooLong),
        ] {
            assert_eq!(text.parse::<RuleDuration>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_year_is_never_shorter_than_that_of_the_calendar() {
        for (text, days) in [
            ("7y", 7 * 366),
            ("1y26w", 366 + 26 * 7),
            ("0y1d", 1),
            ("30d", 30),
        ] {
            let duration = RuleDuration::parse_with_years(text).unwrap();
            assert_eq!(duration.to_duration().as_secs(), days * 86_400, "{text}");
            assert_eq!(duration.to_string(), text);
        }
        for (text, error) in [
            ("y", RuleDurationError::Malformed),
            ("1d1y", RuleDurationError::Malformed),
            ("1y2y", RuleDurationError::Malformed),
            ("0y", RuleDurationError::Zero),
            ("1y0d1", RuleDurationError::NoUnit),
            ("0y0d", RuleDurationError::Zero),
            ("100y", RuleDurationError::TooLong),
            ("999999999999y", RuleDurationError::TooLong),
        ] {
            let parsed = RuleDuration::parse_with_years(text);
            assert_eq!(parsed, Err(error), "{text}");
        }
        assert_eq!(
            "7y".parse::<RuleDuration>(),
            Err(RuleDurationError::Malformed)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_or_an_error(text in "[0-9wdhms .]{0,12}") {
            if let Ok(duration) = text.parse::<RuleDuration>() {
                prop_assert!((1..=LIMIT).contains(&duration.to_duration().as_secs()));
            }
        }
    }
}
