//! Each document's diffs lead from the code before to the code after, to the letter, and nothing else
//! does; and its dependencies have the features that it names.

const DOCUMENTS: [&str; 2] = [
    include_str!("../../../docs/add-to-your-own.md"),
    include_str!("../../../docs/add-to-your-own.zh-CN.md"),
];

/// Host, code before and code after.
const HOSTS: [(&str, &str, &str); 3] = [
    ("axum", include_str!("axum_before.rs"), include_str!("axum_after.rs")),
    ("tonic", include_str!("tonic_before.rs"), include_str!("tonic_after.rs")),
    ("reqwest", include_str!("reqwest_before.rs"), include_str!("reqwest_after.rs")),
];

const MANIFESTS: [(&str, &str); 2] = [
    ("kimi-errors", include_str!("../../../kimi-errors/Cargo.toml")),
    ("kimi-tower", include_str!("../../../kimi-tower/Cargo.toml")),
];

/// Returns the blocks of a document that begin with this after the fence.
fn blocks<'a>(document: &'a str, info: &str) -> Vec<&'a str> {
    let fence = format!("```{info}\n");
    let parts = document.split(&*fence).skip(1);
    parts.map(|rest| rest.split_once("```").unwrap().0).collect()
}

/// Returns the lines of a diff that have no such sign, without their signs.
fn without(diff: &str, sign: char) -> String {
    let lines = diff.lines().filter(|line| !line.starts_with(sign));
    lines.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect()
}

#[test]
fn the_diffs_lead_from_before_to_after() {
    for document in DOCUMENTS {
        for (host, before, after) in HOSTS {
            let diffs = blocks(document, &format!("diff {host}"));
            assert!(!diffs.is_empty(), "{host}");
            let mut code = before.to_owned();
            for diff in diffs {
                let (old, new) = (without(diff, '+'), without(diff, '-'));
                assert_eq!(code.matches(&old).count(), 1, "in {host}, once:\n{old}");
                code = code.replace(&old, &new);
            }
            assert_eq!(code, after, "{host}");
        }
    }
}

#[test]
fn both_languages_show_the_same_code() {
    let [english, chinese] = DOCUMENTS.map(|document| {
        let code = document.split("```").skip(1).step_by(2);
        code.map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(english, chinese);
}

/// Returns the statuses and codes in each row of a document's tables.
fn codes(document: &str) -> Vec<Vec<&str>> {
    let is_code = |word: &&str| matches!(word.trim_start_matches('-').len(), 3 | 4);
    let is_number = |word: &&str| word.parse::<i32>().is_ok();
    let rows = document.lines().filter(|line| line.starts_with('|'));
    let words = rows.map(|row| row.split(|it: char| it != '-' && !it.is_ascii_digit()));
    words.map(|words| words.filter(is_code).filter(is_number).collect()).collect()
}

#[test]
fn both_languages_tell_the_same_codes() {
    let [english, chinese] = DOCUMENTS.map(codes);
    assert_eq!(english, chinese);
    assert!(english.iter().flatten().count() > 10, "{english:?}");
}

#[test]
fn the_dependencies_have_the_features_that_are_named() {
    let version = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    for (host, ..) in HOSTS {
        let toml = blocks(DOCUMENTS[0], &format!("toml {host}"));
        let [toml] = toml[..] else { panic!("one block of {host}") };
        for line in toml.lines() {
            let (name, rest) = line.split_once(" = ").unwrap();
            let Some((_, manifest)) = MANIFESTS.iter().find(|(crate_, _)| *crate_ == name) else {
                continue;
            };
            assert!(rest.contains(&format!("\"{version}\"")), "{line}");
            let features = rest.split_once("features = [").and_then(|it| it.1.split_once(']'));
            for feature in features.into_iter().flat_map(|it| it.0.split(", ")) {
                let declared = format!("\n{} = ", feature.trim_matches('"'));
                assert!(manifest.contains(&declared), "{feature} of {name}");
            }
        }
    }
}
