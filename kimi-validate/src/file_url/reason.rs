use std::{error::Error as StdError, fmt};

use kimi_errors::{Error, ErrorKind, Lang};
use serde_json::json;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $reason:ident $name:literal $zh:literal $en:literal,)+) => {
        /// Why a file URL is refused. Its [code](Self::as_str) is stable.
        ///
        /// | code | what is wrong |
        /// |---|---|
        $(#[doc = concat!("| `", $name, "` |", $($doc,)+ " |")])+
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[doc = $doc])+ $reason,)+
        }

        impl Reason {
            /// Every reason, in the order in which they are looked for.
            pub const ALL: &'static [Self] = &[$(Self::$reason),+];

            /// Returns the code on the wire, such as `single_label`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)+
                }
            }

            /// Returns what is wrong, for people: part of a line, without a full stop. It quotes
            /// nothing of the URL, in which passwords and signatures stand.
            #[must_use]
            pub const fn message(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $(
                        (Self::$reason, Lang::Zh) => $zh,
                        (Self::$reason, _) => $en,
                    )+
                }
            }
        }
    };
}

reasons! {
    /// There is no text.
    Empty "empty" "URL不能为空" "it is empty",
    /// The URL is longer than the policy allows.
    TooLong "too_long" "URL过长" "it is too long",
    /// A control character, a tab, a line break, or a mark that turns the direction of writing.
    Control "control" "URL不能含有控制字符" "it has control characters",
    /// A space, of ASCII or another script's.
    Whitespace "whitespace" "URL不能含有空格" "it has spaces",
    /// A backslash, which browsers take for a slash and others do not.
    Backslash "backslash" "URL不能含有反斜杠" "it has a backslash",
    /// Neither `http`, `https` nor `data`, or one that the policy does not allow.
    Scheme "scheme" "URL必须以http://或https://开头" "it must begin with http:// or https://",
    /// Not exactly two slashes after the scheme.
    Slashes "slashes" "http:或https:之后必须正好是两个斜杠" "two slashes must follow the scheme",
    /// There is a user name, a password, or an `@` before the host.
    Userinfo "userinfo" "URL不能含有用户名或密码" "it must not carry a user name or a password",
    /// Port 0, one that the policy does not allow, or one that is not written as a plain number.
    Port "port" "URL的端口不被允许" "its port is not allowed",
    /// No URL by WHATWG's rules: host, port or percent-encoding is malformed.
    Syntax "syntax" "URL格式不正确" "it is not well formed",
    /// A host that only reads as one after repair: an IPv4 address in octal, in hexadecimal or
    /// with parts left out, full-width letters, digits or dots, percent-encoding.
    HostForm "host_form" "URL的主机写法不规范" "its host is written in an ambiguous form",
    /// A host name with an empty or too long label, a trailing dot, or characters of no host name.
    HostName "host_name" "URL的主机名不正确" "its host name is not well formed",
    /// A name of one label, which only a local network knows.
    SingleLabel "single_label" "URL的主机名必须是完整域名" "its host must be a full domain name",
    /// A name of the machine or of a local network, such as `localhost` or one below `.internal`.
    LocalName "local_name" "URL的主机名不是公网域名" "its host is a name of a local network",
    /// A name or an address under which clouds tell a machine its credentials.
    Metadata "metadata" "URL指向云主机元数据服务" "its host is a metadata service",
    /// An address that is not a public host's.
    Address "address" "URL的地址不是公网地址" "its address is not a public one",
    /// A host on the policy's list of those denied.
    HostDenied "host_denied" "URL的主机被禁止" "its host is denied",
    /// A host missing from the policy's list of those allowed.
    HostNotAllowed "host_not_allowed" "URL的主机不在允许范围内" "its host is not among those allowed",
    /// A `data:` URL without a comma, or with a malformed media type.
    DataSyntax "data_syntax" "data URL格式不正确" "the data URL is not well formed",
    /// A `data:` URL that is not in base64.
    DataEncoding "data_encoding" "data URL必须使用base64编码" "the data URL must be in base64",
    /// What follows the comma is no base64, RFC 4648 §4.
    Base64 "base64" "data URL的base64内容不正确" "the data of the data URL is not base64",
    /// One more file to be fetched than a request may name, [64](crate::limits::MAX_REMOTE_FILES).
    TooManyFiles "too_many_files" "请求中的远程文件过多" "the request names too many remote files",
    /// A redirect that may not be followed: one too many, without a target, from https to http, or
    /// to what would be refused by itself.
    Redirect "redirect" "文件URL的重定向不被允许" "it redirects to where it may not",
    /// The file was not to be had. Whatever the cause, from a name that does not resolve to an
    /// answer of 500, there is this one reason, so that nobody can map a network with it.
    Unreachable "unreachable" "无法访问文件" "the file cannot be reached",
    /// The file comes compressed though that was not asked for, so that nobody knows how large it is.
    Encoded "encoded" "文件以压缩编码传输，无法确认大小" "the file comes compressed, so that its size is not known",
    /// The type of the file is not among those allowed.
    MediaType "media_type" "不支持的文件类型" "its file type is not supported",
    /// The file is larger than the limit. Answered with -2004 and 413, all others with -2003 and 400.
    TooLarge "too_large" "文件超出大小限制" "the file is larger than the limit",
}

