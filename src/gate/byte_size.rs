use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Number of bytes in a rule: `500MiB`, `1GB`, `1.5GiB`.
///
/// Two sizes compare by their bytes; the text is kept to print it.
#[derive(Debug, Clone)]
pub struct ByteSize {
    text: String,
    bytes: u64,
}

/// Reason why a text is not a [`ByteSize`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ByteSizeError {
    /// It has another form.
    #[error(
        "is not a size: expected a number with a unit (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB), such as 500MiB or 1GB"
    )]
    Malformed,
    /// A number without a unit.
    #[error(
        "is a number without a unit: expected B, kB, MB, GB, TB, KiB, MiB, GiB or TiB after it, such as 500MiB"
    )]
    NoUnit,
    /// It is no whole number of bytes, or zero.
    #[error("is not a size: expected at least one byte, and a whole number of bytes")]
    NotWhole,
    /// More than any image has.
    #[error("is too large: expected at most 1024TiB")]
    TooLarge,
}

const UNITS: [(&str, u64); 10] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];
/// Limit on the size, in bytes.
const LIMIT: u64 = 1 << 50;
/// Limits on the digits before and after the point.
const WHOLE_DIGITS: usize = 16;
const FRACTION_DIGITS: usize = 3;

impl ByteSize {
    /// Returns the number of bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        let thousandths = parse_thousandths(number).ok_or(ByteSizeError::Malformed)?;
        if unit.is_empty() {
            return Err(ByteSizeError::NoUnit);
        }
        let unit = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, unit) = unit.ok_or(ByteSizeError::Malformed)?;
        let product = thousandths * u128::from(*unit);
        let bytes = u64::try_from(product / 1000).map_err(|_| ByteSizeError::TooLarge)?;
        match bytes {
            _ if product % 1000 != 0 => Err(ByteSizeError::NotWhole),
            0 => Err(ByteSizeError::NotWhole),
            1..=LIMIT => Ok(Self {
                text: text.to_owned(),
                bytes,
            }),
            _ => Err(ByteSizeError::TooLarge),
        }
    }
}

/// Returns a number with at most three digits after its point, times a thousand.
fn parse_thousandths(number: &str) -> Option<u128> {
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (number, ""),
    };
    let fits = (1..=WHOLE_DIGITS).contains(&whole.len()) && fraction.len() <= FRACTION_DIGITS;
    let digits = format!("{whole}{fraction:0<FRACTION_DIGITS$}");
    match fits {
        true => digits.parse().ok(),
        false => None,
    }
}

/// Returns a number of bytes for a reader: `512.0 MiB`.
pub(super) fn shown_bytes(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(*unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} B"),
    }
}

impl fmt::Display for ByteSize {
    /// Writes it as the rule does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for ByteSize {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for ByteSize {}

impl PartialOrd for ByteSize {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByteSize {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        for (text, bytes) in [
            ("500MiB", 500 << 20),
            ("1GB", 1_000_000_000),
            ("1kB", 1_000),
            ("1KB", 1_000),
            ("1.5GiB", 3 << 29),
            ("0.5KiB", 512),
            ("1B", 1),
            ("1024TiB", LIMIT),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!(size.bytes(), bytes, "{text}");
            assert_eq!(size.to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_no_size() {
        use ByteSizeError::*;
        for (text, error) in [
            ("", Malformed),
            ("MiB", Malformed),
            (".5MiB", Malformed),
            ("1.MiB", Malformed),
            ("1..5MiB", Malformed),
            ("1.2345MiB", Malformed),
            ("500 MiB", Malformed),
            ("500mib", Malformed),
            ("500M", Malformed),
            ("-1MiB", Malformed),
            ("1e3B", Malformed),
            ("99999999999999999B", Malformed),
            ("500", NoUnit),
            ("0MiB", NotWhole),
            ("0.5B", NotWhole),
            ("0.001KiB", NotWhole),
            ("1025TiB", TooLarge),
            ("9999999999999999TiB", TooLarge),
        ] {
            assert_eq!(text.parse::<ByteSize>(), Err(error), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_in_binary_units() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536 << 20, "1.5 GiB"),
            ((500 << 20) + 1, "500.0 MiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(shown_bytes(bytes), text);
        }
    }
}
