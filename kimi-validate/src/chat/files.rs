//! The files that a request names, read when it is asked for them.

use std::{borrow::Cow, fmt};

use super::{Part, content::Content, request::ChatRequest};
use crate::{
    json::{Fault, JsonType, Scanner, Str, unescape},
    limits::MAX_DEPTH,
};

/// A file that a request names, and where.
///
/// These are the URLs of content parts that are images, videos or files, and the `file_url` of the
/// request itself, which the article has in an example.
#[derive(Clone, Copy)]
pub struct FileRef<'a> {
    place: Place,
    raw: &'a [u8],
    offset: usize,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Index of the message and of the part; `None` for the request's own.
    part: Option<(usize, usize)>,
    kind: Part,
    /// In an object's `url`.
    is_wrapped: bool,
}

impl<'a> FileRef<'a> {
    /// Returns its place as a JSON pointer, such as `/messages/0/content/1/image_url/url`.
    #[must_use]
    pub fn pointer(&self) -> String {
        let Place { part, kind, is_wrapped } = self.place;
        let within = part.map(|(message, part)| format!("/messages/{message}/content/{part}"));
        let url = if is_wrapped { "/url" } else { "" };
        [within.as_deref().unwrap_or_default(), "/", kind.member(), url].concat()
    }

    /// Returns where it begins, in bytes of the body, behind its opening quote.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Returns what the part is; `File` for the `file_url` of the request.
    #[must_use]
    pub fn kind(&self) -> Part {
        self.place.kind
    }

    /// Returns the URL as it stands there, copied only if there is an escape in it.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        unescape(self.raw)
    }
}

/// Shows where it is, not what it is.
impl fmt::Debug for FileRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileRef").field("pointer", &self.pointer()).finish_non_exhaustive()
    }
}

impl<B: AsRef<[u8]>> ChatRequest<B> {
    /// Returns the files that the request names, in the order of the input. They are read when they are
    /// asked for: a request without any takes no allocation.
    ///
    /// ```
    /// use kimi_validate::{ChatRequest, Profile};
    ///
    /// let body = br#"{"model":"kimi","messages":[{"role":"user","content":[
    ///     {"type":"file","file_url":{"url":"https://example.com/a.pdf"}},
    ///     {"type":"text","text":"What does it say?"}
    /// ]}]}"#;
    /// let request = ChatRequest::parse(body, &Profile::free_api())?;
    /// let files = request.files();
    /// assert_eq!(files.len(), 1);
    /// assert_eq!(files[0].pointer(), "/messages/0/content/0/file_url/url");
    /// assert_eq!(files[0].value(), "https://example.com/a.pdf");
    /// # Ok::<(), kimi_validate::Violations>(())
    /// ```
    #[must_use]
    pub fn files(&self) -> Vec<FileRef<'_>> {
        let mut files = Vec::new();
        self.each_file(&mut |file| files.push(file));
        files
    }

    /// Hands over the same files one by one: a body of 100 MiB may name millions.
    pub(crate) fn each_file<'a>(&'a self, found: &mut dyn FnMut(FileRef<'a>)) {
        // A request that exists is well formed.
        let walked = self.walk(found);
        debug_assert!(walked.is_ok(), "a request that exists is well formed: {walked:?}");
    }

    /// Reads the messages, and the `file_url` around them. No profile judges that, so that it may
    /// stand there several times: each is one.
    fn walk<'a>(&'a self, found: &mut dyn FnMut(FileRef<'a>)) -> Result<(), Fault> {
        let text = self.as_bytes();
        let mut scanner = Scanner::new(text, MAX_DEPTH);
        scanner.value()?;
        scanner.enter()?;
        let mut is_first = true;
        while let Some(name) = scanner.next_name(is_first)? {
            is_first = false;
            match scanner.value()? {
                // As `answer_limits` does: they were read.
                JsonType::Array if scanner.is(name, "messages") => {
                    scanner.enter()?;
                    scanner.go_on_from(self.of_messages(found));
                    scanner.next_item(false)?;
                }
                JsonType::String if scanner.is(name, Part::File.member()) => {
                    own(text, scanner.string()?, false).map(&mut *found);
                }
                JsonType::Object if scanner.is(name, Part::File.member()) => {
                    of_object(&mut scanner, found)?;
                }
                _ => scanner.skip()?,
            }
        }
        Ok(())
    }

    /// Returns where the last message ends.
    fn of_messages<'a>(&'a self, found: &mut dyn FnMut(FileRef<'a>)) -> usize {
        let mut end = 0;
        for (index, message) in self.messages().enumerate() {
            end = message.range().end;
            of_content(message.content(), index, message.content_start(), found);
        }
        end
    }
}

