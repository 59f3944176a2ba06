//! Every answer that Kimi is known to give, and every form it may come in, becomes the right error.

pub(crate) mod facts;
mod forms;
mod head;
mod messages;
mod properties;
mod real;
mod success;
