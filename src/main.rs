//! The process: see [`shipmark`] for the map of the house.

fn main() {}
