//! Android apps that read their own text messages (SMS Retriever API).

/// The apps that a message can be meant for, by the names that clients use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AndroidApps(Vec<(String, String)>);

/// One of the configured apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AndroidApp(usize);

impl AndroidApp {
    pub(crate) const fn index(self) -> usize {
        self.0
    }
}

impl AndroidApps {
    /// Reads a comma-separated list such as `app=FA+9qCX9VSu,beta=0123456789a`. A hash
    /// is the 11 characters that Google Play services look for. `None` if an entry is
    /// repeated or malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut apps: Vec<(String, String)> = Vec::new();
        for entry in text.split(',').map(str::trim) {
            let (name, hash) = entry.split_once('=')?;
            let name_like = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            let hash_like = |b: u8| b.is_ascii_alphanumeric() || b"+/".contains(&b);
            let well_formed = (1..=64).contains(&name.len())
                && name.bytes().all(name_like)
                && hash.len() == 11
                && hash.bytes().all(hash_like);
            if !well_formed || apps.iter().any(|(known, _)| known == name) {
                return None;
            }
            apps.push((name.to_owned(), hash.to_owned()));
        }
        Some(Self(apps))
    }

    /// The app with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<AndroidApp> {
        self.0
            .iter()
            .position(|(known, _)| known == name)
            .map(AndroidApp)
    }

    /// Every app.
    pub fn all(&self) -> impl Iterator<Item = AndroidApp> {
        (0..self.0.len()).map(AndroidApp)
    }

    pub(crate) fn name(&self, app: AndroidApp) -> &str {
        self.0.get(app.0).map_or("", |(name, _)| name)
    }

    pub(crate) fn hash(&self, app: AndroidApp) -> &str {
        self.0.get(app.0).map_or("", |(_, hash)| hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_app_is_a_name_and_the_11_characters_of_its_hash() {
        let apps = AndroidApps::parse("app=FA+9qCX9VSu, com.example.beta=0123456789/").unwrap();
        let app = apps.find("app").unwrap();
        assert_eq!((apps.name(app), apps.hash(app)), ("app", "FA+9qCX9VSu"));
        assert_eq!(apps.find("App"), None);
        let hashes: Vec<_> = apps.all().map(|app| apps.hash(app)).collect();
        assert_eq!(hashes, ["FA+9qCX9VSu", "0123456789/"]);
        let longest = format!("{}=FA+9qCX9VSu", "a".repeat(64));
        for list in ["my_app-2.0=FA+9qCX9VSu", &longest] {
            assert!(AndroidApps::parse(list).is_some(), "refused {list}");
        }
        let too_long = format!("{}=FA+9qCX9VSu", "a".repeat(65));
        assert_eq!(AndroidApps::parse(&too_long), None);
        assert_eq!(apps.find("FA+9qCX9VSu"), None);
        for text in [
            "",
            "app",
            "app=",
            "=FA+9qCX9VSu",
            "app=FA+9qCX9VS",
            "app=FA+9qCX9VSuu",
            "app=FA+9qCX9VS=",
            "app=FA+9qCX9VSu,",
            "app=FA+9qCX9VSu,app=0123456789a",
            "my app=FA+9qCX9VSu",
        ] {
            assert_eq!(AndroidApps::parse(text), None, "accepted {text:?}");
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn a_hash_is_plain_ascii_whatever_the_list(text in fuzz::text(&["app=FA+9qCX9VSu,b=0123456789a"])) {
            if let Some(apps) = AndroidApps::parse(&text) {
                for app in apps.all() {
                    prop_assert_eq!(apps.hash(app).len(), 11);
                    prop_assert!(apps.hash(app).is_ascii());
                }
            }
        }
    }
}
