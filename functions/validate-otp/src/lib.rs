//! The function behind `POST /api/validate-otp/` and the routes of the sessions
//! that it starts.

use lambda_http::Request;
use otp_domain::{Destination, Pseudonym, UnixTime};
use otp_edge::{
    api::{Api, Success},
    cookie::RefreshCookie,
    failure::Failure,
    rejection::Rejection,
    request,
    response::{self, metadata},
    route::Route,
    settings::Settings,
};
use otp_service::{ambient, aws::Aws, session::SessionService};

/// The routes of this function.
pub struct SessionApi {
    sessions: SessionService,
    refresh_cookie: RefreshCookie,
}

impl SessionApi {
    /// Forgets which limits refused lately.
    pub fn forget_refusals(&self) {
        self.sessions.forget_refusals();
    }
}

impl Api for SessionApi {
    const MAIN_ROUTE: Route = Route::Validate;

    fn new(settings: &Settings, aws: &Aws) -> Self {
        Self {
            sessions: SessionService::new(&settings.sessions, aws),
            refresh_cookie: settings.refresh_cookie.clone(),
        }
    }

    async fn warm_up(&self) {
        self.sessions.warm_up().await;
    }

    fn pseudonym(&self, of: &Destination) -> Option<Pseudonym> {
        self.sessions.pseudonym(of)
    }

    async fn respond(
        &self,
        route: Route,
        request: &Request,
        now: UnixTime,
    ) -> Result<Success, Failure> {
        match route {
            Route::Login => Err(Rejection::NotFound.into()),
            Route::Validate => self.validate(request, now).await,
            Route::Refresh => self.refresh(request, now).await,
            Route::Logout => self.log_out(request, now).await,
            Route::Token => self.token(request, now).await,
            Route::Revoke => self.revoke(request, now).await,
            Route::Me => self.me(request, now).await,
            Route::DeleteMe => self.delete_me(request, now).await,
            Route::Sessions => self.list_sessions(request, now).await,
            Route::EndSessions => self.end_sessions(request, now).await,
            Route::EndSession => self.end_session(request, now).await,
            Route::Configuration => {
                let document = metadata::configuration(self.sessions.issuer());
                Ok(Success::new("published", document))
            }
            Route::Metadata => {
                let document = metadata::server(self.sessions.issuer());
                Ok(Success::new("published", document))
            }
            Route::Keys => {
                let published = self.sessions.published_keys().await?;
                let success = Success::new("published", response::keys(&published.keys));
                Ok(match published.missing {
                    Some(fault) => success.despite(fault),
                    None => success,
                })
            }
        }
    }
}

impl SessionApi {
    async fn validate(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let kept = self.refresh_cookie.device_tokens(request);
        let (request, carrier) = request::validate(request, &self.refresh_cookie)?;
        let login = self
            .sessions
            .validate(&request, now, &mut ambient::rng())
            .await?;
        let outcome = match (login.is_repeated, login.user.is_new()) {
            (true, _) => "logged-in-again",
            (false, true) => "signed-up",
            (false, false) => "logged-in",
        };
        let success = Success::new(outcome, response::logged_in(&login, carrier, &kept));
        Ok(success.about(&request.destination).about(&login))
    }

    async fn refresh(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let (request, carrier) = request::refresh(request, &self.refresh_cookie)?;
        let session = self
            .sessions
            .refresh(&request, now, &mut ambient::rng())
            .await
            .map_err(|error| Failure::of_refresh(error, carrier))?;
        let success = Success::new("refreshed", response::refreshed(&session, carrier));
        Ok(success.about(&session))
    }

    async fn log_out(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let (request, carrier, forgets) = request::logout(request, &self.refresh_cookie)?;
        let response = response::logged_out(carrier, forgets);
        Ok(match self.sessions.log_out(&request, now).await? {
            Some(session) => Success::new("logged-out", response).about(&session),
            None => Success::new("not-logged-in", response),
        })
    }

    async fn token(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let request = request::oauth::token(request, self.sessions.client_id())?;
        let session = self
            .sessions
            .refresh(&request, now, &mut ambient::rng())
            .await?;
        let success = Success::new("refreshed", response::token(&session));
        Ok(success.about(&session))
    }

    async fn revoke(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let request = request::oauth::revocation(request, self.sessions.client_id())?;
        let response = response::revoked();
        Ok(match self.sessions.revoke(&request, now).await? {
            Some(session) => Success::new("revoked", response).about(&session),
            None => Success::new("not-revoked", response),
        })
    }

    async fn me(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let access_token = request::bearer(request)?;
        let account = self.sessions.account(&access_token, now).await?;
        let success = Success::new("known", response::profile(&account.user));
        Ok(success.about(&account))
    }

    async fn delete_me(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let access_token = request::bearer(request)?;
        let principal = self
            .sessions
            .delete_account(&access_token, now, &mut ambient::rng())
            .await?;
        Ok(Success::new("deleted", response::done()).about(&principal))
    }

    async fn list_sessions(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let account = self
            .sessions
            .account(&request::bearer(request)?, now)
            .await?;
        let sessions = self.sessions.own_sessions(&account, now).await?;
        let response = response::sessions(&sessions, &account.principal.session);
        Ok(Success::new("listed", response).about(&account))
    }

    async fn end_sessions(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let access_token = request::bearer(request)?;
        let account = self.sessions.fresh_account(&access_token, now).await?;
        self.sessions.end_other_sessions(&account).await?;
        Ok(Success::new("others-ended", response::done()).about(&*account))
    }

    async fn end_session(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let access_token = request::bearer(request)?;
        let account = self.sessions.fresh_account(&access_token, now).await?;
        if let Some(id) = request::session(request) {
            self.sessions.end_own_session(&account, &id).await?;
        }
        Ok(Success::new("ended", response::done()).about(&*account))
    }
}
