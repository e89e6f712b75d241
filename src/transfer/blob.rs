//! One blob to all destinations of a copy that lack it.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;

use super::content::Placed;
use super::known::{Lead, Since};
use super::send::{Receiver, Session, Unsent, send};
use super::target::Target;
use super::{Copy, Error, Store, StoreError};
use crate::image::{CanonicalRegistry, Descriptor, Repository};
use crate::layout::Layout;
use crate::registry::{self, Mount, Remote};

/// A destination that the blob is still to come to.
pub(super) struct Lacking<'a> {
    pub(super) target: &'a Target<'a>,
    /// How often it was sent in vain, since it last came further.
    tried: u32,
    /// How far it has come.
    furthest: u64,
    was_sent: bool,
    /// An upload that broke off, which may go on.
    session: Option<Session>,
    pause: Duration,
}

/// So many bytes more show that an upload gets on, however often it breaks off.
const PROGRESS: u64 = 1 << 20;

/// What a destination says when it is offered a blob.
enum Answer {
    /// It is there.
    Has(Placed),
    /// It wants the bytes.
    Wants(Receiver),
}

/// Sees to it that the destinations have the blob, or says why one has not.
pub(super) async fn place(copy: &Copy<'_>, blob: &Descriptor, targets: Vec<&Target<'_>>) {
    let begin = |target| Lacking {
        target,
        tried: 0,
        furthest: 0,
        was_sent: false,
        session: None,
        pause: Duration::ZERO,
    };
    let mut lacking: Vec<Lacking> = targets.into_iter().map(begin).collect();
    while !lacking.is_empty() {
        lacking.retain(|lacking| !lacking.target.has_failed());
        let (now, later) = leads(copy, blob, lacking).await;
        let asked = now.into_iter().map(|(mut lacking, lead)| async move {
            let answer = lacking.ask(copy, blob, &lead).await;
            (lacking, lead, answer)
        });
        let (mut wanting, mut again, mut guards) = (Vec::new(), Vec::new(), Vec::new());
        for (lacking, lead, answer) in join_all(asked).await {
            match answer {
                Ok(Answer::Has(placed)) => lacking.done(copy, blob, placed),
                Ok(Answer::Wants(receiver)) => {
                    guards.push(lead);
                    wanting.push((lacking, receiver));
                }
                Err(error) => lacking.target.failed(error),
            }
        }
        for (lacking, sent) in send(copy, blob, wanting).await {
            match sent {
                Ok(placed) => lacking.done(copy, blob, placed),
                Err(unsent) => again.extend(lacking.again(copy, blob, unsent)),
            }
        }
        drop(guards);
        wait(&again).await;
        lacking = later;
        lacking.extend(again);
    }
}

