//! Who waits, in lines of first come, first served.

use std::{num::NonZeroU32, task::Waker};

/// How many places are kept for later when nobody waits: 32, ours.
const SPARE: usize = 32;

/// The places of all who wait in one shard: a slab whose nodes are linked to [`Line`]s, so that
/// whoever leaves does so in constant time, from wherever it stands, and leaves nothing behind.
///
/// There are as many nodes as places were taken at the same time since last there were none.
#[derive(Default)]
pub(super) struct Places {
    nodes: Vec<Node>,
    free: Option<usize>,
    taken: usize,
    waiting: usize,
}

/// One caller's line.
#[derive(Default)]
pub(super) struct Line {
    first: Option<usize>,
    last: Option<usize>,
    len: usize,
}

enum Node {
    Free {
        next: Option<usize>,
    },
    Waiting {
        max: NonZeroU32,
        /// `None` until its owner is polled.
        waker: Option<Waker>,
        ahead: Option<usize>,
        behind: Option<usize>,
    },
    /// In no line any more. It stays until its owner sees it, or is dropped.
    Granted,
}

/// What was left behind.
pub(super) enum Left {
    /// A place in the line. The waker is to be dropped when nothing is locked.
    Line(Option<Waker>),
    /// A permit that nobody took.
    Permit,
}

impl Line {
    pub(super) const fn len(&self) -> usize {
        self.len
    }
}

impl Places {
    /// Returns how many wait that have no permit yet.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Takes the last place of a line, for one that is admitted below `max`.
    pub(super) fn join(&mut self, line: &mut Line, max: NonZeroU32) -> usize {
        let node = Node::Waiting { max, waker: None, ahead: line.last, behind: None };
        let place = self.insert(node);
        match line.last {
            Some(ahead) => self.link_behind(ahead, Some(place)),
            None => line.first = Some(place),
        }
        line.last = Some(place);
        line.len += 1;
        self.waiting += 1;
        place
    }

    /// Returns below how many the first of a line is admitted; `None` if nobody is there.
    pub(super) fn first_max(&self, line: &Line) -> Option<NonZeroU32> {
        match self.nodes.get(line.first?)? {
            Node::Waiting { max, .. } => Some(*max),
            Node::Granted | Node::Free { .. } => None,
        }
    }

    /// Grants a permit to the first of a line, and returns whom to wake when nothing is locked.
    pub(super) fn grant_first(&mut self, line: &mut Line) -> Option<Waker> {
        let place = line.first?;
        let waker = self.unlink(line, place);
        self.nodes[place] = Node::Granted;
        waker
    }

    /// Returns whether the permit was granted, and frees the place if so. If not, the waker is
    /// swapped for the one before. What is in `waker` then is to be dropped when nothing is locked.
    pub(super) fn poll(&mut self, place: usize, waker: &mut Option<Waker>) -> bool {
        match &mut self.nodes[place] {
            Node::Waiting { waker: registered, .. } => {
                std::mem::swap(registered, waker);
                false
            }
            Node::Granted | Node::Free { .. } => {
                self.remove(place);
                true
            }
        }
    }

    /// Gives up a place.
    pub(super) fn leave(&mut self, line: &mut Line, place: usize) -> Left {
        let left = match &self.nodes[place] {
            Node::Waiting { .. } => Left::Line(self.unlink(line, place)),
            Node::Granted | Node::Free { .. } => Left::Permit,
        };
        self.remove(place);
        left
    }

    /// Takes a place out of its line, not out of the slab.
    fn unlink(&mut self, line: &mut Line, place: usize) -> Option<Waker> {
        let Node::Waiting { waker, ahead, behind, .. } = &mut self.nodes[place] else {
            return None;
        };
        let (waker, ahead, behind) = (waker.take(), *ahead, *behind);
        match ahead {
            Some(ahead) => self.link_behind(ahead, behind),
            None => line.first = behind,
        }
        match behind {
            Some(behind) => self.link_ahead(behind, ahead),
            None => line.last = ahead,
        }
        line.len -= 1;
        self.waiting -= 1;
        waker
    }

    fn link_behind(&mut self, place: usize, linked: Option<usize>) {
        if let Node::Waiting { behind, .. } = &mut self.nodes[place] {
            *behind = linked;
        }
    }

    fn link_ahead(&mut self, place: usize, linked: Option<usize>) {
        if let Node::Waiting { ahead, .. } = &mut self.nodes[place] {
            *ahead = linked;
        }
    }

    fn insert(&mut self, node: Node) -> usize {
        self.taken += 1;
        match self.free {
            Some(place) => {
                if let Node::Free { next } = self.nodes[place] {
                    self.free = next;
                }
                self.nodes[place] = node;
                place
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        }
    }

    fn remove(&mut self, place: usize) {
        self.taken -= 1;
        if self.taken > 0 {
            self.nodes[place] = Node::Free { next: self.free };
            self.free = Some(place);
            return;
        }
        self.free = None;
        self.nodes.clear();
        self.nodes.shrink_to(SPARE);
    }
}

#[cfg(all(test, not(loom)))]
impl Places {
    pub(super) const fn allocation_size(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
    }
}
