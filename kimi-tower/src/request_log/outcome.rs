//! How a request ended.

/// How a request ended. Every request has one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Outcome {
    /// The answer is a success, and was read to its end.
    Success,
    /// The request was refused: the answer has, or the error stands for, a status of 400 to 499.
    ClientError,
    /// The service failed: the answer has, or the error stands for, any other status.
    ServerError,
    /// An event of a stream was an error, or its body failed with a known one, after the head.
    StreamError,
    /// The body failed after the head, and nobody knows why.
    BodyError,
    /// A stream of events ended without saying that it is complete.
    Truncated,
    /// Something took too long: an error of the kind `timeout`, or 504; or it has held the turn of its
    /// session for too long while others waited.
    Timeout,
    /// Nobody waited any more: the future was dropped before the head, or the body before its end.
    ClientGone,
    /// A newer request of its session took its turn.
    Superseded,
    /// The service panicked, or its future or body did.
    Panic,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::ClientError,
        Self::ServerError,
        Self::StreamError,
        Self::BodyError,
        Self::Truncated,
        Self::Timeout,
        Self::ClientGone,
        Self::Superseded,
        Self::Panic,
    ];

    /// Returns a stable name, as `client_error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::StreamError => "stream_error",
            Self::BodyError => "body_error",
            Self::Truncated => "truncated",
            Self::Timeout => "timeout",
            Self::ClientGone => "client_gone",
            Self::Superseded => "superseded",
            Self::Panic => "panic",
        }
    }

    /// Returns what a status of 400 or more stands for.
    pub(super) const fn of_status(status: u16) -> Self {
        match status {
            504 => Self::Timeout,
            // nginx's word for a client that went away before it had its answer.
            499 => Self::ClientGone,
            400..=498 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_in_the_list_at_its_place() {
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
        }
        let names = Outcome::ALL.map(Outcome::as_str);
        for name in names {
            assert_eq!(names.iter().filter(|other| **other == name).count(), 1, "{name}");
        }
    }

    #[test]
    fn a_status_says_whose_fault_it_was() {
        for (status, outcome) in [
            (400, Outcome::ClientError),
            (429, Outcome::ClientError),
            (499, Outcome::ClientGone),
            (500, Outcome::ServerError),
            (504, Outcome::Timeout),
            (599, Outcome::ServerError),
        ] {
            assert_eq!(Outcome::of_status(status), outcome, "{status}");
        }
    }
}
