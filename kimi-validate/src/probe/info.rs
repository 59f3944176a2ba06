use crate::file_url::RemoteUrl;

/// What is known of a file that may be fetched.
#[derive(Clone, Debug)]
pub struct FileInfo {
    pub(super) url: RemoteUrl,
    pub(super) media_type: Box<str>,
    pub(super) size: FileSize,
    pub(super) redirects: u8,
}

/// The size of a file, in bytes, and who says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FileSize {
    /// The server says so. Who fetches the file counts: [`FileProbe::fetch`](super::FileProbe::fetch).
    Announced(u64),
    /// The file was read to its end, because the server said nothing, or what was not so.
    Counted(u64),
}

impl FileInfo {
    /// Returns where the file is, at the end of all redirects.
    #[must_use]
    pub fn url(&self) -> &RemoteUrl {
        &self.url
    }

    /// Returns its media type, in lower case and without parameters: the server's, or that of its
    /// first bytes where the server does not know.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Returns its size.
    #[must_use]
    pub fn size(&self) -> FileSize {
        self.size
    }

    /// Returns how many redirects were followed.
    #[must_use]
    pub fn redirects(&self) -> u8 {
        self.redirects
    }
}

impl FileSize {
    /// Returns the number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Announced(bytes) | Self::Counted(bytes) => bytes,
        }
    }
}
