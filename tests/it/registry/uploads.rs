//! Uploading blobs: mounted, at once, or in a session.

use std::sync::{Arc, Mutex};

use hyper::Method;

use super::answer::{ASSUMED, Answer};
use super::call::Call;
use super::flavor::{digest_invalid, upload_unknown};
use super::service::{Outcome, Service, check_digest, check_method, not_allowed};
use super::store::lock;
use super::upload::Upload;

impl Service {
    /// Begins an upload, unless the request brings or mounts the whole blob.
    pub async fn uploads(&self, call: &mut Call, repository: &str) -> Outcome {
        check_method(call, &[Method::POST])?;
        if let Some(mounted) = self.mount(call, repository)? {
            return Ok(mounted);
        }
        let upload = Upload::new(repository, self.profile.discard_blobs);
        let whole = call.query("digest").filter(|_| self.profile.single_posts);
        if let Some(digest) = whole.map(str::to_owned) {
            check_digest(&digest)?;
            let upload = Arc::new(Mutex::new(upload));
            receive(call, &upload, u64::MAX).await?;
            return self.finish(repository, &upload, &digest);
        }
        let id = self.store.lock().begin_upload(upload);
        Ok(self.session(202, repository, &id, 0))
    }

    /// 201 when the blob is in the other repository. Else nothing, and an upload begins.
    fn mount(&self, call: &Call, repository: &str) -> Result<Option<Answer>, Answer> {
        let (Some(digest), Some(from)) = (call.query("mount"), call.query("from")) else {
            return Ok(None);
        };
        check_digest(digest)?;
        if !self.profile.mounts {
            return Ok(None);
        }
        let mut state = self.store.lock();
        let Some(content) = state.repository(from).blobs.get(digest).cloned() else {
            return Ok(None);
        };
        state
            .repository(repository)
            .blobs
            .insert(digest.to_owned(), content);
        Ok(Some(self.created(repository, digest)))
    }

    /// Works on an upload session.
    pub async fn upload(&self, call: &mut Call, repository: &str, id: &str) -> Outcome {
        let upload = self
            .store
            .lock()
            .upload(repository, id)
            .ok_or_else(upload_unknown)?;
        let received = lock(&upload).received;
        match call.method {
            Method::GET => Ok(self.session(204, repository, id, received)),
            Method::PATCH => {
                check_state(call, received)?;
                self.chunk(call, repository, id, &upload).await
            }
            Method::PUT => {
                check_state(call, received)?;
                self.check_start(call, repository, id, received)?;
                self.complete(call, repository, id, &upload).await
            }
            Method::DELETE => {
                self.store.lock().uploads.remove(id);
                Ok(Answer::new(204))
            }
            _ => Err(not_allowed()),
        }
    }

    async fn chunk(
        &self,
        call: &mut Call,
        repository: &str,
        id: &str,
        upload: &Mutex<Upload>,
    ) -> Outcome {
        let before = lock(upload).received;
        let announced = call.header("content-range").map(chunk_bounds);
        self.check_start(call, repository, id, before)?;
        // A chunk below the minimum can only be the last one.
        let short = before > 0 && lock(upload).last_chunk < self.profile.chunk_min;
        if short {
            return Err(self.session(416, repository, id, before));
        }
        if size(call) > self.profile.chunk_max {
            // GHCR: rust-oci-client#35, no fixture.
            let message = "the request body is too large";
            let code = "REQUESTED_RANGE_NOT_SATISFIABLE";
            return Err(Answer::error(416, code, message, ()).known_from(ASSUMED));
        }
        if size(call) > self.profile.chunk_taken {
            receive(call, upload, self.profile.chunk_taken).await?;
            let received = lock(upload).received;
            return Ok(self.session(202, repository, id, received));
        }
        let size = receive(call, upload, u64::MAX).await?;
        if let Some(Some((start, end))) = announced
            && end - start + 1 != size
        {
            self.forget(id);
            let message = "the chunk is not of the size that it says";
            return Err(Answer::error(400, "SIZE_INVALID", message, ()).known_from(ASSUMED));
        }
        lock(upload).last_chunk = size;
        Ok(self.session(202, repository, id, before + size))
    }

