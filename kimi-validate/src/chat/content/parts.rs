use std::{borrow::Cow, fmt};

use crate::{
    chat::Part,
    json::{Fault, JsonType, Scanner, Str, unescape},
    limits::MAX_DEPTH,
};

/// The parts of a [`Content`](crate::Content), read as they are asked for.
#[must_use = "it does nothing unless it is iterated over"]
pub struct Parts<'a> {
    text: Option<&'a [u8]>,
    /// Where in the array it is; `None` at its end.
    list: Option<Scanner<'a>>,
    is_first: bool,
    /// How many items were read, known or not.
    index: usize,
}

impl<'a> Parts<'a> {
    /// Takes a value, and what stands between its quotes if it is a text.
    pub(super) fn new(raw: &'a [u8], text: Option<&'a [u8]>) -> Self {
        let mut scanner = Scanner::new(raw, MAX_DEPTH);
        let is_list = scanner.value() == Ok(JsonType::Array) && scanner.enter().is_ok();
        Self { text, list: is_list.then_some(scanner), is_first: true, index: 0 }
    }

    fn read(&mut self) -> Result<Option<ContentPart<'a>>, Fault> {
        let Some(scanner) = &mut self.list else {
            return Ok(None);
        };
        // A part of no known kind has no place in a valid message, but must not end the others.
        while scanner.next_item(self.is_first)? {
            self.is_first = false;
            let index = self.index;
            self.index += 1;
            if let Some(part) = read_part(scanner, index)? {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = ContentPart<'a>;

    fn next(&mut self) -> Option<ContentPart<'a>> {
        if let Some(raw) = self.text.take() {
            let place = PartPlace { index: 0, offset: 1, is_wrapped: false };
            return Some(ContentPart { kind: Part::Text, raw, place });
        }
        let part = self.read().unwrap_or_default();
        if part.is_none() {
            self.list = None;
        }
        part
    }
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// One part of a [`Content`](crate::Content).
#[derive(Clone, Copy)]
pub struct ContentPart<'a> {
    kind: Part,
    /// What stands between the quotes.
    raw: &'a [u8],
    place: PartPlace,
}

/// Where the value of a part stands.
#[derive(Clone, Copy)]
struct PartPlace {
    /// Of the item in the list.
    index: usize,
    /// From the beginning of the content.
    offset: usize,
    /// In an object's `url`.
    is_wrapped: bool,
}

impl<'a> ContentPart<'a> {
    /// Returns what it is.
    #[must_use]
    pub fn kind(&self) -> Part {
        self.kind
    }

    /// Returns its text, or the URL of its image, video or file; copied only if there is an escape
    /// in it.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        unescape(self.raw)
    }

    pub(in crate::chat) fn index(&self) -> usize {
        self.place.index
    }

    pub(in crate::chat) fn offset(&self) -> usize {
        self.place.offset
    }

    pub(in crate::chat) fn is_wrapped(&self) -> bool {
        self.place.is_wrapped
    }

    pub(in crate::chat) fn raw(&self) -> &'a [u8] {
        self.raw
    }
}

/// Shows how long it is, not what it says.
impl fmt::Debug for ContentPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentPart")
            .field("kind", &self.kind)
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

/// Reads an item of the list. Its members may come in any order, so that all are looked at before
/// its type says which of them counts.
fn read_part<'a>(
    scanner: &mut Scanner<'a>,
    index: usize,
) -> Result<Option<ContentPart<'a>>, Fault> {
    if scanner.value()? != JsonType::Object {
        scanner.skip()?;
        return Ok(None);
    }
    let text = scanner.text();
    let mut kind = None;
    let mut values = [None; Part::ALL.len()];
    scanner.enter()?;
    let mut is_first = true;
    while let Some(name) = scanner.next_name(is_first)? {
        is_first = false;
        let value = scanner.value()?;
        if scanner.is(name, "type") && value == JsonType::String {
            let found = scanner.string()?;
            kind = Part::ALL.iter().position(|part| scanner.is(found, part.name()));
        } else if let Some(member) =
            Part::ALL.iter().position(|part| scanner.is(name, part.member()))
        {
            values[member] = read_value(scanner, value)?.map(|it| (it, value == JsonType::Object));
        } else {
            scanner.skip()?;
        }
    }
    let part = kind.and_then(|kind| Some((Part::ALL[kind], values[kind]?)));
    Ok(part.and_then(|(kind, (Str { start, end, .. }, is_wrapped))| {
        let place = PartPlace { index, offset: start, is_wrapped };
        text.get(start..end).map(|raw| ContentPart { kind, raw, place })
    }))
}

/// Reads a text, or that in an object's `url`.
fn read_value(scanner: &mut Scanner<'_>, kind: JsonType) -> Result<Option<Str>, Fault> {
    if kind == JsonType::String {
        return scanner.string().map(Some);
    }
    if kind != JsonType::Object {
        scanner.skip()?;
        return Ok(None);
    }
    let mut url = None;
    scanner.enter()?;
    let mut is_first = true;
    while let Some(name) = scanner.next_name(is_first)? {
        is_first = false;
        if scanner.value()? == JsonType::String && scanner.is(name, "url") {
            url = Some(scanner.string()?);
        } else {
            scanner.skip()?;
        }
    }
    Ok(url)
}
