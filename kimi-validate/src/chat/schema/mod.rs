//! The rules as JSON Schema, read from the tables that the pass reads.

mod check;
mod judges;

use serde_json::{Value, json};

use super::Profile;

impl Profile {
    /// Returns these rules as a JSON Schema, [draft 2020-12](https://json-schema.org/draft/2020-12),
    /// for editors, for clients in other languages and for documentation.
    ///
    /// What [`ChatRequest::parse`] takes, the schema takes too, and what the schema refuses, `parse`
    /// refuses too. The other way round there are exceptions. Of a body that is a JSON text, `parse`
    /// alone refuses
    ///
    /// 1. one that is larger than the limit, [`Rule::BodyBytes`], or begins with a byte order mark,
    ///    [`Rule::Bom`];
    /// 2. arrays and objects that are nested too deep, [`Rule::Depth`];
    /// 3. a name that stands twice in an object, [`Rule::DuplicateKey`]: what a validator is given
    ///    has each name once;
    /// 4. a text that is not too long in characters, but is in bytes, [`Rule::MaxBytes`];
    /// 5. two functions of the same name in `tools`, and two calls of a message with the same id,
    ///    [`Rule::Unique`];
    /// 6. a tool message that answers no call, [`Rule::ToolCallId`], and a call without an answer,
    ///    [`Rule::Unanswered`]; that a tool message names a call, the schema says;
    /// 7. an assistant's message with `partial` that is not the last, [`Rule::Partial`]; that it is
    ///    the assistant's, and that no `json_object` is asked for, the schema says.
    ///
    /// And a number stands for the double that is nearest to it, so that `1.00000000000000000001` is
    /// 1; a validator may read it more precisely, or less.
    ///
    /// Unknown members are allowed everywhere. Places are those of the violations: an error of the
    /// schema has the pointer of ours, or that of the object in which a member is missing. The keys
    /// are sorted, so that the same profile gives the same text.
    ///
    /// The schemas of the three profiles are in the package as well: `schemas/article.json`,
    /// `schemas/free-api.json` and `schemas/platform.json`.
    ///
    /// ```
    /// use kimi_validate::{Profile, Role};
    ///
    /// let schema = Profile::article().with_roles([Role::User]).with_required("user").json_schema();
    /// assert_eq!(schema["required"], serde_json::json!(["model", "messages", "user"]));
    /// let role = &schema["$defs"]["message"]["properties"]["role"];
    /// assert_eq!(role["enum"], serde_json::json!(["user"]));
    /// ```
    ///
    /// [`ChatRequest::parse`]: crate::ChatRequest::parse
    /// [`Rule::BodyBytes`]: crate::Rule::BodyBytes
    /// [`Rule::Bom`]: crate::Rule::Bom
    /// [`Rule::Depth`]: crate::Rule::Depth
    /// [`Rule::DuplicateKey`]: crate::Rule::DuplicateKey
    /// [`Rule::MaxBytes`]: crate::Rule::MaxBytes
    /// [`Rule::Unique`]: crate::Rule::Unique
    /// [`Rule::ToolCallId`]: crate::Rule::ToolCallId
    /// [`Rule::Unanswered`]: crate::Rule::Unanswered
    /// [`Rule::Partial`]: crate::Rule::Partial
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let mut schema = check::object(self, self.request);
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
        schema["title"] = format!("Chat request, profile {}", self.name).into();
        schema["description"] = format!(
            "What kimi-validate asks of a chat request. What a schema cannot say: the body has at \
             most {} bytes, and arrays and objects are nested at most {} levels deep.",
            self.max_body_bytes, self.max_depth
        )
        .into();
        for name in &self.required {
            check::require(&mut schema, name);
        }
        check::add_rules(&mut schema, judges::of_request(self));
        schema["$defs"] = json!({
            "not_blank": check::not_blank(),
            "message": judges::message(self),
        });
        if !self.parts.is_empty() {
            schema["$defs"]["part"] = judges::part(self);
        }
        // They are sorted already, unless a feature of `serde_json` keeps them as they came.
        schema.sort_all_objects();
        schema
    }
}
