//! The JSON Schema of a profile says what its pass says: held together by a validator that is not
//! ours.

mod agreement;
mod documents;
mod exceptions;
mod files;
mod properties;
mod rows;
mod text;
