//! The outcome of each fault of each call.

use tests::Call;

use super::request::Request::{
    DeleteMe, EndSession, EndSessions, Keys, Login, LoginAgainConcealed, LoginByOwnSender,
    LoginBySms, LoginByTwoWays, LoginCold, LoginConcealed, LoginFull, LoginRefused,
    LoginRepeatedRefused, LoginReplayed, LoginUndelivered, LoginWithKey, Logout, LogoutAll, Me,
    MeCold, Refresh, RefreshCold, RefreshReused, Sessions, Validate, ValidateCold,
    ValidateConcealed, ValidateRepeated, ValidateWithKey, ValidateWithoutId, ValidateWrong,
    VerifyDestination,
};
use super::row::{Outcome, Row, outcome, row};

pub const NOTHING: &str = "nothing";
pub const CHALLENGE: &str = "challenge, counted";
pub const UNATTEMPTED: &str = "challenge";
pub const ATTEMPTED: &str = "challenge, attempt";
pub const REDEEMED: &str = "attempt, session";
pub const SESSION: &str = "session";
pub const REFRESHED_SESSION: &str = "session, refreshed";
pub const ADDED: &str = "the user's";
pub const NOT_ADDED: &str = "nobody's";
pub const USER: &str = "user, session";
pub const TWO_SESSIONS: &str = "two sessions";
pub const NO_SESSION: &str = "no session";

const SENT: Outcome = outcome(200, 1, CHALLENGE, 429);
/// The message may or may not arrive.
const UNCONFIRMED: Outcome = outcome(200, 0, CHALLENGE, 429);
const UNDELIVERED: Outcome = outcome(502, 0, NOTHING, 200);
const REFUSED: Outcome = outcome(429, 0, CHALLENGE, 429);
const FAILED_UNCOUNTED: Outcome = outcome(503, 0, NOTHING, 200);
const FAILED_COUNTED: Outcome = outcome(503, 0, CHALLENGE, 429);
const SENT_WITH_KEY: Outcome = outcome(200, 1, CHALLENGE, 200);
/// The first request under the key never completed.
const REPLAYED: Outcome = outcome(200, 0, CHALLENGE, 200);
const LOGGED_IN: Outcome = outcome(200, 0, REDEEMED, 400);
const LOGGED_IN_WITH_KEY: Outcome = outcome(200, 0, REDEEMED, 200);
const NOT_LOGGED_IN_AGAIN: Outcome = outcome(503, 0, REDEEMED, 200);
const FAILED_UNATTEMPTED: Outcome = outcome(503, 0, UNATTEMPTED, 200);
const FAILED_ATTEMPTED: Outcome = outcome(503, 0, ATTEMPTED, 200);
const REFRESHED: Outcome = outcome(200, 0, REFRESHED_SESSION, 200);
const NOT_REFRESHED: Outcome = outcome(503, 0, SESSION, 200);
const LOGGED_OUT: Outcome = outcome(204, 0, NO_SESSION, 204);
const NOT_LOGGED_OUT: Outcome = outcome(503, 0, SESSION, 204);
/// The token of a session that has ended ends nothing.
const ENDED: Outcome = outcome(204, 0, NO_SESSION, 401);
const NOT_ENDED: Outcome = outcome(503, 0, SESSION, 204);
const OTHERS_ENDED: Outcome = outcome(204, 0, SESSION, 204);
const OTHERS_NOT_ENDED: Outcome = outcome(503, 0, TWO_SESSIONS, 204);
const DELETED: Outcome = outcome(204, 0, NOTHING, 204);
const NOT_DELETED: Outcome = outcome(503, 0, USER, 204);
/// The session can do nothing any more, and ends with the next request.
const HALF_DELETED: Outcome = outcome(503, 0, SESSION, 204);
const LISTED: Outcome = outcome(200, 0, SESSION, 200);
const NOT_LISTED: Outcome = outcome(503, 0, SESSION, 200);
const ANSWERED: Outcome = outcome(200, 0, "", 200);
const NOT_ANSWERED: Outcome = outcome(503, 0, "", 200);