fn of_content<'a>(
    content: Content<'a>,
    message: usize,
    start: usize,
    found: &mut dyn FnMut(FileRef<'a>),
) {
    for part in content.parts().filter(|part| part.kind() != Part::Text) {
        let place = Place {
            part: Some((message, part.index())),
            kind: part.kind(),
            is_wrapped: part.is_wrapped(),
        };
        found(FileRef { place, raw: part.raw(), offset: start + part.offset() });
    }
}

fn of_object<'a>(
    scanner: &mut Scanner<'a>,
    found: &mut dyn FnMut(FileRef<'a>),
) -> Result<(), Fault> {
    scanner.enter()?;
    let mut is_first = true;
    while let Some(name) = scanner.next_name(is_first)? {
        is_first = false;
        if scanner.value()? == JsonType::String && scanner.is(name, "url") {
            own(scanner.text(), scanner.string()?, true).map(&mut *found);
        } else {
            scanner.skip()?;
        }
    }
    Ok(())
}

fn own(text: &[u8], value: Str, is_wrapped: bool) -> Option<FileRef<'_>> {
    let raw = text.get(value.start..value.end)?;
    let place = Place { part: None, kind: Part::File, is_wrapped };
    Some(FileRef { place, raw, offset: value.start })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn files(body: &str, profile: &Profile) -> Vec<(String, String)> {
        let request = ChatRequest::parse(body, profile).unwrap();
        let files = request.files();
        for file in &files {
            let at = &body[file.offset()..];
            assert_eq!(body.as_bytes()[file.offset() - 1], b'"');
            assert!(at.starts_with(std::str::from_utf8(file.raw).unwrap()));
            assert!(!format!("{file:?}").contains("u1"));
        }
        files.iter().map(|file| (file.pointer(), file.value().into_owned())).collect()
    }

    fn listed(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(pointer, value)| ((*pointer).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn files_stand_in_parts_and_in_the_request() {
        let body = r#" {"model":"m", "file_url":"u1", "messages" : [
            {"role":"user","content":"u9"},
            {"content":[{"type":"text","text":"u9"},{"type":"image_url","image_url":{"x":1,"url":"u\u0032"}},
                {"file_url":{"url":"u3"},"type":"file"}],"role":"user"}],
            "file_url":{"url":"u4","x":{"url":"u9"}}, "image_url":"u9"} "#;
        let expected = [
            ("/file_url", "u1"),
            ("/messages/1/content/1/image_url/url", "u2"),
            ("/messages/1/content/2/file_url/url", "u3"),
            ("/file_url/url", "u4"),
        ];
        assert_eq!(files(body, &Profile::free_api()), listed(&expected));
    }

    #[test]
    fn the_platform_has_urls_alone_too() {
        let body = r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":"ms://u1"},
            {"type":"video_url","video_url":{"url":"ms://u2"}}]}],"model":"m","file_url":7}"#;
        let expected = [
            ("/messages/0/content/0/image_url", "ms://u1"),
            ("/messages/0/content/1/video_url/url", "ms://u2"),
        ];
        assert_eq!(files(body, &Profile::platform()), listed(&expected));
    }

    #[test]
    fn a_request_of_texts_has_none() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"file_url"}]}"#;
        assert_eq!(files(body, &Profile::article()), []);
    }
}
