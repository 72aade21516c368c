//! Reads settings one by one, and collects every mistake.

use std::{fmt, mem, time::Duration};

use crate::table::{Kind, Setting};

/// Every setting that is missing or wrong, with what is expected.
#[derive(Clone, PartialEq, Eq)]
pub struct SettingsError(Vec<String>);

impl SettingsError {
    /// One sentence for each.
    #[must_use]
    pub fn mistakes(&self) -> &[String] {
        &self.0
    }

    /// The mistakes of both.
    #[must_use]
    pub fn and(mut self, more: Option<Self>) -> Self {
        self.0.extend(more.into_iter().flat_map(|more| more.0));
        self
    }
}

/// The same text as `Display`: the log of a function that does not start has the
/// `Debug` form.
impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrong settings: {}", self.0.join("; "))
    }
}

impl std::error::Error for SettingsError {}

/// Reads values through `lookup`. After a mistake, it continues with a placeholder,
/// to report every mistake at once.
pub struct Reader<L> {
    lookup: L,
    mistakes: Vec<String>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    /// A reader that has read nothing yet.
    pub const fn new(lookup: L) -> Self {
        Self {
            lookup,
            mistakes: Vec::new(),
        }
    }

    /// `value`, unless there were mistakes.
    ///
    /// # Errors
    ///
    /// Every mistake.
    pub fn finish<T>(self, value: T) -> Result<T, SettingsError> {
        if self.mistakes.is_empty() {
            Ok(value)
        } else {
            Err(SettingsError(self.mistakes))
        }
    }

    /// What `read` reads, unless there were mistakes in it. They stop nothing else.
    ///
    /// # Errors
    ///
    /// Every mistake of this part.
    pub fn part<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Result<T, SettingsError> {
        let others = mem::take(&mut self.mistakes);
        let value = read(self);
        let mistakes = mem::replace(&mut self.mistakes, others);
        if mistakes.is_empty() {
            Ok(value)
        } else {
            Err(SettingsError(mistakes))
        }
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }

    /// The value. An empty value counts as unset, because an empty template
    /// parameter becomes an empty variable.
    pub fn text(&self, setting: &Setting) -> Option<String> {
        (self.lookup)(setting.name).filter(|value| !value.trim().is_empty())
    }

    /// The value, which must be set.
    pub fn required(&mut self, setting: &Setting) -> String {
        let name = setting.name;
        let value = self.text(setting).unwrap_or_else(|| {
            self.mistakes.push(format!("{name} is required"));
            String::new()
        });
        if value.chars().any(char::is_control) {
            self.mistake(format!("{name} must not contain control characters"));
        }
        value
    }

    /// The parsed value, or the parsed default.
    pub fn optional<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let Kind::Optional { expected, default } = setting.kind else {
            return None;
        };
        let value = self.text(setting).unwrap_or_else(|| default.to_owned());
        if value.is_empty() {
            return None;
        }
        let parsed = parse(&value);
        if parsed.is_none() {
            self.mistake(format!("{} must be {expected}", setting.name));
        }
        parsed
    }

    /// A whole number within the setting's range.
    pub fn number<T: TryFrom<u64> + Default>(&mut self, setting: &Setting) -> T {
        let Kind::Number {
            min, max, default, ..
        } = setting.kind
        else {
            return T::default();
        };
        let value = self.text(setting).map_or(Some(default), |text| {
            // Rust's number parser also accepts `+5`.
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            let number = digits.then(|| text.parse().ok()).flatten();
            number.filter(|number| (min..=max).contains(number))
        });
        let value = value.unwrap_or_else(|| {
            let name = setting.name;
            self.mistake(format!("{name} must be a whole number from {min} to {max}"));
            default
        });
        T::try_from(value).unwrap_or_default()
    }

    /// `on` or `off`.
    pub fn switch(&mut self, setting: &Setting) -> bool {
        self.optional(setting, switch).unwrap_or_default()
    }

    /// A whole number of seconds within the setting's range.
    pub fn seconds(&mut self, setting: &Setting) -> Duration {
        Duration::from_secs(self.number(setting))
    }
}

/// Reads `on` or `off`.
pub(crate) fn switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}
