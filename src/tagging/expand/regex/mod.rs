//! Regular expressions as JavaScript has them: `BODY`, or `/BODY/FLAGS`.
//!
//! `regress` says what matches. It tries one way after the other for as long as it takes, which an
//! expression can make longer than anybody waits, so a search is gone through by [`steps`] first,
//! which ends it where it takes too many steps.

mod extent;
mod program;
mod steps;
mod syntax;

use program::Program;
use regress::{Flags, Match, Regex};
use thiserror::Error;

/// The longest expression that is taken, in bytes.
const PATTERN_LIMIT: usize = 2048;

/// Why nothing was searched for.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum PatternError {
    /// The text is no regular expression.
    #[error("is not a regular expression: {0}")]
    Syntax(String),
    /// The expression is longer than can be gone through: nesting and alternatives take stack.
    #[error("has more than {PATTERN_LIMIT} bytes")]
    TooLong,
    /// The search would go on for too long.
    #[error(
        "takes more than {} steps on this text: expected an expression that does not repeat what is repeated already, as in (a+)+",
        steps::STEP_LIMIT
    )]
    TooManySteps,
    /// The search cannot be bounded.
    #[error("has a construct that is not supported")]
    Unsupported,
}

/// The groups of the first match, the whole of it first; with the flag `g` all matches instead.
/// None where nothing matches.
pub(super) fn match_groups(
    pattern: &str,
    text: &str,
) -> Result<Option<Vec<Option<String>>>, PatternError> {
    if pattern.len() > PATTERN_LIMIT {
        return Err(PatternError::TooLong);
    }
    let (body, flags) = split_pattern(pattern);
    if let Some(bad) = find_bad_flag(flags) {
        let reason = format!("the flag {bad} is unknown or there twice");
        return Err(PatternError::Syntax(reason));
    }
    let engine_flags: String = flags.chars().filter(|c| !"gyd".contains(*c)).collect();
    let regex = compile(body, &engine_flags)?;
    check_steps(body, &engine_flags, text, flags.contains('g'))?;
    let owned = |range: Option<std::ops::Range<usize>>| range.map(|range| text[range].to_owned());
    let sticky = flags.contains('y');
    if flags.contains('g') {
        let all = adjacent_matches(regex.find_iter(text), sticky);
        let all: Vec<_> = all.map(|found| owned(Some(found.range()))).collect();
        return Ok((!all.is_empty()).then_some(all));
    }
    let first = regex
        .find(text)
        .filter(|found| !sticky || found.start() == 0);
    Ok(first.map(|found| found.groups().map(owned).collect()))
}

/// Compiles as it is written: what would make a search faster can take long itself.
fn compile(body: &str, flags: &str) -> Result<Regex, PatternError> {
    let flags = Flags {
        no_opt: true,
        ..Flags::from(flags)
    };
    Regex::with_flags(body, flags).map_err(|error| PatternError::Syntax(error.text))
}

/// Refuses a search that takes too many steps.
fn check_steps(body: &str, flags: &str, text: &str, all: bool) -> Result<(), PatternError> {
    let (tree, groups) = syntax::read(body, flags).ok_or(PatternError::Unsupported)?;
    let program = Program::new(&tree, groups).ok_or(PatternError::Unsupported)?;
    let steps = steps::count(&program, text, all);
    steps.map(drop).map_err(|_| PatternError::TooManySteps)
}

/// With the flag `y` each match begins where the one before ended.
fn adjacent_matches(
    found: impl Iterator<Item = Match>,
    sticky: bool,
) -> impl Iterator<Item = Match> {
    let mut end = 0;
    found.take_while(move |found| {
        let next = !sticky || found.start() == end;
        end = found.end();
        next
    })
}

/// `/BODY/FLAGS` where there is a body, else everything is body.
fn split_pattern(pattern: &str) -> (&str, &str) {
    let inner = pattern
        .strip_prefix('/')
        .and_then(|rest| rest.rsplit_once('/'));
    match inner {
        Some((body, flags)) if !body.is_empty() && !pattern.contains('\n') => (body, flags),
        _ => (pattern, ""),
    }
}

fn find_bad_flag(flags: &str) -> Option<char> {
    let twice = |at: usize, c: char| flags.chars().take(at).any(|other| other == c);
    let both = flags.contains('u') && flags.contains('v');
    flags
        .chars()
        .enumerate()
        .find(|(at, c)| !"dgimsuvy".contains(*c) || twice(*at, *c) || (both && *c == 'v'))
        .map(|(_, c)| c)
}

#[cfg(test)]
mod bounds;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Option<Vec<String>> {
        let groups = match_groups(pattern, text).unwrap()?;
        Some(
            groups
                .into_iter()
                .map(|group| group.unwrap_or_else(|| "-".into()))
                .collect(),
        )
    }

    #[test]
    fn matches_are_those_of_javascript() {
        for (pattern, text, expected) in [
            (r"\d.\d.\d", "v1.1.1", &["1.1.1"][..]),
            (r"/^v(\d.\d.\d)$/ig", "V1.0.0", &["V1.0.0"]),
            (r"/^V(\d.\d.\d)$/i", "v1.0.0", &["v1.0.0", "1.0.0"]),
            (r"/\d/g", "1.2.3", &["1", "2", "3"]),
            (r"(a)|(b)", "b", &["b", "-", "b"]),
            (r"p1/v(\d)", "p1/v1", &["p1/v1", "1"]),
            (r"(?<=v)\d+", "v12", &["12"]),
            (r"(?<major>\d+)\.\d", "1.2", &["1.2", "1"]),
            ("", "x", &[""]),
            ("/", "a/b", &["/"]),
            ("//", "a//b", &["//"]),
            ("/ä/u", "ää", &["ä"]),
            (r"/\d/gy", "12x3", &["1", "2"]),
        ] {
            assert_eq!(found(pattern, text).unwrap(), expected, "{pattern}");
        }
        assert_eq!(found(r"\d", "sometag"), None);
        assert_eq!(found("/b/y", "ab"), None);
    }

    #[test]
    fn what_is_no_pattern_is_an_error() {
        for pattern in ["(", "[", "/a/x", "/a/gg", "/a/uv", "/a/b", "(?<n>a", "*"] {
            assert!(match_groups(pattern, "a").is_err(), "{pattern}");
        }
    }
}
