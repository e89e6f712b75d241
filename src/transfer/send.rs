//! The bytes of one blob, read once and sent to all that want them.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::{join, join_all};

use super::blob::Lacking;
use super::content::Placed;
use super::share::{Body, Broken, share};
use super::verified::{Failure, Trail, verified};
use super::{Copy, Error, Side, Store, StoreError};
use crate::image::Descriptor;
use crate::layout::{Layout, WriteError};
use crate::registry::{self, Mount, Remote, Slot, Timing, Upload};

/// Who wants a blob.
pub(super) enum Receiver {
    /// A repository that lacks it, with the session that it has opened already.
    Registry(Remote, Option<Session>),
    /// A repository that is new: it has the blob at most if a run died while it brought the image.
    New(Remote),
    Layout(Layout),
}

/// What became of a receiver.
enum Opened {
    Ready(Ready),
    /// It has the blob already.
    Has,
}

/// An upload session, and the hash of what went into it.
pub(super) struct Session {
    pub(super) upload: Upload,
    trail: Trail,
}

impl From<Upload> for Session {
    fn from(upload: Upload) -> Self {
        let trail = Trail::default();
        Self { upload, trail }
    }
}

/// Why a receiver has not got the blob, and the session into which it may go on.
pub(super) struct Unsent {
    pub(super) error: Error,
    pub(super) session: Option<Session>,
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        let session = None;
        Self { error, session }
    }
}

/// One that can take the bytes now.
enum Ready {
    Registry(Remote, Upload),
    Layout(Layout),
}

/// Sends the blob to all of them at once, and tells how it came to be there. One that fails, or is
/// too slow, fails by itself.
pub(super) async fn send<'a>(
    copy: &Copy<'_>,
    blob: &Descriptor,
    wanting: Vec<(Lacking<'a>, Receiver)>,
) -> Vec<(Lacking<'a>, Result<Placed, Unsent>)> {
    if wanting.is_empty() {
        return Vec::new();
    }
    let (lacking, mut receivers): (Vec<_>, Vec<_>) = wanting.into_iter().unzip();
    let (begin, trail) = begin(&mut receivers).await;
    let mark = trail.back_to(begin);
    let _slots = slots(copy, &receivers, blob).await;
    let opening = join_all(receivers.into_iter().map(|receiver| receiver.open(blob)));
    // Neither waits for the other.
    let (source, opened) = join(copy.source.open_blob(blob, mark.at()), opening).await;
    let sent = match source {
        Ok(source) => {
            let failure = Failure::default();
            let before = begin - mark.at();
            let body = verified(source.stream, blob, mark, &trail, &failure);
            let body = match before {
                0 => body,
                before => registry::skip(body, before).boxed(),
            };
            let sent = pass_on(copy, blob, opened, body, &failure, &trail).await;
            let resumed = begin + source.resumed.bytes();
            if resumed > 0 {
                for lacking in &lacking {
                    lacking.target.count(|content| content.resumed.add(resumed));
                }
            }
            sent
        }
        Err(error) => {
            let error = Arc::new(error);
            let unused = opened.into_iter().map(|opened| async {
                match opened {
                    Ok(Opened::Has) => return Ok(Placed::Present),
                    Ok(Opened::Ready(Ready::Registry(remote, upload))) => {
                        remote.cancel(upload).await;
                    }
                    Ok(Opened::Ready(Ready::Layout(_))) | Err(_) => {}
                }
                Err(Error::source(error.clone()).into())
            });
            join_all(unused).await
        }
    };
    lacking.into_iter().zip(sent).collect()
}

/// Where the blob is to be read from, and the hash of what is before that. One receiver alone can go
/// on where it was; several begin anew, since each may have come to another place.
async fn begin(receivers: &mut [Receiver]) -> (u64, Trail) {
    if let [Receiver::Registry(_, Some(session))] = receivers {
        return (session.upload.begin(), session.trail.clone());
    }
    for receiver in receivers {
        if let Receiver::Registry(remote, session) = receiver
            && let Some(begun) = session.take_if(|session| session.upload.begin() > 0)
        {
            remote.cancel(begun.upload).await;
        }
    }
    (0, Trail::default())
}

/// Leave to move bulk, of all registries that take part. They are asked in order, so that no two
/// transfers ever wait for each other.
async fn slots(copy: &Copy<'_>, receivers: &[Receiver], blob: &Descriptor) -> Vec<Slot> {
    let at_destinations = receivers.iter().filter_map(|receiver| match receiver {
        Receiver::Registry(remote, _) | Receiver::New(remote) => Some(remote),
        Receiver::Layout(_) => None,
    });
    let mut remotes: Vec<&Remote> = at_destinations.chain(copy.source.remote()).collect();
    remotes.sort_by_key(|remote| remote.repository().registry().clone());
    remotes.dedup_by_key(|remote| remote.repository().registry().clone());
    let mut slots = Vec::new();
    for remote in remotes {
        slots.extend(remote.slot(blob.size).await);
    }
    slots
}

