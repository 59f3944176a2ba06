use crate::violation::Rule;

/// What ends a walk: where, and which rule of syntax it breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    /// The offset of the first byte that is wrong; the length of the text if it ends too early.
    pub(crate) at: usize,
    pub(crate) rule: Rule,
}
