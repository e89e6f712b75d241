//! The search that counts steps is the one that `regress` makes, and it ends.

use proptest::prelude::*;

use super::steps::{Found, Search};
use super::*;

/// The first match as `regress` finds it, by characters.
fn by_regress(regex: &Regex, text: &str) -> Option<Found> {
    let chars = |at: usize| text[..at].chars().count();
    let range = |range: std::ops::Range<usize>| (chars(range.start), chars(range.end));
    let found = regex.find(text)?;
    let (begin, end) = range(found.range());
    let groups = found.groups().skip(1).map(|group| group.map(range));
    Some((begin, end, groups.collect()))
}

/// The first match as it is counted; `None` where that takes too long.
fn counted(body: &str, flags: &str, text: &str) -> Option<Option<Found>> {
    let (tree, groups) = syntax::read(body, flags).unwrap_or_else(|| panic!("{body} {flags}"));
    let program = Program::new(&tree, groups).unwrap_or_else(|| panic!("{body} {flags}"));
    Search::first(&program, text).ok()
}

fn assert_same(body: &str, flags: &str, text: &str) {
    let Ok(regex) = compile(body, flags) else {
        return;
    };
    if let Some(counted) = counted(body, flags, text) {
        assert_eq!(
            counted,
            by_regress(&regex, text),
            "/{body}/{flags} {text:?}"
        );
    }
}

#[test]
fn the_counted_search_finds_what_regress_finds() {
    let texts = [
        "",
        "a",
        "aab",
        "v1.2.3-rc.1",
        "aAbB\nab",
        "ä✓ k\u{212a}",
        "x{2}y",
        "\\c1\u{1}",
        "👩‍👩‍👧 🇩🇪",
    ];
    let patterns = [
        r"(a)|(b)",
        r"(?:(a)|b)*",
        r"(?<v>\d+)\.(?<m>\d+)",
        r"^(?:v)?(\d+\.)*\d+",
        r"(a*)*b",
        r"(a*?)*?b",
        r"(?=(a+))a*b\1",
        r"(?<=(a)(\w))b",
        r"(?<!a)b",
        r"(?!a)\w",
        r"(?<=\1(a))b",
        r"a{2}",
        r"a{2,}?b",
        r"a{0}",
        r"x{",
        r"x{,2}",
        r"x\{2\}",
        r"(?:)*",
        r"(?:a?){3}",
        r"(a?)*?$",
        r"\bA\B",
        r"\cA",
        r"\c1",
        r"\1",
        r"(a)\2",
        r"(a)\1",
        r"\01",
        r"\x61",
        r"\x6",
        r"\u0061",
        r"\u{61}",
        r"\u{zz}",
        r"\uD83D\uDC69",
        r"\k<a>",
        r"(?<a>a)\k<a>",
        r"(?:(?<a>a)|(?<a>b))\k<a>",
        r"[^]",
        r"[]",
        r"[a\]]",
        r"[\d.-]+",
        r".",
        r"(?i:A)b",
        r"(?s-i:.)",
        r"(?-i:a)B",
        r"\p{Lu}",
        r"\p{Emoji}",
        r"\P{L}",
        r"[\p{L}--[a-b]]",
        r"[\q{aab|a}]b",
        r"[[a][b]]+",
        r"\/",
        r"\-",
        r"]",
        r"}",
        r"$^",
        r"a|",
        r"|a",
        r"()",
        r"(?:(?=a)a)+",
        r"(?=a)*b",
        r"(?<=^|\.)\d",
    ];
    for body in patterns {
        for flags in ["", "i", "m", "s", "u", "v", "iu", "iv", "im", "ims"] {
            for text in texts {
                assert_same(body, flags, text);
            }
        }
    }
}

/// A search goes down into an expression, and so does its reading: the stack has to be enough for both.
#[test]
fn promise_6_no_pattern_takes_more_stack_than_there_is() {
    let built = |one: [&str; 2], count: usize| one.map(|part| part.repeat(count)).join("b");
    for one in [
        ["a|", ""],
        ["(", ")"],
        ["(?:", ")*"],
        ["(?=", ")"],
        ["[", "]"],
        ["a*", ""],
    ] {
        let longest = PATTERN_LIMIT / one.concat().len() - 1;
        for count in [1, 10, 100, longest] {
            let found = match_groups(&built(one, count), "aaab");
            assert_ne!(found, Err(PatternError::TooLong), "{one:?} {count}");
        }
        for count in [PATTERN_LIMIT, 10_000, 1_000_000] {
            let found = match_groups(&built(one, count), "aaab");
            assert_eq!(found, Err(PatternError::TooLong), "{one:?} {count}");
        }
    }
}

