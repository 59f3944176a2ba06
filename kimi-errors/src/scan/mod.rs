//! Walks over the members of a JSON object without building anything.
//!
//! The walk is lazy and goes forward only: a value that nobody asks for is stepped over when the
//! next key is, so that a caller who has seen enough has also read no more. The text may be cut
//! anywhere; what stands before the cut is still yielded. It is not a validator: what it cannot
//! make sense of ends the walk.

mod raw;

use std::borrow::Cow;

pub(crate) use self::raw::Raw;
#[cfg(test)]
pub(crate) use self::raw::STEPS;

/// The members of an object that may have been cut.
pub(crate) struct Members<'a> {
    bytes: &'a [u8],
    at: usize,
    place: Place,
    #[cfg(test)]
    peeked: std::cell::Cell<usize>,
}

enum Place {
    /// Behind the opening brace.
    Start,
    /// Before the value of the key that was yielded last.
    Value,
    /// Behind a value.
    Comma,
    /// Nothing more can be read.
    End,
}

impl<'a> Members<'a> {
    /// Creates a walk over the object that `bytes` begin with; `None` if they begin otherwise.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        (bytes.first() == Some(&b'{')).then_some(Self {
            bytes,
            at: 1,
            place: Place::Start,
            #[cfg(test)]
            peeked: std::cell::Cell::default(),
        })
    }

    /// Steps to the next member and returns its key, unescaped.
    pub(crate) fn next_key(&mut self) -> Option<Cow<'a, str>> {
        let key = self.step();
        if key.is_none() {
            self.place = Place::End;
        }
        key
    }

    /// Returns the first byte of the value of the key that was yielded last, and reads no further.
    pub(crate) fn first_byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Returns the value of the key that was yielded last, and stays before it.
    pub(crate) fn peek(&self) -> Raw<'a> {
        let value = Raw::first(&self.bytes[self.at..]);
        #[cfg(test)]
        self.peeked.set(self.at + value.bytes.len());
        value
    }

    /// Reads the value of the key that was yielded last.
    pub(crate) fn value(&mut self) -> Raw<'a> {
        let value = Raw::first(&self.bytes[self.at..]);
        self.at += value.bytes.len();
        self.place = Place::Comma;
        value
    }

    /// Returns how many bytes have been looked at.
    #[cfg(test)]
    pub(crate) fn visited(&self) -> usize {
        self.at.max(self.peeked.get())
    }

    fn step(&mut self) -> Option<Cow<'a, str>> {
        match self.place {
            Place::Start => {}
            Place::Value => {
                self.value();
                self.punctuation(b',')?;
            }
            Place::Comma => self.punctuation(b',')?,
            Place::End => return None,
        }
        self.spaces();
        self.bytes[self.at..].first().filter(|byte| **byte == b'"')?;
        let key = Raw::first(&self.bytes[self.at..]);
        self.at += key.bytes.len();
        self.punctuation(b':')?;
        self.spaces();
        self.place = Place::Value;
        // A key that cannot be read is nobody's: it is yielded as one that nobody asks for.
        Some(key.text().unwrap_or_default())
    }

    fn punctuation(&mut self, expected: u8) -> Option<()> {
        self.spaces();
        let found = *self.bytes.get(self.at)?;
        self.at += 1;
        (found == expected).then_some(())
    }

    fn spaces(&mut self) {
        self.at = self.bytes.len() - self.bytes[self.at..].trim_ascii_start().len();
    }
}

/// Returns the first `max_bytes` bytes of a text, or as many fewer as keep the last character whole.
pub(crate) fn start(text: &str, max_bytes: usize) -> &str {
    let end = (0..=max_bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Vec<(String, String)> {
        let mut members = Members::new(text.as_bytes()).unwrap();
        let mut all = Vec::new();
        while let Some(key) = members.next_key() {
            let value = String::from_utf8_lossy(members.value().bytes).into_owned();
            all.push((key.into_owned(), value));
        }
        all
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn yields_every_member_with_its_value_as_it_stands() {
        let text =
            "{ \"a\" : 1 ,\"b\":\"x,}\\\"y\", \"c\":{\"d\":[\"]\",{}]},\n\"\\u0065\":null}tail";
        let expected = [pair("a", "1"), pair("b", "\"x,}\\\"y\""), pair("c", "{\"d\":[\"]\",{}]}")];
        assert_eq!(members(text)[..3], expected);
        assert_eq!(members(text)[3], pair("e", "null"));
        assert_eq!(members(text).len(), 4);
    }

    #[test]
    fn a_cut_anywhere_keeps_what_stands_before_it() {
        let text = r#"{"code":-2001,"message":"失败 \ud83d\ude00","data":{"a":[1]}}"#;
        for end in 1..text.len() {
            let mut members = Members::new(&text.as_bytes()[..end]).unwrap();
            while let Some(key) = members.next_key() {
                let value = members.value();
                match &*key {
                    "code" => assert!(value.integer().is_none_or(|code| code == -2001)),
                    "message" => {
                        assert!(value.text().is_none_or(|text| "失败 😀".starts_with(&*text)));
                    }
                    _ => {}
                }
            }
        }
        let cut = Members::new(&text.as_bytes()[..30]).map(|mut members| {
            members.next_key();
            members.next_key();
            members.value().text().unwrap().into_owned()
        });
        assert_eq!(cut.as_deref(), Some("失"));
    }

    #[test]
    fn values_that_nobody_asks_for_are_not_read() {
        let text = format!("{{\"choices\":[{}", "1,".repeat(1000));
        let mut members = Members::new(text.as_bytes()).unwrap();
        assert_eq!(members.next_key().as_deref(), Some("choices"));
        assert_eq!(members.visited(), "{\"choices\":".len());
    }

    #[test]
    fn nesting_costs_no_stack() {
        let text = format!("{{\"a\":{}", "[".repeat(1 << 20));
        let mut members = Members::new(text.as_bytes()).unwrap();
        members.next_key();
        members.value();
        assert_eq!(members.next_key(), None);
    }
}
