//! A key that is opened while other things are done: what its encryption makes of a password is meant
//! to take long.

use std::fmt;
use std::future::ready;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use secrecy::zeroize::Zeroizing;
use tokio::sync::oneshot;

use super::private_key::PemContent;
use super::{KeyError, PrivateKey};

/// A private key as soon as it is open. Cheap to clone; cannot be printed.
#[derive(Clone)]
pub struct LazyPrivateKey(Shared<BoxFuture<'static, Result<PrivateKey, KeyError>>>);

impl LazyPrivateKey {
    /// Begins to open a PEM text of the kinds that [`PrivateKey::parse`] takes. Whether the password
    /// fits, [`LazyPrivateKey::wait`] tells.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn load(text: &str, password: &str) -> Result<Self, KeyError> {
        let sealed = match PemContent::parse(text)? {
            PemContent::Plain(key) => return Ok(key.into()),
            PemContent::Encrypted(sealed) => sealed,
        };
        let password = Zeroizing::new(password.to_owned());
        let (done, opened) = oneshot::channel();
        std::thread::spawn(move || {
            // Who asked for it may have gone.
            let _ = done.send(sealed.open(&password));
        });
        // A thread that breaks off has opened nothing.
        let opened = opened.map(|opened| opened.unwrap_or(Err(KeyError::Content("a private key"))));
        Ok(Self(opened.boxed().shared()))
    }

    /// The key.
    ///
    /// # Errors
    /// A password that does not fit, or what is no key under it.
    pub async fn wait(&self) -> Result<PrivateKey, KeyError> {
        self.0.clone().await
    }
}

impl From<PrivateKey> for LazyPrivateKey {
    fn from(key: PrivateKey) -> Self {
        Self(ready(Ok(key)).boxed().shared())
    }
}

impl fmt::Debug for LazyPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyPrivateKey").finish_non_exhaustive()
    }
}
