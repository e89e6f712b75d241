//! Reading and deleting blobs.

use hyper::Method;

use super::answer::{ASSUMED, Answer};
use super::call::Call;
use super::content::Content;
use super::flavor::{blob_unknown, delete_disabled};
use super::service::{Outcome, Service, not_allowed};

impl Service {
    pub fn blob(&self, call: &Call, repository: &str, digest: &str) -> Outcome {
        match call.method {
            Method::GET | Method::HEAD => self.read_blob(call, repository, digest),
            Method::DELETE => self.delete_blob(repository, digest),
            _ => Err(not_allowed()),
        }
    }

    fn read_blob(&self, call: &Call, repository: &str, digest: &str) -> Outcome {
        let found = self
            .store
            .lock()
            .repository(repository)
            .blobs
            .get(digest)
            .cloned();
        let content = found.ok_or_else(|| blob_unknown(digest))?;
        if let Some(elsewhere) = self.redirect(call, repository, digest, &content) {
            return Ok(elsewhere);
        }
        let range = if self.profile.ranges {
            call.header("range")
        } else {
            None
        };
        let answer = match range {
            None => whole(content, call.method == Method::HEAD)?,
            Some(range) => part(content, range)?,
        };
        let answer = answer.header("content-type", "application/octet-stream");
        let answer = if self.profile.ranges {
            answer.header("accept-ranges", "bytes")
        } else {
            answer
        };
        Ok(answer.header("docker-content-digest", digest))
    }

    /// Sends a reader to the other host, with a URL that is a secret, as those of object
    /// stores are.
    fn redirect(
        &self,
        call: &Call,
        repository: &str,
        digest: &str,
        content: &Content,
    ) -> Option<Answer> {
        let cdn = self
            .profile
            .cdn
            .as_ref()
            .filter(|_| call.method == Method::GET)?;
        let mut state = cdn.store.lock();
        state
            .repository(repository)
            .blobs
            .insert(digest.to_owned(), content.clone());
        let location = format!(
            "{}/v2/{repository}/blobs/{digest}?signature=signed",
            cdn.url
        );
        Some(Answer::new(307).header("location", location))
    }

    fn delete_blob(&self, repository: &str, digest: &str) -> Outcome {
        if !self.profile.deletes {
            return Err(delete_disabled());
        }
        let removed = self
            .store
            .lock()
            .repository(repository)
            .blobs
            .remove(digest);
        removed
            .map(|_| Answer::new(202))
            .ok_or_else(|| blob_unknown(digest))
    }
}

fn whole(content: Content, head: bool) -> Outcome {
    let size = content.size();
    if head {
        return Ok(Answer::new(200).header("content-length", size.to_string()));
    }
    let body = content.read(0, size).ok_or_else(discarded)?;
    Ok(Answer::new(200).stream(size, body))
}

fn part(content: Content, range: &str) -> Outcome {
    let size = content.size();
    let Some((start, end)) = bounds(range, size) else {
        return Err(Answer::new(416).header("content-range", format!("bytes */{size}")));
    };
    let body = content.read(start, end).ok_or_else(discarded)?;
    let shown = format!("bytes {start}-{}/{size}", end - 1);
    Ok(Answer::new(206)
        .header("content-range", shown)
        .stream(end - start, body))
}

/// Start and end (exclusive) of `bytes=a-b`, `bytes=a-` and `bytes=-n`.
fn bounds(range: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", count) => (size.saturating_sub(count.parse().ok()?), size),
        (first, "") => (first.parse().ok()?, size),
        (first, last) => (first.parse().ok()?, size.min(last.parse::<u64>().ok()? + 1)),
    };
    (start < end).then_some((start, end))
}

fn discarded() -> Answer {
    Answer::error(500, "UNKNOWN", "this blob's bytes were thrown away", ()).known_from(ASSUMED)
}
