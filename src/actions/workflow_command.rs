//! Workflow commands: lines of a step's log that the runner acts upon.

use super::random_word;
use crate::notices::FileLocation;

/// How loud an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnotationLevel {
    /// The run failed because of it.
    Error,
    /// Someone should look at it.
    Warning,
    /// Worth knowing.
    Notice,
}

impl AnnotationLevel {
    /// The command's name, which is also the word before the text on a terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// The most characters of a message that GitHub keeps.
const MESSAGE_LIMIT: usize = 4096;

/// An annotation, shown with the run and, where it names a file, in the diff. The path of the file is
/// from the root of the checkout.
pub fn annotation_command(
    level: AnnotationLevel,
    title: &str,
    location: Option<&FileLocation>,
    message: &str,
) -> String {
    let file = location.map(location_properties).unwrap_or_default();
    format!(
        "::{} {file}title={}::{}",
        level.as_str(),
        escape_property(title),
        escape_data(&truncate_message(message))
    )
}

/// The properties that name a file, each with its comma.
fn location_properties(location: &FileLocation) -> String {
    let position = location
        .position
        .map(|(line, column)| format!("line={line},col={column},"));
    format!(
        "file={},{}",
        escape_property(&location.path),
        position.unwrap_or_default()
    )
}

/// Tells the runner to replace `secret` by `***` in everything that follows. The runner refuses
/// blanks.
pub fn mask_command(secret: &str) -> Option<String> {
    (!secret.trim().is_empty()).then(|| format!("::add-mask::{}", escape_data(secret)))
}

/// Opens a part of the log that is folded away.
pub fn group_command(title: &str) -> String {
    format!("::group::{}", escape_data(title))
}

/// Closes the part that [`group_command`] opened.
pub fn end_group_command() -> &'static str {
    "::endgroup::"
}

/// `text` for the log, with no line of it taken for a command. The runner acts on lines that begin
/// with `::` and on `##[` anywhere; whatever comes near that is put between `stop-commands` and its
/// end word, which cannot be known beforehand.
pub fn escape_log_text(text: &str) -> String {
    if !text.contains("::") && !text.contains("##") {
        return text.to_owned();
    }
    let word = random_word::random_word();
    format!("::stop-commands::{word}\n{text}\n::{word}::")
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

fn truncate_message(message: &str) -> String {
    if message.chars().count() <= MESSAGE_LIMIT {
        return message.to_owned();
    }
    message
        .chars()
        .take(MESSAGE_LIMIT - 1)
        .chain(['…'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_and_properties_are_escaped() {
        assert_eq!(
            annotation_command(
                AnnotationLevel::Error,
                "a: b, c",
                None,
                "50%\r\n::add-mask::x"
            ),
            "::error title=a%3A b%2C c::50%25%0D%0A::add-mask::x"
        );
        assert_eq!(
            annotation_command(AnnotationLevel::Warning, "t", None, "%0A::set-output::"),
            "::warning title=t::%250A::set-output::"
        );
        for (location, properties) in [
            (
                FileLocation::new("a,b: 1%.yml"),
                "file=a%2Cb%3A 1%25.yml,title=t",
            ),
            (
                FileLocation::at("x/y.yml", 3, 7),
                "file=x/y.yml,line=3,col=7,title=t",
            ),
        ] {
            assert_eq!(
                annotation_command(AnnotationLevel::Error, "t", Some(&location), "m"),
                format!("::error {properties}::m")
            );
        }
        assert_eq!(group_command("a\nb"), "::group::a%0Ab");
        assert_eq!(
            mask_command("a%b\nc").as_deref(),
            Some("::add-mask::a%25b%0Ac")
        );
        assert_eq!(mask_command(" \n"), None);
    }

    #[test]
    fn long_messages_are_cut() {
        let line = annotation_command(AnnotationLevel::Notice, "t", None, &"ä".repeat(5000));
        assert_eq!(
            line.chars().count(),
            "::notice title=t::".len() + MESSAGE_LIMIT
        );
        assert!(line.ends_with("ä…"));
    }

    #[test]
    fn text_that_looks_like_a_command_is_fenced() {
        assert_eq!(escape_log_text("pushed 3 blobs"), "pushed 3 blobs");
        for text in ["::add-mask::a", "  ::error::x", "a ##[group]b", "a\n::b::"] {
            let fenced = escape_log_text(text);
            let lines: Vec<_> = fenced.lines().collect();
            let word = lines[0].strip_prefix("::stop-commands::").unwrap();
            assert_eq!(word.len(), 32);
            assert_eq!(lines.last(), Some(&format!("::{word}::").as_str()));
        }
        assert_ne!(escape_log_text("::"), escape_log_text("::"));
    }

    proptest! {
        #[test]
        fn a_command_is_one_line_with_one_message(
            title in any::<String>(),
            path in any::<String>(),
            message in any::<String>(),
        ) {
            let location = FileLocation::at(path, 1, 2);
            let line =
                annotation_command(AnnotationLevel::Error, &title, Some(&location), &message);
            prop_assert!(!line.contains(['\n', '\r']));
            let rest = line.strip_prefix("::error file=").unwrap();
            let (properties, _) = rest.split_once("::").unwrap();
            prop_assert!(!properties.contains(':'));
            prop_assert_eq!(properties.matches(',').count(), 3);
        }
    }
}
