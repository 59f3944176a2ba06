//! Where the refresh token of a gateway is kept, of which each is good once.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    pin::Pin,
    sync::Arc,
};

use kimi_errors::{Error, ErrorKind};
use kimi_tower::token::{Persist, RefreshToken};
use tempfile::NamedTempFile;

/// A file that has one refresh token in it, and is written anew when another comes in its place.
#[derive(Clone, Debug)]
pub(super) struct RefreshFile(Arc<Path>);

impl RefreshFile {
    /// Reads the token that is in the file.
    pub(super) fn open(path: &Path) -> io::Result<(Self, RefreshToken)> {
        let text = fs::read_to_string(path)?;
        let token = RefreshToken::new(&text);
        if token.expose().is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty"));
        }
        // Not through a link, in whose place the new file would be put.
        Ok((Self(path.canonicalize()?.into()), token))
    }

    /// Puts the token in the place of what is there: at any time the file has one of the two, and
    /// after this it has the new one, also if the machine stops.
    fn write(&self, token: &str) -> io::Result<()> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        // Read by its owner alone.
        let mut file = NamedTempFile::new_in(folder)?;
        writeln!(file, "{token}")?;
        file.as_file().sync_all()?;
        file.persist(&self.0)?;
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Persist for RefreshFile {
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

    fn persist(&self, token: &RefreshToken) -> Self::Future {
        let (this, token) = (self.clone(), token.clone());
        let work = tokio::task::spawn_blocking(move || this.write(token.expose()));
        Box::pin(async {
            let written = work.await.unwrap_or_else(|error| Err(io::Error::other(error)));
            written.map_err(|error| {
                tracing::error!(%error, "the new refresh token could not be kept");
                Error::new(ErrorKind::System).with_source(error)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_token_takes_the_place_of_the_old_and_is_its_owner_s() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "R0\n").unwrap();
        let (file, first) = RefreshFile::open(&path).unwrap();
        assert_eq!(first.expose(), "R0");
        file.persist(&RefreshToken::new("R1")).await.unwrap();
        assert_eq!(RefreshFile::open(&path).unwrap().1.expose(), "R1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_kept_is_an_error_that_does_not_show_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert!(RefreshFile::open(&path).is_err());
        fs::write(&path, "\n").unwrap();
        assert!(RefreshFile::open(&path).is_err());
        fs::write(&path, "R0").unwrap();
        let (file, _) = RefreshFile::open(&path).unwrap();
        folder.close().unwrap();
        let error = file.persist(&RefreshToken::new("CaNaRy")).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("CaNaRy"));
    }
}
