mod named;
mod no_roles;

use std::fmt;

pub use self::{named::UnknownProfile, no_roles::NoRoles};

use super::{
    Part, Role,
    rules::{article, free_api, platform},
    table::Field,
};
use crate::limits;

/// Whose rules a request is held to: [every one](crate#rules), with its source.
///
/// | | [`article`](Self::article) | [`free_api`](Self::free_api) | [`platform`](Self::platform) |
/// |---|---|---|---|
/// | `model` | required | optional | required |
/// | roles | system, user, assistant | these and tool | these and tool |
/// | `content` | text | text, parts | text, parts |
/// | parts | | text, image, file | text, image, video |
/// | `stream` | boolean | boolean, null | boolean, null |
/// | the rest | | `conversation_id` | all parameters, tools, calls, `partial` |
///
/// Start from one and change what differs:
///
/// ```
/// use kimi_validate::{ChatRequest, Part, Profile, Role, Rule};
///
/// let profile = Profile::article()
///     .with_roles([Role::User, Role::Assistant])
///     .with_parts([Part::Text])
///     .with_required("user")
///     .with_max_messages(100);
///
/// let body = br#"{"model":"kimi","messages":[{"role":"system","content":"hi"}]}"#;
/// let violations = ChatRequest::parse(body, &profile).unwrap_err();
/// let found: Vec<_> = violations.iter().map(|it| (it.pointer(), it.rule())).collect();
/// assert_eq!(found, [("/user", Rule::Required), ("/messages/0/role", Rule::OneOf)]);
/// ```
///
/// A profile can always be met: what would refuse every request does not compile, is an error when it
/// is built, or is moved to the nearest that makes sense, as each method says.
#[derive(Clone)]
pub struct Profile {
    pub(super) name: &'static str,
    pub(super) request: &'static [Field],
    pub(super) message: &'static [Field],
    pub(super) part: &'static [Field],
    pub(super) roles: Vec<Role>,
    pub(super) parts: Vec<Part>,
    /// Names that are required beyond what the table says.
    pub(super) required: Vec<Box<str>>,
    pub(super) max_body_bytes: usize,
    pub(super) max_depth: u32,
    pub(super) max_messages: usize,
    pub(super) max_parts: usize,
    pub(super) max_reported: usize,
}

/// `{"messages":[{…}]}`.
const MIN_DEPTH: u32 = 3;

impl Profile {
    /// The article's `validateChatParams`: what every Kimi endpoint takes. It differs from that function
    /// in this: a model is a text and not a blank one, where the article takes whatever is truthy; U+0085
    /// is white space; a message that is no object has one fault, not two; names stand once.
    #[must_use]
    pub fn article() -> Self {
        Self {
            name: "article",
            request: article::REQUEST,
            message: article::MESSAGE,
            part: free_api::PART,
            roles: vec![Role::System, Role::User, Role::Assistant],
            parts: Vec::new(),
            required: Vec::new(),
            max_body_bytes: limits::MAX_BODY_BYTES,
            max_depth: limits::MAX_DEPTH,
            max_messages: limits::MAX_MESSAGES,
            max_parts: limits::MAX_PARTS,
            max_reported: limits::MAX_REPORTED,
        }
    }

    /// What kimi-free-api takes: only its `messages` and `conversation_id` are looked at there, and where
    /// it would go on with something else than was meant, as with a part it does not know, what its
    /// README says is asked for.
    #[must_use]
    pub fn free_api() -> Self {
        Self {
            name: "free-api",
            request: free_api::REQUEST,
            message: free_api::MESSAGE,
            part: free_api::PART,
            roles: Role::ALL.to_vec(),
            parts: vec![Part::Text, Part::ImageUrl, Part::File],
            ..Self::article()
        }
    }

    /// The schema of Kimi's platform: what it says, or is known, to refuse whatever the model.
    #[must_use]
    pub fn platform() -> Self {
        Self {
            name: "platform",
            request: platform::REQUEST,
            message: platform::MESSAGE,
            part: platform::PART,
            roles: Role::ALL.to_vec(),
            parts: vec![Part::Text, Part::ImageUrl, Part::VideoUrl],
            ..Self::article()
        }
    }

