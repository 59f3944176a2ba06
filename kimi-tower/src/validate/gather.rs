//! The data of a body, put together up to a limit.

use bytes::Bytes;

/// How much memory is taken on the mere word of a client, in bytes: 64 KiB, if it announces as
/// much. Ours: most chat requests are shorter, and a connection costs its server about as much.
const TRUSTED_BYTES: usize = 64 * 1024;

/// What has come of a body. One frame is kept as it came; more are copied into one.
#[derive(Debug)]
pub(super) struct Gather {
    only: Bytes,
    // Empty until there is a second frame.
    joined: Vec<u8>,
    announced_bytes: usize,
    max_bytes: usize,
}

/// There is a byte beyond the limit.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct TooLarge;

impl Gather {
    /// Starts to gather a body that is said to have `announced_bytes`, and may have `max_bytes`.
    pub(super) const fn new(announced_bytes: usize, max_bytes: usize) -> Self {
        Self { only: Bytes::new(), joined: Vec::new(), announced_bytes, max_bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.only.len() + self.joined.len()
    }

    /// Adds a frame.
    pub(super) fn push(&mut self, frame: Bytes) -> Result<(), TooLarge> {
        // A limit that is counted down cannot overflow.
        if frame.len() > self.max_bytes.saturating_sub(self.len()) {
            return Err(TooLarge);
        }
        if self.len() == 0 {
            self.only = frame;
        } else if !frame.is_empty() {
            self.make_room(frame.len());
            self.joined.extend_from_slice(&self.only);
            self.only = Bytes::new();
            self.joined.extend_from_slice(&frame);
        }
        Ok(())
    }

    /// Returns all of it, in one.
    pub(super) fn finish(self) -> Bytes {
        if self.joined.is_empty() { self.only } else { self.joined.into() }
    }

    /// Takes room for the next frame and, as far as they are credible, for those after it: twice
    /// what has come, so that each byte is moved but a few times. What was announced is taken at
    /// once up to the trusted length, and never exceeded.
    fn make_room(&mut self, added: usize) {
        let needed = self.len() + added;
        if needed <= self.joined.capacity() {
            return;
        }
        let twice = needed.saturating_mul(2);
        let room = if self.announced_bytes < needed {
            twice
        } else {
            twice.max(TRUSTED_BYTES).min(self.announced_bytes)
        };
        let room = room.min(self.max_bytes);
        self.joined.reserve_exact(room - self.joined.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(gather: &mut Gather, frames: &[&'static str]) -> Result<(), TooLarge> {
        frames.iter().try_for_each(|frame| gather.push(Bytes::from_static(frame.as_bytes())))
    }

    #[test]
    fn a_single_frame_is_not_copied() {
        let frame = Bytes::from("a frame".to_owned());
        let mut gather = Gather::new(0, 100);
        for part in [Bytes::new(), frame.clone(), Bytes::new()] {
            gather.push(part).unwrap();
        }
        assert_eq!(gather.finish().as_ptr(), frame.as_ptr());
    }

    #[test]
    fn frames_are_put_together_in_order() {
        let mut gathered = Gather::new(0, 100);
        gather(&mut gathered, &["", "a", "", "bc", "def", ""]).unwrap();
        assert_eq!(gathered.len(), 6);
        assert_eq!(gathered.finish(), "abcdef");
    }

    #[test]
    fn the_first_byte_beyond_the_limit_is_too_many() {
        for (frames, expected) in [
            (&["1234"][..], Ok(())),
            (&["12", "34"], Ok(())),
            (&["12345"], Err(TooLarge)),
            (&["1", "234", "5"], Err(TooLarge)),
            (&["1234", ""], Ok(())),
        ] {
            assert_eq!(gather(&mut Gather::new(0, 4), frames), expected, "{frames:?}");
        }
    }

    #[test]
    fn memory_is_not_taken_on_a_clients_word() {
        let mut gathered = Gather::new(1 << 30, 1 << 30);
        gather(&mut gathered, &["a", "b"]).unwrap();
        assert_eq!(gathered.joined.capacity(), TRUSTED_BYTES);
    }

    #[test]
    fn what_was_not_announced_takes_twice_of_what_has_come() {
        let mut gathered = Gather::new(0, 1 << 30);
        let mut moves = 0;
        for _ in 0..1_000 {
            let before = gathered.joined.capacity();
            gathered.push(Bytes::from_static(b"x")).unwrap();
            assert!(gathered.joined.capacity() <= 2 * gathered.len());
            moves += usize::from(gathered.joined.capacity() != before);
        }
        assert_eq!((gathered.finish().len(), moves), (1_000, 9), "each byte a few times");
    }

    #[test]
    fn a_true_announcement_is_met_to_the_byte() {
        let frame = Bytes::from(vec![b'x'; 30_000]);
        let mut gathered = Gather::new(330_000, 1 << 30);
        let mut moves = 0;
        for _ in 0..11 {
            let before = gathered.joined.capacity();
            gathered.push(frame.clone()).unwrap();
            moves += usize::from(gathered.joined.capacity() != before);
        }
        assert_eq!(
            (gathered.joined.capacity(), moves),
            (330_000, 3),
            "less than twice, in the end"
        );
    }

    #[test]
    fn a_false_announcement_does_no_harm() {
        for announced in [0, 1, 2, 7] {
            let mut gathered = Gather::new(announced, 8);
            gather(&mut gathered, &["ab", "cd", "ef"]).unwrap();
            assert!(gathered.joined.capacity() <= 8);
            assert_eq!(gathered.finish(), "abcdef", "{announced} announced");
        }
    }
}
