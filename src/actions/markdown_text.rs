//! Text as GitHub's Markdown that is no markup: escaped where a character would be read as markup, and
//! nowhere else.

/// Space without width, which keeps GitHub from making a link, mention or emoji.
const BREAK: &str = "&#8203;";
/// Numbers that GitHub reads as emoji between colons.
const NUMBER_EMOJI: [&str; 2] = ["100", "1234"];

/// Returns a line of running text as Markdown that shows the text and nothing else.
pub fn markdown(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for at in 0..chars.len() {
        push_escaped(&mut out, &CharPosition { chars: &chars, at });
    }
    out
}

/// A character with its neighbours.
struct CharPosition<'a> {
    chars: &'a [char],
    at: usize,
}

fn push_escaped(out: &mut String, position: &CharPosition<'_>) {
    let c = position.chars[position.at];
    match c {
        '\\' | '`' | '*' | '[' | ']' | '<' | '|' | '~' | '$' => out.extend(['\\', c]),
        '_' if !position.is_inside_word() => out.push_str("\\_"),
        '&' if position.begins_reference() => out.push_str("&amp;"),
        '.' if position.ends_www() => out.push_str("&#46;"),
        ':' if position.is_followed_by("//") => out.push_str("&#58;"),
        '.' | ')' if position.ends_list_number() => out.extend(['\\', c]),
        '#' | '>' | '-' | '+' | '=' if position.at == 0 => out.extend(['\\', c]),
        _ => out.push(c),
    }
    let is_linked = match c {
        '@' => position.begins_mention(),
        '#' => position.next().is_some_and(|c| c.is_ascii_digit()),
        '-' => position.ends_issue_prefix(),
        ':' => position.begins_emoji(),
        _ => false,
    };
    if is_linked {
        out.push_str(BREAK);
    }
}

