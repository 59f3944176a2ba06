use http::HeaderMap;

use super::{
    Usage,
    count::Counts,
    data_lines::{DataLines, Piece},
    object::Object,
    search::Search,
};
use crate::body::described::{Content, Described};

/// Finds what an answer says it has used, in the chunks of its body.
#[derive(Debug)]
pub(crate) struct UsageTap {
    /// Where in the stream it is; `None` if the body is one text.
    lines: Option<DataLines>,
    json: Json,
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
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let described = Described::by(headers);
        let lines = match described.content {
            _ if described.is_encoded => return None,
            Content::Json => None,
            Content::EventStream => Some(DataLines::default()),
            Content::Grpc | Content::JsonFrames | Content::Page | Content::Other => return None,
        };
        let json = Json { place: Place::START, counts: Counts::default() };
        Some(Self { lines, json })
    }

    /// Reads the next chunk of the body.
    pub(crate) fn read(&mut self, mut chunk: &[u8]) {
        let Some(lines) = &mut self.lines else {
            return self.json.read(chunk);
        };
        while let Some(piece) = lines.next(&mut chunk) {
            match piece {
                Piece::Data(text) => self.json.read(text),
                Piece::LineEnd => self.json.read_line_end(),
                Piece::EventEnd => self.json.place = Place::START,
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
                        self.place = Place::START;
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
            Some(_) => self.place = Place::START,
            None => {}
        }
        text
    }
}

impl Place {
    const START: Self = Self::Elsewhere(Search::NEW);
}
