use super::*;

const LANGS: [Lang; 2] = [Lang::Zh, Lang::En];

/// Returns the value of an attribute of a line's first element.
fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

fn number(line: &str, name: &str) -> u32 {
    attribute(line, name).and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// A width that no common font exceeds: a full square for a Chinese character, 0.62 of one for
/// others, 0.66 in code and in bold.
fn width_of(text: &str, size: u32, wide: bool) -> u32 {
    let hundredths: u32 = text
        .chars()
        .map(|character| match character {
            '\u{2e80}'.. => 100,
            _ if wide => 66,
            'i' | 'j' | 'l' | 't' | 'f' | 'r' | ' ' | '.' | ',' | ':' | ';' | '/' | '\'' => 36,
            _ => 62,
        })
        .sum();
    hundredths * size / 100
}

#[test]
fn every_element_is_closed() {
    for lang in LANGS {
        let drawing = svg(lang);
        let mut open: Vec<&str> = Vec::new();
        for tag in drawing.split('<').skip(1) {
            let (tag, text) = tag.split_once('>').expect("a tag ends");
            assert!(tag.matches('"').count() % 2 == 0, "{tag}");
            assert!(!text.contains('&') || text.contains(';'), "{text}");
            let name = tag.split([' ', '/']).next().unwrap_or_default();
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn no_blank_line_ends_the_html_block() {
    for lang in LANGS {
        assert!(svg(lang).lines().all(|line| !line.trim().is_empty()));
        assert!(svg(lang).lines().next().is_some_and(|line| line.ends_with('>')));
    }
}

#[test]
fn every_text_ends_before_what_stands_right_of_it() {
    for lang in LANGS {
        for line in svg(lang).lines().filter(|line| line.starts_with("<text")) {
            let text = line.split_once('>').and_then(|(_, rest)| rest.split_once('<'));
            let (text, _) = text.expect("a text element has a text");
            let (x, size) = (number(line, "x"), number(line, "font-size"));
            let wide = line.contains("kimi-tree-code") || line.contains("font-weight");
            if line.contains("text-anchor") {
                continue;
            }
            // Rows end at the next column; what stands above and below them ends at the margin.
            let in_kind = (KIND.0..KIND.0 + KIND.1).contains(&x) && x != KIND.0 + 8;
            let end = if in_kind { KIND.0 + KIND.1 } else { WIDTH - MARGIN };
            let width = width_of(text, size, wide);
            assert!(x + width <= end, "{text:?} may be {width} px wide, {} fit", end - x);
        }
    }
}

#[test]
fn every_kind_status_and_errcode_is_drawn() {
    let drawing = svg(Lang::En);
    for kind in ErrorKind::ALL.iter().copied() {
        assert!(drawing.contains(&format!(">{}</text>", kind.name())), "{kind}");
        assert!(drawing.contains(&format!(">{}</text>", kind.errcode())), "{kind}");
        assert!(drawing.contains(&format!(">{}</text>", kind.status())), "{kind}");
    }
}

#[test]
fn every_advice_has_a_color() {
    for kind in ErrorKind::ALL.iter().copied() {
        assert!(color(kind.advice()).starts_with('#'), "{kind}");
    }
}

#[test]
fn no_two_cards_overlap() {
    for lang in LANGS {
        let areas: Vec<Area> = svg(lang)
            .lines()
            .filter(|line| line.starts_with("<rect") && line.contains("currentColor"))
            .map(|line| Area {
                x: number(line, "x"),
                y: number(line, "y"),
                width: number(line, "width"),
                height: number(line, "height"),
            })
            .collect();
        assert!(areas.len() > ErrorKind::ALL.len());
        for (index, one) in areas.iter().enumerate() {
            for other in &areas[index + 1..] {
                let apart = one.x + one.width <= other.x
                    || other.x + other.width <= one.x
                    || one.y + one.height <= other.y
                    || other.y + other.height <= one.y;
                assert!(apart, "{},{} and {},{}", one.x, one.y, other.x, other.y);
            }
        }
    }
}