impl Reason {
    /// Returns the reason with this code, for whoever reads an answer: newer servers may know more.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == code)
    }

    /// Returns the kind of its error: `FileTooLarge` of [`TooLarge`](Self::TooLarge), of all others
    /// `FileUrlInvalid`.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::TooLarge => ErrorKind::FileTooLarge,
            _ => ErrorKind::FileUrlInvalid,
        }
    }

    /// Returns the error to refuse the request with.
    ///
    /// ```
    /// use kimi_errors::{Dialect, Lang};
    /// use kimi_validate::file_url::Reason;
    ///
    /// let error = Reason::Userinfo.into_error(Lang::Zh);
    /// assert_eq!((error.errcode(), error.status()), (-2003, 400));
    /// assert_eq!(
    ///     String::from_utf8_lossy(&Dialect::Errcode.body(&error)),
    ///     concat!(
    ///         r#"{"errcode":-2003,"errmsg":"远程文件URL非法：URL不能含有用户名或密码","#,
    ///         r#""data":{"reason":"userinfo"}}"#,
    ///     ),
    /// );
    /// let typed: Option<&Reason> = kimi_errors::chain::find(&error);
    /// assert_eq!(typed, Some(&Reason::Userinfo));
    /// ```
    #[must_use]
    pub fn into_error(self, lang: Lang) -> Error {
        let kind = self.kind();
        let colon = if lang == Lang::Zh { "：" } else { ": " };
        let message = [kind.message(lang), colon, self.message(lang)].concat();
        Error::new(kind)
            .with_lang(lang)
            .with_message(message)
            .with_data(json!({ "reason": self.as_str() }))
            .with_source(self)
    }
}

/// Writes the English message and the code: `its port is not allowed (port)`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message(Lang::En), self.as_str())
    }
}

impl StdError for Reason {}

#[cfg(test)]
mod tests {
    use super::*;

    /// They are promised to be stable, so that a change is made here too, and on purpose.
    #[test]
    fn codes_are_stable_and_read_back() {
        let codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        let promised = "empty too_long control whitespace backslash scheme slashes userinfo port \
            syntax host_form host_name single_label local_name metadata address host_denied \
            host_not_allowed data_syntax data_encoding base64 too_many_files redirect unreachable encoded media_type \
            too_large";
        assert_eq!(codes.join(" "), promised);
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.as_str()), Some(*reason));
        }
        assert_eq!(Reason::from_code("of_tomorrow"), None);
    }

    #[test]
    fn only_a_size_is_answered_with_413() {
        for reason in Reason::ALL {
            let error = reason.into_error(Lang::En);
            let expected = if *reason == Reason::TooLarge { (-2004, 413) } else { (-2003, 400) };
            assert_eq!((error.errcode(), error.status()), expected, "{reason}");
            assert_eq!(error.data().unwrap()["reason"], reason.as_str());
        }
    }

    #[test]
    fn messages_are_in_their_language_and_pass_unchanged() {
        for reason in Reason::ALL {
            let (zh, en) = (reason.message(Lang::Zh), reason.message(Lang::En));
            assert!(en.is_ascii() && !zh.is_ascii(), "{reason}");
            assert!(!en.ends_with('.') && !zh.ends_with('。'), "{reason}");
            // No cleaning of the public message takes anything out of it.
            assert!(reason.into_error(Lang::En).message().ends_with(en), "{reason}");
            assert!(reason.into_error(Lang::Zh).message().ends_with(zh), "{reason}");
        }
    }
}
