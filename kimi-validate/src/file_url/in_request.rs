//! The file URLs of a chat request.

use std::{error::Error as StdError, fmt};

use kimi_errors::{Error, Lang};
use serde_json::{Value, json};

use super::{FileUrl, Reason, RemoteUrl, UrlPolicy};
use crate::{
    ChatRequest,
    limits::{MAX_REMOTE_FILES, MAX_REPORTED},
    violation,
};

/// A file of a chat request that is to be fetched, and its place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RemoteFile {
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// Where it is.
    pub url: RemoteUrl,
}

/// A file of a chat request that is refused: its place, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileViolation {
    pointer: String,
    reason: Reason,
}

/// All files of a chat request that are refused, in the order of the input: at least one.
///
/// At most [32](MAX_REPORTED) are kept, and the others counted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileViolations {
    /// Never empty.
    list: Vec<FileViolation>,
    truncated: usize,
}

impl<B: AsRef<[u8]>> ChatRequest<B> {
    /// Judges the URLs of all [`files`](Self::files), and returns those that are to be fetched.
    ///
    /// `ms://…`, which names a file that Kimi's platform has already, is let through: nobody fetches
    /// it. Of those to be fetched, one after the [64th](MAX_REMOTE_FILES) is refused, also if it is
    /// the same again. However many a request names, no more than these and 32 refused are kept.
    ///
    /// ```
    /// use kimi_errors::Lang;
    /// use kimi_validate::{ChatRequest, Profile, file_url::{Reason, UrlPolicy}};
    ///
    /// let body = br#"{"model":"kimi","messages":[{"role":"user","content":[
    ///     {"type":"file","file_url":{"url":"http://10.0.0.1/a.pdf"}}]}]}"#;
    /// let request = ChatRequest::parse(body, &Profile::free_api())?;
    /// let refused = request.check_files(&UrlPolicy::new()).unwrap_err();
    /// let first = refused.first();
    /// assert_eq!((first.pointer(), first.reason()), ("/messages/0/content/0/file_url/url", Reason::Address));
    /// let error = refused.into_error(Lang::Zh);
    /// assert_eq!((error.errcode(), error.param()), (-2003, Some("messages[0].content[0].file_url.url")));
    /// # Ok::<(), kimi_validate::Violations>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All files that are refused.
    pub fn check_files(&self, policy: &UrlPolicy) -> Result<Vec<RemoteFile>, FileViolations> {
        let mut remote = Vec::new();
        let mut refused = FileViolations { list: Vec::new(), truncated: 0 };
        self.each_file(&mut |file| {
            let text = file.value();
            if text.starts_with("ms://") {
                return;
            }
            match FileUrl::parse(&text, policy) {
                Ok(FileUrl::Remote(url)) if remote.len() < MAX_REMOTE_FILES => {
                    remote.push(RemoteFile { pointer: file.pointer(), url });
                }
                Ok(FileUrl::Remote(_)) => refused.add(|| file.pointer(), Reason::TooManyFiles),
                Ok(FileUrl::Data(_)) => {}
                Err(reason) => refused.add(|| file.pointer(), reason),
            }
        });
        if refused.list.is_empty() { Ok(remote) } else { Err(refused) }
    }
}

impl FileViolation {
    /// Returns its place as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Returns why it is refused.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

impl FileViolations {
    /// Takes places and reasons in the order of the input; `None` if there are none.
    #[must_use]
    pub fn new(refused: impl IntoIterator<Item = (String, Reason)>) -> Option<Self> {
        let mut refused =
            refused.into_iter().map(|(pointer, reason)| FileViolation { pointer, reason });
        let list: Vec<_> = refused.by_ref().take(MAX_REPORTED).collect();
        (!list.is_empty()).then(|| Self { list, truncated: refused.count() })
    }

    /// Keeps one of the first 32, and counts the others, whose places nobody asks for.
    fn add(&mut self, pointer: impl FnOnce() -> String, reason: Reason) {
        if self.list.len() < MAX_REPORTED {
            self.list.push(FileViolation { pointer: pointer(), reason });
        } else {
            self.truncated += 1;
        }
    }

    /// Returns them, in the order of the input.
    #[must_use]
    pub fn as_slice(&self) -> &[FileViolation] {
        &self.list
    }

    /// Returns the first. There is always one.
    #[must_use]
    pub fn first(&self) -> &FileViolation {
        &self.list[0]
    }

    /// Returns how many more there are than are listed.
    #[must_use]
    pub fn truncated(&self) -> usize {
        self.truncated
    }

