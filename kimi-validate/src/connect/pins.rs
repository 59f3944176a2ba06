use std::{collections::HashMap, net::IpAddr, time::Duration};

use tokio::time::Instant;

/// The most names that are remembered: 1 024. Ours; with 253 bytes of a name, the 8 addresses of 17
/// bytes that a guard keeps, and 100 around them, at most 500 KB.
const MAX_PINS: usize = 1_024;

/// Addresses that were vetted, for a while: what was checked is what is fetched.
#[derive(Debug, Default)]
pub(super) struct Pins(HashMap<Box<str>, Pin>);

#[derive(Debug)]
struct Pin {
    addresses: Box<[IpAddr]>,
    until: Instant,
}

impl Pins {
    /// Forgets the name if its time is over.
    pub(super) fn get(&mut self, name: &str, now: Instant) -> Option<Vec<IpAddr>> {
        let pin = self.0.get(name)?;
        if now < pin.until {
            return Some(pin.addresses.to_vec());
        }
        self.0.remove(name);
        None
    }

    pub(super) fn put(
        &mut self,
        name: &str,
        addresses: &[IpAddr],
        now: Instant,
        lifetime: Duration,
    ) {
        if lifetime.is_zero() {
            return;
        }
        if self.0.len() >= MAX_PINS && !self.0.contains_key(name) {
            self.0.retain(|_, pin| now < pin.until);
        }
        if self.0.len() >= MAX_PINS && !self.0.contains_key(name) {
            // The oldest: it has served longest. A look at all is bounded by their number.
            let oldest =
                self.0.iter().min_by_key(|(_, pin)| pin.until).map(|(name, _)| name.clone());
            oldest.map(|name| self.0.remove(&name));
        }
        let pin = Pin { addresses: addresses.into(), until: now + lifetime };
        self.0.insert(name.into(), pin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_pin_holds_for_its_lifetime() {
        let (mut pins, now) = (Pins::default(), Instant::now());
        let address = [IpAddr::from([8, 8, 8, 8])];
        pins.put("a.com", &address, now, LIFETIME);
        let last = now + LIFETIME - Duration::from_nanos(1);
        assert_eq!(pins.get("a.com", last).as_deref(), Some(&address[..]));
        assert_eq!(pins.0.len(), 1);
        assert_eq!(pins.get("a.com", now + LIFETIME), None);
        assert!(pins.0.is_empty());
        assert_eq!(pins.get("b.com", now), None);
        pins.put("b.com", &address, now, Duration::ZERO);
        assert_eq!(pins.get("b.com", now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_a_bound_and_the_oldest_goes() {
        let (mut pins, now) = (Pins::default(), Instant::now());
        for index in 0..3 * MAX_PINS {
            let then = now + Duration::from_millis(index as u64);
            pins.put(&format!("{index}.com"), &[], then, LIFETIME);
            assert!(pins.0.len() <= MAX_PINS);
        }
        let then = now + Duration::from_millis(3 * MAX_PINS as u64);
        assert!(pins.get(&format!("{}.com", 2 * MAX_PINS - 1), then).is_none());
        assert!(pins.get(&format!("{}.com", 2 * MAX_PINS), then).is_some());
    }
}
