//! What a text looks like once others have encoded it: in an answer that echoes it, in a log, in
//! JSON, in an address.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::markdown_text::markdown;
use crate::notices::to_printable;

/// Shorter pieces of base64 than this stand in texts by chance.
const SHORTEST_PIECE: usize = 8;

/// Returns the usual encodings of `text`, one of each: what the runner is told to mask.
pub(super) fn usual(text: &str) -> Vec<String> {
    vec![
        BASE64_STANDARD.encode(text),
        percent(text, "-_.~", true),
        json(text),
        markdown(text),
    ]
}

/// Returns all encodings of `text` that this process looks for in what it writes.
pub(super) fn all(text: &str) -> Vec<String> {
    let mut all = usual(text);
    all.extend(base64_pieces(text));
    for safe in ["-_.~", "-_.!~*'()", "*-._", "-_.~/", "-_.~!$&'()*+,;=:@/"] {
        all.extend([true, false].map(|upper| percent(text, safe, upper)));
    }
    // As forms send it.
    all.extend(["*-._ ", "-_.~ "].map(|safe| percent(text, safe, true).replace(' ', "+")));
    let json = json(text);
    for json in [json_for_html(&json), json] {
        for json in [json_in_ascii(&json), json] {
            all.extend([json.replace('/', r"\/"), json]);
        }
    }
    all.push(text.escape_debug().to_string());
    for quotes in [
        ["&quot;", "&#39;"],
        ["&#34;", "&#39;"],
        ["&quot;", "&apos;"],
        ["\"", "'"],
    ] {
        all.push(markup(text, quotes));
    }
    // Python's html.escape and .NET's HtmlEncode; OWASP's and Mustache's rules escape the slash as well.
    let hexadecimal = markup(text, ["&quot;", "&#x27;"]);
    all.push(hexadecimal.replace('/', "&#x2F;"));
    all.push(hexadecimal);
    let mustache = markup(text, ["&quot;", "&#39;"]).replace('/', "&#x2F;");
    all.push(mustache.replace('`', "&#x60;").replace('=', "&#x3D;"));
    all.push(mustache);
    all.push(character_references(text));
    // As it is escaped inside a word.
    let inside = markdown(&format!("x{text}x"));
    all.extend(
        inside
            .strip_prefix('x')
            .and_then(|it| it.strip_suffix('x'))
            .map(str::to_owned),
    );
    // As `report` shows code in a table.
    all.push(text.replace('|', "`&#124;`"));
    let shown: Vec<String> = all
        .iter()
        .map(String::as_str)
        .chain([text])
        .map(|form| to_printable(form, usize::MAX))
        .collect();
    all.extend(shown);
    all
}

/// Returns `text` with a reference in place of every character that may be markup.
fn character_references(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            ' ' | ',' | ';' | '/' | '%' => out.push(c),
            _ if c.is_ascii_alphanumeric() || !c.is_ascii() => out.push(c),
            _ => drop(write!(out, "&#{};", u32::from(c))),
        }
    }
    out
}

/// Returns what stands in a base64 text that holds `text` somewhere, for each place that it may have
/// in a group of three bytes, in both alphabets.
fn base64_pieces(text: &str) -> impl Iterator<Item = String> {
    let pieces = (0..3usize).filter_map(move |offset| {
        let whole = BASE64_STANDARD.encode([&vec![0; offset][..], text.as_bytes()].concat());
        // Of the first and last character a part belongs to the neighbours.
        let (first, last) = ((offset * 8).div_ceil(6), (offset + text.len()) * 8 / 6);
        let piece = whole.get(first..last)?.to_owned();
        (piece.len() >= SHORTEST_PIECE).then_some(piece)
    });
    pieces.flat_map(|piece| {
        let url_safe = piece.replace('+', "-").replace('/', "_");
        [piece, url_safe]
    })
}

/// Returns `text` as a part of an address, all but letters, digits and the `safe` ones escaped.
fn percent(text: &str, safe: &str, upper: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match char::from(byte) {
            c if c.is_ascii_alphanumeric() || safe.contains(c) => out.push(c),
            _ if upper => {
                let _ = write!(out, "%{byte:02X}");
            }
            _ => {
                let _ = write!(out, "%{byte:02x}");
            }
        }
    }
    out
}

/// Returns `text` as it stands between the quotes of JSON.
fn json(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// Returns JSON as Go writes it, to be safe in a page.
fn json_for_html(json: &str) -> String {
    let mut out = String::new();
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}

/// Returns JSON as Python writes it, in ASCII alone.
fn json_in_ascii(json: &str) -> String {
    let mut out = String::new();
    for c in json.chars() {
        match c.is_ascii() {
            true => out.push(c),
            false => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out
}

/// Returns `text` in HTML or XML, with these for a double and a single quote.
fn markup(text: &str, [double, single]: [&str; 2]) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', double)
        .replace('\'', single)
}
