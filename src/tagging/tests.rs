//! Tables and laws of the whole room.
