//! Cuts a page of Markdown where a line ends, so that what is left is whole.

/// Page that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutMarkdown {
    /// Beginning of the page, with all that was open closed.
    pub text: String,
    /// Lines that are left out, without blank ones.
    pub left_out: usize,
}

/// Blocks that are open at the end of a line.
#[derive(Debug, Default)]
struct OpenBlocks {
    /// Fence of a code block, and whether a part of the block is of no use.
    fence: Option<(String, bool)>,
    /// How many `<details>` are open.
    folds: usize,
}

/// Returns as many whole lines of a page as fit into `limit`, measured by `length`. A drawing is kept or left out as
/// a whole. The page is one of this program, whose blocks begin at the beginning of a line.
pub fn cut_markdown(page: &str, limit: usize, length: fn(&str) -> usize) -> CutMarkdown {
    if length(page) <= limit {
        return CutMarkdown {
            text: page.to_owned(),
            left_out: 0,
        };
    }
    let mut open = OpenBlocks::default();
    let (mut used, mut at) = (0, 0);
    let (mut end, mut closing) = (0, String::new());
    for line in page.split_inclusive('\n') {
        used += length(line);
        at += line.len();
        open.read(line);
        let needed = open.closing();
        if used + length(&needed) > limit {
            break;
        }
        if !matches!(open.fence, Some((_, true))) {
            (end, closing) = (at, needed);
        }
    }
    let rest = page[end..].lines();
    CutMarkdown {
        text: format!("{}{closing}", &page[..end]),
        left_out: rest.filter(|line| !line.trim().is_empty()).count(),
    }
}

impl OpenBlocks {
    fn read(&mut self, line: &str) {
        let fence: String = line.chars().take_while(|c| *c == '`').collect();
        match &self.fence {
            Some((open, _)) if line.trim_end() == open => self.fence = None,
            Some(_) => {}
            None if fence.len() >= 3 => {
                let language = line[fence.len()..].trim();
                self.fence = Some((fence, language == "mermaid"));
            }
            None if line.starts_with("<details>") => self.folds += 1,
            None if line.starts_with("</details>") => self.folds = self.folds.saturating_sub(1),
            None => {}
        }
    }

    fn closing(&self) -> String {
        let fence = self.fence.as_ref();
        let fence = fence.map_or_else(String::new, |(fence, _)| format!("{fence}\n"));
        fence + &"\n</details>\n".repeat(self.folds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_open_is_closed() {
        let page = "# a\n<details>\n````text\n1\n```\n2\n````\n</details>\n| 3 |\n";
        for (limit, text, left_out) in [
            (3, "", 9),
            (4, "# a\n", 8),
            (30, "# a\n<details>\n\n</details>\n", 7),
            (41, "# a\n<details>\n````text\n1\n````\n\n</details>\n", 5),
            (200, page, 0),
        ] {
            let cut = cut_markdown(page, limit, str::len);
            let is_whole = cut.text == text;
            assert!(
                is_whole || limit == 41 && cut.text.len() <= 41,
                "{limit}: {cut:?}"
            );
            assert!(limit == 41 || cut.left_out == left_out, "{limit}: {cut:?}");
        }
    }

    #[test]
    fn half_a_drawing_is_left_out() {
        let page = "a\n```mermaid\nflowchart LR\n  a\n```\nb\n";
        let cut = cut_markdown(page, page.len() - 4, str::len);
        assert_eq!((cut.text.as_str(), cut.left_out), ("a\n", 5));
        let cut = cut_markdown(page, page.len() - 1, str::len);
        assert_eq!(
            (cut.text.as_str(), cut.left_out),
            (&page[..page.len() - 2], 1)
        );
    }

    proptest! {
        #[test]
        fn a_cut_page_fits_and_has_its_blocks_closed(
            lines in proptest::collection::vec("(```|````|```mermaid|<details>|</details>|ä row|\\| a \\||)", 0..30),
            limit in 0usize..200,
        ) {
            let page: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let length = |text: &str| text.chars().count();
            let cut = cut_markdown(&page, limit, length);
            prop_assert!(length(&cut.text) <= limit);
            let mut open = OpenBlocks::default();
            cut.text.lines().for_each(|line| open.read(line));
            prop_assert!(cut.left_out == 0 || open.closing().is_empty(), "{:?}", cut.text);
        }
    }
}