impl CharPosition<'_> {
    fn before(&self) -> &[char] {
        &self.chars[..self.at]
    }

    fn after(&self) -> &[char] {
        &self.chars[self.at + 1..]
    }

    fn next(&self) -> Option<char> {
        self.after().first().copied()
    }

    fn is_followed_by(&self, text: &str) -> bool {
        let after = self.after().iter().copied();
        after.take(text.chars().count()).eq(text.chars())
    }

    fn is_preceded_by(&self, lower_case: &str) -> bool {
        let before = self.before().iter().rev();
        let before = before.map(|c| c.to_ascii_lowercase());
        let count = lower_case.chars().count();
        before.take(count).eq(lower_case.chars().rev())
    }

    /// Returns whether letters or digits are on both sides: there `_` is no emphasis.
    fn is_inside_word(&self) -> bool {
        let is_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
        is_word(self.before().last()) && is_word(self.after().first())
    }

    /// Returns whether `&` may begin a character reference.
    fn begins_reference(&self) -> bool {
        let next = self.next();
        next.is_some_and(|c| c == '#' || c.is_ascii_alphanumeric())
    }

    /// Returns whether `www.` ends here, of which GitHub makes a link.
    fn ends_www(&self) -> bool {
        self.is_preceded_by("www")
    }

    /// Returns whether the text begins with a number that would begin a list.
    fn ends_list_number(&self) -> bool {
        let before = self.before();
        let is_number = !before.is_empty() && before.iter().all(char::is_ascii_digit);
        is_number && self.next().is_none_or(char::is_whitespace)
    }

    /// Returns whether `@` may begin a mention or belong to an e-mail address. The digest of an image and
    /// the ref of a workflow are neither, and are copied from reports.
    fn begins_mention(&self) -> bool {
        !self.begins_pinned_part() && self.next().is_some_and(|c| !c.is_whitespace())
    }

    /// Returns whether `@` stands in `web@sha256:…` or `release.yml@refs/…`. GitHub makes a link of an
    /// `xmpp:` address also where a `/` follows the host.
    fn begins_pinned_part(&self) -> bool {
        let is_word = |c: &char| c.is_alphanumeric();
        let is_ref = || self.is_followed_by("refs/") && !self.has_xmpp_before();
        self.before().last().is_some_and(is_word) && (self.is_followed_by("sha256:") || is_ref())
    }

    fn has_xmpp_before(&self) -> bool {
        let before: String = self.before().iter().collect();
        before.to_ascii_lowercase().contains("xmpp:")
    }

    /// Returns whether `GH-` ends here, before the number of an issue.
    fn ends_issue_prefix(&self) -> bool {
        self.is_preceded_by("gh") && self.next().is_some_and(|c| c.is_ascii_digit())
    }

    /// Returns whether `:` begins a name such as `:tada:`. Of numbers only these two are names; others
    /// are parts of times and ports.
    fn begins_emoji(&self) -> bool {
        let is_name = |c: &char| c.is_ascii_alphanumeric() || "_+-".contains(*c);
        let after = self.after();
        let length = after.iter().take_while(|c| is_name(c)).count();
        let name: String = after[..length].iter().collect();
        let is_number = name.bytes().all(|c| c.is_ascii_digit());
        after.get(length) == Some(&':') && (!is_number || NUMBER_EMOJI.contains(&name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use comrak::nodes::NodeValue;
    use comrak::{Arena, Options};
    use proptest::prelude::*;

    use super::*;

    /// Parses as GitHub does, and returns the text; refuses whatever else is there.
    fn rendered_text(markdown: &str) -> String {
        let mut options = Options::default();
        options.extension.autolink = true;
        options.extension.table = true;
        options.extension.strikethrough = true;
        options.extension.tasklist = true;
        options.extension.footnotes = true;
        options.extension.math_dollars = true;
        options.extension.math_code = true;
        options.extension.alerts = true;
        let arena = Arena::new();
        let root = comrak::parse_document(&arena, markdown, &options);
        let mut text = String::new();
        for node in root.descendants() {
            match &node.data().value {
                NodeValue::Document | NodeValue::Paragraph => {}
                NodeValue::Table(_) | NodeValue::TableRow(_) | NodeValue::TableCell => {}
                NodeValue::Text(part) => text += part,
                other => panic!("{other:?} in {markdown:?}"),
            }
        }
        text.replace('\u{200b}', "")
    }

    /// Text of pieces that Markdown and GitHub read as markup.
    fn nasty_text() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "a",
            "B",
            "7",
            "ä",
            " ",
            "  ",
            "*",
            "**",
            "_",
            "__",
            "`",
            "``",
            "~",
            "~~",
            "\\",
            "|",
            "<",
            ">",
            "<b>",
            "<!--",
            "</a>",
            "[",
            "]",
            "(",
            ")",
            "![x](y)",
            "[x]: y",
            "[^1]",
            "#",
            "##",
            "@",
            "acme",
            "@acme",
            "acme/web#7",
            "#7",
            "GH-7",
            "gh-7",
            "&",
            "&amp;",
            "&#42;",
            "&lt",
            ";",
            ":",
            "://",
            "http://a.b",
            "https://a.b/c_d",
            "ftp://a.b",
            "www.a.b",
            "WWW.",
            "a@b.cd",
            "mailto:a@b.cd",
            "xmpp:a@b.cd/e",
            "web@sha256:12",
            "@refs/",
            "a.yml@refs/tags/v1.4",
            "xmpp:",
            "$",
            "$$",
            "$`",
            "`$",
            "-",
            "+",
            "=",
            "===",
            "---",
            "1.",
            "1)",
            "- ",
            "> ",
            "[!NOTE]",
            "[ ] ",
            ":tada:",
            ":+1:",
            ".",
            "!",
            "{",
            "}",
            "^",
            "%",
            "'",
            "\"",
            "/",
        ]);
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat().trim().to_owned())
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        for text in [
            "127.0.0.1:5000/team/web:1.4.0",
            "web@sha256:4813494d137e",
            "the rule of 1.4.0 (immutable)",
            "COSIGN_KEY is 5 % of it; a & b, c - d = e + f",
            "refs/heads/feature-x! \"quoted\" 'too' {a} a^b",
            "1.4.0 is an immutable tag",
            "12:30:45 Uhr",
        ] {
            let shown = markdown(text).replace(BREAK, "");
            assert_eq!(shown, text);
        }
    }

    #[test]
    fn values_that_readers_copy_have_no_break() {
        for text in [
            "2026-03-02T10:14:05Z",
            "127.0.0.1:32977: connection refused",
            "acme/web/.github/workflows/release.yml@refs/tags/v1.4.0",
            "web@sha256:4813494d137e",
        ] {
            assert_eq!(markdown(text), text);
        }
    }

    #[test]
    fn markup_is_escaped() {
        for (text, expected) in [
            ("*a* _b_ ~c~", r"\*a\* \_b\_ \~c\~"),
            ("<script>", r"\<script>"),
            ("[x](y) | `z`", r"\[x\](y) \| \`z\`"),
            ("@acme #1 GH-2", "@&#8203;acme #&#8203;1 GH-&#8203;2"),
            ("# a", r"\# a"),
            ("1. a", r"1\. a"),
            ("https://x www.y", "https&#58;//x www&#46;y"),
            ("&lt; &", "&amp;lt; &"),
            (":tada: :100:", ":&#8203;tada: :&#8203;100:"),
            ("@refs/x", "@&#8203;refs/x"),
        ] {
            assert_eq!(markdown(text), expected);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn promise_8_text_is_shown_and_is_no_markup(text in nasty_text()) {
            prop_assert_eq!(rendered_text(&markdown(&text)), text);
        }

        #[test]
        fn promise_8_text_in_a_table_is_shown_and_is_no_markup(text in nasty_text()) {
            let table = format!("| a |\n| --- |\n| {} |\n", markdown(&text));
            prop_assert_eq!(rendered_text(&table), format!("a{text}"));
        }

        #[test]
        fn promise_8_any_printable_text_is_shown(text in "[ -~äß€]{0,60}") {
            let text = text.trim();
            prop_assert_eq!(rendered_text(&markdown(text)), text);
        }
    }
}
