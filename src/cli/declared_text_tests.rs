//! Rules for the texts of the declaration.

use std::collections::BTreeSet;
use std::path::Path;

use super::declared_variables::VARIABLES;
use super::tests::on_command_line;
use super::{Heading, INPUTS, Input, InputKind, Verb};

/// Words that begin a clause, or a sentence about something, where help begins with a noun or an imperative.
const CLAUSE_WORDS: [&str; 13] = [
    "A", "An", "The", "This", "It", "If", "Whether", "What", "When", "Where", "How", "Which",
    "Should",
];

#[test]
fn help_is_one_short_imperative_or_noun_phrase() {
    let mut seen = BTreeSet::new();
    let inputs = INPUTS.iter().map(|input| (input.name, input.help));
    let verbs = Verb::ALL.iter().map(|verb| (verb.name(), verb.help()));
    for (name, help) in inputs.chain(verbs) {
        let length = help.chars().count();
        assert!((5..=80).contains(&length), "{name}: {length} characters");
        assert!(
            help.starts_with(|c: char| c.is_uppercase()),
            "{name}: {help}"
        );
        assert!(!help.ends_with(['.', ',', ':', '!']), "{name}: {help}");
        assert!(
            !help.contains(". ") && !help.contains('\n'),
            "{name}: {help}"
        );
        let first = help.split(' ').next().unwrap();
        assert!(!CLAUSE_WORDS.contains(&first), "{name}: {help}");
        assert!(seen.insert(help), "{name} has the help of another: {help}");
    }
}

#[test]
fn details_are_sentences_that_help_does_not_say() {
    let mut words: BTreeSet<&str> = Input::ALL.iter().map(|input| input.name()).collect();
    words.extend(Verb::NAMES);
    for input in Input::ALL {
        let Some(details) = input.details() else {
            continue;
        };
        let mut words = words.clone();
        if let InputKind::Choice(choices) = input.declaration().kind {
            words.extend(choices);
        }
        let first = details.split([' ', ':']).next().unwrap();
        let begins = first.starts_with(|c: char| c.is_uppercase()) || words.contains(first);
        assert!(begins, "{input}: {details}");
        assert!(details.ends_with('.'), "{input}: {details}");
        assert!(!details.contains('\n'), "{input}: {details}");
        assert!(
            !details.contains(input.declaration().help),
            "{input}: {details}"
        );
    }
}

#[test]
fn every_heading_has_a_place_and_inputs() {
    let titles: BTreeSet<_> = Heading::ALL.iter().map(|heading| heading.title()).collect();
    assert_eq!(titles.len(), Heading::ALL.len());
    for input in INPUTS {
        assert!(Heading::ALL.contains(&input.heading), "{}", input.name);
    }
    for heading in Heading::ALL {
        assert!(
            INPUTS.iter().any(|input| input.heading == heading),
            "{heading:?}"
        );
    }
}

#[test]
fn each_input_of_a_command_line_has_a_variable_of_its_own() {
    let variables: Vec<_> = INPUTS
        .iter()
        .filter_map(|input| input.shell_variable())
        .collect();
    let unique: BTreeSet<_> = variables.iter().collect();
    assert_eq!(
        (variables.len(), unique.len()),
        (INPUTS.len() - 1, variables.len())
    );
    assert!(unique.contains(&"SHIPMARK_DRY_RUN".to_owned()));
    // The time of tests, and the version of this program to whoever installs it.
    for taken in ["SHIPMARK_NOW", "SHIPMARK_VERSION"] {
        assert!(!unique.contains(&taken.to_owned()), "{taken}");
    }
}

#[test]
fn every_example_is_a_command_line() {
    for verb in Verb::ALL {
        let examples = verb.examples();
        assert!((2..=3).contains(&examples.len()), "{verb}");
        for example in examples {
            let words: Vec<_> = example.line.split(' ').collect();
            let values = on_command_line(&words).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(values.verb, *verb, "{}", example.line);
            let purpose = example.purpose;
            assert!(purpose.starts_with(|c: char| c.is_uppercase()), "{purpose}");
            assert!(!purpose.ends_with('.'), "{purpose}");
        }
    }
}

#[test]
fn an_example_that_signs_a_file_by_a_key_logs_the_signature() {
    for example in Verb::SignBundle.examples() {
        let words: Vec<_> = example.line.split(' ').collect();
        let values = on_command_line(&words).unwrap_or_else(|error| panic!("{error}"));
        let choice = |input| values.choice(input).unwrap();
        let is_logged = choice(Input::TransparencyLog) == Some("on");
        assert!(
            choice(Input::Sign) != Some("key") || is_logged,
            "{}",
            example.line
        );
    }
}

#[test]
fn every_declared_variable_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut code = String::new();
    let mut folders = ["commands", "report"].map(|room| root.join(room)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => code += &std::fs::read_to_string(path).unwrap(),
            }
        }
    }
    for variable in VARIABLES {
        let literal = format!("\"{}\"", variable.name);
        assert!(code.contains(&literal), "{}", variable.name);
    }
}