    /// Returns the error to refuse the request with: of the kind of the first, -2003 with 400 or -2004
    /// with 413. Its `data` has all:
    ///
    /// ```json
    /// {
    ///   "limit": 32,
    ///   "reason": "address",
    ///   "truncated": 0,
    ///   "violations": [
    ///     {
    ///       "message": "URL的地址不是公网地址",
    ///       "pointer": "/messages/0/content/0/file_url/url",
    ///       "reason": "address"
    ///     }
    ///   ]
    /// }
    /// ```
    ///
    /// `reason` is that of the first, a [`Reason::as_str`].
    #[must_use]
    pub fn into_error(self, lang: Lang) -> Error {
        let first = self.first();
        let (kind, message, pointer) =
            (first.reason.kind(), first.reason.message(lang), &first.pointer);
        let others = self.list.len() - 1 + self.truncated;
        let message = match (lang, others) {
            (Lang::Zh, 0) => format!("{}：{message}（{pointer}）", kind.message(lang)),
            (Lang::Zh, _) => {
                format!("{}：{message}（{pointer}），另有{others}处错误", kind.message(lang))
            }
            (_, 0) => format!("{}: {message} ({pointer})", kind.message(lang)),
            _ => format!("{}: {message} ({pointer}), and {others} more", kind.message(lang)),
        };
        let param = violation::param(pointer).unwrap_or_default();
        Error::new(kind)
            .with_lang(lang)
            .with_message(message)
            .with_param(&param)
            .with_data(self.to_data(lang))
            .with_source(self)
    }

    fn to_data(&self, lang: Lang) -> Value {
        let list: Vec<_> = self
            .list
            .iter()
            .map(|it| {
                json!({
                    "message": it.reason.message(lang),
                    "pointer": it.pointer,
                    "reason": it.reason.as_str(),
                })
            })
            .collect();
        json!({
            "limit": MAX_REPORTED,
            "reason": self.first().reason.as_str(),
            "truncated": self.truncated,
            "violations": list,
        })
    }
}

/// Writes the first, and how many more there are.
impl fmt::Display for FileViolations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.first().pointer, self.first().reason)?;
        match self.list.len() - 1 + self.truncated {
            0 => Ok(()),
            others => write!(f, " (and {others} more)"),
        }
    }
}

impl StdError for FileViolations {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn all_are_judged_and_those_to_be_fetched_come_back() {
        let body = r#"{"model":"m","file_url":"https://example.com/a","messages":[{"role":"user","content":[
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
            {"type":"file","file_url":{"url":"https:\/\/example.com\/b"}}]}]}"#;
        let request = ChatRequest::parse(body, &Profile::free_api()).unwrap();
        let files = request.check_files(&UrlPolicy::new()).unwrap();
        let files: Vec<_> = files.iter().map(|it| (&*it.pointer, it.url.as_str())).collect();
        let expected = [
            ("/file_url", "https://example.com/a"),
            ("/messages/0/content/1/file_url/url", "https://example.com/b"),
        ];
        assert_eq!(files, expected);

        let refused = request.check_files(&UrlPolicy::new().with_max_data_bytes(2)).unwrap_err();
        let error = refused.into_error(Lang::En);
        assert_eq!((error.errcode(), error.status()), (-2004, 413));
    }

    #[test]
    fn the_first_are_listed_and_the_others_counted() {
        let refused = (0..40).map(|index| (format!("/{index}"), Reason::Port));
        let refused = FileViolations::new(refused).unwrap();
        assert_eq!((refused.as_slice().len(), refused.truncated()), (32, 8));
        let error = refused.into_error(Lang::En);
        assert!(error.message().ends_with("its port is not allowed (/0), and 39 more"));
        assert_eq!(error.data().unwrap()["violations"].as_array().unwrap().len(), 32);
        assert_eq!(FileViolations::new([]), None);
    }

    /// A request of so many messages, each with 1 000 times this file.
    fn naming(messages: usize, url: &str) -> Vec<u8> {
        let part = format!(r#"{{"type":"file","file_url":{{"url":"{url}"}}}}"#);
        let message = format!(r#"{{"role":"user","content":[{}]}}"#, vec![part; 1_000].join(","));
        let messages = vec![message; messages].join(",");
        format!(r#"{{"model":"m","messages":[{messages}]}}"#).into_bytes()
    }

    #[test]
    fn sixty_four_files_are_fetched_and_one_more_is_refused() {
        let request = ChatRequest::parse(naming(2, "http://a.com/"), &Profile::free_api()).unwrap();
        let refused = request.check_files(&UrlPolicy::new()).unwrap_err();
        assert_eq!(refused.first().pointer(), "/messages/0/content/64/file_url/url");
        assert_eq!(refused.first().reason(), Reason::TooManyFiles);
        assert_eq!((refused.as_slice().len(), refused.truncated()), (32, 2_000 - 64 - 32));

        let url = format!(
            "http://a.com/\"}}}}{}",
            r#",{"type":"file","file_url":{"url":"http://a.com/"}}"#.repeat(63)
        );
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"file","file_url":{{"url":"{url}]}}]}}"#
        );
        let request = ChatRequest::parse(body, &Profile::free_api()).unwrap();
        assert_eq!(request.check_files(&UrlPolicy::new()).unwrap().len(), 64);
    }

    /// Nobody is to fetch these, and they are not counted.
    #[test]
    fn any_number_of_data_urls_is_let_through() {
        for url in ["data:image/png;base64,AAAA", "ms://a"] {
            let request = ChatRequest::parse(naming(2, url), &Profile::free_api()).unwrap();
            assert_eq!(request.check_files(&UrlPolicy::new()).unwrap().len(), 0);
        }
    }

    #[test]
    fn a_file_of_the_platform_is_not_fetched() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":[
            {"type":"image_url","image_url":"ms://10.0.0.1"}]}]}"#;
        let request = ChatRequest::parse(body, &Profile::platform()).unwrap();
        assert!(request.check_files(&UrlPolicy::new()).unwrap().is_empty());
    }
}
