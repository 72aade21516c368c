//! The ways on which codes travel: their names, and which of them are own senders.

use super::DestinationKind;

/// The most ways of one kind of destination.
const MOST: usize = 4;

/// The name of a way, such as `email`, `sms` or `whatsapp`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WayName(String);

impl WayName {
    /// SES for addresses, and SNS for numbers.
    #[must_use]
    pub fn built_in(to: DestinationKind) -> Self {
        Self(to.channel().to_owned())
    }

    /// Reads 1 to 32 lower-case letters, digits, `-` and `_`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name_like = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        let fits = (1..=32).contains(&text.len()) && text.bytes().all(name_like);
        fits.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The SNS topic of an own sender. Its ARN names its region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic(String);

impl Topic {
    /// Reads `arn:aws:sns:eu-west-1:123456789012:codes`. A FIFO topic is none: it would hold a
    /// code back behind another.
    #[must_use]
    pub fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.split(':');
        let fits = parts.next()? == "arn"
            && parts.next()?.starts_with("aws")
            && parts.next()? == "sns"
            && is_region(parts.next()?)
            && is_account(parts.next()?)
            && is_topic_name(parts.next()?)
            && parts.next().is_none();
        fits.then(|| Self(arn.to_owned()))
    }

    /// The ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.0
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

/// Whether this is a region's name, whatever the partition: `eu-west-1`, `us-gov-west-1`.
#[must_use]
pub fn is_region(text: &str) -> bool {
    let Some((place, number)) = text.rsplit_once('-') else {
        return false;
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    place.contains('-')
        && place.split('-').all(is_word)
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_topic_name(text: &str) -> bool {
    let name_like = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    (1..=256).contains(&text.len()) && text.bytes().all(name_like)
}

/// One way of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedWay {
    /// Its name.
    pub name: WayName,
    /// The topic of an own sender; `None` is SES or SNS.
    pub topic: Option<Topic>,
}

/// The ways of one kind of destination, in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaysTo(Vec<ListedWay>);

impl WaysTo {
    /// Reads names in order, such as `sms,whatsapp=arn:aws:sns:eu-west-1:123456789012:codes`.
    /// `email` is SES and `sms` is SNS; they stand alone, and only where they reach. Any other
    /// name has its topic.
    #[must_use]
    pub fn parse(kind: DestinationKind, text: &str) -> Option<Self> {
        let mut ways: Vec<ListedWay> = Vec::new();
        for entry in text.split(',') {
            let (name, topic) = match entry.split_once('=') {
                None => (entry, None),
                Some((name, arn)) => (name, Some(Topic::parse(arn)?)),
            };
            let is_own = topic.is_some();
            let is_known = ["email", "sms"].contains(&name);
            let fits = if is_own {
                !is_known
            } else {
                name == kind.channel()
            };
            let name = WayName::parse(name)?;
            if !fits || ways.iter().any(|way| way.name == name) {
                return None;
            }
            ways.push(ListedWay { name, topic });
        }
        (1..=MOST).contains(&ways.len()).then_some(Self(ways))
    }

    /// The same without SES or SNS.
    #[must_use]
    pub fn own_senders(self) -> Self {
        let own = self.0.into_iter().filter(|way| way.topic.is_some());
        Self(own.collect())
    }

    /// The ways.
    pub fn iter(&self) -> impl Iterator<Item = &ListedWay> {
        self.0.iter()
    }
}

/// The ways of a deployment. Whatever kind has none gets no codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// To e-mail addresses.
    pub email: WaysTo,
    /// To phone numbers.
    pub phone: WaysTo,
}

impl Ways {
    /// The ways to a kind of destination.
    #[must_use]
    pub const fn to(&self, kind: DestinationKind) -> &WaysTo {
        match kind {
            DestinationKind::Email => &self.email,
            DestinationKind::Phone => &self.phone,
        }
    }

    /// Their names.
    pub fn names(&self, kind: DestinationKind) -> impl Iterator<Item = &str> {
        self.to(kind).iter().map(|way| way.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sns:eu-west-1:123456789012:codes";

    #[test]
    fn ways_are_names_in_order_and_any_but_ses_and_sns_has_a_topic() {
        let ways = Ways {
            email: WaysTo::parse(DestinationKind::Email, &format!("smtp={ARN},email")).unwrap(),
            phone: WaysTo::parse(DestinationKind::Phone, "sms").unwrap(),
        };
        let names = |kind| ways.names(kind).collect::<Vec<_>>();
        assert_eq!(names(DestinationKind::Email), ["smtp", "email"]);
        assert_eq!(names(DestinationKind::Phone), ["sms"]);
        let topics: Vec<_> = ways.email.iter().map(|way| way.topic.as_ref()).collect();
        assert_eq!(topics[0].map(Topic::arn), Some(ARN));
        assert_eq!(topics[0].map(Topic::region), Some("eu-west-1"));
        assert_eq!(topics[1], None);
        let own = ways.email.own_senders();
        assert_eq!(own.iter().count(), 1);
    }

    #[test]
    fn a_way_is_listed_once_and_where_it_reaches() {
        let own = |name: &str| format!("{name}={ARN}");
        let five = ["a", "b", "c", "d", "e"].map(own).join(",");
        for text in [
            "",
            ",",
            "sms,",
            "sms,sms",
            "email",
            "whatsapp",
            "SMS",
            " sms",
            &own("sms"),
            &own("email"),
            &own(""),
            &own("Whatsapp"),
            &own("what sapp"),
            &own(&"x".repeat(33)),
            &format!("{},{}", own("a"), own("a")),
            "a=",
            "a=codes",
            &five,
        ] {
            let ways = WaysTo::parse(DestinationKind::Phone, text);
            assert!(ways.is_none(), "accepted {text:?}");
        }
        let four = five.rsplit_once(',').unwrap().0;
        assert!(WaysTo::parse(DestinationKind::Phone, four).is_some());
        assert!(WaysTo::parse(DestinationKind::Email, "sms").is_none());
    }

    #[test]
    fn a_topic_is_a_standard_topic_of_any_partition() {
        for arn in [ARN, "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a_B-1"] {
            assert!(Topic::parse(arn).is_some(), "refused {arn}");
        }
        for arn in [
            "",
            "codes",
            "arn:aws:sns:eu-west-1:123456789012",
            "arn:aws:sns:eu-west-1:123456789012:",
            "arn:aws:sns:eu-west-1:123456789012:codes.fifo",
            "arn:aws:sns:eu-west-1:123456789012:codes:0f5a",
            "arn:aws:sqs:eu-west-1:123456789012:codes",
            "arn:aws:sns:*:123456789012:codes",
            "arn:aws:sns:eu-west-1:12345678901:codes",
            "arn:aws:sns:eu-west-1:123456789012:*",
            "urn:aws:sns:eu-west-1:123456789012:codes",
        ] {
            assert!(Topic::parse(arn).is_none(), "accepted {arn}");
        }
    }
}
