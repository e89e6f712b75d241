use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::yaml_node::{YamlNode, YamlText, printable_text};
use crate::record::RecordTime;

/// Time up to which something is allowed: a date, that day included, in UTC, or a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    text: String,
    end: RecordTime,
}

/// Forms of a date and of the beginning of a time, in which `0` is any digit.
const DATE_FORM: &str = "0000-00-00";
const TIME_FORM: &str = "0000-00-00T00:00:00";
const OFFSET_FORM: &str = "00:00";

impl Deadline {
    /// Returns the first moment at which it is over.
    pub fn end(&self) -> RecordTime {
        self.end
    }

    /// Reads a date.
    pub(super) fn parse_date(node: YamlNode) -> Result<Self, PolicyError> {
        let YamlText { text, position: at } = node.into_text()?;
        let text = text.trim();
        let end = end_of_date(text).ok_or_else(|| malformed(at, text, "a date"))?;
        Ok(Self {
            text: text.to_owned(),
            end,
        })
    }

    /// Reads a date, or a time of RFC 3339.
    pub(super) fn parse(node: YamlNode) -> Result<Self, PolicyError> {
        let YamlText { text, position: at } = node.into_text()?;
        let text = text.trim();
        let end = end_of_date(text).or_else(|| exact_time(text));
        let end = end.ok_or_else(|| malformed(at, text, "a date or a time"))?;
        Ok(Self {
            text: text.to_owned(),
            end,
        })
    }
}

impl fmt::Display for Deadline {
    /// Writes it as the file does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn malformed(at: FilePosition, text: &str, wanted: &'static str) -> PolicyError {
    at.to_error(PolicyProblem::Date {
        text: printable_text(text),
        wanted,
    })
}

/// Returns the beginning of the next day.
fn end_of_date(text: &str) -> Option<RecordTime> {
    if !has_form(text, DATE_FORM) {
        return None;
    }
    let next = text.parse::<Date>().ok()?.checked_add(1.day()).ok()?;
    let midnight = next.to_zoned(TimeZone::UTC).ok()?;
    RecordTime::from_timestamp(midnight.timestamp())
}

/// jiff alone would also read times with blanks or without seconds, which no editor could tell from mistakes.
fn exact_time(text: &str) -> Option<RecordTime> {
    let start = text.get(..TIME_FORM.len())?;
    let rest = &text[TIME_FORM.len()..];
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (zone.len() < fraction.len()).then_some(zone)?
        }
        None => rest,
    };
    let offset = zone.strip_prefix(['+', '-']);
    let is_zone = zone == "Z" || offset.is_some_and(|offset| has_form(offset, OFFSET_FORM));
    if !has_form(start, TIME_FORM) || !is_zone {
        return None;
    }
    text.parse::<Timestamp>()
        .ok()
        .and_then(RecordTime::from_timestamp)
}

fn has_form(text: &str, form: &str) -> bool {
    let mut pairs = text.bytes().zip(form.bytes());
    let fits =
        |(byte, form): (u8, u8)| byte == form || byte.is_ascii_digit() && form.is_ascii_digit();
    text.len() == form.len() && pairs.all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_includes_its_day_and_a_time_is_exact() {
        for (text, end) in [
            ("2026-12-31", "2027-01-01T00:00:00.000Z"),
            ("2028-02-28", "2028-02-29T00:00:00.000Z"),
            ("2026-12-31T12:00:00Z", "2026-12-31T12:00:00.000Z"),
            ("2026-12-31T12:00:00.5+02:00", "2026-12-31T10:00:00.500Z"),
        ] {
            let read = end_of_date(text).or_else(|| exact_time(text));
            assert_eq!(read, end.parse().ok(), "{text}");
        }
    }

    #[test]
    fn other_forms_are_no_time() {
        for text in [
            "",
            "2026-02-30",
            "26-12-31",
            "2026-12-31T12:00Z",
            "2026-12-31 12:00:00Z",
            "2026-12-31T12:00:00",
            "2026-12-31t12:00:00z",
            "2026-12-31T12:00:00.Z",
            "2026-12-31T12:00:00+0200",
            "2026-12-31T25:00:00Z",
            "2026-12-31T12:00:00Z[UTC]",
            "9999-12-31",
            "0000-01-01T00:00:00Z",
            "２026-12-31",
        ] {
            assert_eq!(end_of_date(text), None, "{text}");
            assert_eq!(exact_time(text), None, "{text}");
        }
    }
}
