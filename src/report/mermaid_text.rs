//! Escapes text from outside for diagrams of Mermaid.

/// Returns text for a label. Mermaid reads `#35;` as the character of that number; every character that is neither
/// a letter nor a digit of ASCII nor one of `plain` is written so.
pub(super) fn escape_label(text: &str, plain: &str) -> String {
    let mut label = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii_alphanumeric() || plain.contains(c) {
            true => label.push(c),
            false => label += &format!("#{};", u32::from(c)),
        }
    }
    label
}