pub const ROWS: &[Row] = &[
    row(LoginCold, Call::FetchDigestKey, 3, SENT, FAILED_UNCOUNTED),
    row(Login, Call::Admit, 3, SENT, FAILED_UNCOUNTED).but_lost(FAILED_COUNTED),
    row(Login, Call::FindUser, 3, SENT, FAILED_UNCOUNTED),
    row(Login, Call::SendEmail, 4, SENT, UNCONFIRMED)
        .but_lost(SENT)
        .but_throttled(UNDELIVERED),
    row(LoginBySms, Call::SendSms, 4, SENT, UNCONFIRMED)
        .but_lost(SENT)
        .but_throttled(UNDELIVERED),
    row(LoginByOwnSender, Call::PublishToTopic, 4, SENT, UNCONFIRMED)
        .but_lost(SENT)
        .but_throttled(UNDELIVERED),
    // The next way is tried only where the first certainly sent nothing.
    row(LoginByTwoWays, Call::SendSms, 4, SENT, UNCONFIRMED)
        .but_lost(SENT)
        .but_throttled(SENT),
    row(
        LoginUndelivered,
        Call::Withdraw,
        3,
        UNDELIVERED,
        FAILED_COUNTED,
    )
    .but_lost(FAILED_UNCOUNTED),
    row(
        LoginWithKey,
        Call::Complete,
        3,
        SENT_WITH_KEY,
        SENT_WITH_KEY,
    ),
    // The answer comes before these calls. A repeat of it is the same answer.
    row(LoginConcealed, Call::FindUser, 2, SENT_WITH_KEY, REPLAYED),
    row(
        LoginConcealed,
        Call::AdmitMessage,
        2,
        SENT_WITH_KEY,
        REPLAYED,
    ),
    row(
        LoginAgainConcealed,
        Call::FindNamed,
        3,
        SENT,
        outcome(503, 0, CHALLENGE, 200),
    ),
    row(LoginConcealed, Call::SendEmail, 2, SENT_WITH_KEY, REPLAYED)
        .but_lost(SENT_WITH_KEY)
        .but_throttled(REPLAYED),
    row(
        LoginConcealed,
        Call::Complete,
        2,
        SENT_WITH_KEY,
        SENT_WITH_KEY,
    ),
    row(LoginReplayed, Call::FindLogin, 3, REPLAYED, REPLAYED),
    row(LoginRefused, Call::CountRequest, 1, REFUSED, REFUSED),
    row(
        LoginFull,
        Call::ReadCounters,
        3,
        outcome(429, 0, NOTHING, 429),
        outcome(503, 0, NOTHING, 429),
    ),
    row(
        LoginRepeatedRefused,
        Call::FindLogin,
        3,
        REPLAYED,
        outcome(503, 0, CHALLENGE, 200),
    ),
    row(
        ValidateCold,
        Call::FetchDigestKey,
        3,
        LOGGED_IN,
        FAILED_UNATTEMPTED,
    ),
    row(
        ValidateWrong,
        Call::CountValidation,
        3,
        outcome(400, 0, ATTEMPTED, 400),
        outcome(503, 0, ATTEMPTED, 400),
    ),
    row(
        ValidateWrong,
        Call::CountWrong,
        3,
        outcome(400, 0, ATTEMPTED, 400),
        outcome(503, 0, ATTEMPTED, 400),
    ),
    row(
        ValidateRepeated,
        Call::CountValidation,
        3,
        LOGGED_IN_WITH_KEY,
        NOT_LOGGED_IN_AGAIN,
    ),
    row(
        ValidateWithoutId,
        Call::FindChallenge,
        3,
        LOGGED_IN,
        FAILED_UNATTEMPTED,
    ),
    row(
        Validate,
        Call::SpendAttempt,
        3,
        LOGGED_IN,
        FAILED_UNATTEMPTED,
    )
    .but_lost(FAILED_ATTEMPTED),
    row(
        ValidateConcealed,
        Call::FindUser,
        3,
        LOGGED_IN,
        FAILED_ATTEMPTED,
    ),
    row(
        ValidateCold,
        Call::FetchPublicKey,
        3,
        LOGGED_IN,
        FAILED_UNATTEMPTED,
    ),
    row(Validate, Call::Sign, 3, LOGGED_IN, FAILED_ATTEMPTED),
    // The code is used, and the client repeats the request.
    row(
        ValidateWithKey,
        Call::Sign,
        3,
        LOGGED_IN_WITH_KEY,
        NOT_LOGGED_IN_AGAIN,
    ),
    row(Validate, Call::Redeem, 3, LOGGED_IN, FAILED_ATTEMPTED)
        .but_lost(outcome(503, 0, REDEEMED, 400)),
    row(
        ValidateWithKey,
        Call::Redeem,
        3,
        LOGGED_IN_WITH_KEY,
        FAILED_ATTEMPTED,
    )
    .but_lost(NOT_LOGGED_IN_AGAIN),
    row(
        ValidateRepeated,
        Call::Redeem,
        3,
        LOGGED_IN_WITH_KEY,
        NOT_LOGGED_IN_AGAIN,
    ),
    row(
        ValidateRepeated,
        Call::FindSession,
        3,
        LOGGED_IN_WITH_KEY,
        NOT_LOGGED_IN_AGAIN,
    ),
    row(
        ValidateRepeated,
        Call::Sign,
        3,
        LOGGED_IN_WITH_KEY,
        NOT_LOGGED_IN_AGAIN,
    ),
    row(Refresh, Call::FindSession, 3, REFRESHED, NOT_REFRESHED),
    row(Refresh, Call::FindUser, 3, REFRESHED, NOT_REFRESHED),
    row(
        RefreshCold,
        Call::FetchDigestKey,
        3,
        REFRESHED,
        NOT_REFRESHED,
    ),
    row(
        RefreshCold,
        Call::FetchPublicKey,
        3,
        REFRESHED,
        NOT_REFRESHED,
    ),
    row(Refresh, Call::Sign, 3, REFRESHED, NOT_REFRESHED),
    row(Refresh, Call::Rotate, 3, REFRESHED, NOT_REFRESHED).but_lost(outcome(
        503,
        0,
        REFRESHED_SESSION,
        200,
    )),
    row(
        RefreshReused,
        Call::EndSession,
        3,
        outcome(400, 0, NO_SESSION, 400),
        outcome(503, 0, REFRESHED_SESSION, 400),
    )
    .but_lost(outcome(503, 0, NO_SESSION, 400)),
    row(Logout, Call::FindSession, 3, LOGGED_OUT, NOT_LOGGED_OUT),
    row(Logout, Call::EndSession, 3, LOGGED_OUT, NOT_LOGGED_OUT)
        .but_lost(outcome(503, 0, NO_SESSION, 204)),
    row(LogoutAll, Call::EndDevices, 3, LOGGED_OUT, NOT_LOGGED_OUT),
    row(LogoutAll, Call::ListSessions, 3, LOGGED_OUT, NOT_LOGGED_OUT),
    row(LogoutAll, Call::EndSession, 3, LOGGED_OUT, NOT_LOGGED_OUT)
        .but_lost(outcome(503, 0, NO_SESSION, 204)),
    row(MeCold, Call::FetchPublicKey, 3, ANSWERED, NOT_ANSWERED),
    row(Me, Call::FindUser, 3, ANSWERED, NOT_ANSWERED),
    row(
        VerifyDestination,
        Call::AddDestination,
        3,
        outcome(200, 0, ADDED, 200),
        outcome(503, 0, NOT_ADDED, 200),
    )
    .but_lost(outcome(503, 0, ADDED, 200)),
    row(DeleteMe, Call::FindUser, 3, DELETED, NOT_DELETED),
    row(DeleteMe, Call::FindSession, 3, DELETED, NOT_DELETED),
    row(DeleteMe, Call::ChangeUser, 3, DELETED, NOT_DELETED).but_lost(HALF_DELETED),
    row(DeleteMe, Call::ListSessions, 3, DELETED, HALF_DELETED),
    row(DeleteMe, Call::EndSession, 3, DELETED, HALF_DELETED)
        .but_lost(outcome(503, 0, NOTHING, 204)),
    row(Sessions, Call::FindUser, 3, LISTED, NOT_LISTED),
    row(Sessions, Call::ListSessions, 3, LISTED, NOT_LISTED),
    row(EndSession, Call::FindUser, 3, ENDED, NOT_ENDED),
    row(EndSession, Call::FindSession, 3, ENDED, NOT_ENDED),
    row(EndSession, Call::EndSession, 3, ENDED, NOT_ENDED)
        .but_lost(outcome(503, 0, NO_SESSION, 401)),
    row(
        EndSessions,
        Call::ListSessions,
        3,
        OTHERS_ENDED,
        OTHERS_NOT_ENDED,
    ),
    row(
        EndSessions,
        Call::EndSession,
        3,
        OTHERS_ENDED,
        OTHERS_NOT_ENDED,
    )
    .but_lost(outcome(503, 0, SESSION, 204)),
    row(Keys, Call::FetchPublicKey, 3, ANSWERED, NOT_ANSWERED),
];
