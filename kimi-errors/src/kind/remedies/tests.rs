use super::*;

/// Every row's items: the kind, which column, the items in Chinese and in English.
fn columns() -> impl Iterator<Item = (ErrorKind, &'static str, &'static Items)> {
    ErrorKind::ALL.iter().flat_map(|kind| {
        let guide = kind.guide();
        [(*kind, "cause", &guide.causes), (*kind, "remedy", &guide.remedies)]
    })
}

fn is_chinese(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}

#[test]
fn every_kind_has_one_to_three_causes_and_two_to_four_remedies() {
    for (kind, column, items) in columns() {
        let bounds = if column == "cause" { 1..=3 } else { 2..=4 };
        assert!(bounds.contains(&items.zh.len()), "{kind}: {} {column}s", items.zh.len());
        assert_eq!(items.zh.len(), items.en.len(), "{kind}: {column}s differ in number");
    }
}

#[test]
fn every_item_is_written_in_its_language() {
    for (kind, column, items) in columns() {
        for item in items.zh {
            assert!(item.contains(is_chinese), "{kind}, {column}: no Chinese in {item:?}");
        }
        for item in items.en {
            assert!(item.is_ascii(), "{kind}, {column}: not plain English: {item:?}");
        }
    }
}

#[test]
fn no_item_ends_like_a_sentence_or_carries_markup() {
    for (kind, column, items) in columns() {
        for item in items.zh.iter().chain(items.en) {
            assert_eq!(item.trim(), *item, "{kind}, {column}");
            assert!(!item.ends_with(['.', '。', ';', '；', '!', '！', ',', '，']), "{item:?}");
            assert!(!item.contains(['`', '*', '<', '>', '|', '"', '\n']), "{item:?}");
        }
    }
}

#[test]
fn no_item_is_said_twice_by_a_kind() {
    for kind in ErrorKind::ALL {
        let guide = kind.guide();
        for (causes, remedies) in
            [(guide.causes.zh, guide.remedies.zh), (guide.causes.en, guide.remedies.en)]
        {
            let mut items: Vec<_> = causes.iter().chain(remedies).collect();
            let count = items.len();
            items.sort_unstable();
            items.dedup();
            assert_eq!(items.len(), count, "{kind}");
        }
    }
}

#[test]
fn no_two_kinds_share_a_row() {
    let mut first: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.causes(Lang::En)[0]).collect();
    first.sort_unstable();
    first.dedup();
    assert_eq!(first.len(), ErrorKind::ALL.len());
}
