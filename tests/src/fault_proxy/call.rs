//! The calls that the functions and the operator's tool make, by name.

use self::Call::{
    AddDestination, AddUser, Admit, AdmitMessage, AdmitNotice, ChangeUser, Complete, CountRequest,
    CountValidation, CountWrong, DescribeTable, EndCooldown, EndDevices, EndSession,
    EndSessionTold, FetchDigestKey, FetchPublicKey, FindChallenge, FindLogin, FindNamed,
    FindSession, FindUndo, FindUser, ForgetSends, ForgetUndo, LiftMark, ListSessions, ListUsers,
    LookAtTemplate, PublishToTopic, ReadCounters, ReadDestination, ReadStored, RecordReport,
    Redeem, RemoveDestination, Rotate, SendEmail, SendSms, SetClaims, Sign, SpendAttempt,
    UndoRemoval, Unsuppress, Withdraw, WithdrawCounts, WithdrawEnd,
};
use super::{
    CallFault,
    http::{HttpMessage, header},
};

/// Every call that the functions and the operator's tool make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// KMS derives the key of the codes' digests.
    FetchDigestKey,
    /// KMS returns the public half of the signing key.
    FetchPublicKey,
    /// KMS signs an access token.
    Sign,
    /// A transaction stores a challenge and counts the login.
    Admit,
    /// A transaction counts the message of a login that was admitted and answered before.
    AdmitMessage,
    /// The challenge whose code is wanted again is read.
    FindNamed,
    /// A request that is not admitted is counted against its client.
    CountRequest,
    /// The counters of a full limit are read, or of a guard that refused lately.
    ReadCounters,
    /// A user is read: the copy at a destination, for a login with the destination's past, or
    /// the user's own item.
    FindUser,
    /// SES returns the operator's own e-mail template.
    LookAtTemplate,
    /// SES sends an e-mail.
    SendEmail,
    /// SNS sends a text message.
    SendSms,
    /// SNS publishes a code to the topic of an own sender.
    PublishToTopic,
    /// A login under an idempotency key is marked as completed.
    Complete,
    /// A repeated login reads what the first one under its idempotency key learnt.
    FindLogin,
    /// A transaction removes a challenge whose message failed, and refunds its limits.
    Withdraw,
    /// The same without the cooldown, which a later login has renewed.
    WithdrawCounts,
    /// The same without the refund, because somebody has guessed at the code.
    WithdrawEnd,
    /// A validation is counted against its client's limit.
    CountValidation,
    /// The newest live challenge of a destination is looked for.
    FindChallenge,
    /// An attempt at a challenge is counted.
    SpendAttempt,
    /// A wrong guess is counted at its destination or at its known device.
    CountWrong,
    /// What became of a message is recorded in its destination's history, or lifted there.
    RecordReport,
    /// The operator's tool reads all items of a destination.
    ReadDestination,
    /// The operator's tool ends a cooldown.
    EndCooldown,
    /// The operator's tool forgets the sends of a day.
    ForgetSends,
    /// The operator's tool lifts a mark.
    LiftMark,
    /// The operator's tool takes an address off the suppression list of SES.
    Unsuppress,
    /// A transaction ends the known devices of a user.
    EndDevices,
    /// A transaction uses the code up and starts a session.
    Redeem,
    /// The session of a refresh token is read.
    FindSession,
    /// The sessions of a user are listed.
    ListSessions,
    /// A session gets its next refresh token.
    Rotate,
    /// A session is deleted.
    EndSession,
    /// A transaction deletes a session and writes its event.
    EndSessionTold,
    /// The operator's tool reads all that is stored of a user.
    ReadStored,
    /// The operator's tool asks whether the table has a stream.
    DescribeTable,
    /// The operator's tool lists the users.
    ListUsers,
    /// A transaction uses the code up and adds its destination to a user.
    AddDestination,
    /// A transaction takes a destination from a user.
    RemoveDestination,
    /// What takes a removal back is read.
    FindUndo,
    /// A transaction gives a destination back.
    UndoRemoval,
    /// What took a removal back is deleted.
    ForgetUndo,
    /// A transaction counts a notice.
    AdmitNotice,
    /// The operator's tool creates a user.
    AddUser,
    /// The operator's tool disables, enables or removes a user, or the user leaves.
    ChangeUser,
    /// The operator's tool sets the claims of a user.
    SetClaims,
}