#[test]
fn promise_6_a_pattern_that_explodes_is_refused_after_a_bounded_number_of_steps() {
    let text = format!("{}!", "a".repeat(60));
    let patterns = [
        "^(a+)+$",
        "^(a*)*$",
        "^(a|a)*$",
        "^(a|aa)+$",
        "^(?:a+)+$",
        "^(a+?)+?$",
        "(a+)+b",
        "^(a?){60}a{60}$",
        "^(.*)*$",
        "^(.+)+x",
        r"^(\w+)*$",
        r"^(\w+\w*)+$",
        "^(?=(a+)+$)",
        "^(?!(a+)+$)b",
        r"(?<=^(a+)+)b",
        r"^(a+)+\1$",
        "^([a-z]+)*$",
        "^(a{1,9}){1,99}$",
        "^((a+)+)+$",
        "^(?:a|b|a)+$",
        "^(?:a*a*)*$",
        "^a*a*a*a*a*a*a*a*$",
        "^(?<n>a+)+$",
        "(?:(?:)*)*{2}",
        "^(?:a?a?)*$",
        "^(a|a|a)+?$",
        "^(?:(?:a+)?)+$",
        "(x*)*y{999999999}",
        "(?:){999999999}",
        "^(aa|a|aaa)*$",
    ];
    let (mut refused, mut tried) = (0, 0);
    for body in patterns {
        for flags in ["", "i", "gm", "v"] {
            let pattern = format!("/{body}/{flags}");
            tried += 1;
            match match_groups(&pattern, &text) {
                Err(PatternError::TooManySteps) => refused += 1,
                Err(PatternError::Syntax(_)) | Ok(_) => {}
                Err(error) => panic!("{pattern}: {error}"),
            }
        }
    }
    assert_eq!(tried, 120);
    assert!(refused > 80, "{refused}");
}

#[test]
fn what_workflows_search_for_takes_few_steps() {
    let long = format!("release/{}", "team-name/some-service-".repeat(10));
    for (pattern, text) in [
        (r"v(\d+)\.(\d+)\.(\d+)(?:-(.*))?", "v10.20.30-rc.1+build.5"),
        (
            r"^(?:[a-z]+-)+v(\d+(?:\.\d+)*)$",
            "some-service-name-v1.2.3",
        ),
        (r"^(\d+\.)*\d+$", "1.2.3.4.5.6.7.8.9.10"),
        (r"(.*)-(.*)-(.*)", &long),
        (r"^release/(.+)/(.+)$", &long),
        (r"/\d/g", &long),
    ] {
        let (body, flags) = split_pattern(pattern);
        let (tree, groups) = syntax::read(body, flags).unwrap();
        let program = Program::new(&tree, groups).unwrap();
        let steps = steps::count(&program, text, flags.contains('g')).unwrap();
        assert!(steps < steps::STEP_LIMIT / 20, "{pattern}: {steps}");
    }
}

/// Expressions of all constructs, most of them valid.
fn pattern() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "a", "b", ".", r"\d", r"\w", r"\b", r"\B", "[ab]", "[^a]", "^", "$", r"\1", r"\2", "-",
        "A", "",
    ]);
    let atom = atom.prop_map(str::to_owned);
    atom.prop_recursive(4, 24, 4, |inner| {
        let quantifier = prop::sample::select(vec![
            "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,1}?",
        ]);
        let opening = prop::sample::select(vec!["(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?i:"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| all.concat()),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| all.join("|")),
            (opening.clone(), inner.clone()).prop_map(|(open, body)| format!("{open}{body})")),
            (opening, inner, quantifier)
                .prop_map(|(open, body, times)| format!("{open}{body}){times}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_search_is_counted_as_it_is_made(
        body in pattern(),
        flags in prop::sample::select(vec!["", "i", "m", "u", "v", "s"]),
        text in "[aAb1\n -]{0,8}",
    ) {
        assert_same(&body, flags, &text);
    }

    /// What is accepted is understood, whatever it is.
    #[test]
    fn any_expression_is_bounded_or_refused(body in r"[ab(){}\[\]|*+?,:=!<>\\^$.0-9kuxpdqc-]{0,12}", flags in "[imsv]?") {
        let pattern = format!("/{body}x?/{flags}");
        prop_assert_ne!(match_groups(&pattern, "aab1"), Err(PatternError::Unsupported));
    }
}
