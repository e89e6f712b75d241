//! Windows in which an environment takes no releases: weekly ones and absolute ones, in a time zone.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use thiserror::Error;

use super::shown_time::shown_time;

/// One stretch of time without releases, or one of every week: from its first moment to its second, which is not
/// included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeWindow {
    stretch: FreezeStretch,
    zone: FreezeZone,
    allows_override: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum FreezeStretch {
    Weekly(WeeklyMoment, WeeklyMoment),
    Once(DateTime, DateTime),
}

/// Moment of every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeeklyMoment {
    day: Weekday,
    time: Time,
}

/// Beginning or end of a freeze window: `fri 15:00`, or `2026-12-23T00:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreezeMoment {
    /// A day of the week and a time of the day.
    Weekly(WeeklyMoment),
    /// A date and a time of the day.
    Once(DateTime),
}

/// Time zone of a freeze window, by its name of the IANA time zone database: `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeZone {
    name: String,
    zone: TimeZone,
}

/// Reason why a text is not a [`FreezeMoment`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "is not a moment: expected a day (mon to sun) and a time, such as fri 15:00, or a date and a time, such as 2026-12-23T00:00"
)]
pub struct FreezeMomentError;

/// Reason why a text is not a [`FreezeZone`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "is not a time zone: expected a name of the IANA time zone database, such as Europe/Berlin or UTC"
)]
pub struct FreezeZoneError;

/// Reason why two moments are no window.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FreezeWindowError {
    /// One is of every week, the other is not.
    #[error(
        "from and to are of two kinds: expected a day and a time in both, or a date and a time in both"
    )]
    MixedMoments,
    /// They are the same.
    #[error("from and to are the same moment")]
    Empty,
    /// The second is before the first.
    #[error("to is before from")]
    Reversed,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl FreezeWindow {
    /// Returns the window between two moments.
    ///
    /// # Errors
    /// Returns an error if the moments are of two kinds, the same, or in the wrong order. Weekly moments have no
    /// wrong order: the second is the first one after the first.
    pub fn new(
        from: FreezeMoment,
        to: FreezeMoment,
        zone: FreezeZone,
        allows_override: bool,
    ) -> Result<Self, FreezeWindowError> {
        let stretch = match (from, to) {
            _ if from == to => return Err(FreezeWindowError::Empty),
            (FreezeMoment::Weekly(from), FreezeMoment::Weekly(to)) => {
                FreezeStretch::Weekly(from, to)
            }
            (FreezeMoment::Once(from), FreezeMoment::Once(to)) if to < from => {
                return Err(FreezeWindowError::Reversed);
            }
            (FreezeMoment::Once(from), FreezeMoment::Once(to)) => FreezeStretch::Once(from, to),
            _ => return Err(FreezeWindowError::MixedMoments),
        };
        Ok(Self {
            stretch,
            zone,
            allows_override,
        })
    }

    /// Returns whether a reason can override the window.
    pub fn allows_override(&self) -> bool {
        self.allows_override
    }

    /// Returns the end of the window that `now` is in; `None` if it is in none.
    pub fn end_if_active(&self, now: Timestamp) -> Option<Timestamp> {
        let stretches = self.stretches_around(now);
        let ends = stretches.filter_map(|(from, to)| {
            // Of a time that a DST change skips or repeats, the reading counts that makes the window longer.
            let start = self.zone.zone.to_ambiguous_timestamp(from).earlier();
            let end = self.zone.zone.to_ambiguous_timestamp(to).later();
            // A time that is beyond all timestamps ends no window.
            let (start, end) = (
                start.unwrap_or(Timestamp::MIN),
                end.unwrap_or(Timestamp::MAX),
            );
            (start <= now && now < end).then_some(end)
        });
        ends.max()
    }

    /// Returns a time as the clocks of the zone show it.
    pub fn local_time(&self, time: Timestamp) -> String {
        let zoned = time.to_zoned(self.zone.zone.clone());
        match zoned.offset().is_zero() {
            true => shown_time(time),
            false => format!("{} ({})", zoned.strftime("%Y-%m-%dT%H:%M:%S%:z"), self.zone),
        }
    }

    /// Returns whether this window covers what `base` covers, as far as their texts tell, and is overridden no
    /// easier.
    pub fn is_at_least_as_strict_as(&self, base: &Self) -> bool {
        let is_override_same = base.allows_override || !self.allows_override;
        is_override_same && self.stretch == base.stretch && self.zone == base.zone
    }

    /// Returns the stretches that `now` could be in, as clocks of the zone show them.
    fn stretches_around(&self, now: Timestamp) -> impl Iterator<Item = (DateTime, DateTime)> {
        let stretches = match self.stretch {
            FreezeStretch::Once(from, to) => vec![Some((from, to))],
            FreezeStretch::Weekly(from, to) => {
                let today = now.to_zoned(self.zone.zone.clone()).date();
                let since = i64::from(today.weekday().since(from.day));
                let begin = |weeks: i64| {
                    let date = today.checked_sub((since + 7 * weeks).days()).ok()?;
                    let last = date.checked_add(from.days_until(to).days()).ok()?;
                    Some((date.to_datetime(from.time), last.to_datetime(to.time)))
                };
                [-1, 0, 1, 2].map(begin).into()
            }
        };
        stretches.into_iter().flatten()
    }
}

