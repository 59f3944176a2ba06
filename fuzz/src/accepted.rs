//! A request is what its text says.

use kimi_validate::{ChatRequest, Message};
use serde_json::Value;

pub(crate) fn matches(request: &ChatRequest<&[u8]>, tree: &Value, has_conversations: bool) {
    let text = |name| tree.get(name).and_then(Value::as_str);
    assert_eq!(request.model().as_deref(), text("model"));
    let conversation = text("conversation_id").filter(|_| has_conversations);
    assert_eq!(request.conversation_id().as_deref(), conversation);
    assert_eq!(request.is_stream(), tree.get("stream") == Some(&Value::Bool(true)));

    let messages = tree["messages"].as_array().expect("required");
    assert_eq!(request.messages().len(), messages.len());
    for (message, tree) in request.messages().zip(messages) {
        assert_eq!(tree["role"], message.role().name());
        let text = request.as_bytes().get(message.range()).expect("it stands in the body");
        assert_eq!(serde_json::from_slice::<Value>(text).ok().as_ref(), Some(tree));
        says(message, tree.get("content"));
    }
}

/// The text of a message is its content, or the texts among its parts.
fn says(message: Message<'_>, content: Option<&Value>) {
    let text = match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts.iter().filter(|part| part["type"] == "text");
            texts.filter_map(|part| part["text"].as_str()).collect()
        }
        _ => String::new(),
    };
    assert_eq!(message.content().chars().collect::<String>(), text);
    for max_chars in [0, 1, 100] {
        let cut: String = text.chars().take(max_chars).collect();
        let dots = if cut.len() < text.len() { "..." } else { "" };
        assert_eq!(message.preview(max_chars), cut + dots);
    }
}
