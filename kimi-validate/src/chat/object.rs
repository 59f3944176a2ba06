//! One object, held to its fields.

use super::{found::Slots, pass::Pass, path::Step, table::Field};
use crate::{
    json::Fault,
    violation::{Expected, Rule},
};

impl<'p> Pass<'_, 'p> {
    /// Reads the object that begins here: each member by its field, then what is missing. Returns
    /// a number of which bit n says whether there is a member of field n.
    pub(super) fn object(
        &mut self,
        fields: &'p [Field],
        required: &'p [Box<str>],
        kept: &mut Slots,
    ) -> Result<u64, Fault> {
        let start = self.scanner.at();
        let mut seen = 0_u64;
        let mut seen_required = vec![false; required.len()];
        let mut is_first = true;
        self.scanner.enter()?;
        while let Some(name) = self.scanner.next_name(is_first)? {
            is_first = false;
            let known = match name.is_escaped {
                false => field_named(fields, required, &mut seen_required, self.raw(name)),
                // Not copied if it is longer than all that are known would be in escapes.
                true if self.raw(name).len() > 6 * longest(fields, required) => None,
                true => {
                    let name = self.unescaped(name);
                    field_named(fields, required, &mut seen_required, name.as_bytes())
                }
            };
            let Some(index) = known else {
                self.scanner.value()?;
                self.scanner.skip()?;
                continue;
            };
            let field = &fields[index];
            self.path.push(Step::Name(field.name));
            if seen & 1 << index == 0 {
                seen |= 1 << index;
                let value = self.check(field)?;
                if let Some(slot) = field.slot {
                    kept.keep(slot, value);
                }
            } else {
                let kind = self.scanner.value()?;
                let at = self.scanner.at();
                self.report(at, Rule::DuplicateKey, Some(kind), || Expected::Nothing);
                self.scanner.skip()?;
            }
            self.path.pop();
        }
        // Those that are required stand first in each table.
        for (index, field) in fields.iter().take_while(|field| field.is_required).enumerate() {
            if seen & 1 << index == 0 {
                self.report_missing(field, start);
            }
        }
        for (name, _) in required.iter().zip(seen_required).filter(|(_, is_seen)| !is_seen) {
            // One that the table requires has been reported.
            if !fields.iter().any(|field| field.is_required && field.name == &**name) {
                self.report_below(name, start, Rule::Required, None, Expected::Nothing);
            }
        }
        Ok(seen)
    }
}

/// Returns which of the fields has a name, and notes it if it is one of those required besides.
#[inline(always)]
fn field_named(
    fields: &[Field],
    required: &[Box<str>],
    seen_required: &mut [bool],
    name: &[u8],
) -> Option<usize> {
    if let Some(extra) = required.iter().position(|it| it.as_bytes() == name) {
        seen_required[extra] = true;
    }
    fields.iter().position(|field| field.name.as_bytes() == name)
}

fn longest(fields: &[Field], required: &[Box<str>]) -> usize {
    let known = fields.iter().map(|field| field.name.len());
    known.chain(required.iter().map(|name| name.len())).max().unwrap_or_default()
}
