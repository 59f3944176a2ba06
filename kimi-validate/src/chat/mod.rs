//! Chat requests: what they must be, and what is kept of those that are.
//!
//! - `profile` says whose rules hold; `rules` has them as tables, in the language of `table`.
//! - `pass` goes over a body once and holds it to the tables; `messages` and `calls` judge what is
//!   more than a table can say, each message when it ends, so that the order of members does not matter.
//!   `path` knows where the pass is.
//! - `request` keeps what is found good: the body, and where in it stands what later layers need;
//!   `content` reads what a message says, `files` which files are named, and `answer_limits` how long the
//!   answer may be, when it is asked.
//!
//! A new rule is a line in a table, with its source beside it. One that no table can express stands with
//! the judges, and must not depend on the order of members: tests permute them.

mod answer_limits;
mod calls;
mod content;
mod files;
mod found;
mod messages;
mod object;
mod part;
mod pass;
mod path;
mod profile;
mod report;
mod request;
mod role;
mod rules;
mod schema;
mod table;
mod value;

pub use self::{
    answer_limits::AnswerLimits,
    content::{Content, ContentPart, Parts},
    files::FileRef,
    part::Part,
    profile::{NoRoles, Profile, UnknownProfile},
    request::{ChatRequest, Message},
    role::Role,
};
