//! Known devices: clients that have logged in to a destination before.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac;
use rand::CryptoRng;
use secrecy::SecretString;

use super::{ClientAddress, Destination, DigestKey, UnixTime, User, UserId};

/// How many devices of a destination are known at once.
const MOST: u32 = 10;

/// The length of what a token says, before its MAC.
const CONTENT: usize = 44;

/// Who asks for a code: a client, and perhaps a device that it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// The client.
    pub client: ClientAddress,
    /// The known device. Strangers have none.
    pub device: Option<Device>,
}

impl From<ClientAddress> for Asker {
    fn from(client: ClientAddress) -> Self {
        Self {
            client,
            device: None,
        }
    }
}

/// How far somebody who asks for a code is trusted. Who is trusted more is counted less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// Nothing is proven.
    Stranger,
    /// A code came back from the destination lately.
    Proven,
    /// The device has logged in to the destination before.
    Device,
}

/// A device that has logged in to a destination: an identifier, and what it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// 128 random bits.
    id: [u8; 16],
    /// How many devices the user had had at the destination, with this one.
    generation: u32,
    /// Stands for the user, bound to the destination.
    user: [u8; 16],
    /// When the device is a stranger again.
    expires_at: UnixTime,
}

/// The devices of a user at one destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// How many there have been.
    pub issued: u32,
    /// How many of them, the oldest, were ended.
    pub ended: u32,
}

impl Device {
    /// A device of a user that logs in to a destination for the first time.
    #[must_use]
    pub fn new(
        user: &UserId,
        to: &Destination,
        devices: Devices,
        key: &DigestKey,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        Self {
            id,
            generation: devices.issued.saturating_add(1),
            user: key.user_at(to, user),
            expires_at: UnixTime::from_millis(0),
        }
    }

    /// The same device, which is known for so much longer.
    #[must_use]
    pub fn until(self, expires_at: UnixTime) -> Self {
        Self { expires_at, ..self }
    }

    /// When the device is a stranger again.
    #[must_use]
    pub const fn expires_at(&self) -> UnixTime {
        self.expires_at
    }

    /// The identifier as text, for the table.
    #[must_use]
    pub fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.id)
    }

    /// Whether two tokens are of the same device, as far as they say.
    #[must_use]
    pub fn is_same(one: &str, other: &str) -> bool {
        let id = |token: &str| {
            let token = URL_SAFE_NO_PAD.decode(token).ok()?;
            token.first_chunk::<16>().copied()
        };
        id(one).is_some_and(|one| id(other) == Some(one))
    }

    /// Whether the user of the destination still knows this device.
    #[must_use]
    pub fn is_known_to(&self, user: &User, to: &Destination, key: &DigestKey) -> bool {
        let Devices { issued, ended } = user.devices;
        let is_recent = issued < MOST.saturating_add(self.generation);
        self.user == key.user_at(to, &user.id) && ended < self.generation && is_recent
    }

    /// The bytes for the table.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let expires_at = self.expires_at.as_millis().to_be_bytes();
        let generation = self.generation.to_be_bytes();
        [&self.id[..], &generation, &self.user, &expires_at].concat()
    }

    /// Reads the bytes from the table.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (user, rest) = rest.split_first_chunk()?;
        let expires_at = rest.try_into().ok()?;
        Some(Self {
            id: *id,
            generation: u32::from_be_bytes(*generation),
            user: *user,
            expires_at: UnixTime::from_millis(u64::from_be_bytes(expires_at)),
        })
    }
}

impl DigestKey {
    /// The token by which the device is known again at this destination.
    #[must_use]
    pub fn device_token(&self, device: &Device, to: &Destination) -> SecretString {
        let content = device.to_bytes();
        let mac = self.mac_of_device(&content, to).finalize().into_bytes();
        let token = [&content[..], &mac].concat();
        URL_SAFE_NO_PAD.encode(token).into()
    }

