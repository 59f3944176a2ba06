//! What a file is, by its first bytes.
//!
//! Only what the two lists of types have in them: this does not replace a library that knows all.

/// How many bytes are looked at: 4 096. Ours. A Word file names its parts in the first few hundred.
pub(super) const BLOCK_BYTES: usize = 4_096;

/// Marks at a fixed place.
const MARKS: &[(usize, &[u8], &[&str])] = &[
    (0, b"%PDF-", &["application/pdf"]),       // ISO 32000-2 §7.5.2
    (0, b"\x89PNG\r\n\x1a\n", &["image/png"]), // PNG §5.2; APNG is one
    (0, b"\xff\xd8\xff", &["image/jpeg"]),
    (0, b"GIF87a", &["image/gif"]),
    (0, b"GIF89a", &["image/gif"]),
    (8, b"WEBP", &["image/webp"]), // RFC 9649 §2.4, with the RIFF that is asked for below
    (0, b"II*\0", &["image/tiff"]),
    (0, b"MM\0*", &["image/tiff"]),
    (0, b"\0\0\x01\0", &["image/vnd.microsoft.icon"]),
    (4, b"ftypavif", &["image/avif"]), // ISO 14496-12 §4.3, as those below
    (4, b"ftypavis", &["image/avif"]),
    (4, b"ftypheic", &["image/heic"]),
    (4, b"ftypqt  ", &["video/quicktime"]),
    (4, b"ftyp", &["video/mp4"]),
    (0, b"\x1a\x45\xdf\xa3", &["video/webm", "video/x-matroska"]), // RFC 8794 §8
    (60, b"BOOKMOBI", &["application/x-mobipocket-ebook"]),
    (30, b"mimetypeapplication/epub+zip", &["application/epub+zip"]), // EPUB OCF §4.3
    // [MS-CFB] §2.2: which of the three it is stands anywhere in it.
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
];

const OLE: &[&str] =
    &["application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"];
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// Returns the types that a file which begins so may be of; none if it is not known.
pub(super) fn types_of(block: &[u8]) -> &'static [&'static str] {
    for (at, mark, types) in MARKS {
        let is_there = block.get(*at..).is_some_and(|rest| rest.starts_with(mark));
        if is_there && (*mark != b"WEBP" || block.starts_with(b"RIFF")) {
            return types;
        }
    }
    if block.starts_with(b"PK\x03\x04") {
        return office(block);
    }
    // "BM" alone begins many a text; a bitmap has four bytes of zeros from the seventh on.
    if block.starts_with(b"BM") && block.get(6..10) == Some(&[0; 4]) {
        return &["image/bmp"];
    }
    text(block)
}

/// ECMA-376 part 2: a ZIP file, whose parts stand in folders by what it is.
fn office(block: &[u8]) -> &'static [&'static str] {
    let has = |name: &[u8]| memchr::memmem::find(block, name).is_some();
    if has(b"word/") {
        &[DOCX]
    } else if has(b"xl/") {
        &[XLSX]
    } else if has(b"ppt/") {
        &[PPTX]
    } else if has(b"[Content_Types].xml") {
        &[DOCX, XLSX, PPTX]
    } else {
        &["application/zip"]
    }
}

/// UTF-8 without the control characters that no text has, or what a byte order mark says.
fn text(block: &[u8]) -> &'static [&'static str] {
    if block.starts_with(b"\xff\xfe") || block.starts_with(b"\xfe\xff") {
        return &["text/plain"];
    }
    let text = match std::str::from_utf8(block) {
        Ok(text) => text,
        // The block may end inside of a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&block[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return &[],
    };
    let is_binary =
        |it: char| it.is_control() && !matches!(it, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    if text.is_empty() || text.contains(is_binary) {
        return &[];
    }
    let begins = text.trim_start_matches('\u{feff}').trim_start();
    let starts_with =
        |tag: &str| begins.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag));
    if starts_with("<svg") || (starts_with("<?xml") && text.contains("<svg")) {
        &["image/svg+xml"]
    } else if starts_with("<!doctype html") || starts_with("<html") {
        &["text/html"]
    } else {
        &["text/plain"]
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, proptest};

    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let zip = |name: &str| [b"PK\x03\x04", &[0; 26][..], name.as_bytes()].concat();
        let mobi = [&[0; 60][..], b"BOOKMOBI"].concat();
        for (block, expected) in [
            (&b"%PDF-1.7\n"[..], "application/pdf"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"GIF89a..", "image/gif"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"BM\x10\0\0\0\0\0\0\0", "image/bmp"),
            (b"II*\0", "image/tiff"),
            (b"\0\0\x01\0", "image/vnd.microsoft.icon"),
            (b"\0\0\0\x18ftypmp42", "video/mp4"),
            (b"\0\0\0\x18ftypavif", "image/avif"),
            (b"\x1a\x45\xdf\xa3", "video/webm"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
            (&mobi, "application/x-mobipocket-ebook"),
            (&zip("word/document.xml"), DOCX),
            (&zip("[Content_Types].xml..xl/workbook.xml"), XLSX),
            (&zip("ppt/slides"), PPTX),
            (&zip("[Content_Types].xml"), DOCX),
            (&zip("mimetypeapplication/epub+zip"), "application/epub+zip"),
            (&zip("a.exe"), "application/zip"),
            ("你好".as_bytes(), "text/plain"),
            (&"你好".as_bytes()[..5], "text/plain"),
            (b"\xff\xfeh\0i\0", "text/plain"),
            (b"BM is no bitmap", "text/plain"),
            (b"<?xml version=\"1.0\"?>\n<svg>", "image/svg+xml"),
            (b"\xef\xbb\xbf <!DOCTYPE html>", "text/html"),
        ] {
            assert_eq!(types_of(block).first(), Some(&expected), "{block:?}");
        }
    }

    #[test]
    fn what_is_not_known_has_no_type() {
        for block in [
            &b""[..],
            b"MZ\x90\0",
            b"\x7fELF\x02",
            b"\0",
            b"a\0b",
            b"\xff\xff\xff",
            b"RIFF\0\0\0\0WAVE",
        ] {
            assert_eq!(types_of(block), &[] as &[&str], "{block:?}");
        }
    }

    proptest! {
        #[test]
        fn prop_any_block_is_survived(block: Vec<u8>) {
            prop_assert!(types_of(&block).len() <= 3);
        }
    }
}
