//! Who judges requests beside `kimi-validate`, each as one would put it into a service.

use std::fmt;

use garde::Validate;
use jsonschema::Validator;
use kimi_validate::{ChatRequest, Profile};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor, value::SeqAccessDeserializer},
};
use serde_json::{Value, json};

/// Someone who judges requests, made ready beforehand.
#[derive(Debug)]
#[non_exhaustive]
pub enum Judge {
    /// `serde_json` to [`IgnoredAny`]: is it JSON? No rule is looked at.
    Ignored,
    /// `serde_json` to a tree. No rule is looked at.
    Tree,
    /// `serde_json` to a [`Request`]: types, roles and required members.
    Derive,
    /// The same by `sonic-rs`.
    Sonic,
    /// `serde_json` to a tree, which `jsonschema` then judges.
    Schema(Box<Validator>),
    /// `serde_json` to a [`Request`], which `garde` then judges.
    Garde,
    /// [`ChatRequest::parse`] with this profile.
    Ours(Profile),
}

impl Judge {
    /// Returns `jsonschema` with the rules of the article, and parts.
    ///
    /// # Panics
    ///
    /// If the schema is none.
    #[must_use]
    pub fn schema() -> Self {
        let validator = jsonschema::draft202012::new(&schema()).expect("the schema is one");
        Self::Schema(Box::new(validator))
    }

    /// Returns whether the request is well formed, as far as this judge looks.
    #[must_use]
    pub fn accepts(&self, body: &[u8]) -> bool {
        match self {
            Self::Ignored => serde_json::from_slice::<IgnoredAny>(body).is_ok(),
            Self::Tree => serde_json::from_slice::<Value>(body).is_ok(),
            Self::Derive => serde_json::from_slice::<Request>(body).is_ok(),
            Self::Sonic => sonic_rs::from_slice::<Request>(body).is_ok(),
            Self::Schema(validator) => {
                serde_json::from_slice(body).is_ok_and(|tree| validator.is_valid(&tree))
            }
            Self::Garde => {
                serde_json::from_slice::<Request>(body).is_ok_and(|it| it.validate().is_ok())
            }
            Self::Ours(profile) => ChatRequest::parse(body, profile).is_ok(),
        }
    }
}

/// A request as a service would declare it.
#[derive(Debug, Deserialize, Validate)]
#[non_exhaustive]
pub struct Request {
    /// Who is asked.
    #[garde(custom(is_said))]
    pub model: String,
    /// What has been said.
    #[garde(length(min = 1), dive)]
    pub messages: Vec<Message>,
    /// Whether the answer is asked for as a stream.
    #[garde(skip)]
    pub stream: Option<bool>,
}

/// A message as a service would declare it.
#[derive(Debug, Deserialize, Validate)]
#[non_exhaustive]
pub struct Message {
    /// Who speaks.
    #[garde(skip)]
    pub role: Role,
    /// What is said.
    #[garde(dive)]
    pub content: Content,
}

/// Who speaks.
#[derive(Debug, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The scene.
    System,
    /// The caller.
    User,
    /// The model.
    Assistant,
}

/// What is said. `untagged` would keep a copy of each value until it knows which it is.
#[derive(Debug, Validate)]
#[non_exhaustive]
pub enum Content {
    /// A text.
    Text(#[garde(custom(is_said))] String),
    /// Texts and images.
    Parts(#[garde(length(min = 1), dive)] Vec<Part>),
}

/// A part of what is said.
#[derive(Debug, Deserialize, Validate)]
#[non_exhaustive]
pub struct Part {
    /// Which of the other members is there.
    #[garde(skip)]
    #[serde(rename = "type")]
    pub kind: Kind,
    /// A text.
    #[garde(inner(custom(is_said)))]
    pub text: Option<String>,
    /// An image.
    #[garde(dive)]
    pub image_url: Option<ImageUrl>,
}

/// What a part is.
#[derive(Debug, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text.
    Text,
    /// An image.
    ImageUrl,
}

/// Where an image is.
#[derive(Debug, Deserialize, Validate)]
#[non_exhaustive]
pub struct ImageUrl {
    /// A data URL, or one of the platform's files.
    #[garde(prefix("data:image/"))]
    pub url: String,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrParts)
    }
}

struct TextOrParts;

impl<'de> Visitor<'de> for TextOrParts {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or parts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Content, E> {
        Ok(Content::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<Content, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(parts)).map(Content::Parts)
    }
}

fn is_said(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("is blank")) } else { Ok(()) }
}

/// The rules of the article in the words of JSON Schema, and those of parts.
fn schema() -> Value {
    let part = json!({
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"enum": ["text", "image_url"]},
            "text": {"type": "string", "pattern": "\\S"},
            "image_url": {
                "type": "object",
                "required": ["url"],
                "properties": {"url": {"type": "string", "pattern": "^(data:image/|ms://)"}},
            },
        },
    });
    json!({
        "type": "object",
        "required": ["model", "messages"],
        "properties": {
            "model": {"type": "string", "pattern": "\\S", "maxLength": 256},
            "stream": {"type": "boolean"},
            "messages": {
                "type": "array",
                "minItems": 1,
                "maxItems": 65536,
                "items": {
                    "type": "object",
                    "required": ["role", "content"],
                    "properties": {
                        "role": {"enum": ["system", "user", "assistant"]},
                        "content": {
                            "type": ["string", "array"],
                            "pattern": "\\S",
                            "minItems": 1,
                            "items": part,
                        },
                    },
                },
            },
        },
    })
}
