//! Writes the pages and drawings of `docs/`, and fails when they are stale.

use std::{fmt::Write as _, fs, path::PathBuf};

use super::{
    mermaid, svg, table,
    words::{advice, words},
};
use crate::{ErrorKind, Lang};

const RENEW: &str = "UPDATE_DOCS=1 cargo test -p kimi-errors --all-features generated_docs";

/// Every generated file: its name in `docs/` and what it must hold.
fn files() -> [(&'static str, String); 5] {
    [
        ("kinds.en.md", summary(Lang::En)),
        ("errors.zh.md", page(Lang::Zh)),
        ("errors.en.md", page(Lang::En)),
        ("decision-tree.zh.svg", svg(Lang::Zh)),
        ("decision-tree.en.svg", svg(Lang::En)),
    ]
}

#[test]
fn generated_docs_are_what_the_catalogue_says() {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut stale = Vec::new();
    for (name, expected) in files() {
        let path = docs.join(name);
        if fs::read_to_string(&path).is_ok_and(|found| found == expected) {
            continue;
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, expected).unwrap();
        } else {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "stale in kimi-errors/docs: {stale:?}; renew them with: {RENEW}");
}

/// Returns the columns of the table that fit a crate page: the first five.
fn summary(lang: Lang) -> String {
    let mut out = String::new();
    for row in table(lang).lines() {
        let columns: Vec<_> = row.split('|').take(6).collect();
        let _ = writeln!(out, "{}|", columns.join("|"));
    }
    out
}

/// Returns the whole page of a language: table, causes and remedies of each kind, the tree.
fn page(lang: Lang) -> String {
    let words = words(lang);
    let (title, intro, remedies, tree) = match lang {
        Lang::Zh => ("错误一览", "每种错误的编码、状态与重试建议。", "原因与处理", "决策树"),
        Lang::En => (
            "Errors",
            "The codes, the status and the advice of every kind.",
            "Causes and remedies",
            "The tree",
        ),
    };
    let colon = words.colon;
    let mut out = format!(
        "# {title}\n\n<!-- Generated from the catalogue. Renew with: {RENEW} -->\n\n\
         {intro}\n\n{}\n{}\n\n## {remedies}\n",
        table(lang),
        words.own_errcode,
    );
    for kind in ErrorKind::ALL.iter().copied() {
        let _ = writeln!(
            out,
            "\n### `{kind}` ({}, HTTP {})\n\n{}{colon}{}\n\n{}{colon}\n",
            kind.errcode(),
            kind.status(),
            kind.message(lang),
            advice(kind.advice(), lang),
            words.causes,
        );
        for cause in kind.causes(lang) {
            let _ = writeln!(out, "- {}", escape(cause));
        }
        let _ = writeln!(out, "\n{}{colon}\n", words.remedies);
        for (number, remedy) in (1..).zip(kind.remedies(lang)) {
            let _ = writeln!(out, "{number}. {}", escape(remedy));
        }
    }
    let _ = write!(
        out,
        "\n{}{colon}{}\n\n## {tree}\n\n<details>\n<summary>Mermaid</summary>\n\n\
         ```mermaid\n{}```\n\n</details>\n",
        words.persists,
        words.escalate,
        mermaid(lang),
    );
    out
}

/// Returns an item as Markdown text: `[DONE]` is not a link.
fn escape(item: &str) -> String {
    item.replace('[', "\\[").replace(']', "\\]")
}
