//! Every setting, with its name, range, default and purpose.
//!
//! The reader takes ranges and defaults from this table. Tests compare it with
//! `docs/settings.md` and with the parameters of `template.yaml`.

/// One environment variable.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// What values it accepts.
    pub kind: Kind,
    /// What it is for.
    pub purpose: &'static str,
}

/// What values a setting accepts.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number within a range.
    Number {
        /// The smallest value.
        min: u64,
        /// The largest value.
        max: u64,
        /// The value if the variable is unset.
        default: u64,
        /// The unit, for people.
        unit: &'static str,
    },
    /// A text that must be set.
    Required,
    /// A text that may be unset.
    Optional {
        /// The accepted text, for the error message.
        expected: &'static str,
        /// The value if the variable is unset; empty for none.
        default: &'static str,
    },
}

impl Setting {
    const fn number(
        name: &'static str,
        (min, max): (u64, u64),
        default: u64,
        unit: &'static str,
        purpose: &'static str,
    ) -> Self {
        let kind = Kind::Number {
            min,
            max,
            default,
            unit,
        };
        Self {
            name,
            kind,
            purpose,
        }
    }

    const fn required(name: &'static str, purpose: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Required,
            purpose,
        }
    }

    const fn optional(
        name: &'static str,
        expected: &'static str,
        default: &'static str,
        purpose: &'static str,
    ) -> Self {
        let kind = Kind::Optional { expected, default };
        Self {
            name,
            kind,
            purpose,
        }
    }
}

macro_rules! settings {
    ($($name:ident = $kind:ident($($argument:expr),+ $(,)?);)+) => {
        $(
            #[doc = concat!("The setting `", stringify!($name), "`.")]
            pub const $name: Setting = Setting::$kind(stringify!($name), $($argument),+);
        )+

        /// All settings.
        pub const ALL: &[Setting] = &[$($name),+];
    };
}

const MILLION: u64 = 1_000_000;
const MOST_PER_DAY: u64 = 100 * MILLION;
const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