    /// The device of a token; `None` if this key did not write it for this destination, or
    /// if it is over.
    #[must_use]
    pub fn device(&self, token: &str, to: &Destination, now: UnixTime) -> Option<Device> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (content, mac) = token.split_at_checked(CONTENT)?;
        self.mac_of_device(content, to).verify_slice(mac).ok()?;
        Device::from_bytes(content).filter(|device| now < device.expires_at)
    }

    fn mac_of_device(&self, content: &[u8], to: &Destination) -> impl Mac {
        self.mac(&[
            b"device/v1",
            content,
            to.kind().as_str().as_bytes(),
            to.as_str().as_bytes(),
        ])
    }

    fn user_at(&self, to: &Destination, user: &UserId) -> [u8; 16] {
        let mac = self.mac(&[
            b"device-user/v1",
            to.kind().as_str().as_bytes(),
            to.as_str().as_bytes(),
            user.as_str().as_bytes(),
        ]);
        let mut half = [0; 16];
        half.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        half
    }

    /// Stands for a client at one destination. The table does not tell who it is, nor that
    /// one client is known at two destinations.
    #[must_use]
    pub fn client_at(&self, to: &Destination, client: &ClientAddress) -> String {
        let mac = self.mac(&[
            b"client/v1",
            to.kind().as_str().as_bytes(),
            to.as_str().as_bytes(),
            client.as_str().as_bytes(),
        ]);
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..12])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};
    use secrecy::ExposeSecret;

    use super::*;
    use crate::{Claims, DigestKeyId};

    const NOW: UnixTime = UnixTime::from_secs(1_767_226_200);

    fn key(byte: u8) -> DigestKey {
        DigestKey::new(DigestKeyId::new("key"), Box::new([byte; 32]))
    }

    fn to(text: &str) -> Destination {
        text.parse().unwrap()
    }

    fn user(id: &str, issued: u32, ended: u32) -> User {
        User {
            id: UserId::from_table(id.to_owned()),
            disabled: false,
            last_login_at: None,
            claims: Claims::default(),
            devices: Devices { issued, ended },
        }
    }

    fn device(issued: u32) -> Device {
        let (owner, rng) = (user("u", issued, 0), &mut StdRng::seed_from_u64(1));
        let new = Device::new(&owner.id, &to("a@example.com"), owner.devices, &key(1), rng);
        new.until(NOW.plus(Duration::from_secs(10)))
    }

    #[test]
    fn a_token_is_of_one_destination_one_key_and_ends() {
        let (device, here) = (device(0), to("a@example.com"));
        let token = key(1).device_token(&device, &here);
        let read =
            |key: &DigestKey, to: &Destination, at| key.device(token.expose_secret(), to, at);
        assert_eq!(read(&key(1), &here, NOW), Some(device.clone()));
        assert_eq!(read(&key(2), &here, NOW), None);
        assert_eq!(read(&key(1), &to("b@example.com"), NOW), None);
        assert_eq!(read(&key(1), &here, device.expires_at()), None);
    }

    #[test]
    fn a_device_is_known_to_its_own_user_until_ten_others_or_the_end_of_all() {
        let (third, here) = (device(2), to("a@example.com"));
        let known = |id, issued, ended| third.is_known_to(&user(id, issued, ended), &here, &key(1));
        assert!(known("u", 3, 0) && known("u", 12, 2));
        assert!(!known("u", 13, 0), "ten devices are newer");
        assert!(!known("u", 3, 3), "all were ended");
        assert!(!known("another", 3, 0));
        let elsewhere = to("b@example.com");
        assert!(!third.is_known_to(&user("u", 3, 0), &elsewhere, &key(1)));
    }

    #[test]
    fn a_client_has_another_name_at_each_destination() {
        let client = |text| ClientAddress::from_gateway(Some(text));
        let name = |to_: &str, text| key(1).client_at(&to(to_), &client(text));
        let here = name("a@example.com", "203.0.113.7");
        assert_eq!(here, name("a@example.com", "203.0.113.7"));
        assert_eq!(here.len(), 16);
        assert_ne!(here, name("b@example.com", "203.0.113.7"));
        assert_ne!(here, name("a@example.com", "203.0.113.8"));
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn no_other_text_is_a_token(at in 0usize..102, by in 1u8..64, text in fuzz::text(&["AAAA"])) {
            let here = to("a@example.com");
            let token = key(1).device_token(&device(0), &here);
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let mut forged = token.expose_secret().as_bytes().to_vec();
            let was = alphabet.iter().position(|b| *b == forged[at]).unwrap();
            forged[at] = alphabet[(was + usize::from(by)) % 64];
            let forged = String::from_utf8(forged).unwrap();
            prop_assert_eq!(key(1).device(&forged, &here, NOW), None);
            prop_assert_eq!(key(1).device(&text, &here, NOW), None);
        }
    }
}
