use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Texts that must appear nowhere. The runner is told to mask them; what is printed or written by
/// this process has them taken out already, for a terminal masks nothing.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

/// Shorter texts are masked in a job's log but not taken out of what is written: they would take
/// half of every digest with them.
const HIDDEN_FROM: usize = 4;

impl Secrets {
    /// Adds a secret, and each of its lines.
    pub fn add(&mut self, secret: &str) {
        self.push(secret.trim());
        if secret.trim().contains(['\n', '\r']) {
            secret.lines().for_each(|line| self.push(line.trim()));
        }
    }

    /// Adds a password and the form in which Basic authentication sends it.
    pub fn add_login(&mut self, user: &str, password: &str) {
        self.add(password);
        self.push(&BASE64_STANDARD.encode(format!("{user}:{password}")));
        self.push(&BASE64_STANDARD.encode(password));
    }

    /// All of them, longest first: a secret may hold another.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// `text` without the secrets.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.0 {
            if secret.len() >= HIDDEN_FROM && text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), "***"));
            }
        }
        text
    }

    fn push(&mut self, secret: &str) {
        if !secret.is_empty() && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_owned());
            self.0.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_hidden() {
        let mut secrets = Secrets::default();
        secrets.add_login("robot", "made:up=word");
        secrets.add("line one\n line two\n");
        assert_eq!(
            secrets.hide("made:up=word cm9ib3Q6bWFkZTp1cD13b3Jk line two!"),
            "*** *** ***!"
        );
        assert_eq!(format!("{secrets:?}"), "Secrets(6)");
    }

    #[test]
    fn short_ones_are_masked_only() {
        let mut secrets = Secrets::default();
        secrets.add("abc");
        assert_eq!(secrets.hide("sha256:abc"), "sha256:abc");
        assert_eq!(secrets.iter().collect::<Vec<_>>(), ["abc"]);
        secrets.add(" ");
        assert_eq!(secrets.iter().count(), 1);
    }
}
