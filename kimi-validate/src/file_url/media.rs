use std::borrow::Cow;

/// Which types of files are allowed, by their media types, RFC 6838.
///
/// ```
/// use kimi_validate::file_url::MediaTypes;
///
/// assert!(MediaTypes::article().allows("application/pdf"));
/// assert!(!MediaTypes::article().allows("image/png"));
/// assert!(MediaTypes::platform().allows("image/png"));
/// assert!(MediaTypes::new(["image/*"]).allows("IMAGE/webp"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub struct MediaTypes(Cow<'static, [Cow<'static, str>]>);

impl MediaTypes {
    /// Returns the four types that the article lists: PDF, plain text, and Word, old and new.
    pub const fn article() -> Self {
        Self(Cow::Borrowed(ARTICLE))
    }

    /// Returns the types of the files that Kimi's platform takes, which it lists by their endings
    /// (facts, limits): documents, books, texts and source code, and images; and the videos of its
    /// `video_url`.
    ///
    /// | endings | types |
    /// |---|---|
    /// | pdf, doc, dot, docx, xls, xlsx, ppt, pptx, epub, mobi | those that are registered for them, or in use |
    /// | txt, csv, md, html, log, css, and most source code | `text/*` |
    /// | json, js, yaml, php, ts | these, as `application/…` |
    /// | jpeg, png, bmp, gif, svg, webp, ico, tiff, avif, apng | `image/*` |
    /// | | `video/*` |
    pub const fn platform() -> Self {
        Self(Cow::Borrowed(PLATFORM))
    }

    /// Returns every type.
    pub const fn any() -> Self {
        Self(Cow::Borrowed(&[Cow::Borrowed("*/*")]))
    }

    /// Creates a list of types such as `image/png`, or `image/*` for all images. Capitals do not
    /// matter.
    pub fn new<T>(types: impl IntoIterator<Item = T>) -> Self
    where
        T: Into<Cow<'static, str>>,
    {
        Self(types.into_iter().map(Into::into).collect())
    }

    /// Returns whether the type is on the list; it comes without parameters.
    #[must_use]
    pub fn allows(&self, essence: &str) -> bool {
        let Some((top, _)) = essence.split_once('/') else {
            return false;
        };
        self.0.iter().any(|known| match known.strip_suffix("/*") {
            Some("*") => true,
            Some(known) => known.eq_ignore_ascii_case(top),
            None => known.eq_ignore_ascii_case(essence),
        })
    }
}

/// `validateFileUrl` of the article.
const ARTICLE: &[Cow<'static, str>] = &[
    Cow::Borrowed("application/pdf"),
    Cow::Borrowed("text/plain"),
    Cow::Borrowed("application/msword"),
    Cow::Borrowed(DOCX),
];

const PLATFORM: &[Cow<'static, str>] = &[
    Cow::Borrowed("text/*"),
    Cow::Borrowed("image/*"),
    Cow::Borrowed("video/*"),
    Cow::Borrowed("application/pdf"),
    Cow::Borrowed("application/msword"),
    Cow::Borrowed(DOCX),
    Cow::Borrowed("application/vnd.ms-excel"),
    Cow::Borrowed("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    Cow::Borrowed("application/vnd.ms-powerpoint"),
    Cow::Borrowed("application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    Cow::Borrowed("application/epub+zip"),
    Cow::Borrowed("application/vnd.amazon.mobi8-ebook"),
    Cow::Borrowed("application/x-mobipocket-ebook"),
    Cow::Borrowed("application/json"),
    Cow::Borrowed("application/javascript"),
    Cow::Borrowed("application/typescript"),
    Cow::Borrowed("application/yaml"),
    Cow::Borrowed("application/x-yaml"),
    Cow::Borrowed("application/x-httpd-php"),
];

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_article_lists_four() {
        for known in ARTICLE {
            assert!(MediaTypes::article().allows(known) && MediaTypes::platform().allows(known));
        }
        for other in
            ["", "/", "application", "application/*", "text/html", "application/pdfx", "*/*"]
        {
            assert!(!MediaTypes::article().allows(other), "{other}");
        }
    }

    #[test]
    fn a_star_is_all_of_one_kind() {
        let images = MediaTypes::new(["image/*".to_owned()]);
        assert!(images.allows("image/svg+xml") && !images.allows("imagex/png"));
        assert!(
            MediaTypes::any().allows("application/x-anything") && !MediaTypes::any().allows("x")
        );
        assert!(!MediaTypes::new(Vec::<String>::new()).allows("text/plain"));
    }
}
