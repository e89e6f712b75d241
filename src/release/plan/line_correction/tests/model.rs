//! A registry that answers one request at a time, in the order that a seed gives.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::event::{EventFacts, GitRef, LocalCheckout};
use crate::image::{Digest, Tag};
use crate::release::plan::creation_time::CreationTime;
use crate::tagging::{PlannedTag, ReleaseVersion, TagRules, derive_push_tags};

/// A release of a version: one image, created at an hour.
#[derive(Debug, Clone)]
pub struct ModelRelease {
    pub version: ReleaseVersion,
    pub image: Digest,
    pub planned: Vec<PlannedTag>,
    hour: Option<i64>,
}

pub struct ModelRegistry {
    random: RefCell<fastrand::Rng>,
    tags: RefCell<BTreeMap<Tag, Digest>>,
    /// Version tags in the order of their first write.
    new_tags: RefCell<Vec<Tag>>,
    creation_times: RefCell<BTreeMap<Digest, Option<CreationTime>>>,
    lists_behind: Cell<usize>,
    /// The most runs that die. Only where none does, lists are behind: who is repeated and finds nothing to
    /// write has read a single list.
    pub deaths: Cell<usize>,
    /// The requests, for messages.
    log: RefCell<String>,
}

pub fn digest(text: &str) -> Digest {
    Digest::from_bytes(text.as_bytes())
}

pub fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

impl ModelRelease {
    /// Returns the release with the tags that a push of the version gives by default.
    pub fn new(version: &str, hour: Option<i64>) -> Self {
        let facts = EventFacts::from_checkout(&LocalCheckout {
            git_ref: Some(GitRef::Tag(format!("v{version}"))),
            ..LocalCheckout::default()
        });
        let derived = derive_push_tags(Some(&facts), None, &TagRules::Default);
        Self {
            version: ReleaseVersion::parse(version).unwrap(),
            image: digest(version),
            planned: derived.unwrap().tags,
            hour,
        }
    }

    pub fn line_tags(&self) -> impl Iterator<Item = &Tag> {
        let lines = self.planned.iter().filter(|planned| planned.kind.is_line());
        lines.map(|planned| &planned.tag)
    }
}

impl ModelRegistry {
    pub fn with_seed(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        Self {
            deaths: Cell::new(if random.bool() { 5 } else { 0 }),
            random: RefCell::new(random),
            tags: RefCell::default(),
            new_tags: RefCell::default(),
            creation_times: RefCell::default(),
            lists_behind: Cell::default(),
            log: RefCell::default(),
        }
    }

    /// Puts the first release in place with its lines, and the images of the others.
    pub fn begin_at(&self, first: &ModelRelease, others: &[ModelRelease]) {
        for planned in &first.planned {
            self.set_up(planned.tag.clone(), first.image, first.hour);
        }
        for release in others {
            self.record_time(release.image, release.hour);
        }
    }

    /// Sets a tag before the play begins.
    pub fn set_up(&self, tag: Tag, image: Digest, hour: Option<i64>) {
        self.tags.borrow_mut().insert(tag, image);
        self.record_time(image, hour);
    }

    fn record_time(&self, image: Digest, hour: Option<i64>) {
        let time = hour.map(|hour| CreationTime(1_790_000_000 + hour * 3600));
        // A version that is released twice is one image.
        let mut times = self.creation_times.borrow_mut();
        times.entry(image).or_insert(time);
    }

    pub fn creation_times(&self) -> BTreeMap<Digest, Option<CreationTime>> {
        self.creation_times.borrow().clone()
    }

    pub fn tags(&self) -> BTreeMap<Tag, Digest> {
        self.tags.borrow().clone()
    }

    pub fn lists_behind(&self) -> usize {
        self.lists_behind.get()
    }

    pub fn flip(&self, chance: f64) -> bool {
        self.random.borrow_mut().f64() < chance
    }

    pub fn choose(&self, below: usize) -> usize {
        self.random.borrow_mut().usize(..below)
    }

    pub fn shuffle<T>(&self, items: &mut [T]) {
        self.random.borrow_mut().shuffle(items);
    }

    /// Adds a line to the log.
    pub fn note(&self, text: &str) {
        let mut log = self.log.borrow_mut();
        log.push_str(text);
        log.push('\n');
    }

    pub fn log(&self) -> String {
        self.log.borrow().clone()
    }

    /// Waits for fewer turns than `limit`.
    pub async fn wait(&self, limit: usize) {
        for _ in 0..self.choose(limit) {
            Turn::default().await;
        }
    }

    /// Lists the tags; a list that is behind lacks the newest ones.
    pub async fn list(&self, may_be_behind: bool) -> BTreeSet<Tag> {
        Turn::default().await;
        self.note("  list");
        let mut tags: BTreeSet<Tag> = self.tags.borrow().keys().cloned().collect();
        if may_be_behind && self.deaths.get() == 0 && self.flip(0.3) {
            let new_tags = self.new_tags.borrow();
            let lacks = new_tags.iter().rev().take(1 + self.choose(2));
            let lacked = lacks.filter(|tag| tags.remove(*tag)).count();
            if lacked > 0 {
                self.note("  which is behind");
            }
            let is_behind = usize::from(lacked > 0);
            self.lists_behind.set(self.lists_behind.get() + is_behind);
        }
        tags
    }

    /// Reads what the tags name, one after the other in any order.
    pub async fn heads(&self, tags: BTreeSet<Tag>) -> BTreeMap<Tag, Option<Digest>> {
        let mut tags: Vec<Tag> = tags.into_iter().collect();
        self.shuffle(&mut tags);
        let mut digests = BTreeMap::new();
        for tag in tags {
            Turn::default().await;
            self.note(&format!("  reads {tag}"));
            let named = self.tags.borrow().get(&tag).copied();
            digests.insert(tag, named);
        }
        digests
    }

    pub async fn put(&self, tag: Tag, image: Digest) {
        Turn::default().await;
        self.note(&format!("  writes {tag} with {}", image.short()));
        let is_new = self.tags.borrow_mut().insert(tag.clone(), image).is_none();
        let version = ReleaseVersion::parse(tag.as_str());
        if is_new && version.is_some_and(|it| it.numbers().len() > 2) {
            self.new_tags.borrow_mut().push(tag);
        }
    }
}

/// Waits for the next turn of the run.
#[derive(Default)]
pub struct Turn {
    has_come: bool,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.has_come, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// Lets a run go on by one request; returns whether it is over.
pub fn poll_once(run: &mut Pin<Box<impl Future<Output = ()>>>) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    run.as_mut().poll(&mut context).is_ready()
}
