//! What is asked of the files that a request names.

use std::{fmt, sync::Arc};

use kimi_errors::{Error, Lang};
use kimi_validate::{ChatRequest, file_url::UrlPolicy};

#[cfg(feature = "probe")]
use super::probing::Prober;
use super::probing::Probing;

/// What a layer asks of the files. Cheap to clone.
#[derive(Clone)]
pub(super) struct Files {
    policy: Arc<UrlPolicy>,
    #[cfg(feature = "probe")]
    prober: Option<Prober>,
}

impl Files {
    pub(super) const fn new(policy: Arc<UrlPolicy>) -> Self {
        Self {
            policy,
            #[cfg(feature = "probe")]
            prober: None,
        }
    }

    #[cfg(feature = "probe")]
    pub(super) fn with_prober(mut self, prober: Prober) -> Self {
        self.prober = Some(prober);
        self
    }

    /// Judges the URLs; what comes back asks their servers, if that is wanted and there are any.
    pub(super) fn judge(&self, chat: &ChatRequest, lang: Lang) -> Result<Option<Probing>, Error> {
        let files = chat.check_files(&self.policy).map_err(|violations| {
            let first = violations.first();
            // Neither has anything of the URL in it.
            tracing::debug!(
                reason = first.reason().as_str(),
                pointer = first.pointer(),
                listed = violations.as_slice().len(),
                truncated = violations.truncated(),
                "a file URL was refused"
            );
            violations.into_error(lang)
        })?;
        #[cfg(feature = "probe")]
        if let Some(prober) = self.prober.as_ref().filter(|_| !files.is_empty()) {
            return Ok(Some(prober.probing(files, lang)));
        }
        drop(files);
        Ok(None)
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("policy", &self.policy).finish_non_exhaustive()
    }
}
