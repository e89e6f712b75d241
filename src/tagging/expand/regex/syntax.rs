//! The structure of a regular expression (ECMAScript 2025, 22.2.1 and B.1.2): what may be tried in
//! which order. What a single character may be is left to `regress`, which has accepted the
//! expression before it comes here.

use std::ops::Range;

use super::extent::{class_len, code_len, count, is_named, name_in, octal_len};

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// One after the other.
    Sequence(Vec<Node>),
    /// The first that leads to a match.
    Choice(Vec<Node>),
    /// A capturing group, by its number from 0.
    Group(usize, Box<Node>),
    Repeat(Repeat),
    Look {
        behind: bool,
        negated: bool,
        body: Box<Node>,
    },
    LineStart {
        multiline: bool,
    },
    LineEnd {
        multiline: bool,
    },
    WordBoundary {
        negated: bool,
    },
    /// What the group of that number, from 0, matched.
    BackReference {
        group: usize,
        ignore_case: bool,
    },
    Atom(Atom),
}

#[derive(Debug, Clone)]
pub(super) struct Repeat {
    pub(super) body: Box<Node>,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) greedy: bool,
    /// The capturing groups within, which each round begins without.
    pub(super) groups: Range<usize>,
}

/// What matches a character; with the flag `v` perhaps several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Atom {
    Character(char),
    /// An expression of its own, and the flags that hold for it.
    Set {
        source: String,
        flags: String,
        /// The most characters that it may match.
        longest: usize,
    },
}

/// The most characters of an emoji that `\p{…}` matches as one.
const LONGEST_EMOJI: usize = 16;

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    multiline: bool,
    dot_all: bool,
    unicode: bool,
    sets: bool,
}

impl Flags {
    fn of(text: &str) -> Self {
        let has = |flag| text.contains(flag);
        Self {
            ignore_case: has('i'),
            multiline: has('m'),
            dot_all: has('s'),
            unicode: has('u'),
            sets: has('v'),
        }
    }

    /// Those that a single atom is compiled with.
    fn of_atom(self) -> String {
        let all = [
            ('i', self.ignore_case),
            ('s', self.dot_all),
            ('u', self.unicode),
            ('v', self.sets),
        ];
        all.iter().filter(|it| it.1).map(|it| it.0).collect()
    }
}

/// Reads an expression and counts its groups; `None` where it has something that is not known here.
pub(super) fn read(pattern: &str, flags: &str) -> Option<(Node, usize)> {
    let chars: Vec<char> = pattern.chars().collect();
    let flags = Flags::of(flags);
    let names = group_names(&chars, flags);
    let mut reader = Reader {
        chars,
        at: 0,
        flags,
        names,
        groups: 0,
    };
    let node = reader.choice()?;
    (reader.at == reader.chars.len()).then_some((node, reader.groups))
}

/// The names of all capturing groups, in order.
fn group_names(chars: &[char], flags: Flags) -> Vec<Option<String>> {
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let rest = &chars[at..];
        match c {
            '\\' => at += 1,
            '[' => at += class_len(rest, flags.sets).unwrap_or(1) - 1,
            '(' if rest.get(1) != Some(&'?') => names.push(None),
            '(' if is_named(rest) => names.push(name_in(&rest[2..])),
            _ => {}
        }
        at += 1;
    }
    names
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    flags: Flags,
    names: Vec<Option<String>>,
    /// How many groups were opened.
    groups: usize,
}

