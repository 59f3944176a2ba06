//! The whole tree as a drawing: four columns, read from left to right.

mod canvas;

use self::canvas::{Area, Canvas, Style};
use super::{
    super::{
        render::mermaid::ADVICE_COLORS,
        words::{Words, advice, words},
    },
    Branch, tree,
};
use crate::{ErrorKind, Lang, RetryAdvice};

// All in pixels. Columns, from left to right: x and width.
const MARGIN: u32 = 24;
/// Below the first heading's badge.
const TRUNK_X: u32 = MARGIN + 9;
const STATUS: (u32, u32) = (56, 60);
const ERRCODE: (u32, u32) = (156, 76);
const KIND: (u32, u32) = (272, 322);
const ACTION: (u32, u32) = (618, 438);
const WIDTH: u32 = ACTION.0 + ACTION.1 + MARGIN;

// Rows, from top to bottom.
const HEADINGS_Y: u32 = 96;
const FIRST_ROW_Y: u32 = 116;
const ROW: u32 = 46;
const CARD: u32 = 38;
const GROUP_GAP: u32 = 12;
const FOOTER: u32 = 96;

const TITLE: Style = Style::plain(20).bold();
const HEADING: Style = Style::plain(13).bold();
const NOTE: Style = Style::plain(12).muted();
const NUMBER: Style = Style::plain(13).bold().code().centered();
const NAME: Style = Style::plain(12).code();
const LINE: Style = Style::plain(12);

/// Returns the decision tree as an SVG drawing, in the page's own text color.
///
/// It may be inlined into HTML and Markdown, or stand as a file of its own. Bars are colored by
/// advice. Ends in a line feed.
#[must_use]
pub fn svg(lang: Lang) -> String {
    let words = words(lang);
    let mut canvas = Canvas::default();
    headings(&mut canvas, words);
    let mut y = success(&mut canvas, words, FIRST_ROW_Y);
    let mut trunk_end = y;
    for branch in tree() {
        y += GROUP_GAP;
        (trunk_end, y) = draw_branch(&mut canvas, &branch, y, lang);
    }
    canvas.line((TRUNK_X, HEADINGS_Y + 5), (TRUNK_X, trunk_end));
    footer(&mut canvas, words, y + GROUP_GAP);
    canvas.finish(lang.tag(), words.title, WIDTH, y + GROUP_GAP + FOOTER)
}

fn headings(canvas: &mut Canvas, words: &Words) {
    canvas.text(MARGIN, 38, TITLE, words.title);
    canvas.text(MARGIN, 62, NOTE, words.subtitle);
    let columns = [
        (MARGIN, words.http_status),
        (ERRCODE.0, words.errcode),
        (KIND.0, words.kind),
        (ACTION.0, words.action),
    ];
    for (number, (x, heading)) in (1..).zip(columns) {
        canvas.badge(x, HEADINGS_Y - 5, number);
        canvas.text(x + 26, HEADINGS_Y, HEADING, heading);
    }
}

/// Draws what a 200 can be. Returns where the next row starts.
fn success(canvas: &mut Canvas, words: &Words, y: u32) -> u32 {
    let from = draw_status(canvas, "200", y + ROW / 2 + CARD / 2);
    let ends = [
        (words.no_errcode, words.success, ""),
        ("≠ 0", words.error_in_200, words.error_in_200_reason),
    ];
    for (row, (errcode, first, second)) in (0..).zip(ends) {
        let top = y + row * ROW;
        let center = top + CARD / 2;
        canvas.edge(from, (ERRCODE.0, center));
        draw_errcode(canvas, errcode, center);
        canvas.edge((ERRCODE.0 + ERRCODE.1, center), (KIND.0, center));
        if second.is_empty() {
            canvas.text(KIND.0 + 8, center + 4, LINE, first);
        } else {
            canvas.text(KIND.0 + 8, top + 16, LINE, first);
            canvas.text(KIND.0 + 8, top + 32, NOTE, second);
        }
    }
    y + 2 * ROW
}

/// Draws a status and all that hangs on it. Returns the status' center and where the next row
/// starts.
fn draw_branch(canvas: &mut Canvas, branch: &Branch, y: u32, lang: Lang) -> (u32, u32) {
    let rows: usize = branch.twigs.iter().map(|twig| twig.kinds.len()).sum();
    let center = center(y, rows);
    let from = draw_status(canvas, &branch.status.to_string(), center);
    let mut y = y;
    for twig in &branch.twigs {
        let twig_center = self::center(y, twig.kinds.len());
        canvas.edge(from, (ERRCODE.0, twig_center));
        draw_errcode(canvas, &twig.errcode.to_string(), twig_center);
        for kind in twig.kinds.iter().copied() {
            let from = (ERRCODE.0 + ERRCODE.1, twig_center);
            canvas.edge(from, (KIND.0, y + CARD / 2));
            draw_kind(canvas, kind, y, lang);
            y += ROW;
        }
    }
    (center, y)
}

/// Draws a status on the trunk. Returns where its edges start.
fn draw_status(canvas: &mut Canvas, status: &str, center: u32) -> (u32, u32) {
    let (x, width) = STATUS;
    canvas.line((TRUNK_X, center), (x, center));
    canvas.card(Area { x, y: center - 15, width, height: 30 });
    canvas.text(x + width / 2, center + 5, NUMBER, status);
    (x + width, center)
}

fn draw_errcode(canvas: &mut Canvas, errcode: &str, center: u32) {
    let (x, width) = ERRCODE;
    canvas.card(Area { x, y: center - 15, width, height: 30 });
    let style = if errcode.is_ascii() { NUMBER } else { HEADING.centered() };
    canvas.text(x + width / 2, center + 5, style, errcode);
}

/// Draws a kind, and beside it what to do about it.
fn draw_kind(canvas: &mut Canvas, kind: ErrorKind, y: u32, lang: Lang) {
    let (x, width) = KIND;
    canvas.card(Area { x, y, width, height: CARD });
    canvas.bar(Area { x, y, width: 5, height: CARD }, color(kind.advice()));
    let name = if kind.owns_errcode() { NAME.bold() } else { NAME };
    canvas.text(x + 16, y + 16, name, kind.name());
    canvas.text(x + 16, y + 32, NOTE, kind.message(lang));

    let (x, _) = ACTION;
    canvas.line((KIND.0 + width + 4, y + CARD / 2), (x - 6, y + CARD / 2));
    canvas.text(x, y + 16, LINE.bold(), advice(kind.advice(), lang));
    // Every kind has a first remedy: a test of the remedies says so.
    let remedy = kind.remedies(lang).first().copied().unwrap_or_default();
    canvas.text(x, y + 32, NOTE, remedy);
}

fn footer(canvas: &mut Canvas, words: &Words, y: u32) {
    canvas.card(Area { x: MARGIN, y, width: WIDTH - 2 * MARGIN, height: 46 });
    canvas.badge(MARGIN + 14, y + 23, 5);
    canvas.text(MARGIN + 44, y + 19, HEADING, words.persists);
    canvas.text(MARGIN + 44, y + 37, NOTE, words.escalate);
    canvas.text(MARGIN, y + 72, NOTE, words.own_errcode);
}

/// Returns the center of `rows` rows that start at `y`.
fn center(y: u32, rows: usize) -> u32 {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX);
    y + rows.saturating_sub(1).saturating_mul(ROW / 2) + CARD / 2
}

fn color(advice: RetryAdvice) -> &'static str {
    let known = ADVICE_COLORS.iter().find(|(name, _)| *name == advice.name());
    known.map_or("currentColor", |(_, color)| color)
}

#[cfg(test)]
mod tests;