    /// Refuses what does not go on where the session is.
    fn check_start(
        &self,
        call: &Call,
        repository: &str,
        id: &str,
        received: u64,
    ) -> Result<(), Answer> {
        let announced = call.header("content-range").map(chunk_bounds);
        if announced.is_none_or(|bounds| bounds.is_some_and(|(start, _)| start == received)) {
            return Ok(());
        }
        Err(self.session(416, repository, id, received))
    }

    async fn complete(
        &self,
        call: &mut Call,
        repository: &str,
        id: &str,
        upload: &Mutex<Upload>,
    ) -> Outcome {
        let digest = call.query("digest").unwrap_or_default().to_owned();
        check_digest(&digest)?;
        receive(call, upload, u64::MAX).await?;
        self.forget(id);
        self.finish(repository, upload, &digest)
    }

    fn finish(&self, repository: &str, upload: &Mutex<Upload>, digest: &str) -> Outcome {
        let upload = lock(upload);
        if upload.digest() != digest {
            return Err(digest_invalid("the content has another digest"));
        }
        let content = upload.content();
        self.store
            .lock()
            .repository(repository)
            .blobs
            .insert(digest.to_owned(), content);
        Ok(self.created(repository, digest))
    }

    fn forget(&self, id: &str) {
        self.store.lock().uploads.remove(id);
    }

    fn created(&self, repository: &str, digest: &str) -> Answer {
        Answer::new(201)
            .header(
                "location",
                self.location(&format!("/v2/{repository}/blobs/{digest}")),
            )
            .header("docker-content-digest", digest)
            .bytes("")
    }

    /// Where a session goes on. The state in the URL changes with every chunk, so that
    /// only the newest location works, with its query kept.
    fn session(&self, status: u16, repository: &str, id: &str, received: u64) -> Answer {
        let path = format!("/v2/{repository}/blobs/uploads/{id}?_state={received}");
        let answer = Answer::new(status)
            .header("location", self.location(&path))
            .header("docker-upload-uuid", id)
            .header("range", format!("0-{}", received.saturating_sub(1)));
        if self.profile.chunk_min > 0 {
            answer.header("oci-chunk-min-length", self.profile.chunk_min.to_string())
        } else {
            answer
        }
    }

    pub fn location(&self, path: &str) -> String {
        if self.profile.absolute_locations {
            format!("{}{path}", self.url)
        } else {
            path.to_owned()
        }
    }
}

fn check_state(call: &Call, received: u64) -> Result<(), Answer> {
    if call.query("_state") == Some(received.to_string().as_str()) {
        Ok(())
    } else {
        Err(upload_unknown())
    }
}

/// Start and end (inclusive) of a chunk's `Content-Range`.
fn chunk_bounds(range: &str) -> Option<(u64, u64)> {
    let (start, end) = range.split_once('-')?;
    let (start, end) = (start.parse().ok()?, end.parse().ok()?);
    (start <= end).then_some((start, end))
}

/// How long the request's body says that it is.
fn size(call: &Call) -> u64 {
    let length = call.header("content-length");
    length.map_or(0, |length| length.parse().unwrap_or(u64::MAX))
}

/// Appends the request's body, or the first bytes of it, to an upload and tells how many they are.
/// What came before a connection breaks stays in the session.
async fn receive(call: &mut Call, upload: &Mutex<Upload>, most: u64) -> Result<u64, Answer> {
    let mut size = 0;
    while size < most {
        let part = call.part().await.map_err(|_| broken_off())?;
        let Some(part) = part else {
            return Ok(size);
        };
        let taken = &part[..part.len().min((most - size) as usize)];
        size += taken.len() as u64;
        lock(upload).append(taken);
    }
    Ok(size)
}

/// Nobody reads this answer.
fn broken_off() -> Answer {
    Answer::new(400).known_from(ASSUMED)
}