impl Reader {
    fn rest(&self) -> &[char] {
        &self.chars[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, text: &str) -> bool {
        let taken = text
            .chars()
            .eq(self.rest().iter().copied().take(text.len()));
        if taken {
            self.at += text.len();
        }
        taken
    }

    fn choice(&mut self) -> Option<Node> {
        let mut all = vec![self.sequence()?];
        while self.take("|") {
            all.push(self.sequence()?);
        }
        Some(match all.len() {
            1 => all.remove(0),
            _ => Node::Choice(all),
        })
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek() {
            if matches!(c, ')' | '|') {
                break;
            }
            let groups = self.groups;
            let part = self.part(c)?;
            parts.push(self.repeated(part, groups));
        }
        Some(Node::Sequence(parts))
    }

    fn part(&mut self, c: char) -> Option<Node> {
        let Flags { multiline, .. } = self.flags;
        match c {
            '^' => {
                self.at += 1;
                Some(Node::LineStart { multiline })
            }
            '$' => {
                self.at += 1;
                Some(Node::LineEnd { multiline })
            }
            '(' => self.parenthesis(),
            '[' => self.class(),
            '\\' => self.escape(),
            '.' => Some(self.set(1, 1)),
            _ => {
                self.at += 1;
                Some(self.character(c))
            }
        }
    }

    fn character(&self, c: char) -> Node {
        if !self.flags.ignore_case {
            return Node::Atom(Atom::Character(c));
        }
        Node::Atom(Atom::Set {
            source: regress::escape(&c.to_string()),
            flags: self.flags.of_atom(),
            longest: 1,
        })
    }

    /// The next `len` characters, as what matches up to `longest` characters.
    fn set(&mut self, len: usize, longest: usize) -> Node {
        let source = self.rest().iter().take(len).collect();
        self.at += len;
        Node::Atom(Atom::Set {
            source,
            flags: self.flags.of_atom(),
            longest,
        })
    }

    fn class(&mut self) -> Option<Node> {
        let len = class_len(self.rest(), self.flags.sets)?;
        let longest = match self.flags.sets {
            true => len.max(LONGEST_EMOJI),
            false => 1,
        };
        Some(self.set(len, longest))
    }

    fn parenthesis(&mut self) -> Option<Node> {
        let looks = [
            ("(?=", false, false),
            ("(?!", false, true),
            ("(?<=", true, false),
            ("(?<!", true, true),
        ];
        for (start, behind, negated) in looks {
            if self.take(start) {
                let body = Box::new(self.within()?);
                return Some(Node::Look {
                    behind,
                    negated,
                    body,
                });
            }
        }
        if is_named(self.rest()) || self.rest().get(1) != Some(&'?') {
            return self.group();
        }
        let flags = self.flags;
        self.modifiers()?;
        let body = self.within()?;
        self.flags = flags;
        Some(body)
    }

    fn group(&mut self) -> Option<Node> {
        if is_named(self.rest()) {
            self.at += self.rest().iter().position(|c| *c == '>')?;
        }
        self.at += 1;
        let index = self.groups;
        self.groups += 1;
        let body = Box::new(self.within()?);
        Some(Node::Group(index, body))
    }

    fn within(&mut self) -> Option<Node> {
        let body = self.choice()?;
        self.take(")").then_some(body)
    }

    /// `(?:`, `(?i:`, `(?s-im:`.
    fn modifiers(&mut self) -> Option<()> {
        self.take("(?").then_some(())?;
        let mut on = true;
        loop {
            let c = self.peek()?;
            self.at += 1;
            match c {
                ':' => return Some(()),
                '-' => on = false,
                'i' => self.flags.ignore_case = on,
                'm' => self.flags.multiline = on,
                's' => self.flags.dot_all = on,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<Node> {
        let rest = self.rest();
        let c = *rest.get(1)?;
        let len = match c {
            'b' | 'B' => {
                self.at += 2;
                return Some(Node::WordBoundary { negated: c == 'B' });
            }
            'k' if self.flags.unicode || self.names.iter().any(Option::is_some) => {
                return self.named_reference();
            }
            '1'..='9' => match self.numbered_reference() {
                Some(reference) => return Some(reference),
                None => 1 + octal_len(&self.rest()[1..]),
            },
            '0' if !self.flags.unicode => 1 + octal_len(&rest[1..]),
            'c' if rest.get(2).is_some_and(char::is_ascii_alphabetic) => 3,
            // Stands for a backslash, and the c for itself.
            'c' => {
                self.at += 1;
                return Some(self.character('\\'));
            }
            'x' if rest.len() >= 4 && rest[2..4].iter().all(char::is_ascii_hexdigit) => 4,
            'u' => 2 + code_len(&rest[2..]),
            'p' | 'P' if self.flags.unicode || self.flags.sets => {
                let len = rest.iter().position(|c| *c == '}')? + 1;
                let longest = if self.flags.sets { LONGEST_EMOJI } else { 1 };
                return Some(self.set(len, longest));
            }
            _ => 2,
        };
        Some(self.set(len, 1))
    }

    fn named_reference(&mut self) -> Option<Node> {
        let name = name_in(&self.rest()[2..])?;
        let len = name.chars().count() + 4;
        let named = self.names.iter().enumerate();
        let named = named.filter(|(_, other)| other.as_ref() == Some(&name));
        let all: Vec<Node> = named.map(|(group, _)| self.reference(group)).collect();
        self.at += len;
        (!all.is_empty()).then_some(Node::Choice(all))
    }

    /// A number that is no group's is an octal character.
    fn numbered_reference(&mut self) -> Option<Node> {
        let digits = self.rest()[1..].iter().take_while(|c| c.is_ascii_digit());
        let digits: String = digits.collect();
        let number: usize = digits.parse().ok()?;
        if number > self.names.len() {
            return None;
        }
        self.at += 1 + digits.len();
        Some(self.reference(number - 1))
    }

    fn reference(&self, group: usize) -> Node {
        let Flags { ignore_case, .. } = self.flags;
        Node::BackReference { group, ignore_case }
    }

    /// The part with the quantifier that follows it, if one does.
    fn repeated(&mut self, body: Node, groups: usize) -> Node {
        let Some((min, max)) = self.quantifier() else {
            return body;
        };
        Node::Repeat(Repeat {
            body: Box::new(body),
            min,
            max,
            greedy: !self.take("?"),
            groups: groups..self.groups,
        })
    }

    fn quantifier(&mut self) -> Option<(usize, usize)> {
        let bounds = match self.peek()? {
            '*' => (0, usize::MAX),
            '+' => (1, usize::MAX),
            '?' => (0, 1),
            '{' => return self.braces(),
            _ => return None,
        };
        self.at += 1;
        Some(bounds)
    }

    /// `{2}`, `{2,}`, `{2,3}`; anything else stands for itself.
    fn braces(&mut self) -> Option<(usize, usize)> {
        let end = self.rest().iter().position(|c| *c == '}')?;
        let inner: String = self.rest()[1..end].iter().collect();
        let (min, max) = match inner.split_once(',') {
            None => (count(&inner)?, count(&inner)?),
            Some((min, "")) => (count(min)?, usize::MAX),
            Some((min, max)) => (count(min)?, count(max)?),
        };
        self.at += end + 1;
        Some((min, max))
    }
}