/// How to tell a call: by its operation, and by words in its body. The first match counts.
const CALLS: &[(Call, &str, &str)] = &[
    (FetchDigestKey, "GenerateMac", ""),
    (FetchPublicKey, "GetPublicKey", ""),
    (Sign, "Sign", ""),
    (Redeem, "TransactWriteItems", ":\"redeem-"),
    (Withdraw, "TransactWriteItems", ":\"all-"),
    (WithdrawCounts, "TransactWriteItems", ":\"counts-"),
    (WithdrawEnd, "TransactWriteItems", ":\"end-"),
    (AddDestination, "TransactWriteItems", ":\"adding-"),
    (RemoveDestination, "TransactWriteItems", ":\"removing-"),
    (UndoRemoval, "TransactWriteItems", ":\"undoing-"),
    (AdmitNotice, "TransactWriteItems", ":\"notice-"),
    (RecordReport, "TransactWriteItems", ":\"report-"),
    (FindUndo, "GetItem", "\"undo#"),
    (ForgetUndo, "DeleteItem", "\"undo#"),
    (EndSessionTold, "TransactWriteItems", ":\"ending-"),
    (AddUser, "TransactWriteItems", ":\"add-"),
    (ChangeUser, "TransactWriteItems", ":\"change-"),
    (SetClaims, "TransactWriteItems", ":\"claims-"),
    (EndDevices, "TransactWriteItems", ":\"devices-"),
    (AdmitMessage, "TransactWriteItems", ":\"message-"),
    (Admit, "TransactWriteItems", "#"),
    (CountWrong, "UpdateItem", "\"guessed_at\""),
    (CountValidation, "UpdateItem", "validations-hour#"),
    (SpendAttempt, "UpdateItem", "ADD spent_by"),
    (Complete, "UpdateItem", "seen_through"),
    (EndCooldown, "UpdateItem", "REMOVE cooling_until"),
    (LiftMark, "UpdateItem", "\"history\""),
    (ForgetSends, "DeleteItem", "sends\""),
    (CountRequest, "UpdateItem", "logins-hour#"),
    (Rotate, "UpdateItem", "previous_digest"),
    (EndSession, "DeleteItem", "\"session#"),
    (FindSession, "GetItem", "\"session#"),
    (FindLogin, "GetItem", "\"request#"),
    (FindUser, "BatchGetItem", "\"user\""),
    (ReadCounters, "BatchGetItem", "\"messages\""),
    (FindUser, "BatchGetItem", ""),
    (FindUser, "GetItem", "\"user\""),
    (FindNamed, "GetItem", "\"challenge#"),
    (FindChallenge, "Query", "\"challenge#\""),
    (ListSessions, "Query", "\"session#"),
    (ReadStored, "Query", ":partition"),
    (ReadDestination, "Query", ""),
    (Unsuppress, "DeleteSuppressedDestination", ""),
    (DescribeTable, "DescribeTable", ""),
    (ListUsers, "Scan", ""),
    (LookAtTemplate, "GetEmailTemplate", ""),
    (SendEmail, "SendEmail", ""),
    (PublishToTopic, "Publish", "TopicArn="),
    (SendSms, "Publish", ""),
];

impl Call {
    /// The errors by which the table refuses the call because of other calls, and does nothing.
    #[must_use]
    pub fn contended(self) -> Vec<CallFault> {
        let error = |code| CallFault::Error(400, code);
        let busy = error("ProvisionedThroughputExceededException");
        let of_call = CALLS.iter().find(|(call, _, _)| *call == self);
        match of_call.map(|(_, operation, _)| *operation) {
            Some("TransactWriteItems") => {
                let in_progress = error("TransactionInProgressException");
                vec![CallFault::TransactionConflict, in_progress, busy]
            }
            Some("UpdateItem" | "DeleteItem") => {
                vec![error("TransactionConflictException"), busy]
            }
            Some("GetItem" | "BatchGetItem" | "Query") => vec![busy],
            _ => Vec::new(),
        }
    }

    /// Panics at a call without a name: a new call needs a row in the table of faults.
    pub(super) fn of(request: &HttpMessage) -> Self {
        // The header names the operation of DynamoDB and KMS, the path that of SES. What is
        // left is SNS, which names it in the body.
        let target = header(&request.head, "x-amz-target");
        let operation = match target.and_then(|target| target.split('.').next_back()) {
            Some(name) => name,
            None if request.head.starts_with("POST /v2/email/") => "SendEmail",
            None if request.head.starts_with("DELETE /v2/email/suppression/") => {
                "DeleteSuppressedDestination"
            }
            None if request.head.starts_with("GET /v2/email/templates/") => "GetEmailTemplate",
            None => "Publish",
        };
        let body = String::from_utf8_lossy(&request.body);
        let mut calls = CALLS.iter();
        let call = calls.find(|(_, name, words)| *name == operation && body.contains(words));
        assert!(call.is_some(), "a call without a name: {operation}");
        call.unwrap().0
    }
}
