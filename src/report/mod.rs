//! From what happened to what is read of it: the log, the step's outputs and summary, text.

mod answer;
mod bundle;
mod cleaned;
mod evidence;
mod fleet;
mod json;
mod log;
mod markdown;
mod outputs;
mod progress;
mod summary;
mod tags;
mod text;
mod verification;
mod words;

#[cfg(test)]
mod samples;

pub use answer::{Done, answer};
pub use bundle::{BundleVerification, SignedBundle};
pub use fleet::ended;
pub use log::{Log, Reader};
pub use tags::{Separators, Tagged};
