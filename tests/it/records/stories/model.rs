//! What a story does next, and what ought to be there after it.

use fastrand::Rng;
use shipmark::record::ReleaseMark;

use super::VERSIONS;
use crate::support::release_story::Model;

/// What somebody does.
#[derive(Debug, Clone, Copy)]
pub enum Wish {
    Push(&'static str),
    Promote(&'static str),
    PromoteBoth([&'static str; 2]),
    Reinstate(&'static str),
    Adopt,
    Mark(ReleaseMark, Option<&'static str>),
    RollBack {
        withdraw: Option<&'static str>,
        to: Option<&'static str>,
    },
}

/// The pushes to the first environment, and the second one.
#[derive(Default, Debug)]
pub struct StoryModel {
    pub dev: Vec<&'static str>,
    pub prod: Model,
}

impl StoryModel {
    pub fn wish(&self, random: &mut Rng) -> Wish {
        let any = VERSIONS[random.usize(..VERSIONS.len())];
        let released = self.released();
        let one = random.choice(&released).copied();
        match (random.u8(..13), one) {
            (0, _) => Wish::Push(any),
            (1, _) => self
                .pair(random)
                .map_or(Wish::Promote(any), Wish::PromoteBoth),
            (2 | 3, Some(_)) => Wish::RollBack {
                withdraw: None,
                to: None,
            },
            (4, Some(one)) => Wish::RollBack {
                withdraw: Some(one),
                to: None,
            },
            (5, Some(to)) => Wish::RollBack {
                withdraw: None,
                to: Some(to),
            },
            (6 | 7, Some(one)) => Wish::Mark(state(random), random.bool().then_some(one)),
            (8, Some(_)) => Wish::Adopt,
            (9 | 10, _) => {
                let withdrawn = random.choice(self.prod.withdrawn());
                withdrawn.map_or(Wish::Promote(any), Wish::Reinstate)
            }
            _ => Wish::Promote(any),
        }
    }

    /// The versions that the timeline has.
    fn released(&self) -> Vec<&'static str> {
        let is_released =
            |version: &&str| self.prod.entries.iter().any(|it| it.version == *version);
        VERSIONS.into_iter().filter(is_released).collect()
    }

    fn pair(&self, random: &mut Rng) -> Option<[&'static str; 2]> {
        let released = self.released();
        let mut new: Vec<_> = VERSIONS.to_vec();
        new.retain(|version| !released.contains(version));
        random.shuffle(&mut new);
        let [first, second, ..] = new[..] else {
            return None;
        };
        Some([first, second])
    }

    /// A push of the current image says nothing new.
    pub fn push(&mut self, version: &'static str) {
        if self.dev.last() != Some(&version) {
            self.dev.push(version);
        }
    }

    /// A release of the current image says nothing new.
    pub fn promote(&mut self, version: &'static str) {
        if self.prod.current() != Some(version) {
            self.prod.release("promote", version);
        }
    }

    /// The same mark again says nothing new.
    pub fn mark(&mut self, state: ReleaseMark, version: Option<&'static str>) {
        let version = version.or(self.prod.current()).unwrap();
        let state = match state {
            ReleaseMark::Deployed => "deployed",
            ReleaseMark::Failed => "failed",
        };
        if self.prod.mark_of(version) != Some(state) {
            self.prod.mark(state, version);
        }
    }

    /// Whether the release can be withdrawn: the environment stays, or has another release to go back to.
    pub fn can_roll_back(&self, withdraw: Option<&str>, to: Option<&str>) -> bool {
        let current = self.prod.current().unwrap();
        let withdraw = withdraw.unwrap_or(current);
        match to {
            Some(to) => to != withdraw && !self.prod.is_withdrawn(to),
            None => withdraw != current || self.prod.known_good(withdraw).is_some(),
        }
    }

    /// A release that is withdrawn already is not withdrawn once more.
    pub fn roll_back(&mut self, withdraw: Option<&'static str>, to: Option<&'static str>) {
        let withdraw = withdraw.or(self.prod.current()).unwrap();
        if self.prod.is_withdrawn(withdraw) {
            return;
        }
        match to {
            Some(to) => drop(self.prod.roll_back_to(withdraw, to)),
            None => drop(self.prod.roll_back(withdraw)),
        }
    }
}

fn state(random: &mut Rng) -> ReleaseMark {
    match random.bool() {
        true => ReleaseMark::Deployed,
        false => ReleaseMark::Failed,
    }
}
