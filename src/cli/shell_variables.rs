//! Inputs of a command line that variables such as `SHIPMARK_IMAGES` hold.

use super::declared_inputs::{INPUTS, Input};
use super::input_declaration::SHELL_VARIABLE_PREFIX;
use super::input_entries::split_entries;
use super::input_values::InputValues;
use crate::actions::ProcessEnvironment;
use crate::notices::{similar_word, to_printable};

/// Variables with the prefix that are no inputs: the time in tests, and what only tests read.
const OTHER_VARIABLES: [&str; 3] = ["NOW", "TEST_", "MUTANTS"];

/// Returns the value of an input's variable; `None` if it is blank or unset.
pub(super) fn variable_value(input: Input, environment: &ProcessEnvironment) -> Option<&str> {
    let value = environment.get(&input.declaration().shell_variable()?)?;
    Some(value).filter(|value| !value.trim().is_empty())
}

/// Reads the variables of the verb's inputs for which no flag gives a value.
pub(super) fn fill_values(
    mut values: InputValues,
    environment: &ProcessEnvironment,
) -> InputValues {
    let inputs: Vec<_> = values.verb.inputs().collect();
    for input in inputs {
        let Some(value) = variable_value(input, environment) else {
            continue;
        };
        if values.is_given(input) {
            continue;
        }
        values.from_variables.insert(input);
        let entries = split_entries(input, value);
        if !entries.is_empty() {
            values.entries.insert(input, entries);
        }
        if input.keeps_verbatim() {
            values.verbatim.insert(input, value.to_owned());
        }
    }
    values.warnings.extend(unknown_variables(environment));
    values
}

impl InputValues {
    /// Returns the names of the variables that values come from, in the order of the declaration.
    pub fn variable_names(&self) -> Vec<String> {
        let inputs = self.from_variables.iter();
        inputs
            .filter_map(|input| input.declaration().shell_variable())
            .collect()
    }
}

/// Returns a warning for each variable whose name is like that of an input.
fn unknown_variables(environment: &ProcessEnvironment) -> Vec<String> {
    let names = environment.with_prefix(SHELL_VARIABLE_PREFIX);
    let names = names.map(|(name, _)| name).filter(|name| !is_other(name));
    names
        .filter_map(|name| {
            let near = meant_variable(name)?;
            let shown = to_printable(name, 80);
            Some(format!(
                "{SHELL_VARIABLE_PREFIX}{shown} is not read; did you mean {near}?"
            ))
        })
        .collect()
}

/// Returns whether a variable is known, but no input's.
fn is_other(name: &str) -> bool {
    OTHER_VARIABLES
        .iter()
        .any(|other| match other.ends_with('_') {
            true => name.starts_with(other),
            false => name == *other,
        })
}

