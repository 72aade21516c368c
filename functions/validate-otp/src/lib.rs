//! The function behind `POST /api/validate-otp/` and the routes of the sessions
//! that it starts.

use lambda_http::Request;
use otp_domain::{
    Delivery, Destination, DestinationsRefusal, Pseudonym, Refusal, UndoToken, UnixTime,
    UserRecord, Ways,
};
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
use otp_service::{
    Error, ambient,
    aws::Aws,
    fault::{Dependency, Fault},
    login::{DeliveryOutcome, DestinationsChange, LoginService},
    session::SessionService,
};

/// The routes of this function.
pub struct SessionApi {
    sessions: SessionService,
    /// What sends the codes that add destinations.
    codes: Result<LoginService, Fault>,
    ways: Ways,
    refresh_cookie: RefreshCookie,
}

impl SessionApi {
    /// Forgets which limits refused lately.
    pub fn forget_refusals(&self) {
        self.sessions.forget_refusals();
        if let Ok(codes) = &self.codes {
            codes.forget_refusals();
        }
    }
}

impl Api for SessionApi {
    const MAIN_ROUTE: Route = Route::Validate;

    fn new(settings: &Settings, aws: &Aws) -> Self {
        let login = settings.login.as_ref();
        let codes = login.map(|login| LoginService::new(login, aws));
        Self {
            ways: login.map_or_else(|_| Ways::default(), |it| it.delivery.ways.clone()),
            codes: codes.map_err(|_| Fault::new(Dependency::Settings, "read", "wrong settings")),
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
            Route::AddDestination => self.add_destination(request, now).await,
            Route::VerifyDestination => self.verify_destination(request, now).await,
            Route::RemoveDestination => self.remove_destination(request, now).await,
            Route::UndoRemoval => self.undo_removal(request, now).await,
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

    async fn add_destination(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let access_token = request::bearer(request)?;
        let account = self.sessions.fresh_account(&access_token, now).await?;
        let add = request::add_destination(request, &account.user.id)?;
        let added = account.user.with(&add.destination, now);
        added.map_err(|why| Error::from(Refusal::from(why)))?;
        let codes = self
            .codes
            .as_ref()
            .map_err(|fault| Error::from(fault.clone()))?;
        let requested = codes.request_code(&add, now, &mut ambient::rng()).await?;
        let response = response::code_requested(&requested, &self.ways);
        let success = |outcome| {
            let about = requested.about.clone().and(&account.principal);
            Success::new(outcome, response).about(about)
        };
        Ok(match requested.outcome {
            DeliveryOutcome::Sent => success("sent"),
            DeliveryOutcome::Unconfirmed(fault) => {
                success(Delivery::Unconfirmed.as_str()).despite(fault)
            }
            // A fixed code is not sent.
            _ => success("not-sent"),
        })
    }

    async fn verify_destination(
        &self,
        request: &Request,
        now: UnixTime,
    ) -> Result<Success, Failure> {
        let access_token = request::bearer(request)?;
        let account = self.sessions.fresh_account(&access_token, now).await?;
        let verify = request::verify_destination(request)?;
        let rng = &mut ambient::rng();
        let added = self.sessions.add_destination(&account, &verify, now, rng);
        let user = added.await?;
        let success = Success::new("destination-added", response::profile(&user));
        let success = success.about(&verify.destination).about(&*account);
        let change = (&user, &verify.destination, None);
        Ok(match self.tell_of(request, change, now).await {
            Some(fault) => success.despite(fault),
            None => success,
        })
    }

    async fn remove_destination(
        &self,
        request: &Request,
        now: UnixTime,
    ) -> Result<Success, Failure> {
        let access_token = request::bearer(request)?;
        let account = self.sessions.fresh_account(&access_token, now).await?;
        let to = request::remove_destination(request)?;
        let rng = &mut ambient::rng();
        let removed = self
            .sessions
            .remove_destination(&account, &to, now, rng)
            .await?;
        let success = Success::new("destination-removed", response::done()).about(&*account);
        let change = (&removed.user, &to, removed.undo.as_ref());
        Ok(match self.tell_of(request, change, now).await {
            Some(fault) => success.despite(fault),
            None => success,
        })
    }

    async fn undo_removal(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let token = request::undo_removal(request)?;
        let nothing = Refusal::from(DestinationsRefusal::InvalidUndo);
        let token = token.ok_or(nothing).map_err(Error::from)?;
        let rng = &mut ambient::rng();
        let user = self.sessions.undo_removal(&token, now, rng);
        Ok(Success::new("removal-undone", response::done()).about(&user.await?))
    }

    /// Tells the user's destinations of a change. A notice that fails undoes nothing.
    async fn tell_of(
        &self,
        request: &Request,
        change: (&UserRecord, &Destination, Option<&UndoToken>),
        now: UnixTime,
    ) -> Option<Fault> {
        let (user, of, undo) = change;
        let change = DestinationsChange {
            user,
            of,
            undo,
            language: request::language(request),
            at: now,
        };
        let codes = self.codes.as_ref().map_err(Clone::clone);
        match codes {
            Ok(codes) => codes.tell_of(&change, &mut ambient::rng()).await.err(),
            Err(fault) => Some(fault),
        }
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
        self.sessions.end_other_sessions(&account, now).await?;
        Ok(Success::new("others-ended", response::done()).about(&*account))
    }

    async fn end_session(&self, request: &Request, now: UnixTime) -> Result<Success, Failure> {
        let access_token = request::bearer(request)?;
        let account = self.sessions.fresh_account(&access_token, now).await?;
        if let Some(id) = request::session(request) {
            self.sessions.end_own_session(&account, &id, now).await?;
        }
        Ok(Success::new("ended", response::done()).about(&*account))
    }
}
