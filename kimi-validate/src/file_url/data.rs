use super::{Reason, UrlPolicy};

/// A `data:` URL that is allowed: its type and its size. What it holds stays where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DataUrl {
    media_type: Box<str>,
    bytes: u64,
}

impl DataUrl {
    /// Judges what follows `data:`, RFC 2397: `image/png;base64,iVBORw0K…`.
    ///
    /// Of the data each character is looked at once, and nothing is decoded or copied.
    pub(super) fn parse(rest: &str, policy: &UrlPolicy) -> Result<Self, Reason> {
        let types = policy.data_types.as_ref().ok_or(Reason::Scheme)?;
        // A comma within a quoted parameter is refused with it: browsers end the type there.
        let head = rest.as_bytes().iter().take(MAX_HEAD_BYTES + 1);
        let comma = head.into_iter().position(|byte| *byte == b',').ok_or(Reason::DataSyntax)?;
        let (head, data) = (&rest[..comma], &rest[comma + 1..]);
        let Some((head, "base64")) = head.rsplit_once(';') else {
            return Err(Reason::DataEncoding);
        };
        let mut parts = head.split(';');
        let essence = parts.next().unwrap_or_default();
        let (top, sub) = essence.split_once('/').ok_or(Reason::DataSyntax)?;
        let is_parameter = |part: &str| match part.split_once('=') {
            Some((name, value)) => is_token(name) && is_token(value),
            None => false,
        };
        if !is_token(top) || !is_token(sub) || !parts.all(is_parameter) {
            return Err(Reason::DataSyntax);
        }
        let bytes = decoded_bytes(data.as_bytes())?;
        if bytes > policy.max_data_bytes {
            return Err(Reason::TooLarge);
        }
        is_alphabet(data.as_bytes())?;
        if !types.allows(essence) {
            return Err(Reason::MediaType);
        }
        Ok(Self { media_type: essence.to_ascii_lowercase().into(), bytes })
    }

