//! Who waits, in lines of first come, first served.

use std::task::Waker;

/// For how many the room is kept when nobody waits: 32, ours.
const SPARE: usize = 32;

/// The places of all who wait in one shard: a slab whose nodes are linked to [`Line`]s, so that
/// whoever leaves does so in constant time, from wherever it stands, and leaves nothing behind.
#[derive(Debug, Default)]
pub(super) struct Places {
    nodes: Vec<Node>,
    free: Option<usize>,
    taken: usize,
    waiting: usize,
}

/// The line of one session.
#[derive(Debug, Default)]
pub(super) struct Line {
    first: Option<usize>,
    last: Option<usize>,
    len: usize,
}

#[derive(Debug)]
enum Node {
    Free {
        next: Option<usize>,
    },
    Waiting {
        /// `None` until its owner is polled.
        waker: Option<Waker>,
        ahead: Option<usize>,
        behind: Option<usize>,
    },
    /// In no line any more. It stays until its owner sees it, or is dropped.
    Called(Called),
}

/// What has become of one who waited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Called {
    /// It has the turn of this number.
    Granted(u64),
    /// Somebody newer wants the session.
    Superseded,
}

/// What somebody finds who looks at its place.
#[derive(Debug)]
pub(super) enum Look {
    Waits,
    /// It is in no line any more.
    Called(Called, Gone),
}

/// What is left of a place, to be dropped when nothing is locked.
#[derive(Debug, Default)]
#[expect(dead_code, reason = "it is kept to be dropped")]
pub(super) struct Gone {
    waker: Option<Waker>,
    /// The room of very many who waited, as soon as nobody does.
    nodes: Vec<Node>,
}

impl Line {
    pub(super) const fn len(&self) -> usize {
        self.len
    }
}

impl Places {
    /// Returns how many wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Takes the last place of a line.
    pub(super) fn join(&mut self, line: &mut Line) -> usize {
        let place = self.insert(Node::Waiting { waker: None, ahead: line.last, behind: None });
        match line.last {
            Some(ahead) => self.links(ahead, |_, behind| *behind = Some(place)),
            None => line.first = Some(place),
        }
        line.last = Some(place);
        line.len += 1;
        self.waiting += 1;
        place
    }

    /// Calls the first of a line. Returns whether there was one, and whom to wake when nothing is
    /// locked.
    pub(super) fn call_first(&mut self, line: &mut Line, called: Called) -> (bool, Option<Waker>) {
        let Some(place) = line.first else { return (false, None) };
        let waker = self.unlink(line, place);
        self.nodes[place] = Node::Called(called);
        (true, waker)
    }

    /// Looks at a place. While it waits, the waker is swapped for the one before; what is in `waker`
    /// then is to be dropped when nothing is locked. Else the place is given up.
    pub(super) fn look(&mut self, place: usize, waker: &mut Option<Waker>) -> Look {
        match &mut self.nodes[place] {
            Node::Waiting { waker: registered, .. } => {
                std::mem::swap(registered, waker);
                Look::Waits
            }
            Node::Called(called) => {
                let called = *called;
                Look::Called(called, Gone { waker: None, nodes: self.remove(place) })
            }
            // Nobody has a place that is free. But to panic here would be worse.
            Node::Free { .. } => Look::Called(Called::Superseded, Gone::default()),
        }
    }

    /// Gives up a place. Returns what it was called for, and what is left of it.
    pub(super) fn leave(
        &mut self,
        line: Option<&mut Line>,
        place: usize,
    ) -> (Option<Called>, Gone) {
        let (called, waker) = match (&self.nodes[place], line) {
            (Node::Waiting { .. }, Some(line)) => (None, self.unlink(line, place)),
            (Node::Called(called), _) => (Some(*called), None),
            // Neither can be: who waits waits for somebody, and a place is given up once.
            (Node::Waiting { .. }, None) | (Node::Free { .. }, _) => {
                return (None, Gone::default());
            }
        };
        (called, Gone { waker, nodes: self.remove(place) })
    }

    /// Takes the waker of the first of a line, who leaves another when it looks again.
    pub(super) fn waker_of_first(&mut self, line: &Line) -> Option<Waker> {
        match &mut self.nodes[line.first?] {
            Node::Waiting { waker, .. } => waker.take(),
            Node::Free { .. } | Node::Called(_) => None,
        }
    }

    /// Takes a place out of its line, not out of the slab.
    fn unlink(&mut self, line: &mut Line, place: usize) -> Option<Waker> {
        let Node::Waiting { waker, ahead, behind } = &mut self.nodes[place] else { return None };
        let (waker, ahead, behind) = (waker.take(), *ahead, *behind);
        match ahead {
            Some(ahead) => self.links(ahead, |_, its_behind| *its_behind = behind),
            None => line.first = behind,
        }
        match behind {
            Some(behind) => self.links(behind, |its_ahead, _| *its_ahead = ahead),
            None => line.last = ahead,
        }
        line.len -= 1;
        self.waiting -= 1;
        waker
    }

    fn links(&mut self, place: usize, change: impl FnOnce(&mut Option<usize>, &mut Option<usize>)) {
        if let Node::Waiting { ahead, behind, .. } = &mut self.nodes[place] {
            change(ahead, behind);
        }
    }

    fn insert(&mut self, node: Node) -> usize {
        self.taken += 1;
        let Some(place) = self.free else {
            self.nodes.push(node);
            return self.nodes.len() - 1;
        };
        if let Node::Free { next } = self.nodes[place] {
            self.free = next;
        }
        self.nodes[place] = node;
        place
    }

    /// Returns all the room that there is if there was much, and nobody is left in it: to give it
    /// back takes a step for each that has waited.
    fn remove(&mut self, place: usize) -> Vec<Node> {
        self.nodes[place] = Node::Free { next: self.free };
        self.free = Some(place);
        self.taken -= 1;
        if self.taken > 0 || self.nodes.capacity() <= SPARE {
            return Vec::new();
        }
        self.free = None;
        std::mem::take(&mut self.nodes)
    }
}

#[cfg(all(test, not(loom)))]
impl Places {
    pub(super) const fn allocation_size(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
    }
}
