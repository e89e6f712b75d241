//! The registry behind its front: which handler answers which request.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::Method;

use super::answer::{ASSUMED, Answer};
use super::call::Call;
use super::fixture::fixture;
use super::flavor::digest_invalid;
use super::front::Handler;
use super::guard::Guard;
use super::issuer::Issuer;
use super::profile::Profile;
use super::route::{Route, is_digest};
use super::store::Store;

/// A registry's behaviour and content. Its handlers are in the files named after what
/// they handle.
pub struct Service {
    pub profile: Profile,
    pub guard: Guard,
    pub store: Store,
    /// `127.0.0.1:PORT`
    pub host: String,
    pub url: String,
    /// The path of its own realm, if it has one.
    pub realm_path: Option<String>,
}

/// An answer, or the refusal that takes its place.
pub type Outcome = Result<Answer, Answer>;

impl Handler for Service {
    fn handle<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Answer> {
        async move {
            let answer = self.answer(call).await.unwrap_or_else(|refusal| refusal);
            match &self.profile.date {
                Some(date) => answer.header("date", date),
                None => answer,
            }
        }
        .boxed()
    }

    fn issuer(&self) -> Option<&Issuer> {
        match &self.guard {
            Guard::Bearer { issuer, .. } => Some(issuer),
            Guard::Open | Guard::Basic { .. } => None,
        }
    }
}

impl Service {
    async fn answer(&self, call: &mut Call) -> Outcome {
        if let (Some(path), Some(issuer)) = (&self.realm_path, self.issuer())
            && *path == call.path
        {
            return Ok(issuer.answer(call).await);
        }
        let route = Route::parse(&call.path);
        if route == Route::Unknown {
            return Err(not_found());
        }
        let length = call.header("content-length");
        let length: u64 = length.map_or(0, |length| length.parse().unwrap_or(u64::MAX));
        if length > self.profile.body_max {
            return Err(too_large());
        }
        self.guard.check(self.profile.flavor, call, &route)?;
        self.check_repository(&route)?;
        self.dispatch(call, &route).await
    }

    fn check_repository(&self, route: &Route) -> Result<(), Answer> {
        match (&self.profile.repositories, route.repository()) {
            (Some(existing), Some(name)) if !existing.contains(name) => {
                Err(self.profile.flavor.missing_repository(name))
            }
            _ => Ok(()),
        }
    }

    async fn dispatch(&self, call: &mut Call, route: &Route) -> Outcome {
        match route {
            Route::Base => Ok(Answer::new(200).bytes("{}")),
            Route::Manifest {
                repository,
                reference,
            } => self.manifest(call, repository, reference).await,
            Route::Blob { repository, digest } => {
                check_digest(digest)?;
                self.blob(call, repository, digest)
            }
            Route::Uploads { repository } => self.uploads(call, repository).await,
            Route::Upload { repository, id } => self.upload(call, repository, id).await,
            Route::Tags { repository } => self.tags(call, repository),
            Route::Referrers { repository, digest } => self.referrers(call, repository, digest),
            Route::Unknown => Err(not_found()),
        }
    }
}

pub fn check_digest(digest: &str) -> Result<(), Answer> {
    if is_digest(digest) {
        Ok(())
    } else {
        Err(digest_invalid("not a sha256 digest"))
    }
}

/// Refuses other methods than these.
pub fn check_method(call: &Call, allowed: &[Method]) -> Result<(), Answer> {
    if allowed.contains(&call.method) {
        Ok(())
    } else {
        Err(not_allowed())
    }
}

pub fn not_allowed() -> Answer {
    Answer::error(405, "UNSUPPORTED", "the method is not supported here", ()).known_from(ASSUMED)
}

/// What nginx says above its `client_max_body_size`.
fn too_large() -> Answer {
    let page = "<html><head><title>413 Request Entity Too Large</title></head></html>";
    Answer::new(413)
        .header("content-type", "text/html")
        .bytes(page)
        .known_from(ASSUMED)
}

/// The page that distribution's router shows for a path it does not know.
fn not_found() -> Answer {
    fixture("distribution/404_referrers").answer()
}
