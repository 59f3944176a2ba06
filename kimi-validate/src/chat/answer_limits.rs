//! How much of an answer a request asks for, read when it is asked for.

use crate::{
    json::{Fault, JsonType, Scanner, Str},
    limits::MAX_DEPTH,
};

/// How long an answer may be, by what its request says:
/// [`ChatRequest::answer_limits`](crate::ChatRequest::answer_limits).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AnswerLimits {
    max_tokens: Option<u64>,
    choices: Option<u64>,
}

impl AnswerLimits {
    /// Reads the members around the messages, of which the last ends there. What stands behind
    /// something that cannot be read is left out.
    pub(super) fn read(text: &[u8], last_message_end: usize) -> Self {
        let mut limits = Self::default();
        // A request that exists is well formed.
        let _: Result<(), Fault> = limits.read_members(text, last_message_end);
        limits
    }

    /// Returns the most tokens that each choice may have: `max_completion_tokens`, or `max_tokens`,
    /// its older name; `None` if there is neither. Of several the largest, since which of them the
    /// upstream takes is not documented. What 0 means is the upstream's to say.
    #[must_use]
    pub const fn max_tokens(self) -> Option<u64> {
        self.max_tokens
    }

    /// Returns how many choices the answer is to have: `n`, or 1 if it is left out.
    #[must_use]
    pub fn choices(self) -> u64 {
        self.choices.unwrap_or(1)
    }

    fn read_members(&mut self, text: &[u8], last_message_end: usize) -> Result<(), Fault> {
        let mut scanner = Scanner::new(text, MAX_DEPTH);
        scanner.value()?;
        scanner.enter()?;
        let mut is_first = true;
        while let Some(name) = scanner.next_name(is_first)? {
            is_first = false;
            let kind = scanner.value()?;
            let asked = match kind {
                JsonType::Number if is_max_tokens(&scanner, name) => &mut self.max_tokens,
                JsonType::Number if scanner.is(name, "n") => &mut self.choices,
                // They are nearly all of the body, and were read. There are no others: a second
                // `messages` is refused.
                JsonType::Array if scanner.is(name, "messages") => {
                    scanner.enter()?;
                    scanner.go_on_from(last_message_end);
                    scanner.next_item(false)?;
                    continue;
                }
                _ => {
                    scanner.skip()?;
                    continue;
                }
            };
            *asked = (*asked).max(count(scanner.number()?.value(text)));
        }
        Ok(())
    }
}

fn is_max_tokens(scanner: &Scanner<'_>, name: Str) -> bool {
    scanner.is(name, "max_completion_tokens") || scanner.is(name, "max_tokens")
}

/// Returns the count that a number is, rounded up; `None` if it is negative. A profile that does not
/// know the member has let pass whatever stands there.
fn count(number: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and what no 64 bits hold becomes the most that they do"
    )]
    (number >= 0.0).then(|| number.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ChatRequest, Profile};

    const MESSAGES: &str = r#""messages":[{"role":"user","content":"\"n\":9,"},
        {"role":"assistant","content":"[]}","n":5,"max_tokens":7} ]"#;

    fn limits(members: &[&str], profile: &Profile) -> (Option<u64>, u64) {
        let body = format!("{{\"model\":\"m\",{}}}", members.join(" , "));
        let limits = ChatRequest::parse(body, profile).unwrap().answer_limits();
        (limits.max_tokens(), limits.choices())
    }

    #[test]
    fn the_largest_of_both_names_counts() {
        for (member, expected) in [
            (r#""temperature":1"#, None),
            (r#""max_tokens":100"#, Some(100)),
            (r#""max_completion_tokens":200"#, Some(200)),
            (r#""max_tokens":100,"max_completion_tokens":200"#, Some(200)),
            (r#""max_tokens":200,"max_completion_tokens":100"#, Some(200)),
            (r#""max_tokens":null,"max_completion_tokens":100"#, Some(100)),
            (r#""max_tokens":100,"max_completion_tokens":null"#, Some(100)),
            (r#""max_tokens":null"#, None),
            (r#""max_tokens":0"#, Some(0)),
            (r#""max_tokens":1e3"#, Some(1000)),
            (r#""max_\u0074okens":5"#, Some(5)),
            (r#""x":{"max_tokens":5,"messages":[]}"#, None),
        ] {
            for members in [[MESSAGES, member], [member, MESSAGES]] {
                assert_eq!(limits(&members, &Profile::platform()), (expected, 1), "{members:?}");
            }
        }
    }

    #[test]
    fn choices_are_one_unless_more_are_asked_for() {
        for (member, expected) in [(r#""n":3"#, 3), (r#""n":null"#, 1), (r#""x":2"#, 1)] {
            for members in [[MESSAGES, member], [member, MESSAGES]] {
                assert_eq!(limits(&members, &Profile::platform()), (None, expected));
            }
        }
    }

    #[test]
    fn a_profile_that_does_not_know_them_lets_anything_pass() {
        for (member, expected) in [
            (r#""max_tokens":"9","n":[2]"#, (None, 1)),
            (r#""max_tokens":-1,"n":-0.5"#, (None, 1)),
            (r#""max_tokens":0.5"#, (Some(1), 1)),
            (r#""max_tokens":1e300"#, (Some(u64::MAX), 1)),
            (r#""max_tokens":5,"max_tokens":7,"max_tokens":6,"n":2"#, (Some(7), 2)),
        ] {
            assert_eq!(limits(&[member, MESSAGES], &Profile::article()), expected, "{member}");
        }
    }

    #[test]
    fn the_messages_are_not_gone_over_again() {
        let text = r#"{"messages":[{no JSON],"n":3,"max_tokens":7}"#;
        let limits = AnswerLimits::read(text.as_bytes(), text.find(']').unwrap());
        assert_eq!((limits.max_tokens(), limits.choices()), (Some(7), 3));
    }

    proptest! {
        #[test]
        fn prop_what_cannot_be_read_does_no_harm(
            text in r#"\{(["{}\[\],:n0 ]|"n":|"max_tokens":7|"messages":\[){0,12}"#,
            end in 0_usize..40,
        ) {
            AnswerLimits::read(text.as_bytes(), end);
        }
    }
}
