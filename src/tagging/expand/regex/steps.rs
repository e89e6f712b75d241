//! Counts the steps of a search, and ends one that takes too many. `regress` tries one way after the
//! other as this does, but cannot be told to stop: an expression such as `^(a+)+$` would keep it busy
//! for longer than anybody waits.

use std::collections::HashMap;

use super::program::{Instruction, Matcher, Program, Round};

/// The most steps that the search for all matches of one expression may take. One for a version in a
/// tag's name takes some hundreds.
pub(super) const STEP_LIMIT: usize = 1_000_000;

/// A search that takes more steps than [`STEP_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManySteps;

/// Goes through a text as a search for the first match does, or for all of them, and says how many
/// steps that takes.
pub(super) fn count(program: &Program, text: &str, all: bool) -> Result<usize, TooManySteps> {
    let mut search = Search::new(program, text);
    let mut from = 0;
    while from <= search.text.len() {
        let end = search.begin(from)?;
        from = match end {
            Some(_) if !all => break,
            Some(end) if end > from => end,
            _ => from + 1,
        };
    }
    Ok(search.steps)
}

/// What to go back to.
enum Backtrack {
    /// Another way, from that place in the text.
    Way { instruction: usize, at: usize },
    /// What a slot previous.
    Slot {
        slot: usize,
        previous: Option<usize>,
    },
}

pub(super) struct Search<'a> {
    program: &'a Program,
    text: Vec<char>,
    slots: Vec<Option<usize>>,
    saved: Vec<Backtrack>,
    /// Which atoms match which characters.
    known: HashMap<(usize, char), bool>,
    steps: usize,
}

/// What an instruction leads to.
enum Next {
    Go(usize, usize),
    Done,
    Fail,
}

impl<'a> Search<'a> {
    fn new(program: &'a Program, text: &str) -> Self {
        Self {
            program,
            text: text.chars().collect(),
            slots: vec![None; program.slots],
            saved: Vec::new(),
            known: HashMap::new(),
            steps: 0,
        }
    }

    /// Where the match ends that begins at that place, if one does.
    fn begin(&mut self, from: usize) -> Result<Option<usize>, TooManySteps> {
        self.slots.fill(None);
        self.saved.clear();
        self.run(0, from)
    }

    /// Where what the instructions match from `at` on ends, if they match.
    fn run(&mut self, instruction: usize, at: usize) -> Result<Option<usize>, TooManySteps> {
        let floor = self.saved.len();
        let (mut instruction, mut at) = (instruction, at);
        loop {
            self.take_steps(1)?;
            match self.step(instruction, at)? {
                Next::Done => return Ok(Some(at)),
                Next::Go(next, place) => (instruction, at) = (next, place),
                Next::Fail => match self.back(floor) {
                    Some(way) => (instruction, at) = way,
                    None => return Ok(None),
                },
            }
        }
    }

    fn take_steps(&mut self, steps: usize) -> Result<(), TooManySteps> {
        self.steps = self.steps.saturating_add(steps);
        match self.steps > STEP_LIMIT {
            true => Err(TooManySteps),
            false => Ok(()),
        }
    }

    /// Goes back to the last way that is left above `floor`.
    fn back(&mut self, floor: usize) -> Option<(usize, usize)> {
        while self.saved.len() > floor {
            match self.saved.pop()? {
                Backtrack::Way { instruction, at } => return Some((instruction, at)),
                Backtrack::Slot { slot, previous } => self.slots[slot] = previous,
            }
        }
        None
    }

    fn set(&mut self, slot: usize, value: Option<usize>) {
        let previous = std::mem::replace(&mut self.slots[slot], value);
        self.saved.push(Backtrack::Slot { slot, previous });
    }

    fn save(&mut self, instruction: usize, at: usize) {
        self.saved.push(Backtrack::Way { instruction, at });
    }

