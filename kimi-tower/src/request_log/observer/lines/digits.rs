//! Numbers in digits.

use super::super::super::fields::Milliseconds;

/// Writes a decimal number.
#[inline]
pub(super) fn decimal(mut number: u64, line: &mut Vec<u8>) {
    // As most counts are.
    if number < 10 {
        return line.push(b'0' + (number % 10) as u8);
    }
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[at..]);
}

/// Writes a number below ten to the power of `N` in `N` digits.
#[inline]
pub(super) fn padded<const N: usize>(number: u32, line: &mut Vec<u8>) {
    let mut digits = [0; N];
    place(number, &mut digits);
    line.extend_from_slice(&digits);
}

/// Writes the last digits of a number to all of a place.
#[inline]
pub(super) fn place(mut number: u32, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Writes the last `count` hexadecimal digits of a number, which is even.
#[inline]
pub(super) fn hexadecimal(number: u128, count: u8, line: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bytes = number.to_be_bytes();
    for byte in &bytes[bytes.len() - usize::from(count / 2)..] {
        let digits = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
        line.extend_from_slice(&digits);
    }
}

/// Writes a time in milliseconds, to the microsecond: `12.345`.
#[inline]
pub(super) fn milliseconds(time: Milliseconds, line: &mut Vec<u8>) {
    let (whole, beyond) = time.parts();
    decimal(whole, line);
    line.push(b'.');
    padded::<3>(beyond, line);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        write(&mut line);
        String::from_utf8(line).unwrap()
    }

    proptest! {
        #[test]
        fn prop_numbers_are_written_as_by_the_standard_library(
            number in any::<u64>(),
            shift in 0_u32..64,
            wide in any::<u128>(),
        ) {
            let number = number >> shift;
            prop_assert_eq!(written(|line| decimal(number, line)), number.to_string());
            let below = u32::try_from(number % 1000).unwrap();
            prop_assert_eq!(written(|line| padded::<3>(below, line)), format!("{below:03}"));
            prop_assert_eq!(written(|line| hexadecimal(wide, 32, line)), format!("{wide:032x}"));
        }
    }

    #[test]
    fn a_time_has_three_places() {
        for (micros, text) in
            [(0, "0.000"), (7, "0.007"), (12_345, "12.345"), (6_000_000, "6000.000")]
        {
            let time = Milliseconds(Duration::from_micros(micros));
            assert_eq!(written(|line| milliseconds(time, line)), text);
        }
    }
}
