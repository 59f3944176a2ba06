//! An application with a client of reqwest.

use std::error::Error as StdError;

use http::{Request, Response};
use kimi_errors::Error;
use kimi_tower::stack;
use serde_json::{Value, json};
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt as _};

type Client = BoxCloneSyncService<Request<reqwest::Body>, Response<reqwest::Body>, Error>;

pub(crate) struct Kimi {
    http: reqwest::Client,
    client: Client,
    url: String,
    key: String,
}

impl Kimi {
    pub(crate) fn new(http: reqwest::Client, url: String, key: String) -> Self {
        let client = ServiceBuilder::new()
            .boxed_clone_sync()
            .map_response(|answer: Response<_>| answer.map(reqwest::Body::wrap))
            .layer(stack::client())
            .filter(|it: Request<_>| reqwest::Request::try_from(it.map(reqwest::Body::wrap)))
            .map_response(Response::<reqwest::Body>::from)
            .service(http.clone());
        Self { http, client, url, key }
    }

    pub(crate) async fn ask(
        &self,
        question: &str,
    ) -> Result<String, Box<dyn StdError + Send + Sync>> {
        let message = json!({ "role": "user", "content": question });
        let body = json!({ "model": "kimi-k3", "messages": [message] });
        let request = self.http.post(&self.url).bearer_auth(&self.key).json(&body);
        let answer = self.client.clone().oneshot(request.build()?.try_into()?).await?;
        let answer: Value = reqwest::Response::from(answer).json().await?;
        Ok(answer["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned())
    }
}
