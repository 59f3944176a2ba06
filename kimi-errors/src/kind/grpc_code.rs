//! The status codes of gRPC.

macro_rules! grpc_codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal $connect:literal,)+) => {
        /// A gRPC status code, written as `grpc-status: <number>` in trailers.
        ///
        /// Source: the gRPC specification, `doc/statuscodes.md`.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[expect(clippy::exhaustive_enums, reason = "the specification closes the list")]
        #[repr(u8)]
        pub enum GrpcCode {
            $($(#[$doc])* $variant = $number,)+
        }

        impl GrpcCode {
            /// Every code, in ascending order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the number on the wire, 0 to 16.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// Returns the name in the specification, such as `RESOURCE_EXHAUSTED`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the code of a number on the wire; `None` past 16.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }

            /// Returns the code of a name in the Connect protocol, such as `resource_exhausted`.
            #[must_use]
            pub fn from_connect(name: &str) -> Option<Self> {
                match name { $($connect => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

grpc_codes! {
    /// Success.
    Ok = 0 "OK" "ok",
    /// The caller gave up.
    Cancelled = 1 "CANCELLED" "canceled",
    /// An error of which nothing else is known.
    Unknown = 2 "UNKNOWN" "unknown",
    /// The request is wrong whatever the state of the system.
    InvalidArgument = 3 "INVALID_ARGUMENT" "invalid_argument",
    /// The deadline passed first.
    DeadlineExceeded = 4 "DEADLINE_EXCEEDED" "deadline_exceeded",
    /// The thing asked for does not exist.
    NotFound = 5 "NOT_FOUND" "not_found",
    /// The thing to create exists.
    AlreadyExists = 6 "ALREADY_EXISTS" "already_exists",
    /// The caller is known and may not do this.
    PermissionDenied = 7 "PERMISSION_DENIED" "permission_denied",
    /// A quota, a limit or a resource is used up.
    ResourceExhausted = 8 "RESOURCE_EXHAUSTED" "resource_exhausted",
    /// The system is not in the state that the request needs.
    FailedPrecondition = 9 "FAILED_PRECONDITION" "failed_precondition",
    /// The operation lost against another one.
    Aborted = 10 "ABORTED" "aborted",
    /// The request reaches past a valid range.
    OutOfRange = 11 "OUT_OF_RANGE" "out_of_range",
    /// There is no such operation.
    Unimplemented = 12 "UNIMPLEMENTED" "unimplemented",
    /// Something that must hold does not.
    Internal = 13 "INTERNAL" "internal",
    /// The service cannot answer now.
    Unavailable = 14 "UNAVAILABLE" "unavailable",
    /// Data is lost or damaged.
    DataLoss = 15 "DATA_LOSS" "data_loss",
    /// The caller has no valid credential.
    Unauthenticated = 16 "UNAUTHENTICATED" "unauthenticated",
}