    /// Sets the roles that a message may have: at least one, which the compiler sees to. One named
    /// twice counts once. For roles that are known at run time see
    /// [`try_with_roles`](Self::try_with_roles).
    ///
    /// ```compile_fail
    /// # use kimi_validate::Profile;
    /// let nobody = Profile::article().with_roles([]);
    /// ```
    #[must_use]
    pub fn with_roles<const N: usize>(mut self, roles: [Role; N]) -> Self {
        const { assert!(N > 0, "a profile without roles refuses every message") };
        self.roles = distinct(roles);
        self
    }

    /// Sets the roles that a message may have, such as those of a configuration.
    ///
    /// # Errors
    ///
    /// [`NoRoles`] if there are none, since every message would be refused.
    pub fn try_with_roles(
        mut self,
        roles: impl IntoIterator<Item = Role>,
    ) -> Result<Self, NoRoles> {
        self.roles = distinct(roles);
        if self.roles.is_empty() { Err(NoRoles) } else { Ok(self) }
    }

    /// Sets the parts that a content may consist of. With none of them a content must be a text. One
    /// named twice counts once. What is asked of each is the profile's: the article's knows none and
    /// takes that of kimi-free-api.
    #[must_use]
    pub fn with_parts(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.parts = distinct(parts);
        self
    }

    /// Requires a member of the request to be there. One that the profile knows keeps its rules, so
    /// that a `null` does where the profile takes one; any other may have any value. To require one
    /// twice, or one that is required anyhow, changes nothing.
    #[must_use]
    pub fn with_required(mut self, name: impl Into<Box<str>>) -> Self {
        let name = name.into();
        let is_required = self.required.contains(&name)
            || self.request.iter().any(|field| field.is_required && field.name == &*name);
        if !is_required {
            self.required.push(name);
        }
        self
    }

    /// Sets the largest body, from 1 byte to 4 294 967 295; a number outside of that is moved to its
    /// nearer end. Default: 100 MiB, see [`limits::MAX_BODY_BYTES`].
    #[must_use]
    pub fn with_max_body_bytes(mut self, max_body_bytes: usize) -> Self {
        self.max_body_bytes = max_body_bytes.clamp(1, u32::MAX as usize);
        self
    }

    /// Sets how deep arrays and objects may be nested, from 3 levels, which a message has, to 127,
    /// which is the default, see [`limits::MAX_DEPTH`]; a number outside of that is moved to its
    /// nearer end. The deepest that a profile judges is 7 levels, the `parameters` of a function in a
    /// message.
    #[must_use]
    pub fn with_max_depth(mut self, max_depth: u32) -> Self {
        self.max_depth = max_depth.clamp(MIN_DEPTH, limits::MAX_DEPTH);
        self
    }

    /// Sets the most messages, at least 1, which 0 is taken for. Default: 65 536, see
    /// [`limits::MAX_MESSAGES`].
    #[must_use]
    pub fn with_max_messages(mut self, max_messages: usize) -> Self {
        self.max_messages = max_messages.max(1);
        self
    }

    /// Sets the most parts in a message, at least 1, which 0 is taken for; to allow none see
    /// [`with_parts`](Self::with_parts). Default: 1 024, see [`limits::MAX_PARTS`].
    #[must_use]
    pub fn with_max_parts(mut self, max_parts: usize) -> Self {
        self.max_parts = max_parts.max(1);
        self
    }

    /// Sets how many violations are listed, at least 1, which 0 is taken for; the others are counted.
    /// Default: 32, see [`limits::MAX_REPORTED`].
    #[must_use]
    pub fn with_max_reported(mut self, max_reported: usize) -> Self {
        self.max_reported = max_reported.max(1);
        self
    }

    /// Returns the name of the profile, or of that from which it was made: `article`, `free-api` or
    /// `platform`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the largest body, in bytes.
    #[must_use]
    pub fn max_body_bytes(&self) -> usize {
        self.max_body_bytes
    }
}

/// Shows what may differ, not the tables, which have pages.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Profile");
        shown.field("name", &self.name).field("roles", &self.roles).field("parts", &self.parts);
        shown.field("required", &self.required).field("max_body_bytes", &self.max_body_bytes);
        shown.field("max_depth", &self.max_depth).field("max_messages", &self.max_messages);
        shown.field("max_parts", &self.max_parts).field("max_reported", &self.max_reported);
        shown.finish_non_exhaustive()
    }
}

fn distinct<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut list = Vec::new();
    for item in items {
        if !list.contains(&item) {
            list.push(item);
        }
    }
    list
}
