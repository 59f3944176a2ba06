//! A file with the same options as the command line has.
//!
//! ```toml
//! upstream = "https://api.moonshot.cn"
//! rpm = 500
//! allow-file-range = ["10.0.0.0/8"]
//! ```

use std::{env, ffi::OsString, fs, path::Path};

use clap::{Arg, Command};
use kimi_errors::BoxError;
use toml::Value;

/// Returns the arguments of a command line, with those of the file that it names before its own. What
/// the command line or the environment says, or excludes, the file does not say.
///
/// # Errors
///
/// If the file cannot be read, is no TOML, or has a key that is no option.
pub(super) fn with_file(command: &Command, args: Vec<OsString>) -> Result<Vec<OsString>, BoxError> {
    let Some(path) = path_of(&args).or_else(|| env::var_os("KIMI_GATEWAY_CONFIG")) else {
        return Ok(args);
    };
    let said = read(command, Path::new(&path), &args)
        .map_err(|error| format!("{}: {error}", Path::new(&path).display()))?;
    let mut args = args.into_iter();
    Ok(args.next().into_iter().chain(said).chain(args).collect())
}

/// Returns what `--config` names; what comes last counts.
fn path_of(args: &[OsString]) -> Option<OsString> {
    let mut found = None;
    for (at, arg) in args.iter().enumerate().skip(1) {
        match arg.to_str() {
            Some("--config") => found = args.get(at + 1).cloned(),
            Some(arg) => {
                found = arg.strip_prefix("--config=").map(OsString::from).or(found);
            }
            None => {}
        }
    }
    found
}

fn read(command: &Command, path: &Path, args: &[OsString]) -> Result<Vec<OsString>, BoxError> {
    let table: toml::Table = fs::read_to_string(path)?.parse()?;
    let mut said = Vec::new();
    for (key, value) in table {
        let option = command.get_arguments().find(|arg| arg.get_long() == Some(&key));
        let option =
            option.filter(|_| key != "config").ok_or_else(|| format!("`{key}` is no option"))?;
        if is_said(command, option, args) {
            continue;
        }
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            let value = match value {
                Value::String(text) => text,
                Value::Integer(number) => number.to_string(),
                other => return Err(format!("`{key}` is a {}", other.type_str()).into()),
            };
            said.push(format!("--{key}={value}").into());
        }
    }
    Ok(said)
}

/// Tells whether an option, or one that excludes it, stands elsewhere than in the file.
fn is_said(command: &Command, option: &Arg, args: &[OsString]) -> bool {
    let excludes = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|it| it.get_id() == other.get_id())
    };
    command
        .get_arguments()
        .filter(|it| it.get_id() == option.get_id() || excludes(it, option) || excludes(option, it))
        .any(|it| is_in_environment(it) || is_on_the_line(it, args))
}

fn is_in_environment(option: &Arg) -> bool {
    option.get_env().is_some_and(|name| env::var_os(name).is_some())
}

fn is_on_the_line(option: &Arg, args: &[OsString]) -> bool {
    let names = args.iter().skip(1).filter_map(|arg| arg.to_str()?.strip_prefix("--"));
    let mut names = names.map(|name| name.split_once('=').map_or(name, |(name, _)| name));
    names.any(|name| Some(name) == option.get_long())
}
