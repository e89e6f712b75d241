//! The header `Link` (RFC 8288, 3).

/// Link of a header, with its target as written.
pub(crate) struct HeaderLink<'a> {
    pub(crate) target: &'a str,
    /// Value of its first parameter `rel`.
    relations: String,
}

impl HeaderLink<'_> {
    /// Returns whether the target is the next page.
    pub(crate) fn is_next(&self) -> bool {
        let mut relations = self.relations.split_ascii_whitespace();
        relations.any(|relation| relation.eq_ignore_ascii_case("next"))
    }
}

/// Parses the links of one header; `None` if it is malformed, or a link has no relation.
pub(crate) fn parse_links(header: &str) -> Option<Vec<HeaderLink<'_>>> {
    let mut links = Vec::new();
    let mut rest = skip_separators(header);
    while !rest.is_empty() {
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (relations, next) = parse_parameters(after)?;
        links.push(HeaderLink {
            target,
            relations: relations?,
        });
        rest = skip_separators(next);
    }
    Some(links)
}

/// Returns the first relation among the parameters of a link, and what follows the link.
fn parse_parameters(mut rest: &str) -> Option<(Option<String>, &str)> {
    let mut relations = None;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with(',') {
            return Some((relations, rest));
        }
        rest = rest.strip_prefix(';')?.trim_start();
        let end = rest.find([';', ',', '=']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let name = name.trim_end();
        let value;
        (value, rest) = match after.strip_prefix('=') {
            Some(after) => parse_value(after.trim_start())?,
            None => (String::new(), after),
        };
        if name.contains(char::is_whitespace) {
            return None;
        }
        // Only the first one counts (RFC 8288, 3.3).
        if name.eq_ignore_ascii_case("rel") && relations.is_none() {
            relations = Some(value).filter(|value| !value.trim().is_empty());
            relations.as_ref()?;
        }
    }
}

/// Returns the value of a parameter, quoted or not, and what follows it.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return Some((text[..end].trim_end().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

fn skip_separators(text: &str) -> &str {
    text.trim_start_matches(|character: char| character == ',' || character.is_whitespace())
}
