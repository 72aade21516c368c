use super::{Destination, is_host_name};

/// Who may sign up, where unknown users may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignUps {
    domains: Option<SignUpDomains>,
    phones: Option<bool>,
}

/// The domains whose addresses may sign up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignUpDomains(Vec<String>);

impl SignUpDomains {
    /// Reads a list of host names such as `example.com,example.org`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let domains = text.split(',').map(|domain| {
            let domain = domain.trim();
            is_host_name(domain).then(|| domain.to_ascii_lowercase())
        });
        domains.collect::<Option<_>>().map(Self)
    }
}

impl SignUps {
    /// Addresses of these domains, or all; and numbers if `phones` says so or, if it says
    /// nothing, as long as no domains are named.
    #[must_use]
    pub const fn new(domains: Option<SignUpDomains>, phones: Option<bool>) -> Self {
        Self { domains, phones }
    }

    /// Whether a right code of this destination may make a user.
    #[must_use]
    pub fn admit(&self, destination: &Destination) -> bool {
        match destination {
            Destination::Email(address) => {
                let domains = self.domains.as_ref();
                domains.is_none_or(|it| it.0.iter().any(|domain| domain == address.domain()))
            }
            Destination::Phone(_) => self.phones.unwrap_or(self.domains.is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_exact_and_shut_numbers_out_unless_told_otherwise() {
        let list = || SignUpDomains::parse("Example.com, b.example");
        let to = [
            "a@example.com",
            "a@B.example",
            "a@x.example.com",
            "+14155550123",
        ];
        for (domains, phones, admitted) in [
            (None, None, [true, true, true, true]),
            (None, Some(false), [true, true, true, false]),
            (list(), None, [true, true, false, false]),
            (list(), Some(true), [true, true, false, true]),
            (list(), Some(false), [true, true, false, false]),
        ] {
            let sign_ups = SignUps::new(domains, phones);
            assert_eq!(to.map(|to| sign_ups.admit(&to.parse().unwrap())), admitted);
        }
    }

    #[test]
    fn a_list_has_host_names_only() {
        for text in [
            "",
            "example.com,",
            "@example.com",
            "*.example.com",
            "com",
            "a b.com",
        ] {
            assert_eq!(SignUpDomains::parse(text), None, "{text:?}");
        }
    }
}
