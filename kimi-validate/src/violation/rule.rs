use std::fmt;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident $name:literal,)+) => {
        /// What a value, or the whole body, was held to. Its [name](Self::name) is stable.
        ///
        /// | on the wire | what is wrong |
        /// |---|---|
        $(#[doc = concat!("| `", $name, "` |", $($doc,)+ " |")])+
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[doc = $doc])+ $rule,)+
        }

        impl Rule {
            /// Every rule: those of the whole body first.
            pub const ALL: &'static [Self] = &[$(Self::$rule),+];

            /// Returns the name on the wire, such as `max_items`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)+
                }
            }
        }
    };
}

rules! {
    /// The body is larger than the limit. Answered with 413, the others with 400.
    BodyBytes "body_bytes",
    /// The body is empty, or white space alone.
    EmptyBody "empty_body",
    /// The body begins with a byte order mark, which RFC 8259 §8.1 forbids a sender.
    Bom "bom",
    /// A byte is not UTF-8, RFC 8259 §8.1.
    Utf8 "utf8",
    /// The text is not JSON, RFC 8259 §2.
    Syntax "syntax",
    /// An escape is half of a surrogate pair, so that it stands for no character, RFC 8259 §8.2.
    LoneSurrogate "lone_surrogate",
    /// Something follows the value.
    TrailingData "trailing_data",
    /// A number is larger than a double holds, RFC 8259 §6.
    NumberOverflow "number_overflow",
    /// Arrays and objects are nested too deep.
    Depth "depth",
    /// A name that is judged stands twice in one object, RFC 8259 §4.
    DuplicateKey "duplicate_key",
    /// A member is missing.
    Required "required",
    /// The value is of the wrong type.
    Type "type",
    /// The text has nothing but white space in it, if anything at all.
    Blank "blank",
    /// The array has too few items.
    MinItems "min_items",
    /// The array has too many items.
    MaxItems "max_items",
    /// The text is none of those allowed.
    OneOf "one_of",
    /// The number is out of its range.
    Range "range",
    /// The number has a fraction.
    Integer "integer",
    /// The text is too long.
    MaxBytes "max_bytes",
    /// The text does not have the form asked for.
    Pattern "pattern",
    /// The text stands twice where each must be different.
    Unique "unique",
    /// The member asks for another that is missing, or has another value.
    Requires "requires",
    /// The `tool_call_id` answers no call of the assistant's message before.
    ToolCallId "tool_call_id",
    /// The call is not answered by the tool messages that follow.
    Unanswered "unanswered",
    /// `partial` stands where it has no meaning.
    Partial "partial",
}

impl Rule {
    /// Returns the rule with this name, for whoever reads an answer: newer servers may know more.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        let names: HashSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert_eq!(Rule::from_name(rule.name()), Some(*rule));
            assert!(rule.name().bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'_')));
        }
        assert_eq!(Rule::from_name("of_tomorrow"), None);
    }

    /// They are promised to be stable, so that a change is made here too, and on purpose.
    #[test]
    fn names_are_stable() {
        let names: Vec<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        let promised = "body_bytes empty_body bom utf8 syntax lone_surrogate trailing_data \
            number_overflow depth duplicate_key required type blank min_items max_items one_of \
            range integer max_bytes pattern unique requires tool_call_id unanswered partial";
        assert_eq!(names.join(" "), promised);
    }
}
