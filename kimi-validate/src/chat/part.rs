use std::fmt;

/// What a piece of a message's content is, where that is an array. The platform knows the first three,
/// kimi-free-api all but the video.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// `{"type":"text","text":"…"}`.
    Text,
    /// `{"type":"image_url","image_url":{"url":"…"}}`; the platform takes the URL alone as well.
    ImageUrl,
    /// `{"type":"video_url","video_url":{"url":"…"}}`, or the URL alone.
    VideoUrl,
    /// `{"type":"file","file_url":{"url":"…"}}`, as kimi-free-api has it.
    File,
}

impl Part {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Text, Self::ImageUrl, Self::VideoUrl, Self::File];

    /// Returns the value of its `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::ImageUrl => "image_url",
            Self::VideoUrl => "video_url",
            Self::File => "file",
        }
    }

    /// Returns the name of the member that it must have besides `type`.
    pub(in crate::chat) const fn member(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::ImageUrl => "image_url",
            Self::VideoUrl => "video_url",
            Self::File => "file_url",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
