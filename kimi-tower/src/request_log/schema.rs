/// The version of OpenTelemetry's semantic conventions by which fields are named.
///
/// Those for HTTP are stable, and the same in both. Those for generative AI are not: 1.37 has renamed
/// what says whose model it is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Schema {
    /// 1.36, to which the conventions ask existing users to keep: `gen_ai.system`.
    V1_36,
    /// 1.37 and later: `gen_ai.provider.name`.
    #[default]
    V1_37,
}

impl Schema {
    /// Returns the URL that names it.
    #[must_use]
    pub const fn url(self) -> &'static str {
        match self {
            Self::V1_36 => "https://opentelemetry.io/schemas/1.36.0",
            Self::V1_37 => "https://opentelemetry.io/schemas/1.37.0",
        }
    }
}
