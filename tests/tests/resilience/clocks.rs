//! Two instances whose clocks are apart, step by step. The random stories of [`crate::model`]
//! have two clocks too.

use std::time::Duration;

use serde_json::Value;
use tests::{ALICE, TestApp};

/// By how many milliseconds the issuing instance is ahead.
const APART: [i64; 6] = [60_000, 1_000, 1, -1, -1_000, -60_000];
/// From the start until half a minute before midnight.
const TO_MIDNIGHT: Duration = Duration::from_secs(24 * 3600 - 600 - 30);

/// An instance that issues codes, and another that has its own clock.
async fn apart(ahead: i64, settings: &[(&str, &str)]) -> [TestApp; 2] {
    let app = TestApp::with(settings).await;
    let issuing = app.cold_start().await;
    issuing.set_ahead(ahead);
    [issuing, app]
}

#[tokio::test]
async fn a_code_logs_in_once_whichever_clock_is_ahead() {
    for wait in [Duration::ZERO, TO_MIDNIGHT] {
        for ahead in APART {
            let [issuing, other] = apart(ahead, &[("OTP_MAX_ATTEMPTS", "10")]).await;
            other.advance(wait);
            let (id, code) = issuing.receive_code(ALICE).await;
            let login = other.validate(ALICE, Some(&id), &code).await;
            assert_eq!(login.status, 200, "{ahead} ms ahead");
            // One that remembers nothing, too.
            let third = other.cold_start().await;
            for instance in [&issuing, &other, &third] {
                for id in [Some(id.as_str()), None] {
                    let again = instance.validate(ALICE, id, &code).await;
                    assert_eq!(again.status, 400, "{ahead} ms ahead");
                }
            }
            assert_eq!(other.sessions().await, 1, "{ahead} ms ahead");
        }
    }
}

#[tokio::test]
async fn each_instance_ends_a_code_by_its_own_clock() {
    for ahead in APART {
        let [issuing, other] = apart(ahead, &[]).await;
        let (id, code) = issuing.receive_code(ALICE).await;
        // Five minutes by the clock of the instance that issued it.
        let life = 300_000_u64.saturating_add_signed(ahead);
        other.advance(Duration::from_millis(life - 1));
        let third = other.cold_start().await;
        third.set_ahead(1);
        let late = third.validate(ALICE, Some(&id), &code).await;
        assert_eq!(late.status, 400, "{ahead} ms ahead");
        let login = other.validate(ALICE, Some(&id), &code).await;
        assert_eq!(login.status, 200, "{ahead} ms ahead");
    }
}

#[tokio::test]
async fn a_session_has_one_live_token_whichever_clock_is_ahead() {
    for ahead in APART {
        let [issuing, other] = apart(ahead, &[("REFRESH_GRACE_SECONDS", "120")]).await;
        let next = async |app: &TestApp, token: &Value| {
            let answer = app.refresh(token).await;
            (answer.status.as_u16(), answer.json["refresh_token"].clone())
        };
        let (id, code) = issuing.receive_code(ALICE).await;
        let login = other.validate(ALICE, Some(&id), &code).await;
        let first = login.assert_ok()["refresh_token"].clone();
        let (_, second) = next(&issuing, &first).await;
        // Within the grace by either clock.
        assert_eq!(next(&other, &first).await, (200, second.clone()));
        assert_eq!(next(&issuing, &first).await, (200, second.clone()));
        let (status, third) = next(&other, &second).await;
        assert_eq!(status, 200, "{ahead} ms ahead");
        assert_eq!(next(&issuing, &first).await.0, 400, "{ahead} ms ahead");
        assert_eq!(next(&other, &third).await.0, 400, "{ahead} ms ahead");
        assert_eq!(other.sessions().await, 0, "{ahead} ms ahead");
    }
}
