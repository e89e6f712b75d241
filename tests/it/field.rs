//! Situations that users of similar tools reported publicly, each with the right result.

mod events;
mod forms;
mod lines;
mod settings;
mod stage;