async fn pass_on(
    copy: &Copy<'_>,
    blob: &Descriptor,
    opened: Vec<Result<Opened, Error>>,
    body: Body,
    failure: &Failure,
    trail: &Trail,
) -> Vec<Result<Placed, Unsent>> {
    let takes = |opened: &Result<Opened, Error>| matches!(opened, Ok(Opened::Ready(_)));
    let takers = opened.iter().filter(|opened| takes(opened)).count();
    let (sharing, mut bodies) = share(body, takers, copy.source.timing().stall / 2);
    let receiving = opened.into_iter().map(|opened| {
        let body = takes(&opened).then(|| bodies.pop()).flatten();
        async move {
            match (opened?, body) {
                (Opened::Has, _) => Ok(Placed::Present),
                (Opened::Ready(ready), Some(body)) => {
                    let received = ready.receive(copy, blob, body, failure, trail).await;
                    received.map(|()| Placed::Moved)
                }
                (_, None) => unreachable!("there is a body for each that is ready"),
            }
        }
    });
    let receiving = join_all(receiving.collect::<Vec<_>>());
    join(sharing, receiving).await.1
}

impl Receiver {
    async fn open(self, blob: &Descriptor) -> Result<Opened, Error> {
        let failed = |error| StoreError::Registry(error).at_destination();
        let ready = match self {
            Self::Layout(layout) => Ready::Layout(layout),
            Self::Registry(remote, Some(session)) => Ready::Registry(remote, session.upload),
            Self::Registry(remote, None) => {
                let upload = remote.start_upload(blob.size).await.map_err(failed)?;
                Ready::Registry(remote, upload)
            }
            Self::New(remote) => match open_in_new(&remote, blob).await.map_err(failed)? {
                Mount::Mounted => return Ok(Opened::Has),
                Mount::Declined(upload) => Ready::Registry(remote, upload),
            },
        };
        Ok(Opened::Ready(ready))
    }
}

/// Opens a session where the blob is not there. Once one is, the others are asked for before their
/// bytes are.
async fn open_in_new(remote: &Remote, blob: &Descriptor) -> Result<Mount, registry::Error> {
    match remote.open_unless_there(blob).await {
        // It does not know the question.
        Err(error) if error.is_refusal() => {
            remote.holds_something();
            remote.start_upload(blob.size).await.map(Mount::Declined)
        }
        Ok(Mount::Mounted) => {
            remote.holds_something();
            Ok(Mount::Mounted)
        }
        outcome => outcome,
    }
}

impl Ready {
    async fn receive(
        self,
        copy: &Copy<'_>,
        blob: &Descriptor,
        body: Body,
        failure: &Failure,
        trail: &Trail,
    ) -> Result<(), Unsent> {
        let passage = copy.meter.passage();
        let body = passage.count(body);
        let outcome = match self {
            Self::Registry(remote, mut upload) => {
                match remote.upload(&mut upload, blob, body).await {
                    Ok(()) => Ok(()),
                    Err(error) => {
                        let error = blame(failure, StoreError::Registry(error));
                        Err(unsent(remote, upload, trail, error).await)
                    }
                }
            }
            Self::Layout(layout) => match layout.write_blob(blob, body).await {
                Ok(()) => Ok(()),
                Err(WriteError::Layout(error)) => {
                    Err(StoreError::Layout(error).at_destination().into())
                }
                Err(WriteError::Source(broken)) => {
                    Err(blame(failure, unexplained(blob, &broken)).into())
                }
            },
        };
        match outcome {
            Ok(()) => passage.complete(blob.size),
            Err(_) => passage.undo(),
        }
        outcome
    }
}

/// Keeps a session that may be gone on with. What a source got wrong is in it as well.
async fn unsent(remote: Remote, upload: Upload, trail: &Trail, error: Error) -> Unsent {
    if upload.is_over() || error.side == Side::Source {
        remote.cancel(upload).await;
        return error.into();
    }
    let trail = trail.clone();
    Unsent {
        error,
        session: Some(Session { upload, trail }),
    }
}

/// A source that fails breaks the upload: then it is the one to blame.
fn blame(failure: &Failure, error: StoreError) -> Error {
    match failure.reason() {
        Some(reason) => Error::source(reason),
        None => error.at_destination(),
    }
}

fn unexplained(blob: &Descriptor, broken: &Broken) -> StoreError {
    StoreError::WrongBlob {
        expected: blob.digest,
        problem: broken.to_string(),
    }
}

impl Copy<'_> {
    /// How long to wait for a destination, and how often to try. A disk is as patient as its source.
    pub(super) fn timing(&self, store: &Store) -> Timing {
        match store {
            Store::Registry(remote) => remote.timing(),
            Store::Layout(_) => self.source.timing(),
        }
    }
}
