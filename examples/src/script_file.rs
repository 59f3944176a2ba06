//! A script of the scripted upstream, from a file.

use std::{fs, path::Path};

use kimi_errors::BoxError;
use kimi_testkit::script::Script;

/// Reads a script in JSON or TOML, as the file's name says.
///
/// # Errors
///
/// The file cannot be read, its name ends in neither `.json` nor `.toml`, or what it holds is no
/// script. The message begins with the path.
pub fn read(path: &Path) -> Result<Script, BoxError> {
    let of_path = |error: BoxError| BoxError::from(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| of_path(error.into()))?;
    let script = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Script::from_json(&text),
        Some("toml") => Script::from_toml(&text),
        _ => return Err(of_path("neither .json nor .toml".into())),
    };
    script.map_err(|error| of_path(error.into()))
}