settings! {
    TABLE_NAME = required("The DynamoDB table's name or ARN.");
    BRAND = required("The name in messages: 1 to 32 characters, no control characters.");
    EMAIL_WAYS = optional(
        "1 to 4 names in order, each once: `email`, and own senders such as \
         `smtp=arn:aws:sns:eu-west-1:123456789012:codes`", "email",
        "How codes travel to e-mail addresses: names in order. `email` is SES; any other name has \
         the SNS topic of an own sender.",
    );
    PHONE_WAYS = optional(
        "1 to 4 names in order, each once: `sms`, and own senders such as \
         `whatsapp=arn:aws:sns:eu-west-1:123456789012:codes`", "sms",
        "The same for phone numbers, where `sms` is SNS.",
    );
    EMAIL_FROM = optional(
        "an ASCII e-mail address such as `login@example.com` or `Name <login@example.com>`", "",
        "The sender of e-mail. Without a name, inboxes show BRAND. Without it, SES sends none.",
    );
    SES_REGION = optional(
        "a region such as `eu-west-1`", "",
        "The region of SES. Without it, that of the function.",
    );
    EMAIL_IDENTITY_ARN = optional(
        "the ARN of an SES identity", "",
        "The identity that sends e-mail, if another account owns it.",
    );
    CONFIGURATION_SET = optional(
        "a name of at most 64 letters, digits, `_` and `-`", "",
        "The SES configuration set of e-mails. Without it, the identity's own.",
    );
    SNS_REGION = optional(
        "a region such as `eu-west-1`", "",
        "The region of SNS. Without it, that of the function.",
    );
    EMAIL_TEMPLATE = optional(
        "a name of at most 56 letters, digits, `_` and `-`", "",
        "The SES template that replaces the built-in e-mail. A suffix such as `-de` names a \
         language's own.",
    );
    EMAIL_SUBJECT_CODE = optional(
        "`off` or `on`", "off", "Whether the subject of an e-mail has the code.",
    );
    EMAIL_REQUEST_DETAILS = optional(
        "`off` or `on`", "off",
        "Whether an e-mail tells when and from which address the code was requested.",
    );
    SIGN_IN_URL = optional(
        "an https URL without a fragment other than a route such as `#/login`", "",
        "The page that the link in an e-mail opens. Without it, there is no link.",
    );
    DEFAULT_LOCALE = optional(
        "the tag of a language that docs/messages.md lists", "en",
        "The language of messages to clients that choose none.",
    );
    SMS_PREFIXES = optional(
        "countries (ISO 3166, so GB and not UK) and E.164 prefixes such as `US,CA,!+1900,+44`, \
         each once, of which one is allowed", "",
        "The phone numbers to send to: ISO 3166 country codes and E.164 prefixes. The most \
         specific match decides; `!` denies. Without it, phones get no codes.",
    );
    SMS_SENDERS = optional(
        "entries such as `+44=Example`, `US=+18005550100` and \
         `IN=EXMPLE;1101234;110712345`, each prefix or country (ISO 3166, so GB and not UK) \
         once", "",
        "Who text messages come from: a prefix, then a sender id or an origination number, then \
         an entity id and a template id.",
    );
    SMS_TEXTS = optional(
        "a JSON object of texts, such as `{\"de\":\"{code} ist Ihr {brand}-Code.\"}`", "",
        "The sentences of text messages, for languages whose own are not wanted.",
    );
    ANDROID_APP_HASHES = optional(
        "`name=hash` pairs with hashes of 11 characters, each name once", "",
        "The Android apps that read the code of a text message.",
    );
    SMS_MAX_PRICE = optional(
        "a price in USD such as 0.05", "",
        "The most that SNS may charge for one text message, in USD.",
    );
    ORIGIN_HOST = optional(
        "a host name", "",
        "The only site on which browsers fill in the code of a message.",
    );
    OTP_LENGTH = number((6, 10), 6, "", "The number of digits of a code.");
    OTP_TTL_SECONDS = number((1, 600), 300, "s", "How long a code is valid.");
    OTP_MAX_ATTEMPTS = number((1, 10), 3, "", "Guesses that one challenge accepts.");
    RESEND_COOLDOWN_SECONDS = number(
        (0, DAY), 30, "s", "The minimum time between two sends to one destination.",
    );
    SENDS_PER_HOUR = number((1, MILLION), 5, "", "Sends to one destination per hour.");
    SENDS_PER_DAY = number((1, MILLION), 10, "", "Sends to one destination per UTC day.");
    REQUESTS_PER_IP_PER_HOUR = number(
        (1, MILLION), 30, "",
        "Logins of one client address per hour. Validations have ten times this limit.",
    );
    CLIENT_ALLOWANCES = optional(
        "networks with logins an hour such as `203.0.113.0/24=2000,2001:db8::/32=500`, each \
         network once and by its first address", "",
        "Networks whose clients share a limit of logins of their own: a school, an office, a \
         carrier.",
    );
    TRUSTED_PROXIES = number(
        (0, 3), 0, "",
        "How many proxies in front of the gateway append to `X-Forwarded-For`.",
    );
    EMAILS_PER_DAY = number((1, MOST_PER_DAY), 5000, "", "E-mails of the deployment per UTC day.");
    SMS_PER_DAY = number((1, MOST_PER_DAY), 1000, "", "Text messages of the deployment per UTC day.");
    SMS_PER_PREFIX_PER_DAY = number(
        (1, MOST_PER_DAY), 200, "", "Text messages to one allowed prefix per UTC day.",
    );
    CONVERSION_GUARD = number(
        (0, MOST_PER_DAY), 50, "",
        "Messages to one allowed prefix, and e-mails, that may be sent without their codes \
         coming back; 0 is off.",
    );
    UNKNOWN_USERS = optional(
        "`sign-up`, `conceal` or `reveal`", "sign-up",
        "How a login treats a destination without a user.",
    );
    SIGN_UP_DOMAINS = optional(
        "domains such as `example.com,example.org`", "",
        "The only domains whose addresses may sign up. Others are concealed.",
    );
    PHONE_SIGN_UP = optional(
        "`off` or `on`", "",
        "Whether phone numbers may sign up. Without it, they may if SIGN_UP_DOMAINS is unset.",
    );
    ALLOWED_ORIGINS = optional(
        "origins such as `https://www.example.com`", "",
        "The origins whose pages may call the API, separated by commas. A `*` stands for \
         one label, as in `https://*.preview.example.com`.",
    );
    ALLOWED_HEADERS = optional(
        "names of headers such as `baggage,sentry-trace,traceparent`", "",
        "More request headers that pages of the ALLOWED_ORIGINS may send, separated by commas.",
    );
    REFRESH_COOKIE = optional(
        "`off` or `on`", "off",
        "Whether pages of the ALLOWED_ORIGINS may have the refresh token in a cookie.",
    );
    DEVICE_TTL_SECONDS = number(
        (0, 400 * DAY), 400 * DAY, "s",
        "How long a device that has logged in is known at its destination; 0 is not at all.",
    );
    TEST_IDENTITIES = optional(
        "`destination=code` pairs with codes of OTP_LENGTH digits, with \
         TEST_IDENTITIES_UNTIL at most 30 days ahead", "",
        "Destinations with a fixed code, which get no messages.",
    );
    TEST_IDENTITIES_UNTIL = optional(
        "an instant such as 2026-01-31T00:00:00Z", "",
        "The end of the fixed codes, at most 30 days ahead.",
    );
    TOKEN_ISSUER = required("The claim `iss`: the API's base URL.");
    TOKEN_AUDIENCE = required("The claim `aud`: the API that accepts the tokens.");
    TOKEN_CLIENT_ID = optional(
        "1 to 255 visible ASCII characters", "",
        "The claim `client_id`, and the OAuth client. Without it, the audience.",
    );
    TOKEN_TTL_SECONDS = number((1, DAY), 3600, "s", "How long an access token is valid.");
    REFRESH_TTL_SECONDS = number((1, YEAR), 30 * DAY, "s", "The longest lifetime of a session.");
    REFRESH_IDLE_SECONDS = number(
        (1, YEAR), 7 * DAY, "s", "The lifetime of a session that is not refreshed.",
    );
    REFRESH_GRACE_SECONDS = number(
        (0, YEAR), DAY, "s",
        "How long a used refresh token still returns the same successor, if that is unused. \
         At most REFRESH_IDLE_SECONDS counts.",
    );
    FRESH_LOGIN_SECONDS = number(
        (1, YEAR), 600, "s",
        "How long after a login its tokens may end sessions and change or delete the account.",
    );
    SIGNING_KEY_ID = required("The KMS key that signs tokens.");
    SECOND_SIGNING_KEY_ID = optional(
        "a KMS key", "", "A second signing key, which is published but does not sign.",
    );
    DIGEST_KEY_ID = required("The KMS key that the digest key derives from.");
    SECOND_DIGEST_KEY_ID = optional(
        "a KMS key", "", "A second digest key, whose codes and seals are still accepted.",
    );
    EVENT_BUS_NAME = optional(
        "the name of an event bus: at most 256 letters, digits, `.`, `_`, `-` and `/`", "",
        "The EventBridge bus that learns of users. Set, each change of a user writes an event.",
    );
    AWS_CA_BUNDLE = optional(
        "a file of certificates in PEM", "",
        "The certificate authorities to trust instead of Amazon's.",
    );
}