    fn step(&mut self, instruction: usize, at: usize) -> Result<Next, TooManySteps> {
        let next = instruction + 1;
        let only_if = |holds| {
            if holds {
                Next::Go(next, at)
            } else {
                Next::Fail
            }
        };
        let program = self.program;
        Ok(match &program.instructions[instruction] {
            Instruction::Done => Next::Done,
            Instruction::Atom { atom, backward } => self.atom(*atom, *backward, at, next),
            Instruction::LineStart { multiline } => {
                only_if(self.is_line_end(at.checked_sub(1), *multiline))
            }
            Instruction::LineEnd { multiline } => only_if(self.is_line_end(Some(at), *multiline)),
            Instruction::WordBoundary { negated } => {
                let is_word = |at: Option<usize>| {
                    let c = at.and_then(|at| self.text.get(at));
                    c.is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
                };
                only_if((is_word(at.checked_sub(1)) != is_word(Some(at))) != *negated)
            }
            Instruction::BackReference {
                group,
                ignore_case,
                backward,
            } => {
                let to = self.back_reference(*group, *ignore_case, *backward, at)?;
                to.map_or(Next::Fail, |to| Next::Go(next, to))
            }
            Instruction::Or(other) => {
                self.save(*other, at);
                Next::Go(next, at)
            }
            Instruction::Go(to) => Next::Go(*to, at),
            Instruction::Keep { slot } => {
                self.set(*slot, Some(at));
                Next::Go(next, at)
            }
            Instruction::Begin { count } => {
                self.set(*count, Some(0));
                Next::Go(next, at)
            }
            Instruction::Round(round) => self.decide(*round, at, next),
            Instruction::Enter { round, groups } => {
                let groups = groups.clone();
                self.take_steps(groups.len())?;
                self.enter(self.round(*round), groups, at);
                Next::Go(next, at)
            }
            Instruction::Again { round } => {
                let ended = self.round(*round);
                // A round that matched nothing is not repeated (ECMAScript, 22.2.2.3.1).
                let is_further = self.slots[ended.count] > Some(ended.min);
                match is_further && self.slots[ended.began] == Some(at) {
                    true => Next::Fail,
                    false => Next::Go(*round, at),
                }
            }
            Instruction::Look {
                negated,
                next: then,
            } => {
                return self.look(*negated, next, *then, at);
            }
        })
    }

