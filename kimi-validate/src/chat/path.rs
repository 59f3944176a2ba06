use std::fmt::Write as _;

/// Where the pass is. No table is nested deeper than this holds.
#[derive(Clone, Debug)]
pub(super) struct Path<'p> {
    steps: [Step<'p>; MAX_STEPS],
    length: usize,
}

/// `/messages/0/content/0/image_url/url` has six.
const MAX_STEPS: usize = 8;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'p> {
    Name(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    pub(super) const fn new() -> Self {
        Self { steps: [Step::Index(0); MAX_STEPS], length: 0 }
    }

    pub(super) fn push(&mut self, step: Step<'p>) {
        if let Some(place) = self.steps.get_mut(self.length) {
            *place = step;
        }
        self.length += 1;
    }

    pub(super) fn pop(&mut self) {
        self.length -= 1;
    }

    /// Returns the index that was taken last.
    pub(super) fn index(&self) -> usize {
        let taken = self.steps.iter().take(self.length).rev();
        let mut indexes = taken.filter_map(|step| match step {
            Step::Index(index) => Some(*index),
            Step::Name(_) => None,
        });
        indexes.next().unwrap_or_default()
    }

    /// Returns the pointer to a place below, RFC 6901 §3 and §5.
    pub(super) fn pointer(&self, below: &[Step<'_>]) -> String {
        let mut pointer = String::new();
        for step in self.steps.iter().take(self.length).chain(below) {
            match step {
                // Writing to a string does not fail.
                Step::Index(index) => drop(write!(pointer, "/{index}")),
                Step::Name(name) => {
                    pointer.push('/');
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
            }
        }
        pointer
    }
}
