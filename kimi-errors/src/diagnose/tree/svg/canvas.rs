//! The few SVG elements that the drawing is made of, each on a line of its own.

use std::fmt::Write as _;

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Pixels.
    pub(super) size: u32,
    pub(super) bold: bool,
    /// Set in a monospaced font.
    pub(super) code: bool,
    /// Set paler than the rest.
    pub(super) muted: bool,
    /// Centered on its `x`, rather than starting there.
    pub(super) centered: bool,
}

impl Style {
    pub(super) const fn plain(size: u32) -> Self {
        Self { size, bold: false, code: false, muted: false, centered: false }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) const fn code(self) -> Self {
        Self { code: true, ..self }
    }

    pub(super) const fn muted(self) -> Self {
        Self { muted: true, ..self }
    }

    pub(super) const fn centered(self) -> Self {
        Self { centered: true, ..self }
    }
}

/// An upright rectangle.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Collects elements in drawing order. Writing into a string cannot fail.
#[derive(Default)]
pub(super) struct Canvas {
    out: String,
}

impl Canvas {
    /// Draws a line of text whose baseline is at `y`.
    pub(super) fn text(&mut self, x: u32, y: u32, style: Style, text: &str) {
        let _ = write!(self.out, "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"", style.size);
        if style.bold {
            self.out.push_str(" font-weight=\"600\"");
        }
        if style.code {
            self.out.push_str(" class=\"kimi-tree-code\"");
        }
        if style.muted {
            self.out.push_str(" opacity=\".72\"");
        }
        if style.centered {
            self.out.push_str(" text-anchor=\"middle\"");
        }
        let _ = writeln!(self.out, ">{}</text>", escape(text));
    }

    /// Draws a box that is a shade darker, or lighter, than the page.
    pub(super) fn card(&mut self, area: Area) {
        let Area { x, y, width, height } = area;
        let _ = writeln!(
            self.out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\" \
             fill=\"currentColor\" fill-opacity=\".05\" stroke=\"currentColor\" \
             stroke-opacity=\".22\"/>"
        );
    }

    /// Draws a bar of a color of its own.
    pub(super) fn bar(&mut self, area: Area, color: &str) {
        let Area { x, y, width, height } = area;
        let _ = writeln!(
            self.out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"2\" \
             fill=\"{color}\"/>"
        );
    }

    /// Draws a number in a circle, 18 wide, that starts at `x` and is centered on `y`.
    pub(super) fn badge(&mut self, x: u32, y: u32, number: u32) {
        let _ = writeln!(
            self.out,
            "<circle cx=\"{}\" cy=\"{y}\" r=\"9\" fill=\"currentColor\" \
             fill-opacity=\".1\"/>",
            x + 9
        );
        self.text(x + 9, y + 4, Style::plain(11).bold().centered(), &number.to_string());
    }

    /// Draws a straight line.
    pub(super) fn line(&mut self, from: (u32, u32), to: (u32, u32)) {
        self.stroke(&format!("M{} {}L{} {}", from.0, from.1, to.0, to.1));
    }

    /// Draws an edge that leaves and arrives level.
    pub(super) fn edge(&mut self, from: (u32, u32), to: (u32, u32)) {
        if from.1 == to.1 {
            return self.line(from, to);
        }
        let middle = u32::midpoint(from.0, to.0);
        let (x, y) = to;
        self.stroke(&format!("M{} {}C{middle} {} {middle} {y} {x} {y}", from.0, from.1, from.1));
    }

    /// Returns the drawing, framed.
    ///
    /// It takes the page's text color: rustdoc's where it is inlined, else the one that suits the
    /// reader's color scheme. There is no blank line, which would end an HTML block of Markdown.
    pub(super) fn finish(self, lang: &str, title: &str, width: u32, height: u32) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"kimi-tree\" lang=\"{lang}\" \
             role=\"img\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
             <title>{}</title>\n\
             <style>\n\
             .kimi-tree{{max-width:100%;height:auto;color:#1f2328;\
             color:var(--main-color,#1f2328);\
             font-family:system-ui,-apple-system,\"Segoe UI\",\"PingFang SC\",\"Microsoft YaHei\",\
             \"Noto Sans CJK SC\",\"Noto Sans SC\",sans-serif}}\n\
             .kimi-tree text{{fill:currentColor}}\n\
             .kimi-tree-code{{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\
             \"DejaVu Sans Mono\",monospace}}\n\
             @media (prefers-color-scheme:dark){{.kimi-tree{{color:#e6edf3;\
             color:var(--main-color,#e6edf3)}}}}\n\
             </style>\n\
             {}</svg>\n",
            escape(title),
            self.out
        )
    }

    fn stroke(&mut self, path: &str) {
        let _ = writeln!(
            self.out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".35\" \
             stroke-width=\"1.5\"/>"
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
