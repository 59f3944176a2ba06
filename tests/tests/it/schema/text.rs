//! The many texts of one value.

use serde_json::Value;

/// Writes a value as a text that some client might send: each byte decides about one freedom that
/// JSON leaves. They are used again when they are spent.
pub(super) fn write(value: &Value, whims: &[u8]) -> String {
    let mut writer = Writer { text: String::new(), whims: whims.iter().cycle() };
    writer.value(value);
    writer.text
}

struct Writer<'a> {
    text: String,
    whims: std::iter::Cycle<std::slice::Iter<'a, u8>>,
}

impl Writer<'_> {
    fn whim(&mut self) -> u8 {
        self.whims.next().copied().unwrap_or_default()
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                self.text.push('{');
                let mut separator = "";
                for (name, value) in members {
                    // Some stand twice.
                    let times = if self.whim() == u8::MAX { 2 } else { 1 };
                    for _ in 0..times {
                        self.text.push_str(separator);
                        separator = ",";
                        self.string(name);
                        self.text.push(':');
                        self.value(value);
                    }
                }
                self.text.push('}');
            }
            Value::Array(items) => {
                self.text.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.text.push_str(if index == 0 { "" } else { " ,\n" });
                    self.value(item);
                }
                self.text.push(']');
            }
            Value::String(text) => self.string(text),
            Value::Number(number) => {
                let is_plain = number.is_f64() || number.as_u64() == Some(0);
                self.text.push_str(&number.to_string());
                let form = match self.whim() % 5 {
                    _ if is_plain => "",
                    0 => ".0",
                    1 => "e0",
                    2 => "0e-1",
                    3 => ".000E+0",
                    _ => "",
                };
                self.text.push_str(form);
            }
            Value::Bool(_) | Value::Null => self.text.push_str(&value.to_string()),
        }
    }

    /// Escapes one text in four from end to end.
    fn string(&mut self, text: &str) {
        if self.whim() >= u8::MAX / 4 {
            self.text.push_str(&Value::from(text).to_string());
            return;
        }
        self.text.push('"');
        for unit in text.encode_utf16() {
            self.text.push_str(&format!("\\u{unit:04x}"));
        }
        self.text.push('"');
    }
}
