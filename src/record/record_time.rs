use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use thiserror::Error;

/// Time at which a run planned what its record says, in whole milliseconds of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordTime(Timestamp);

/// Reason why a text is not a [`RecordTime`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a time of UTC in milliseconds, such as {0}")]
pub struct RecordTimeError(&'static str);

const IN_RECORD: &str = "2026-11-20T21:48:08.123Z";
const IN_TAG: &str = "20261120t214808123z";

impl RecordTime {
    /// Returns `time` without the part below a millisecond; `None` outside of the years 1 to 9999.
    pub fn from_timestamp(time: Timestamp) -> Option<Self> {
        let whole = Timestamp::from_millisecond(time.as_millisecond()).ok()?;
        let year = whole.to_zoned(TimeZone::UTC).year();
        (1..=9999).contains(&year).then_some(Self(whole))
    }

    /// Reads the form of tags, `20261120t214808123z`.
    ///
    /// # Errors
    /// Returns an error for every other form.
    pub fn parse_tag_part(text: &str) -> Result<Self, RecordTimeError> {
        let error = RecordTimeError(IN_TAG);
        let is_form = text.len() == IN_TAG.len()
            && text
                .bytes()
                .zip(IN_TAG.bytes())
                .all(|(byte, form)| byte == form || byte.is_ascii_digit() && form.is_ascii_digit());
        if !is_form {
            return Err(error);
        }
        let number = |from: usize, to: usize| text[from..to].parse::<i16>().ok();
        let civil = || {
            let day = |from| number(from, from + 2)?.try_into().ok();
            let millisecond = i32::from(number(15, 18)?);
            DateTime::new(
                number(0, 4)?,
                day(4)?,
                day(6)?,
                day(9)?,
                day(11)?,
                day(13)?,
                millisecond * 1_000_000,
            )
            .ok()
        };
        civil()
            .and_then(|civil| civil.to_zoned(TimeZone::UTC).ok())
            .and_then(|zoned| Self::from_timestamp(zoned.timestamp()))
            .filter(|time| time.to_tag_part() == text)
            .ok_or(error)
    }

    /// Returns the form of tags, `20261120t214808123z`, whose order as text is that of the times.
    pub fn to_tag_part(self) -> String {
        self.0.strftime("%Y%m%dt%H%M%S%3fz").to_string()
    }

    /// Returns the time itself.
    pub fn to_timestamp(self) -> Timestamp {
        self.0
    }

    /// Returns the next millisecond; `None` after the last of the year 9999.
    pub fn next(self) -> Option<Self> {
        self.0
            .checked_add(Duration::from_millis(1))
            .ok()
            .and_then(Self::from_timestamp)
    }

    /// Returns the time that is earlier by `span`; `None` before the year 1.
    pub fn before(self, span: Duration) -> Option<Self> {
        self.0.checked_sub(span).ok().and_then(Self::from_timestamp)
    }

    /// Returns how far it is after `other`; zero if it is before.
    pub fn since(self, other: Self) -> Duration {
        self.0
            .duration_since(other.0)
            .try_into()
            .unwrap_or_default()
    }
}

impl FromStr for RecordTime {
    type Err = RecordTimeError;

    /// Reads the form of records, RFC 3339 in UTC with milliseconds, and no other one of the same time.
    fn from_str(text: &str) -> Result<Self, RecordTimeError> {
        let time: Option<Timestamp> = text.parse().ok();
        time.and_then(Self::from_timestamp)
            .filter(|time| time.to_string() == text)
            .ok_or(RecordTimeError(IN_RECORD))
    }
}

impl fmt::Display for RecordTime {
    /// Writes the form of records.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_are_strict() {
        let time = IN_RECORD.parse::<RecordTime>().unwrap();
        assert_eq!(RecordTime::parse_tag_part(IN_TAG), Ok(time));
        assert_eq!(time.to_tag_part(), IN_TAG);
        assert_eq!(time.to_string(), IN_RECORD);
        for other in [
            "2026-11-20T21:48:08Z",
            "2026-11-20T21:48:08.123456Z",
            "2026-11-20T22:48:08.123+01:00",
            "2026-11-20t21:48:08.123z",
            " 2026-11-20T21:48:08.123Z",
            "2026-02-30T21:48:08.123Z",
            "-000001-11-20T21:48:08.123Z",
            "",
        ] {
            assert!(other.parse::<RecordTime>().is_err(), "{other}");
        }
        for other in [
            "20261120T214808123Z",
            "20261120t214808123",
            "20260230t214808123z",
            "20261120t244808123z",
            "20261120t2148081234z",
            "00001120t214808123z",
            "２0261120t214808123",
            "",
        ] {
            assert!(RecordTime::parse_tag_part(other).is_err(), "{other}");
        }
    }

    #[test]
    fn the_next_time_is_later() {
        let time = "2026-12-31T23:59:59.999Z".parse::<RecordTime>().unwrap();
        let next = time.next().unwrap();
        assert_eq!(next.to_string(), "2027-01-01T00:00:00.000Z");
        assert_eq!(next.since(time), Duration::from_millis(1));
        assert_eq!(time.since(next), Duration::ZERO);
        let last = "9999-12-31T23:59:59.999Z".parse::<RecordTime>();
        assert_eq!(last.ok().and_then(RecordTime::next), None);
    }

    proptest! {
        #[test]
        fn times_and_tag_parts_have_one_order(a in 0_i64..4_000_000_000_000, b in 0_i64..4_000_000_000_000) {
            let time = |ms| RecordTime::from_timestamp(Timestamp::from_millisecond(ms).unwrap()).unwrap();
            let (a, b) = (time(a), time(b));
            prop_assert_eq!(a.cmp(&b), a.to_tag_part().cmp(&b.to_tag_part()));
            prop_assert_eq!(RecordTime::parse_tag_part(&a.to_tag_part()), Ok(a));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
        }
    }
}
