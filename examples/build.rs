//! Writes the client and the server of `tonic_service`, from a description in Rust: the messages are
//! Rust types with a derive of prost's, so that nobody has to install `protoc`.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let method = |name, route_name| {
        Method::builder()
            .name(name)
            .route_name(route_name)
            .input_type("crate::Question")
            .codec_path("tonic_prost::ProstCodec")
    };
    let chat = Service::builder()
        .package("kimi.v1")
        .name("Chat")
        .method(method("ask", "Ask").output_type("crate::Answer").build())
        .method(method("talk", "Talk").output_type("crate::Piece").server_streaming().build())
        .build();
    Builder::new().compile(&[chat]);
}
