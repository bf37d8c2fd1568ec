//! The one wording of what is shown and sent. Makes texts and JSON of values; decides nothing.

pub mod answer;
pub mod message;
