//! What messages say: in which language, with which words, in which layout.
//!
//! A client only selects: a locale chooses one of the languages in `languages/`, an
//! app chooses one of the configured hashes. No text of a client becomes part of a
//! message.
//!
//! | to find | read |
//! |---|---|
//! | the sentences, one file for each language | `languages/` |
//! | how the build checks them | `build.rs`, `build/language_file.rs` |
//! | which language a client gets | [`LanguageChoice`] |
//! | what a deployment's messages say | [`Messages`] |
//! | what fits one text message | [`Units`], [`Unfit`] |

mod android;
mod brand;
mod email;
#[cfg(test)]
mod fixture;
mod language;
mod messages;
mod notice;
mod own_sms_texts;
mod placeholder;
mod rendered;
mod segment;
mod sign_in_url;
mod sms;

pub use android::{AndroidApp, AndroidApps};
pub use brand::Brand;
pub use email::{Confirms, Email, EmailDetails, template_has_code};
pub use language::{Language, LanguageChoice, MalformedLocale};
pub use messages::{Messages, Settings};
pub use notice::Notice;
pub use own_sms_texts::OwnSmsTexts;
pub use segment::{Encoding, Units};
pub use sign_in_url::SignInUrl;
pub use sms::{Sms, Unfit};