/// Where each destination's registry has the blob; those that have to wait for another one, on the
/// same registry, come later. Registries are in order, so that no two images ever wait for each other.
async fn leads<'a>(
    copy: &Copy<'_>,
    blob: &Descriptor,
    mut lacking: Vec<Lacking<'a>>,
) -> (Vec<(Lacking<'a>, Lead)>, Vec<Lacking<'a>>) {
    let of = |lacking: &Lacking<'_>| lacking.target.store.registry().map(CanonicalRegistry::of);
    lacking.sort_by_cached_key(of);
    let mut first: HashSet<CanonicalRegistry> = HashSet::new();
    let (mut now, mut later) = (Vec::new(), Vec::new());
    for lacking in lacking {
        let Store::Registry(remote) = lacking.target.store else {
            now.push((lacking, Lead::Nowhere(None)));
            continue;
        };
        let repository = remote.repository();
        let registry = CanonicalRegistry::of(repository.registry());
        if first.contains(&registry) {
            later.push(lacking);
            continue;
        }
        let readable = remote.readable();
        let lead = copy.known.lead(repository, blob.digest, readable).await;
        if let Lead::Nowhere(Some(_)) = lead {
            first.insert(registry);
        }
        now.push((lacking, lead));
    }
    (now, later)
}

async fn ask_layout(layout: &Layout, blob: &Descriptor) -> Result<Answer, Error> {
    let there = layout.has_blob(blob).await;
    let there = there.map_err(|error| StoreError::Layout(error).at_destination())?;
    Ok(if there {
        Answer::Has(Placed::Present)
    } else {
        Answer::Wants(Receiver::Layout(layout.clone()))
    })
}

async fn ask_registry(
    copy: &Copy<'_>,
    remote: &Remote,
    blob: &Descriptor,
    lead: &Lead,
) -> Result<Answer, registry::Error> {
    let mut session = None;
    match lead {
        Lead::Here(since) => return Ok(Answer::Has(since.placed(Placed::Present))),
        Lead::Elsewhere(from, since) => {
            let mounted = mount(copy, remote, blob, from).await?;
            match mounted {
                Some(Mount::Mounted) => return Ok(Answer::Has(since.placed(Placed::Mounted))),
                Some(Mount::Declined(upload)) => session = Some(upload),
                None => {}
            }
        }
        Lead::Nowhere(_)
            if remote.is_new().await && copy.known.mounts(remote.repository().registry()) =>
        {
            return Ok(Answer::Wants(Receiver::New(remote.clone())));
        }
        Lead::Nowhere(_) => {}
    }
    if remote.has_blob(blob).await? {
        if let Some(session) = session {
            remote.cancel(session).await;
        }
        return Ok(Answer::Has(Placed::Present));
    }
    let session = session.map(Session::from);
    Ok(Answer::Wants(Receiver::Registry(remote.clone(), session)))
}

/// Asks where an upload that broke off goes on. It may have come through, and only the answer not.
async fn ask_again(
    remote: &Remote,
    blob: &Descriptor,
    mut session: Session,
) -> Result<Answer, registry::Error> {
    if remote.has_blob(blob).await? {
        remote.cancel(session.upload).await;
        return Ok(Answer::Has(Placed::Present));
    }
    let session = match remote.go_on(session.upload, blob).await {
        Some(upload) => {
            session.upload = upload;
            Some(session)
        }
        None => None,
    };
    Ok(Answer::Wants(Receiver::Registry(remote.clone(), session)))
}

/// Asks for a mount; nothing where the registry refuses it, as some do with what they cannot do.
async fn mount(
    copy: &Copy<'_>,
    remote: &Remote,
    blob: &Descriptor,
    from: &Repository,
) -> Result<Option<Mount>, registry::Error> {
    let outcome = match remote.mount(blob.digest, from).await {
        Ok(mount) => Some(mount),
        // A mount reads another repository, for which there may be no token.
        Err(error) if error.is_refusal() || error.lacks_login() => None,
        Err(error) => return Err(error),
    };
    let did = matches!(outcome, Some(Mount::Mounted));
    copy.known.mounted(remote.repository().registry(), did);
    Ok(outcome)
}

impl Since {
    /// How a blob was placed that would have been placed so, had it been there before the run.
    fn placed(self, before: Placed) -> Placed {
        match self {
            Self::Before => before,
            Self::Now => Placed::Shared,
        }
    }
}

impl Lacking<'_> {
    async fn ask(
        &mut self,
        copy: &Copy<'_>,
        blob: &Descriptor,
        lead: &Lead,
    ) -> Result<Answer, Error> {
        let remote = match self.target.store {
            Store::Registry(remote) => remote,
            Store::Layout(layout) => return ask_layout(layout, blob).await,
        };
        let answer = match self.session.take() {
            Some(session) => ask_again(remote, blob, session).await,
            None => ask_registry(copy, remote, blob, lead).await,
        };
        if let Ok(Answer::Wants(Receiver::Registry(_, Some(session)))) = &answer {
            let begin = session.upload.begin();
            if begin >= self.furthest + PROGRESS {
                (self.furthest, self.tried) = (begin, 0);
            }
        }
        answer.map_err(|error| StoreError::Registry(error).at_destination())
    }

    fn done(self, copy: &Copy<'_>, blob: &Descriptor, placed: Placed) {
        if placed != Placed::Moved {
            copy.meter.spare(blob.size);
        }
        // One that was sent, and only the answer lost, is found the next time.
        let placed = if self.was_sent { Placed::Moved } else { placed };
        if let Store::Registry(remote) = self.target.store {
            let since = match placed {
                Placed::Present => Since::Before,
                _ => Since::Now,
            };
            copy.known.has(remote.repository(), blob.digest, since);
        }
        self.target.placed(placed, blob.size);
    }

    /// Itself, to be tried again; nothing where that would be of no use.
    fn again(mut self, copy: &Copy<'_>, blob: &Descriptor, unsent: Unsent) -> Option<Self> {
        let Unsent { error, session } = unsent;
        self.was_sent = true;
        self.session = session;
        let timing = copy.timing(self.target.store);
        // What was only too much at once has not failed yet.
        let (mut next, mut pause) = ("sending less at once".to_owned(), Duration::ZERO);
        if !error.wants_less() {
            self.tried += 1;
            let (tried, attempts) = (self.tried, timing.attempts);
            next = format!("trying again ({tried} of {attempts} tries)");
            pause = timing.delay(tried);
        }
        if !error.may_pass() || self.tried >= timing.attempts {
            self.target.failed(error);
            return None;
        }
        self.pause = pause;
        let short = blob.digest.short();
        copy.notices.info(format!("blob {short}: {error}; {next}"));
        Some(self)
    }
}

/// Waits before what did not work is tried again.
async fn wait(again: &[Lacking<'_>]) {
    if let Some(pause) = again.iter().map(|lacking| lacking.pause).max() {
        tokio::time::sleep(pause).await;
    }
}
