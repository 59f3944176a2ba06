//! How a body tells the connection under it to end as no proper server would.

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;

/// The way a connection ends once all that was sent so far is on its way.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// These bytes more, then FIN.
    Close(Bytes),
    /// RST.
    Reset,
}

/// A connection that carries one message at a time, as seen by the answers on it. It stands in the
/// extensions of the request.
#[derive(Clone, Debug)]
pub(crate) struct Wire(pub(crate) UnboundedSender<Ending>);

impl Wire {
    pub(super) fn end(&self, ending: Ending) {
        // The connection may be gone already, and then there is nothing to end.
        let _ = self.0.send(ending);
    }
}
