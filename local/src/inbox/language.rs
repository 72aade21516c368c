//! The language of a text message: the one whose message, with the same code, has the
//! same text.

use otp_domain::Passcode;
use otp_messages::{Language, Sms};
use otp_service::delivery::Settings;

pub(super) fn of(text: &str, settings: &Settings) -> Option<Language> {
    let messages = &settings.messages;
    let code_length = messages.settings().code_length;
    let codes = super::codes_in(text).filter_map(|word| Passcode::parse(word, code_length).ok());
    let candidates = codes.flat_map(|code| {
        let registered = settings.sms_senders.template_ids();
        let registered = registered.map(|id| messages.registered_sms(id, &code));
        let apps = messages.settings().apps.all().map(Some);
        let endings = std::iter::once(None).chain(apps);
        let all = endings.flat_map(|app| Language::all().map(move |language| (language, app)));
        let all = all.map(|(language, app)| messages.sms(language, app, &code));
        registered.chain(all).collect::<Vec<Sms>>()
    });
    let mut same = candidates.filter(|sms| sms.text == text);
    same.next().map(|sms| sms.language)
}
