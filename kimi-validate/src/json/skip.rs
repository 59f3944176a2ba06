use super::{Fault, JsonType, Scanner};

impl Scanner<'_> {
    /// Skips the value that comes next, as strictly as if it mattered. Nesting costs no stack.
    pub(crate) fn skip(&mut self) -> Result<(), Fault> {
        // The lowest bit says whether the innermost container is an object, the next the one
        // around it. There are as many as the scanner lets in, fewer than 128.
        let mut objects = 0_u128;
        let base = self.depth;
        loop {
            let kind = self.value()?;
            let mut is_first = false;
            match kind {
                JsonType::Object | JsonType::Array => {
                    self.enter()?;
                    objects = objects << 1 | u128::from(kind == JsonType::Object);
                    is_first = true;
                }
                JsonType::String => {
                    self.string()?;
                }
                JsonType::Number => {
                    self.number()?;
                }
                JsonType::Boolean => {
                    self.boolean()?;
                }
                JsonType::Null => self.null()?,
            }
            loop {
                if self.depth == base {
                    return Ok(());
                }
                let has_next = match objects & 1 {
                    0 => self.next_item(is_first)?,
                    _ => self.next_name(is_first)?.is_some(),
                };
                if has_next {
                    break;
                }
                objects >>= 1;
                is_first = false;
            }
        }
    }
}