/// Returns the variable of the input that a name without the prefix means: the input's own name where the
/// variable has another, or one that is like the variable's. `None` if it is a variable that is read.
fn meant_variable(name: &str) -> Option<String> {
    let own = name.to_lowercase().replace('_', "-");
    let variable_of = |input: Input| input.declaration().shell_variable();
    let known: Vec<_> = INPUTS
        .iter()
        .filter_map(|input| input.shell_variable())
        .collect();
    if known
        .iter()
        .any(|known| known.strip_prefix(SHELL_VARIABLE_PREFIX) == Some(name))
    {
        return None;
    }
    Input::find(&own).and_then(variable_of).or_else(|| {
        let names = known
            .iter()
            .filter_map(|known| known.strip_prefix(SHELL_VARIABLE_PREFIX));
        let near = similar_word(name, names)?;
        Some(format!("{SHELL_VARIABLE_PREFIX}{near}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::{on_command_line, parse_from};
    use crate::cli::{InputOrigin, Verb};

    fn with(line: &[&str], variables: &[(&str, &str)]) -> Result<InputValues, String> {
        parse_from(line, variables.iter().copied().collect())
    }

    const VARIABLES: [(&str, &str); 6] = [
        ("SHIPMARK_SOURCE", " oci:dev "),
        ("SHIPMARK_IMAGES", "\n oci:a\n# not b\noci:c"),
        ("SHIPMARK_DRY_RUN", "True"),
        ("SHIPMARK_RELEASE_VERSION", "1.4.0"),
        ("SHIPMARK_ENVIRONMENT", " "),
        ("SHIPMARK_ARTIFACT", "x"),
    ];

    #[test]
    fn a_variable_holds_what_no_flag_gives() {
        let values = with(&["shipmark", "promote"], &VARIABLES).unwrap();
        assert_eq!(values.text(Input::Source), Some("oci:dev"));
        let images = values.entries(Input::Images);
        assert_eq!([&images[0].text, &images[1].text], ["oci:a", "oci:c"]);
        assert_eq!(values.switch(Input::DryRun), Ok(true));
        assert_eq!(values.text(Input::Version), Some("1.4.0"));
        assert_eq!(values.text(Input::Environment), None);
        assert_eq!(values.origin_of(Input::Images), InputOrigin::Variable);
        assert_eq!(values.warnings, [""; 0]);
    }

    #[test]
    fn a_flag_goes_before_its_variable() {
        let line = [
            "shipmark",
            "promote",
            "--images=oci:b",
            "--dry-run=false",
            "--source=",
        ];
        let values = with(&line, &VARIABLES).unwrap();
        let images = values.entries(Input::Images);
        assert_eq!((images.len(), images[0].text.as_str()), (1, "oci:b"));
        assert_eq!(values.whole(Input::Images), "oci:b");
        assert_eq!(values.switch(Input::DryRun), Ok(false));
        assert_eq!(values.text(Input::Source), Some("oci:dev"));
        assert_eq!(values.origin_of(Input::Images), InputOrigin::CommandLine);
        let blank = ["shipmark", "tags", "--sep-tags= "];
        let values = with(&blank, &[("SHIPMARK_SEP_TAGS", ",")]).unwrap();
        assert_eq!(values.whole(Input::SepTags), " ");
        let values = with(&blank[..2], &[("SHIPMARK_SEP_TAGS", ", ")]).unwrap();
        assert_eq!(values.whole(Input::SepTags), ", ");
    }

    #[test]
    fn an_error_names_the_variable_and_the_line() {
        let variables = [VARIABLES[0], ("SHIPMARK_IMAGES", "oci:a\nGHCR.io/Acme/web")];
        let values = with(&["shipmark", "push"], &variables).unwrap();
        insta::assert_snapshot!(
            values.values::<crate::image::Destination>(Input::Images).unwrap_err(),
            @r#"SHIPMARK_IMAGES, line 2: "GHCR.io/Acme/web" has upper-case letters in its repository name: write acme/web"#
        );
        let variables = [VARIABLES[0], ("SHIPMARK_EXISTING", "force")];
        let values = with(&["shipmark", "push"], &variables).unwrap();
        insta::assert_snapshot!(
            values.choice(Input::Existing).unwrap_err(),
            @r#"SHIPMARK_EXISTING: "force" is not one of fail, keep"#
        );
        let secret = [VARIABLES[0], ("SHIPMARK_CREDENTIALS", "made-up-word")];
        let values = with(&["shipmark", "push"], &secret).unwrap();
        assert_eq!(
            values.secrets().collect::<Vec<_>>(),
            [(Input::Credentials, "made-up-word")]
        );
    }

    #[test]
    fn a_step_reads_no_variable_of_a_command_line() {
        let mut variables = VARIABLES.to_vec();
        variables.extend([
            ("GITHUB_ACTIONS", "true"),
            ("INPUT_COMMAND", "push"),
            ("INPUT_SOURCE", "oci:step"),
            ("SHIPMARK_DRYRUN", "true"),
        ]);
        let values = with(&["shipmark"], &variables).unwrap();
        assert_eq!(values.text(Input::Source), Some("oci:step"));
        assert!(values.entries(Input::Images).is_empty());
        assert_eq!(values.switch(Input::DryRun), Ok(false));
        assert_eq!(values.warnings, [""; 0]);
    }

    #[test]
    fn a_variable_like_that_of_an_input_is_a_warning() {
        let warnings = |name| {
            let variables = [VARIABLES[0], (name, "x")];
            with(&["shipmark", "push"], &variables).unwrap().warnings
        };
        for (name, near) in [
            ("SHIPMARK_DRYRUN", "SHIPMARK_DRY_RUN"),
            ("SHIPMARK_IMAGE", "SHIPMARK_IMAGES"),
            ("SHIPMARK_TAGZ", "SHIPMARK_TAGS"),
            // The input tag has another variable.
            ("SHIPMARK_TAG", "SHIPMARK_HISTORY_TAG"),
            // It may be the version of this program.
            ("SHIPMARK_VERSION", "SHIPMARK_RELEASE_VERSION"),
        ] {
            let warning = format!("{name} is not read; did you mean {near}?");
            assert_eq!(warnings(name), [warning]);
        }
        for other in ["SHIPMARK_NOW", "SHIPMARK_TEST_REGISTRY", "SHIPMARK_QQQ"] {
            assert_eq!(warnings(other), [""; 0], "{other}");
        }
    }

    #[test]
    fn every_input_of_a_verb_can_be_a_variable() {
        for verb in Verb::ALL {
            for input in verb.inputs() {
                let variable = input.declaration().shell_variable().unwrap();
                let mut variables = vec![(variable.as_str(), "true")];
                for required in verb.inputs() {
                    if required.declaration().required.contains(verb) && required != input {
                        let name = required.declaration().shell_variable().unwrap();
                        variables.push((Box::leak(name.into_boxed_str()), "x"));
                    }
                }
                let values = with(&["shipmark", verb.name()], &variables).unwrap();
                assert_eq!(values.entries(input)[0].text, "true", "{verb} {input}");
            }
        }
        assert!(on_command_line(&["shipmark", "push"]).is_err());
    }
}
