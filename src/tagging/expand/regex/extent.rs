//! How far the constructs of an expression reach, from the characters that follow.

pub(super) fn is_named(rest: &[char]) -> bool {
    rest.starts_with(&['(', '?', '<']) && !matches!(rest.get(3), Some('=' | '!'))
}

/// The name in `<name>`.
pub(super) fn name_in(rest: &[char]) -> Option<String> {
    let end = rest.iter().position(|c| *c == '>')?;
    (rest.first() == Some(&'<')).then(|| rest[1..end].iter().collect())
}

/// How long a class `[…]` is; with the flag `v` classes may be within.
pub(super) fn class_len(rest: &[char], nested: bool) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match rest.get(at)? {
            '\\' => at += 1,
            '[' if nested || at == 0 => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return (at <= rest.len()).then_some(at);
        }
    }
}

/// A number of digits; one that is too large is as large as any text.
pub(super) fn count(digits: &str) -> Option<usize> {
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(usize::MAX))
}

/// How many characters of an escape are an octal number: three up to 377, else two.
pub(super) fn octal_len(rest: &[char]) -> usize {
    let most = match rest.first() {
        Some('0'..='3') => 3,
        Some('4'..='7') => 2,
        _ => return 1,
    };
    let digits = rest.iter().take(most);
    digits.take_while(|c| matches!(c, '0'..='7')).count()
}

/// How many characters after `\u` belong to it, as `regress` reads them.
pub(super) fn code_len(rest: &[char]) -> usize {
    let text = |range: &[char]| range.iter().collect::<String>();
    if rest.first() == Some(&'{') {
        let end = rest.iter().position(|c| *c == '}').unwrap_or_default();
        let number = rest.get(1..end).map(text);
        let number = number.and_then(|hex| u32::from_str_radix(&hex, 16).ok());
        return number.filter(|n| *n <= 0x10_FFFF).map_or(0, |_| end + 1);
    }
    let unit = |at: usize| u16::from_str_radix(&text(rest.get(at..at + 4)?), 16).ok();
    match unit(0) {
        None => 0,
        Some(0xD800..=0xDBFF) if rest[4..].starts_with(&['\\', 'u']) => match unit(6) {
            Some(0xDC00..=0xDFFF) => 10,
            _ => 6,
        },
        Some(_) => 4,
    }
}
