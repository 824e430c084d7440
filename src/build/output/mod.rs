//! What a build comes to: an image of the store first, then whatever else was asked.

pub(super) mod image;