    /// Returns its media type, in lower case and without parameters.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Returns how many bytes it holds when decoded.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The longest type with its parameters: 256 bytes. RFC 6838 §4.2 gives each half of a type 127.
const MAX_HEAD_BYTES: usize = 256;

/// Returns how much comes out of base64, by its length alone. RFC 4648 §4: four characters for
/// three bytes; the last four may be fewer, padded or not, as
/// <https://infra.spec.whatwg.org/#forgiving-base64> has it.
fn decoded_bytes(data: &[u8]) -> Result<u64, Reason> {
    let padding = data.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    let digits = data.len() - padding;
    let is_whole = match padding {
        0 => digits % 4 != 1,
        _ => data.len().is_multiple_of(4) && digits > 0,
    };
    if !is_whole {
        return Err(Reason::Base64);
    }
    let digits = digits as u64;
    Ok(digits / 4 * 3 + (digits % 4).saturating_sub(1))
}

/// Looks at every character. A loop without an exit is done on many at once, so that 100 MiB take
/// no longer than reading them.
fn is_alphabet(data: &[u8]) -> Result<(), Reason> {
    let digits = data.strip_suffix(b"==").or_else(|| data.strip_suffix(b"=")).unwrap_or(data);
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() | (*byte == b'+') | (*byte == b'/');
    let all =
        digits.chunks(4096).all(|chunk| chunk.iter().fold(true, |all, byte| all & is_digit(byte)));
    if all { Ok(()) } else { Err(Reason::Base64) }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_one)
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert_eq, proptest};

    use super::*;
    use crate::file_url::MediaTypes;

    fn judged(rest: &str) -> Result<(String, u64), Reason> {
        let policy = UrlPolicy::new().with_max_data_bytes(6);
        let url = DataUrl::parse(rest, &policy)?;
        Ok((url.media_type().to_owned(), url.bytes()))
    }

    #[test]
    fn a_data_url_has_a_type_and_a_size() {
        for (rest, expected) in [
            ("text/plain;base64,", 0),
            ("text/plain;base64,YQ==", 1),
            ("text/plain;base64,YQ", 1),
            ("text/plain;base64,YWI=", 2),
            ("text/plain;base64,YWJj", 3),
            ("TEXT/Plain;charset=utf-8;base64,YWJjZGVm", 6),
        ] {
            assert_eq!(judged(rest), Ok(("text/plain".to_owned(), expected)), "{rest}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for (rest, expected) in [
            ("", Reason::DataSyntax),
            ("text/plain;base64", Reason::DataSyntax),
            (",YQ==", Reason::DataEncoding),
            ("text/plain,a", Reason::DataEncoding),
            ("text/plain;base64;x=y,YQ==", Reason::DataEncoding),
            ("text/plain; base64,YQ==", Reason::DataEncoding),
            (";base64,YQ==", Reason::DataSyntax),
            ("text;base64,YQ==", Reason::DataSyntax),
            ("/plain;base64,YQ==", Reason::DataSyntax),
            ("text/;base64,YQ==", Reason::DataSyntax),
            ("text/pl ain;base64,YQ==", Reason::DataSyntax),
            ("text/plain;x;base64,YQ==", Reason::DataSyntax),
            ("text/plain;x=\"a\";base64,YQ==", Reason::DataSyntax),
            ("text/plain;base64,Y", Reason::Base64),
            ("text/plain;base64,YQ=", Reason::Base64),
            ("text/plain;base64,Y===", Reason::Base64),
            ("text/plain;base64,=", Reason::Base64),
            ("text/plain;base64,====", Reason::Base64),
            ("text/plain;base64,Y=Q=", Reason::Base64),
            ("text/plain;base64,YQ==\n", Reason::Base64),
            ("text/plain;base64,Y-_Q", Reason::Base64),
            ("text/plain;base64,YQ%3D", Reason::Base64),
            ("text/plain;base64,YWJjZGVmZw==", Reason::TooLarge),
            ("application/x-sh;base64,YQ==", Reason::MediaType),
        ] {
            assert_eq!(judged(rest), Err(expected), "{rest}");
        }
        let long = format!("text/plain;x={};base64,YQ==", "y".repeat(256));
        assert_eq!(judged(&long), Err(Reason::DataSyntax));
    }

    #[test]
    fn exactly_the_limit_is_let_through_and_one_more_is_not() {
        let limit = crate::limits::MAX_FILE_BYTES;
        let policy = UrlPolicy::new().with_data_types(MediaTypes::any());
        // 104 857 600 is one more than a multiple of three.
        let quads = "A".repeat(usize::try_from(limit / 3 * 4).unwrap());
        let exact = DataUrl::parse(&format!("a/b;base64,{quads}AA=="), &policy);
        assert_eq!(exact.map(|it| it.bytes()), Ok(limit));
        let more = DataUrl::parse(&format!("a/b;base64,{quads}AAA="), &policy);
        assert_eq!(more, Err(Reason::TooLarge));
    }

    proptest! {
        #[test]
        fn prop_the_size_is_what_comes_out(bytes: Vec<u8>, is_padded: bool) {
            const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let mut text = String::from("a/b;base64,");
            for chunk in bytes.chunks(3) {
                let padded = [chunk.first(), chunk.get(1), chunk.get(2)].map(|it| *it.unwrap_or(&0));
                let [a, b, c] = padded.map(u32::from);
                let bits = a << 16 | b << 8 | c;
                for index in 0..=chunk.len() {
                    text.push(char::from(DIGITS[(bits >> (18 - 6 * index) & 63) as usize]));
                }
                if is_padded {
                    text.push_str(&"=".repeat(3 - chunk.len()));
                }
            }
            let policy = UrlPolicy::new().with_data_types(MediaTypes::any());
            prop_assert_eq!(DataUrl::parse(&text, &policy).map(|it| it.bytes()), Ok(bytes.len() as u64));
        }
    }
}