    /// Whether a line ends with the character there, or the text before it.
    fn is_line_end(&self, at: Option<usize>, multiline: bool) -> bool {
        match at.and_then(|at| self.text.get(at)) {
            None => true,
            Some(c) => multiline && matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}'),
        }
    }

    fn atom(&mut self, atom: usize, backward: bool, at: usize, next: usize) -> Next {
        let moved = |len: usize| {
            if backward {
                at.checked_sub(len)
            } else {
                Some(at + len)
            }
        };
        let longest = match &self.program.matchers[atom] {
            Matcher::Character(_) => 1,
            Matcher::Set { longest, .. } => *longest,
        };
        if longest > 1 {
            return self.strings(atom, longest, moved, at, next);
        }
        let place = if backward {
            at.checked_sub(1)
        } else {
            Some(at)
        };
        let c = place.and_then(|place| self.text.get(place).copied());
        match (c, moved(1)) {
            (Some(c), Some(to)) if self.is(atom, c) => Next::Go(next, to),
            _ => Next::Fail,
        }
    }

    fn is(&mut self, atom: usize, c: char) -> bool {
        let program = self.program;
        match &program.matchers[atom] {
            Matcher::Character(own) => *own == c,
            Matcher::Set { regex, .. } => {
                let known = self.known.entry((atom, c));
                *known.or_insert_with(|| regex.find(c.encode_utf8(&mut [0; 4])).is_some())
            }
        }
    }

    /// What may match several characters: the most of them first.
    fn strings(
        &mut self,
        atom: usize,
        longest: usize,
        moved: impl Fn(usize) -> Option<usize>,
        at: usize,
        next: usize,
    ) -> Next {
        let program = self.program;
        let Matcher::Set { regex, .. } = &program.matchers[atom] else {
            return Next::Fail;
        };
        let fits = |len: &usize| {
            let to = moved(*len).filter(|to| *to <= self.text.len())?;
            let text: String = self.text[at.min(to)..at.max(to)].iter().collect();
            regex.find(&text).map(|_| to)
        };
        // The last that is saved is the first to be tried.
        let ways: Vec<usize> = (0..=longest).filter_map(|len| fits(&len)).collect();
        self.steps += longest;
        for to in ways {
            self.save(next, to);
        }
        Next::Fail
    }

    /// Where what a group matched ends, if it is there once more. One that matched nothing yet is
    /// always there.
    fn back_reference(
        &mut self,
        group: usize,
        ignore_case: bool,
        backward: bool,
        at: usize,
    ) -> Result<Option<usize>, TooManySteps> {
        let (begin, end) = Program::of_group(group);
        let (Some(begin), Some(end)) = (self.slots[begin], self.slots[end]) else {
            return Ok(Some(at));
        };
        let len = end.saturating_sub(begin);
        self.take_steps(len)?;
        let from = if backward {
            at.checked_sub(len)
        } else {
            Some(at)
        };
        let there = from.and_then(|from| self.text.get(from..from + len));
        let folded = |c: &char| match ignore_case {
            true => c.to_lowercase().next(),
            false => Some(*c),
        };
        let wanted = self.text[begin..end].iter().map(folded);
        let is_there = there.is_some_and(|there| there.iter().map(folded).eq(wanted));
        let to = if backward { from } else { Some(at + len) };
        Ok(to.filter(|_| is_there))
    }

    fn round(&self, at: usize) -> Round {
        match self.program.instructions[at] {
            Instruction::Round(round) => round,
            _ => unreachable!("a round is entered and ended by its own instructions"),
        }
    }

    fn decide(&mut self, round: Round, at: usize, next: usize) -> Next {
        let rounds = self.slots[round.count].unwrap_or_default();
        match (rounds < round.max, rounds >= round.min) {
            (true, true) if round.greedy => {
                self.save(round.exit, at);
                Next::Go(next, at)
            }
            (true, true) => {
                self.save(next, at);
                Next::Go(round.exit, at)
            }
            (true, false) => Next::Go(next, at),
            (false, _) => Next::Go(round.exit, at),
        }
    }

    fn enter(&mut self, round: Round, groups: std::ops::Range<usize>, at: usize) {
        let rounds = self.slots[round.count].unwrap_or_default();
        self.set(round.count, Some(rounds + 1));
        self.set(round.began, Some(at));
        for group in groups {
            let (begin, end) = Program::of_group(group);
            self.set(begin, None);
            self.set(end, None);
        }
    }

    /// What is found by looking stays found: no other way is tried in it.
    fn look(
        &mut self,
        negated: bool,
        body: usize,
        then: usize,
        at: usize,
    ) -> Result<Next, TooManySteps> {
        let floor = self.saved.len();
        let found = self.run(body, at)?.is_some();
        if found && negated {
            while self.back(floor).is_some() {}
        } else if found {
            let above = self.saved.split_off(floor);
            let slots = above
                .into_iter()
                .filter(|it| matches!(it, Backtrack::Slot { .. }));
            self.saved.extend(slots);
        }
        Ok(match found != negated {
            true => Next::Go(then, at),
            false => Next::Fail,
        })
    }
}

#[cfg(test)]
impl Search<'_> {
    /// The first match and its groups, by characters.
    pub(super) fn first(program: &Program, text: &str) -> Result<Option<Found>, TooManySteps> {
        let mut search = Search::new(program, text);
        for from in 0..=search.text.len() {
            if let Some(end) = search.begin(from)? {
                let groups = search.slots[..program.groups * 2].chunks(2);
                let groups = groups.map(|it| Some((it[0]?, it[1]?))).collect();
                return Ok(Some((from, end, groups)));
            }
        }
        Ok(None)
    }
}

/// Where a match begins and ends, and its groups.
#[cfg(test)]
pub(super) type Found = (usize, usize, Vec<Option<(usize, usize)>>);
