mod fetch;
mod head;
mod redirect;
mod server;
mod size;

use kimi_validate::{
    file_url::{Reason, RemoteUrl},
    probe::{FileInfo, FileProbe},
};

use self::server::Server;

const PDF: (&str, &str) = ("content-type", "application/pdf");
/// 100 MiB.
const LIMIT: usize = 104_857_600;

async fn check(server: &Server) -> Result<FileInfo, Reason> {
    let probe = FileProbe::new(server.clone());
    let url = RemoteUrl::parse("https://example.com/a", probe.policy()).unwrap();
    probe.check(&url).await.map_err(|refused| refused.reason())
}
