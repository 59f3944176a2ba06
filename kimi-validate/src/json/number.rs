use super::{Fault, Scanner};
use crate::violation::Rule;

/// A number that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Number {
    /// Returns the value as a double. It is finite.
    ///
    /// It is `serde_json`'s, which may be off by one in the last place, so that we and a handler
    /// that reads the body agree on what is in range, and on what is a number at all: near the
    /// largest double that decides.
    pub(crate) fn value(self, text: &[u8]) -> f64 {
        let digits = text.get(self.start..self.end).unwrap_or_default();
        serde_json::from_slice(digits).unwrap_or(f64::NAN)
    }
}

impl Scanner<'_> {
    /// Reads the number that comes next. One that no double holds is a fault.
    pub(crate) fn number(&mut self) -> Result<Number, Fault> {
        let start = self.at;
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let integer = match self.text.get(self.at) {
            Some(b'0') => {
                self.at += 1;
                1
            }
            _ => self.digits()?,
        };
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        let mut exponent = 0;
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            exponent = self.digits()?;
        }
        let number = Number { start, end: self.at };
        // Below 10^308, and with an exponent below 10^(208 + 99).
        let is_small = exponent == 0 && integer <= 308 || exponent <= 2 && integer <= 208;
        if !is_small && !number.value(self.text).is_finite() {
            return Err(Fault { at: start, rule: Rule::NumberOverflow });
        }
        Ok(number)
    }

    /// Reads digits, at least one, and returns how many there are.
    fn digits(&mut self) -> Result<usize, Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.text.get(self.at) {
            self.at += 1;
        }
        if self.at == start { Err(self.fault()) } else { Ok(self.at - start) }
    }
}
