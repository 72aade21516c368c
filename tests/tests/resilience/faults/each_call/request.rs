//! The requests of the rows.

use otp_domain::UnknownUsers;
use otp_edge::route::Route;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Login,
    LoginCold,
    LoginBySms,
    /// The topic of an own sender is the only way.
    LoginByOwnSender,
    /// An own sender follows the text message.
    LoginByTwoWays,
    /// The provider refuses the message.
    LoginUndelivered,
    LoginWithKey,
    /// A user's, under an idempotency key and `UNKNOWN_USERS=conceal`.
    LoginConcealed,
    /// A repeated login whose first request never completed.
    LoginReplayed,
    /// A login during the cooldown.
    LoginRefused,
    /// A user's who wants the code again, under `UNKNOWN_USERS=conceal`.
    LoginAgainConcealed,
    /// A login while every counter of the guard is full, and its functions do not know.
    LoginFull,
    /// A repeated login during the cooldown, of which the functions know.
    LoginRepeatedRefused,
    Validate,
    ValidateCold,
    /// A user's, under `UNKNOWN_USERS=conceal`: its challenge carries no user.
    ValidateConcealed,
    /// A wrong code, which is counted against its client.
    ValidateWrong,
    ValidateWithoutId,
    ValidateWithKey,
    /// A validation under an idempotency key, whose answer the client has lost.
    ValidateRepeated,
    Refresh,
    RefreshCold,
    /// A refresh by a token whose next one has been used.
    RefreshReused,
    Logout,
    LogoutAll,
    Me,
    MeCold,
    DeleteMe,
    /// A right code that adds a destination.
    VerifyDestination,
    /// The user's own sessions.
    Sessions,
    /// All of them but the current one: here, one other.
    EndSessions,
    /// The current one.
    EndSession,
    Keys,
}

impl Request {
    /// The room of its functions' conversion guard; zero for none.
    pub const fn guard(self) -> u32 {
        match self {
            // Three counters.
            Self::LoginFull => 60,
            Self::Validate => 1_000_000,
            _ => 0,
        }
    }

    /// The ways of its functions to phone numbers.
    pub const fn phone_ways(self) -> &'static str {
        match self {
            Self::LoginByOwnSender => "own=arn:aws:sns:eu-west-1:123456789012:codes",
            Self::LoginByTwoWays => "sms,own=arn:aws:sns:eu-west-1:123456789012:codes",
            _ => "sms",
        }
    }

    /// How its functions treat unknown users.
    pub const fn unknown_users(self) -> UnknownUsers {
        match self {
            Self::LoginConcealed | Self::LoginAgainConcealed | Self::ValidateConcealed => {
                UnknownUsers::Conceal
            }
            _ => UnknownUsers::SignUp,
        }
    }

    /// Whether it is the first request of its functions.
    pub const fn is_cold(self) -> bool {
        matches!(
            self,
            Self::LoginCold
                | Self::LoginFull
                | Self::ValidateCold
                | Self::RefreshCold
                | Self::MeCold
                | Self::Keys
        )
    }

    /// Whether it needs what the same instance remembers of the requests before it.
    pub const fn is_remembered(self) -> bool {
        matches!(self, Self::LoginRepeatedRefused | Self::ValidateRepeated)
    }

    /// By how many milliseconds the clock of the requests before it is ahead.
    pub const fn before_ahead(self, cell: usize) -> i64 {
        match self {
            // A minute later, there is nothing to repeat, and no cooldown.
            Self::LoginRefused | Self::LoginReplayed => 60_000,
            // A minute later, the cooldown is over.
            Self::LoginAgainConcealed => -60_000,
            _ if cell.is_multiple_of(2) => 60_000,
            _ => -60_000,
        }
    }

    /// Its name in the documentation.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginCold => "login, cold",
            Self::LoginBySms => "login, text message",
            Self::LoginByOwnSender => "login, own sender",
            Self::LoginByTwoWays => "login, two ways",
            Self::LoginUndelivered => "login, message refused",
            Self::LoginWithKey => "login, idempotency key",
            Self::LoginConcealed => "login, concealed",
            Self::LoginReplayed => "login, repeated",
            Self::LoginRefused => "login, refused",
            Self::LoginAgainConcealed => "login, code again, concealed",
            Self::LoginFull => "login, cold, every counter full",
            Self::LoginRepeatedRefused => "login, repeated while refused",
            Self::Validate => "validate",
            Self::ValidateCold => "validate, cold",
            Self::ValidateConcealed => "validate, concealed",
            Self::ValidateWrong => "validate, wrong code of another client",
            Self::ValidateWithoutId => "validate, no challenge id",
            Self::ValidateWithKey => "validate, idempotency key",
            Self::ValidateRepeated => "validate, repeated",
            Self::Refresh => "refresh",
            Self::RefreshCold => "refresh, cold",
            Self::RefreshReused => "refresh, old token",
            Self::Logout => "logout",
            Self::LogoutAll => "logout, all",
            Self::Me => "me",
            Self::MeCold => "me, cold",
            Self::DeleteMe => "delete the account",
            Self::VerifyDestination => "add a destination",
            Self::Sessions => "sessions",
            Self::EndSessions => "end other sessions",
            Self::EndSession => "end a session",
            Self::Keys => "keys, cold",
        }
    }

    pub const fn route(self) -> Route {
        match self {
            Self::Login
            | Self::LoginCold
            | Self::LoginBySms
            | Self::LoginByOwnSender
            | Self::LoginByTwoWays
            | Self::LoginUndelivered
            | Self::LoginWithKey
            | Self::LoginConcealed
            | Self::LoginReplayed
            | Self::LoginRefused
            | Self::LoginAgainConcealed
            | Self::LoginFull
            | Self::LoginRepeatedRefused => Route::Login,
            Self::Validate
            | Self::ValidateCold
            | Self::ValidateConcealed
            | Self::ValidateWrong
            | Self::ValidateWithoutId
            | Self::ValidateWithKey
            | Self::ValidateRepeated => Route::Validate,
            Self::Refresh | Self::RefreshCold | Self::RefreshReused => Route::Refresh,
            Self::Logout | Self::LogoutAll => Route::Logout,
            Self::Me | Self::MeCold => Route::Me,
            Self::DeleteMe => Route::DeleteMe,
            Self::VerifyDestination => Route::VerifyDestination,
            Self::Sessions => Route::Sessions,
            Self::EndSessions => Route::EndSessions,
            Self::EndSession => Route::EndSession,
            Self::Keys => Route::Keys,
        }
    }
}
