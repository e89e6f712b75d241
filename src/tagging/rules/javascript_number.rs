/// The number that a text is in JavaScript (`Number(text)`), none where that is `NaN`.
pub(crate) fn parse_javascript_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let radix = match text.get(..2) {
        Some("0x" | "0X") => Some(16),
        Some("0o" | "0O") => Some(8),
        Some("0b" | "0B") => Some(2),
        _ => None,
    };
    if let Some(radix) = radix {
        return parse_integer(&text[2..], radix);
    }
    match text {
        "" => Some(0.0),
        "Infinity" | "+Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // What Rust reads beyond that is words.
        _ if text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) =>
        {
            text.parse().ok()
        }
        _ => None,
    }
}

fn parse_integer(digits: &str, radix: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0.0, |sum, c| {
        Some(sum * f64::from(radix) + f64::from(c.to_digit(radix)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_javascript() {
        for (text, expected) in [
            ("", Some(0.0)),
            (" 7 ", Some(7.0)),
            ("7.9", Some(7.9)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("-3", Some(-3.0)),
            ("1e3", Some(1000.0)),
            ("0x10", Some(16.0)),
            ("0b11", Some(3.0)),
            ("Infinity", Some(f64::INFINITY)),
            ("inf", None),
            ("nan", None),
            ("foo", None),
            ("1_000", None),
            ("-0x10", None),
            ("0x", None),
            (".", None),
            ("e5", None),
        ] {
            assert_eq!(parse_javascript_number(text), expected, "{text:?}");
        }
    }
}
