//! Dates in the format language of moment.js, English.

use jiff::Zoned;
use jiff::civil::{Date, Weekday};

/// Formats `at`. An empty format is ISO 8601 in seconds.
pub(super) fn format_moment(at: &Zoned, format: &str) -> String {
    if format.is_empty() {
        let zone = if at.offset().is_zero() { "[Z]" } else { "Z" };
        return self::format_moment(at, &format!("YYYY-MM-DDTHH:mm:ss{zone}"));
    }
    let mut rest = &*expand_long_formats(format);
    let mut text = String::new();
    while !rest.is_empty() {
        let (token, length) = next_token(rest);
        match token {
            FormatToken::Date(name) => text += &format_token(at, name),
            FormatToken::Text(literal) => text += literal,
        }
        rest = &rest[length..];
    }
    text
}

enum FormatToken<'a> {
    Date(&'a str),
    Text(&'a str),
}

/// The tokens of moment.js, longest first among those that begin alike.
const FORMAT_TOKENS: [&str; 76] = [
    "Hmmss",
    "hmmss",
    "Hmm",
    "hmm",
    "MMMM",
    "MMM",
    "MM",
    "Mo",
    "M",
    "DDDD",
    "DDDo",
    "DDD",
    "DD",
    "Do",
    "D",
    "dddd",
    "ddd",
    "dd",
    "do",
    "d",
    "wo",
    "ww",
    "w",
    "Wo",
    "WW",
    "W",
    "Qo",
    "Q",
    "NNNNN",
    "NNNN",
    "NNN",
    "NN",
    "N",
    "YYYYYY",
    "YYYYY",
    "YYYY",
    "YY",
    "Y",
    "yyyy",
    "yyy",
    "yy",
    "yo",
    "y",
    "gggg",
    "gg",
    "GGGG",
    "GG",
    "e",
    "E",
    "a",
    "A",
    "hh",
    "h",
    "HH",
    "H",
    "kk",
    "k",
    "mm",
    "m",
    "ss",
    "s",
    "SSSSSSSSS",
    "SSSSSSSS",
    "SSSSSSS",
    "SSSSSS",
    "SSSSS",
    "SSSS",
    "SSS",
    "SS",
    "S",
    "x",
    "X",
    "zz",
    "z",
    "ZZ",
    "Z",
];

/// Formats that stand for others.
const LONG_FORMATS: [(&str, &str); 10] = [
    ("LTS", "h:mm:ss A"),
    ("LT", "h:mm A"),
    ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
    ("LLL", "MMMM D, YYYY h:mm A"),
    ("LL", "MMMM D, YYYY"),
    ("L", "MM/DD/YYYY"),
    ("llll", "ddd, MMM D, YYYY h:mm A"),
    ("lll", "MMM D, YYYY h:mm A"),
    ("ll", "MMM D, YYYY"),
    ("l", "M/D/YYYY"),
];

fn expand_long_formats(format: &str) -> String {
    let mut rest = format;
    let mut text = String::new();
    while !rest.is_empty() {
        if let Some(length) = bracketed(rest).or_else(|| escaped_long(rest)) {
            text += &rest[..length];
            rest = &rest[length..];
        } else if let Some((name, long)) =
            LONG_FORMATS.iter().find(|(name, _)| rest.starts_with(name))
        {
            text += long;
            rest = &rest[name.len()..];
        } else {
            let length = first_length(rest);
            text += &rest[..length];
            rest = &rest[length..];
        }
    }
    text
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// The length of `[literal text]`, which holds no `[`.
fn bracketed(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(']')?;
    (!inner[..end].contains('[')).then_some(end + 2)
}

fn escaped_long(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('\\')?;
    let (name, _) = LONG_FORMATS
        .iter()
        .find(|(name, _)| rest.starts_with(name))?;
    Some(1 + name.len())
}

fn next_token(text: &str) -> (FormatToken<'_>, usize) {
    if let Some(length) = bracketed(text) {
        return (FormatToken::Text(&text[1..length - 1]), length);
    }
    let after = text.strip_prefix('\\');
    let token = FORMAT_TOKENS
        .iter()
        .find(|token| after.unwrap_or(text).starts_with(**token));
    match (token, after) {
        (Some(token), None) => (FormatToken::Date(&text[..token.len()]), token.len()),
        (Some(token), Some(after)) => (FormatToken::Text(&after[..token.len()]), 1 + token.len()),
        (None, Some(after)) => {
            let length = first_length(after);
            (FormatToken::Text(&after[..length]), 1 + length)
        }
        (None, None) => {
            let length = first_length(text);
            (FormatToken::Text(&text[..length]), length)
        }
    }
}

fn format_token(at: &Zoned, token: &str) -> String {
    let date = at.date();
    match token.as_bytes()[0] {
        b'M' | b'D' | b'd' | b'Q' | b'Y' | b'y' | b'N' | b'e' | b'E' => format_day(date, token),
        b'w' | b'W' | b'g' | b'G' => format_week(date, token),
        _ => format_time(at, token),
    }
}

fn format_day(date: Date, token: &str) -> String {
    let month = i64::from(date.month());
    let day = i64::from(date.day());
    let of_year = i64::from(date.day_of_year());
    let weekday = i64::from(date.weekday().to_sunday_zero_offset());
    let quarter = (month + 2) / 3;
    let year = i64::from(date.year());
    match token {
        "MMMM" => MONTHS[usize::from(date.month().unsigned_abs()) - 1].to_owned(),
        "MMM" => MONTHS[usize::from(date.month().unsigned_abs()) - 1][..3].to_owned(),
        "M" | "MM" => pad_number(month, token.len()),
        "Mo" => format_ordinal(month),
        "DDD" | "DDDD" => pad_number(of_year, if token == "DDD" { 1 } else { 3 }),
        "DDDo" => format_ordinal(of_year),
        "D" | "DD" => pad_number(day, token.len()),
        "Do" => format_ordinal(day),
        "dddd" => day_name(date.weekday()).to_owned(),
        "ddd" => day_name(date.weekday())[..3].to_owned(),
        "dd" => day_name(date.weekday())[..2].to_owned(),
        "do" => format_ordinal(weekday),
        "d" | "e" => weekday.to_string(),
        "E" => date.weekday().to_monday_one_offset().to_string(),
        "Q" => quarter.to_string(),
        "Qo" => format_ordinal(quarter),
        "YYYYYY" => format!("+{}", pad_number(year, 6)),
        "YYYY" | "YYYYY" => pad_number(year, token.len()),
        "YY" => pad_number(year % 100, 2),
        "Y" if year > 9999 => format!("+{year}"),
        "Y" => pad_number(year, 4),
        "yo" => format_ordinal(year),
        "NNNN" => "Anno Domini".to_owned(),
        _ if token.starts_with('N') => "AD".to_owned(),
        _ => pad_number(year, token.len()),
    }
}

/// Weeks of the year: `w` and `g` begin on Sunday, week 1 has 1 January in it; `W` and `G` are
/// those of ISO 8601.
fn format_week(date: Date, token: &str) -> String {
    let iso = date.iso_week_date();
    let (year, week) = match token.as_bytes()[0] {
        b'W' | b'G' => (i64::from(iso.year()), i64::from(iso.week())),
        _ => sunday_week(date),
    };
    match token {
        "w" | "W" | "ww" | "WW" => pad_number(week, token.len()),
        "wo" | "Wo" => format_ordinal(week),
        "gg" | "GG" => pad_number(year % 100, 2),
        _ => pad_number(year, 4),
    }
}

fn sunday_week(date: Date) -> (i64, i64) {
    let weekday = i64::from(date.weekday().to_sunday_zero_offset());
    let year = i64::from(date.year());
    // Where the Saturday of this week is in the next year, the week is that one's first.
    let saturday = i64::from(date.day_of_year()) + 6 - weekday;
    if saturday > i64::from(date.days_in_year()) {
        (year + 1, 1)
    } else {
        (year, (saturday + 6) / 7)
    }
}

fn format_time(at: &Zoned, token: &str) -> String {
    let hour = i64::from(at.hour());
    let (minute, second) = (i64::from(at.minute()), i64::from(at.second()));
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    let length = token.len();
    match token {
        "H" | "HH" => pad_number(hour, length),
        "h" | "hh" => pad_number(twelve, length),
        "k" | "kk" => pad_number(if hour == 0 { 24 } else { hour }, length),
        "m" | "mm" => pad_number(minute, length),
        "s" | "ss" => pad_number(second, length),
        "Hmm" => format!("{hour}{minute:02}"),
        "hmm" => format!("{twelve}{minute:02}"),
        "Hmmss" => format!("{hour}{minute:02}{second:02}"),
        "hmmss" => format!("{twelve}{minute:02}{second:02}"),
        "a" => if hour < 12 { "am" } else { "pm" }.to_owned(),
        "A" => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        "x" => at.timestamp().as_millisecond().to_string(),
        "X" => at.timestamp().as_second().to_string(),
        "z" => zone_name(at),
        "zz" => zone_name(at),
        "Z" => format_offset(at, ":"),
        "ZZ" => format_offset(at, ""),
        _ => format_fraction(at, length),
    }
}

/// Milliseconds are all that JavaScript's dates have.
fn format_fraction(at: &Zoned, digits: usize) -> String {
    let text = format!("{:03}000000", at.millisecond());
    text[..digits.min(9)].to_owned()
}

fn zone_name(at: &Zoned) -> String {
    let info = at.time_zone().to_offset_info(at.timestamp());
    info.abbreviation().to_owned()
}

fn format_offset(at: &Zoned, separator: &str) -> String {
    let minutes = at.offset().seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
}

fn pad_number(number: i64, width: usize) -> String {
    format!("{number:0width$}")
}

fn format_ordinal(number: i64) -> String {
    let end = match (number % 100 / 10, number % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Sunday => "Sunday",
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Zoned {
        text.parse().unwrap()
    }

    #[test]
    fn formats_are_those_of_moment() {
        let when = at("2020-01-10T00:30:05.078+09:00[Asia/Tokyo]");
        for (pattern, expected) in [
            ("YYYYMMDD", "20200110"),
            ("YYYYMMDD-HHmmss", "20200110-003005"),
            ("YYYY-MM-DDTHH:mm:ss.SSS[Z]", "2020-01-10T00:30:05.078Z"),
            ("YY.M.D", "20.1.10"),
            (
                "dddd, MMMM Do YYYY, h:mm:ss a",
                "Friday, January 10th 2020, 12:30:05 am",
            ),
            ("ddd dd d do e E", "Fri Fr 5 5th 5 5"),
            ("DDD DDDD DDDo", "10 010 10th"),
            (
                "w ww wo W WW gggg GGGG gg GG",
                "2 02 2nd 2 02 2020 2020 20 20",
            ),
            ("Q Qo", "1 1st"),
            ("k kk H HH hh A", "24 24 0 00 12 AM"),
            ("Hmm hmmss", "030 123005"),
            ("S SS SSSS", "0 07 0780"),
            ("Z ZZ z", "+09:00 +0900 JST"),
            ("X x", "1578583805 1578583805078"),
            ("YYYYYY Y y N NNNN", "+002020 2020 2020 AD Anno Domini"),
            (
                "LT LTS L LL l ll",
                "12:30 AM 12:30:05 AM 01/10/2020 January 10, 2020 1/10/2020 Jan 10, 2020",
            ),
            (
                "LLL|llll",
                "January 10, 2020 12:30 AM|Fri, Jan 10, 2020 12:30 AM",
            ),
            ("[YYYY] \\YYYY \\L [a", "YYYY YYYY L [am"),
            ("", "2020-01-10T00:30:05+09:00"),
            ("ü", "ü"),
        ] {
            assert_eq!(format_moment(&when, pattern), expected, "{pattern:?}");
        }
        assert_eq!(
            format_moment(&at("2020-01-10T00:30:05Z[UTC]"), ""),
            "2020-01-10T00:30:05Z"
        );
    }

    #[test]
    fn weeks_begin_on_sunday_or_monday() {
        for (date, expected) in [
            ("2017-01-01", "1 2017 52 2016"),
            ("2016-12-31", "53 2016 52 2016"),
            ("2018-12-30", "1 2019 52 2018"),
            ("2021-01-03", "2 2021 53 2020"),
        ] {
            let when = at(&format!("{date}T12:00:00Z[UTC]"));
            assert_eq!(format_moment(&when, "w gggg W GGGG"), expected, "{date}");
        }
    }

    proptest! {
        #[test]
        fn any_format_is_taken(pattern in "([YMDdHhmsSwWgGQNyzZxXaAeEkL\\[\\]\\\\]|\\PC){0,20}") {
            format_moment(&at("2020-01-10T00:30:05.078+09:00[Asia/Tokyo]"), &pattern);
        }
    }
}
