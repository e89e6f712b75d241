//! An expression as instructions for a matcher that tries one way after the other.

use std::collections::HashMap;
use std::ops::Range;

use regress::Regex;

use super::syntax::{Atom, Node, Repeat};

/// An instruction. Places in the program are indexes of instructions.
#[derive(Debug, Clone)]
pub(super) enum Instruction {
    /// All of the expression, or of what is looked at, has matched.
    Done,
    /// One character, or several that stand for one.
    Atom {
        atom: usize,
        backward: bool,
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
    BackReference {
        group: usize,
        ignore_case: bool,
        backward: bool,
    },
    /// Goes on with the next instruction, and if that leads nowhere, at another one.
    Or(usize),
    Go(usize),
    /// Keeps the place in the text.
    Keep {
        slot: usize,
    },
    /// Begins to count the rounds of a loop.
    Begin {
        count: usize,
    },
    /// Decides whether there is a further round, which begins at the next instruction.
    Round(Round),
    /// Begins a round.
    Enter {
        round: usize,
        groups: Range<usize>,
    },
    /// Ends a round that began at that [`Instruction::Round`].
    Again {
        round: usize,
    },
    /// Looks at what is before or behind, by the instructions that follow, and goes on at `next`.
    Look {
        negated: bool,
        next: usize,
    },
}

/// A loop, with the slots that hold how many rounds there were and where the last one began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    pub(super) count: usize,
    pub(super) began: usize,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) greedy: bool,
    pub(super) exit: usize,
}

/// What matches a character.
#[derive(Debug)]
pub(super) enum Matcher {
    Character(char),
    Set { regex: Regex, longest: usize },
}

#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) instructions: Vec<Instruction>,
    pub(super) matchers: Vec<Matcher>,
    /// How many places and counts there are to keep.
    pub(super) slots: usize,
    /// How many groups there are.
    #[cfg(test)]
    pub(super) groups: usize,
    known: HashMap<(String, String), usize>,
}

impl Program {
    /// The instructions for an expression with so many groups; `None` where one of its atoms is no
    /// expression by itself.
    pub(super) fn new(node: &Node, groups: usize) -> Option<Self> {
        let mut program = Self {
            slots: 2 * groups,
            #[cfg(test)]
            groups,
            ..Self::default()
        };
        program.add(node, false)?;
        program.push(Instruction::Done);
        Some(program)
    }

    /// The slots of where a group begins and ends.
    pub(super) fn of_group(group: usize) -> (usize, usize) {
        (2 * group, 2 * group + 1)
    }

    fn push(&mut self, instruction: Instruction) -> usize {
        self.instructions.push(instruction);
        self.instructions.len() - 1
    }

    fn here(&self) -> usize {
        self.instructions.len()
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    fn add(&mut self, node: &Node, backward: bool) -> Option<()> {
        match node {
            Node::Sequence(parts) => self.sequence(parts, backward)?,
            Node::Choice(ways) => self.choice(ways, backward)?,
            Node::Group(group, body) => {
                let (begin, end) = Self::of_group(*group);
                let (first, last) = if backward { (end, begin) } else { (begin, end) };
                self.push(Instruction::Keep { slot: first });
                self.add(body, backward)?;
                self.push(Instruction::Keep { slot: last });
            }
            Node::Repeat(repeat) => self.repeat(repeat, backward)?,
            Node::Look {
                behind,
                negated,
                body,
            } => self.look(*behind, *negated, body)?,
            Node::LineStart { multiline } => {
                let multiline = *multiline;
                self.push(Instruction::LineStart { multiline });
            }
            Node::LineEnd { multiline } => {
                let multiline = *multiline;
                self.push(Instruction::LineEnd { multiline });
            }
            Node::WordBoundary { negated } => {
                let negated = *negated;
                self.push(Instruction::WordBoundary { negated });
            }
            Node::BackReference { group, ignore_case } => {
                self.push(Instruction::BackReference {
                    group: *group,
                    ignore_case: *ignore_case,
                    backward,
                });
            }
            Node::Atom(atom) => {
                let atom = self.matcher(atom)?;
                self.push(Instruction::Atom { atom, backward });
            }
        }
        Some(())
    }

    /// What looks back goes through a sequence from its end.
    fn sequence(&mut self, parts: &[Node], backward: bool) -> Option<()> {
        let add = |part| self.add(part, backward);
        match backward {
            false => parts.iter().try_for_each(add),
            true => parts.iter().rev().try_for_each(add),
        }
    }

    fn choice(&mut self, ways: &[Node], backward: bool) -> Option<()> {
        let mut ends = Vec::new();
        for (at, way) in ways.iter().enumerate() {
            let or = (at + 1 < ways.len()).then(|| self.push(Instruction::Or(0)));
            self.add(way, backward)?;
            if let Some(or) = or {
                ends.push(self.push(Instruction::Go(0)));
                self.instructions[or] = Instruction::Or(self.here());
            }
        }
        for end in ends {
            self.instructions[end] = Instruction::Go(self.here());
        }
        Some(())
    }

    fn repeat(&mut self, repeat: &Repeat, backward: bool) -> Option<()> {
        let (count, began) = (self.slot(), self.slot());
        self.push(Instruction::Begin { count });
        let mut decision = Round {
            count,
            began,
            min: repeat.min,
            max: repeat.max,
            greedy: repeat.greedy,
            exit: 0,
        };
        let round = self.push(Instruction::Round(decision));
        let groups = repeat.groups.clone();
        self.push(Instruction::Enter { round, groups });
        self.add(&repeat.body, backward)?;
        self.push(Instruction::Again { round });
        decision.exit = self.here();
        self.instructions[round] = Instruction::Round(decision);
        Some(())
    }

    fn look(&mut self, behind: bool, negated: bool, body: &Node) -> Option<()> {
        let look = self.push(Instruction::Done);
        self.add(body, behind)?;
        self.push(Instruction::Done);
        let next = self.here();
        self.instructions[look] = Instruction::Look { negated, next };
        Some(())
    }

    fn matcher(&mut self, atom: &Atom) -> Option<usize> {
        let (matcher, key) = match atom {
            Atom::Character(c) => (Matcher::Character(*c), (c.to_string(), "=".to_owned())),
            Atom::Set {
                source,
                flags,
                longest,
            } => {
                let key = (source.clone(), flags.clone());
                if let Some(known) = self.known.get(&key) {
                    return Some(*known);
                }
                let whole = format!("^(?:{source})$");
                let regex = Regex::with_flags(&whole, flags.as_str()).ok()?;
                let longest = *longest;
                (Matcher::Set { regex, longest }, key)
            }
        };
        let next = self.matchers.len();
        let at = *self.known.entry(key).or_insert(next);
        if at == next {
            self.matchers.push(matcher);
        }
        Some(at)
    }
}
