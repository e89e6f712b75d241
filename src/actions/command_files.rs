//! Files that the runner reads when a step has ended: its outputs and its summary.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::markdown_cut::cut_markdown;
use super::random_word;

/// The most bytes of a step's summary that GitHub takes; a longer one is not shown at all.
pub const SUMMARY_LIMIT: usize = 1 << 20;

/// Why what a step has to say could not be handed over.
#[derive(Debug, Error)]
#[error("{variable} names {path}, which cannot be written: {source}", path = .path.display())]
pub struct FileCommandError {
    /// The variable that names the file.
    pub variable: &'static str,
    /// The file.
    pub path: PathBuf,
    source: io::Error,
}

impl FileCommandError {
    /// What may help.
    pub fn hint(&self) -> &'static str {
        if self.source.kind() == io::ErrorKind::NotFound {
            "the runner mounts this file into an action's container; act in host mode \
             (-P …=-self-hosted) does not: mount its cache folder at the same path"
        } else {
            "the file must be writable for the user that this process runs as"
        }
    }
}

/// Appends outputs to the file that `GITHUB_OUTPUT` names.
pub fn append_outputs(file: &Path, outputs: &[(&str, String)]) -> Result<(), FileCommandError> {
    let text: String = outputs
        .iter()
        .map(|(name, value)| to_heredoc(name, value))
        .collect();
    append_text("GITHUB_OUTPUT", file, &text)
}

/// Appends variables for later steps to the file that `GITHUB_ENV` names.
pub fn append_variables(
    file: &Path,
    variables: &[(String, String)],
) -> Result<(), FileCommandError> {
    let text: String = variables
        .iter()
        .map(|(name, value)| to_heredoc(name, value))
        .collect();
    append_text("GITHUB_ENV", file, &text)
}

/// Appends markdown to the file that `GITHUB_STEP_SUMMARY` names, cut where GitHub would drop it.
pub fn append_summary(file: &Path, markdown: &str) -> Result<(), FileCommandError> {
    append_text("GITHUB_STEP_SUMMARY", file, &truncate_summary(markdown))
}

/// The delimiter is new for each value, so no value can end itself and begin another output.
fn to_heredoc(name: &str, value: &str) -> String {
    let delimiter = loop {
        let word = format!("shipmark-{}", random_word::random_word());
        if !value.contains(&word) {
            break word;
        }
    };
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

/// Returns whole lines, as many as fit, and one that says how many are missing.
fn truncate_summary(markdown: &str) -> String {
    const ROOM: usize = 256;
    if markdown.len() <= SUMMARY_LIMIT {
        return markdown.to_owned();
    }
    let cut = cut_markdown(markdown, SUMMARY_LIMIT - ROOM, str::len);
    format!(
        "{}\n**Cut here:** GitHub takes 1 MiB of summary, this one has {} KiB: {} lines are left out. The log has all of them.\n",
        cut.text,
        markdown.len() >> 10,
        cut.left_out
    )
}

/// Appends in one write, so that what another process appends stays whole. The file is the
/// runner's: it is not created where it is missing, for nobody would read it.
fn append_text(variable: &'static str, path: &Path, text: &str) -> Result<(), FileCommandError> {
    OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| FileCommandError {
            variable,
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads as the runner does: `name<<delimiter`, lines, `delimiter`.
    fn read(text: &str) -> Vec<(String, String)> {
        let mut lines = text.split('\n');
        let mut outputs = Vec::new();
        while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
            let (name, delimiter) = line.split_once("<<").unwrap();
            let value: Vec<_> = lines
                .by_ref()
                .take_while(|line| *line != delimiter)
                .collect();
            outputs.push((name.to_owned(), value.join("\n")));
        }
        outputs
    }

    #[test]
    fn outputs_are_appended() {
        let file = tempfile::NamedTempFile::new().unwrap();
        append_outputs(file.path(), &[("a", "1".into())]).unwrap();
        append_outputs(file.path(), &[("b", "2\n3".into()), ("c", String::new())]).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read(&text),
            [pair("a", "1"), pair("b", "2\n3"), pair("c", "")]
        );
    }

    #[test]
    fn a_missing_file_is_named_with_its_variable() {
        let folder = tempfile::tempdir().unwrap();
        let error = append_summary(&folder.path().join("none"), "x").unwrap_err();
        assert!(error.to_string().starts_with("GITHUB_STEP_SUMMARY names "));
        assert!(error.hint().contains("act in host mode"));
        assert!(!folder.path().join("none").exists());
    }

    #[test]
    fn a_long_summary_is_cut_and_says_so() {
        let long = format!("```text\n{}", "ä line\n".repeat(200_000));
        let cut = truncate_summary(&long);
        assert!(cut.len() <= SUMMARY_LIMIT);
        assert!(cut.contains("ä line\n```\n\n**Cut here:**"));
        let kept = cut.matches("line\n").count();
        let end = format!(
            "this one has 1562 KiB: {} lines are left out. The log has all of them.\n",
            200_000 - kept
        );
        assert!(cut.ends_with(&end), "{kept}");
        let folded = format!(
            "<details><summary>x</summary>\n\n{}",
            "- line\n".repeat(200_000)
        );
        assert!(truncate_summary(&folded).contains("- line\n\n</details>\n\n**Cut here:**"));
        let unfolded = format!("<details>\n</details>\n{}", "- line\n".repeat(200_000));
        assert!(!truncate_summary(&unfolded).contains("- line\n\n</details>"));
    }

    proptest! {
        #[test]
        fn no_value_becomes_another_output(value in "(\n|<<|x=y|shipmark-|[a-z\r%]){0,40}") {
            let text = to_heredoc("name", &value) + &to_heredoc("next", "1");
            prop_assert_eq!(
                read(&text),
                [("name".to_owned(), value), ("next".to_owned(), "1".to_owned())]
            );
        }
    }
}
