//! The value of a head field, written without an allocation but its own.

use http::HeaderValue;

/// The value of a field in the making, of at most `N` bytes. If there are more, it is none.
#[derive(Debug)]
pub(super) struct Line<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Line<N> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) {
        let end = self.len + text.len();
        if let Some(place) = self.bytes.get_mut(self.len..end) {
            place.copy_from_slice(text);
        }
        self.len = end;
    }

    #[inline]
    pub(super) fn push_number(&mut self, mut number: u64) {
        // 20 digits have any number of 64 bits.
        let mut digits = [0; 20];
        let mut first = digits.len();
        loop {
            first -= 1;
            let digit = (number % 10) as u8;
            digits[first] = b'0' + digit;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.push(&digits[first..]);
    }

    /// Writes whole seconds as Go does, and OpenAI: `1s`, `1m30s`, `1h0m0s`.
    pub(super) fn push_time(&mut self, seconds: u64) {
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            self.push_number(hours);
            self.push(b"h");
        }
        if hours > 0 || minutes > 0 {
            self.push_number(minutes);
            self.push(b"m");
        }
        self.push_number(seconds % 60);
        self.push(b"s");
    }

    /// Returns the value; `None` if it was too long.
    #[inline]
    pub(super) fn value(&self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(self.bytes.get(..self.len)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Line<32>)) -> String {
        let mut line = Line::new();
        write(&mut line);
        line.value().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_number_has_its_digits() {
        for number in [0, 9, 10, 4_294_967_295, u64::MAX] {
            assert_eq!(written(|line| line.push_number(number)), number.to_string());
        }
    }

    #[test]
    fn a_time_is_written_as_go_does() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (60, "1m0s"), (3_599, "59m59s"), (3_600, "1h0m0s")]
        {
            assert_eq!(written(|line| line.push_time(seconds)), text);
        }
    }

    #[test]
    fn what_is_too_long_is_no_value() {
        let mut line = Line::<16>::new();
        line.push(b"12345678");
        line.push(b"12345678");
        assert!(line.value().is_some());
        line.push(b"9");
        assert!(line.value().is_none());
        line.push(b"9");
        assert!(line.value().is_none());
    }
}
