#[cfg(any(feature = "rate-limit", test))]
use http::HeaderMap;

use super::{
    Usage,
    count::Counts,
    data_lines::{DataLines, Piece},
    object::Object,
    search::{Search, USAGE},
};
use crate::body::described::{Content, Described};

/// Finds what an answer says it has used, in the chunks of its body.
#[derive(Debug)]
pub(crate) struct UsageTap {
    /// Where in the stream it is; `None` if the body is one text.
    lines: Option<DataLines>,
    json: Json,
}

/// Whoever reads the texts of JSON in a body, too.
pub(super) trait ReadTexts {
    /// Reads the next piece of a text.
    fn read(&mut self, text: &[u8]);

    /// Takes notice that another text begins.
    fn start_again(&mut self);
}

/// Nobody.
impl ReadTexts for () {
    fn read(&mut self, _: &[u8]) {}

    fn start_again(&mut self) {}
}

/// What is read of texts of JSON, one after the other.
#[derive(Debug)]
struct Json {
    place: Place,
    counts: Counts,
}

/// Where in a text it is.
#[derive(Debug)]
enum Place {
    /// Anywhere but in `usage`.
    Elsewhere(Search),
    /// Behind the name, if it is one and not a text.
    AfterName,
    /// Behind the name's colon.
    BeforeValue,
    Inside(Object),
}

impl UsageTap {
    /// Returns a tap for a body whose head has these fields; `None` if no usage could be read
    /// there: it is neither JSON nor an event stream, or it is compressed.
    #[cfg(any(feature = "rate-limit", test))]
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::described(Described::by(headers))
    }

    /// The same, of a head that was read.
    pub(crate) fn described(described: Described) -> Option<Self> {
        let lines = match described.content {
            _ if described.is_encoded => return None,
            Content::Json => None,
            Content::EventStream => Some(DataLines::default()),
            Content::Grpc | Content::JsonFrames | Content::Page | Content::Other => return None,
        };
        let json = Json { place: Place::start(), counts: Counts::default() };
        Some(Self { lines, json })
    }

    /// Reads the next chunk of the body.
    #[cfg(any(feature = "rate-limit", test))]
    pub(crate) fn read(&mut self, chunk: &[u8]) {
        self.read_with(chunk, &mut ());
    }

    /// Reads the next chunk of the body, and so does another.
    pub(super) fn read_with(&mut self, mut chunk: &[u8], other: &mut impl ReadTexts) {
        let Some(lines) = &mut self.lines else {
            other.read(chunk);
            return self.json.read(chunk);
        };
        while let Some(piece) = lines.next(&mut chunk) {
            match piece {
                Piece::Data(text) => {
                    other.read(text);
                    self.json.read(text);
                }
                Piece::LineEnd => self.json.read_line_end(),
                Piece::EventEnd => {
                    other.start_again();
                    self.json.place = Place::start();
                }
            }
        }
    }

    /// Returns what the body has said until now; `None` if it has said nothing. What is not
    /// complete, as where a body was cut, is not believed.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.json.counts.usage()
    }
}

impl Json {
    fn read(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            text = match &mut self.place {
                // Elsewhere => (Elsewhere | AfterName)
                Place::Elsewhere(search) => match search.read(text) {
                    Some(rest) => {
                        self.place = Place::AfterName;
                        rest
                    }
                    None => return,
                },
                // AfterName => (BeforeValue | Elsewhere)
                Place::AfterName => self.expect(b':', text, Place::BeforeValue),
                // BeforeValue => (Inside | Elsewhere); `null`, for one, is passed over.
                Place::BeforeValue => self.expect(b'{', text, Place::Inside(Object::default())),
                // Inside => (Inside | Elsewhere)
                Place::Inside(object) => match object.read(text) {
                    Some((counts, rest)) => {
                        self.counts.update(counts);
                        self.place = Place::start();
                        rest
                    }
                    None => return,
                },
            }
        }
    }

    fn read_line_end(&mut self) {
        // It is white space, which matters to a number alone.
        if matches!(self.place, Place::Inside(_)) {
            self.read(b"\n");
        }
    }

    /// Goes over white space and to `next` if `byte` comes then, else back to where it began.
    fn expect<'a>(&mut self, byte: u8, text: &'a [u8], next: Place) -> &'a [u8] {
        let text = text.trim_ascii_start();
        match text.split_first() {
            Some((first, rest)) if *first == byte => {
                self.place = next;
                return rest;
            }
            Some(_) => self.place = Place::start(),
            None => {}
        }
        text
    }
}

impl Place {
    const fn start() -> Self {
        Self::Elsewhere(Search::new(&USAGE))
    }
}