impl WeeklyMoment {
    /// Returns how many days after this moment's day the next `other` is.
    fn days_until(self, other: Self) -> i64 {
        let days = i64::from(other.day.since(self.day));
        match days == 0 && other.time <= self.time {
            true => 7,
            false => days,
        }
    }
}

impl FromStr for FreezeMoment {
    type Err = FreezeMomentError;

    fn from_str(text: &str) -> Result<Self, FreezeMomentError> {
        let moment = match text.split_once('T') {
            Some((date, time)) => parse_date(date)
                .zip(parse_time(time))
                .map(|(date, time)| Self::Once(date.to_datetime(time))),
            None => text.split_once(' ').and_then(|(day, time)| {
                let (_, day) = DAYS.iter().find(|(name, _)| *name == day)?;
                let time = parse_time(time)?;
                Some(Self::Weekly(WeeklyMoment { day: *day, time }))
            }),
        };
        moment.ok_or(FreezeMomentError)
    }
}

/// Reads `2026-12-23`.
fn parse_date(text: &str) -> Option<jiff::civil::Date> {
    let is_date = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    is_date.then(|| text.parse().ok()).flatten()
}

/// Reads `15:00`.
fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str| {
        let is_number = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

impl FromStr for FreezeZone {
    type Err = FreezeZoneError;

    fn from_str(text: &str) -> Result<Self, FreezeZoneError> {
        let zone = TimeZoneDatabase::bundled()
            .get(text)
            .map_err(|_| FreezeZoneError)?;
        let name = zone.iana_name().ok_or(FreezeZoneError)?.to_owned();
        Ok(Self { name, zone })
    }
}

impl fmt::Display for FreezeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for WeeklyMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = DAYS.iter().find(|(_, day)| *day == self.day);
        let (name, _) = day.unwrap_or(&DAYS[0]);
        write!(f, "{name} {}", self.time.strftime("%H:%M"))
    }
}

impl fmt::Display for FreezeWindow {
    /// Writes `fri 15:00 to mon 06:00 (Europe/Berlin)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = |time: DateTime| time.strftime("%Y-%m-%dT%H:%M").to_string();
        match self.stretch {
            FreezeStretch::Weekly(from, to) => write!(f, "{from} to {to}")?,
            FreezeStretch::Once(from, to) => write!(f, "{} to {}", date(from), date(to))?,
        }
        write!(f, " ({})", self.zone)
    }
}
