//! Text as a word of a shell command that a reader copies.

/// Returns `text` as one word, quoted if it has characters that a shell reads.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_words_are_not_quoted() {
        for (text, expected) in [
            ("ghcr.io/acme/web@sha256:12", "ghcr.io/acme/web@sha256:12"),
            ("a b", "'a b'"),
            ("", "''"),
            ("$(id)", "'$(id)'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(shell_word(text), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn promise_8_a_shell_reads_one_word(text in "[ -~ä]{0,24}") {
            let command = format!("printf %s {}", shell_word(&text));
            let ran = std::process::Command::new("sh").arg("-c").arg(command).output().unwrap();
            prop_assert_eq!(String::from_utf8(ran.stdout).unwrap(), text);
        }
    }
}
