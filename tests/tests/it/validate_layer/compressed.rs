//! Inside of a layer that decompresses bodies.

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::BodyExt as _;
use kimi_errors::{BoxError, Error, ErrorKind};
use kimi_testkit::probe::ProbeBody;
use kimi_tower::validate::RequestBody;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::decompression::{DecompressionBody, RequestDecompressionLayer};

use super::{GOOD, Slow, layer, post, rules};

/// [`GOOD`] and [`super::BAD`], as gzip writes them.
const GOOD_GZIP: &[u8] = include_bytes!("compressed/good.json.gz");
const BAD_GZIP: &[u8] = include_bytes!("compressed/bad.json.gz");

/// Returns what a handler reads, or why it does not.
async fn ask(body: impl Into<Bytes>) -> Result<Bytes, Error> {
    let read = async |request: Request<RequestBody<DecompressionBody<_>>>| {
        assert!(!request.headers().contains_key(header::CONTENT_ENCODING));
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, BoxError>(http::Response::new(http_body_util::Full::new(body)))
    };
    let service = ServiceBuilder::new()
        .layer(RequestDecompressionLayer::new())
        .layer(layer())
        .service(service_fn(read));
    let mut request = post(Slow::new(ProbeBody::full(body)));
    request.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let answer = service.oneshot(request).await?;
    Ok(answer.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn what_was_compressed_is_judged_as_it_was_meant() {
    assert_eq!(ask(GOOD_GZIP).await.unwrap(), GOOD);
    let refusal = ask(BAD_GZIP).await.unwrap_err();
    assert_eq!(rules(&refusal)[0], ("/messages/0/role", "one_of"));
}

#[tokio::test]
async fn what_cannot_be_decompressed_is_the_clients_mistake() {
    let mut broken = GOOD_GZIP.to_vec();
    broken[12] ^= 0xff;
    assert_eq!(ask(broken).await.unwrap_err().kind(), ErrorKind::Validation);
    // It is the client's mistake, too, but reads like a connection that was cut: both are an
    // `io::Error` that says `UnexpectedEof`.
    let cut = &GOOD_GZIP[..GOOD_GZIP.len() - 12];
    assert_eq!(ask(cut).await.unwrap_err().kind(), ErrorKind::Cancelled);
}
