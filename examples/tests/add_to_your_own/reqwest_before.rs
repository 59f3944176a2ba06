//! An application with a client of reqwest.

use std::error::Error as StdError;

use serde_json::{Value, json};

pub(crate) struct Kimi {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Kimi {
    pub(crate) fn new(http: reqwest::Client, url: String, key: String) -> Self {
        Self { http, url, key }
    }

    pub(crate) async fn ask(
        &self,
        question: &str,
    ) -> Result<String, Box<dyn StdError + Send + Sync>> {
        let message = json!({ "role": "user", "content": question });
        let body = json!({ "model": "kimi-k3", "messages": [message] });
        let request = self.http.post(&self.url).bearer_auth(&self.key).json(&body);
        let answer = request.send().await?.error_for_status()?;
        let answer: Value = answer.json().await?;
        Ok(answer["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned())
    }
}
