//! The decision tree as data: statuses, under each its errcodes, under each its kinds.

mod mermaid;
mod svg;
mod table;

use std::{cmp::Reverse, collections::BTreeMap};

pub use self::{mermaid::mermaid, svg::svg, table::table};

use crate::ErrorKind;

/// One HTTP status, and the errcodes that are answered with it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Branch {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// The errcodes under it, -1000 first, -9999 last.
    pub twigs: Vec<Twig>,
}

/// One errcode under a status, and the kinds that are answered with both.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Twig {
    /// The errcode: a negative number of [`errcode`](crate::errcode).
    pub errcode: i32,
    /// The kinds under it, never none; first the one that owns the errcode. Where there are
    /// several, the answer's type or message tells them apart.
    pub kinds: Vec<ErrorKind>,
}

/// Returns the tree, the lowest status first. Each kind stands in it once.
///
/// ```
/// use kimi_errors::{ErrorKind, diagnose};
///
/// let tree = diagnose::tree();
/// let unauthorized = tree.iter().find(|branch| branch.status == 401).unwrap();
/// let expired = unauthorized.twigs.iter().find(|twig| twig.errcode == -2002).unwrap();
/// assert_eq!(expired.kinds, [ErrorKind::TokenExpired]);
/// ```
#[must_use]
pub fn tree() -> Vec<Branch> {
    let mut tree: BTreeMap<u16, BTreeMap<Reverse<i32>, Vec<ErrorKind>>> = BTreeMap::new();
    for kind in ErrorKind::ALL.iter().copied() {
        let twigs = tree.entry(kind.status()).or_default();
        twigs.entry(Reverse(kind.errcode())).or_default().push(kind);
    }
    let twig = |(Reverse(errcode), mut kinds): (_, Vec<ErrorKind>)| {
        // Stable, so that the rest keeps the catalogue's order.
        kinds.sort_by_key(|kind| !kind.owns_errcode());
        Twig { errcode, kinds }
    };
    tree.into_iter()
        .map(|(status, twigs)| Branch { status, twigs: twigs.into_iter().map(twig).collect() })
        .collect()
}
