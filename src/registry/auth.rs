//! What to put into `Authorization` for a repository, and what to do when it is refused.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::challenge::Challenge;
use super::client::{Access, Client, MAX_REDIRECTS, Tried, is_redirect, too_many_redirects};
use super::endpoint::Endpoint;
use super::error::refusal;
use super::token::{self, Token};
use super::transport::{Answer, Payload, Request};
use super::url::{Origin, Url};
use crate::common::{Error, Kind, Result};
use crate::settings::{Credential, Secret};

/// What is known of the logins, by origin and repository.
#[derive(Default)]
pub(super) struct Sessions {
    known: Mutex<HashMap<(Origin, String), Session>>,
}

#[derive(Clone)]
struct Session {
    challenge: Challenge,
    header: Option<(Secret, Option<Instant>)>,
}

impl Sessions {
    fn get(&self, endpoint: &Endpoint) -> Option<Session> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&key(endpoint)).cloned()
    }

    fn set(&self, endpoint: &Endpoint, session: Session) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key(endpoint), session);
    }
}

fn key(endpoint: &Endpoint) -> (Origin, String) {
    (endpoint.origin.clone(), endpoint.path.clone())
}

impl Client<'_> {
    /// The header for the next request: what worked before, a new token when that has run out,
    /// none while the registry has not asked.
    pub(super) fn authorization(&self, endpoint: &Endpoint) -> Result<Option<Secret>> {
        let Some(session) = self.sessions.get(endpoint) else {
            return Ok(None);
        };
        match session.header {
            Some((header, None)) => Ok(Some(header)),
            Some((header, Some(expires))) if Instant::now() < expires => Ok(Some(header)),
            _ => self.log_in(endpoint, session.challenge).map(Some),
        }
    }

    /// Remembers the challenge of a 401 and answers it. `used` is the header that was refused:
    /// when another thread has renewed it in the meantime, nothing is asked for.
    pub(super) fn challenged(
        &self,
        endpoint: &Endpoint,
        used: Option<&Secret>,
        answer: &Answer,
    ) -> Result<()> {
        let headers = answer.headers.get_all("www-authenticate");
        let texts = headers.iter().filter_map(|value| value.to_str().ok());
        let challenge = Challenge::best(texts).ok_or_else(|| {
            Error::new(Kind::Denied, "log in to", endpoint.domain.clone())
                .because("the registry refuses the request and names no way to log in".to_owned())
        })?;
        let newer = self
            .sessions
            .get(endpoint)
            .and_then(|session| session.header)
            .is_some_and(|(header, _)| used.is_some_and(|used| *used != header));
        if newer {
            return Ok(());
        }
        self.log_in(endpoint, challenge).map(|_| ())
    }

    /// Remembers what a ping said without asking for anything yet.
    pub(super) fn expect_challenge(&self, endpoint: &Endpoint, answer: &Answer) {
        let headers = answer.headers.get_all("www-authenticate");
        let texts = headers.iter().filter_map(|value| value.to_str().ok());
        if let Some(challenge) = Challenge::best(texts) {
            let session = Session {
                challenge,
                header: None,
            };
            self.sessions.set(endpoint, session);
        }
    }

    fn log_in(&self, endpoint: &Endpoint, challenge: Challenge) -> Result<Secret> {
        let credential = self.credential(endpoint)?;
        let (header, expires) = match (&challenge, &credential) {
            (_, Some(Credential::RegistryToken(token))) => {
                (bearer(token.expose(), endpoint)?, None)
            }
            (Challenge::Basic, Some(Credential::Password { username, password })) => {
                (basic(username, password), None)
            }
            (Challenge::Basic, _) => {
                let body = br#"{"errors":[{"code":"UNAUTHORIZED"}]}"#;
                let name = endpoint.name();
                return Err(refusal(
                    self.access.verb(),
                    &name,
                    &endpoint.domain,
                    401,
                    body,
                    false,
                ));
            }
            (
                Challenge::Bearer {
                    realm,
                    service,
                    scope,
                },
                _,
            ) => {
                let wanted = Wanted {
                    realm: token::check_realm(Url::parse(realm), realm, endpoint)?,
                    service: service.as_deref().unwrap_or_default(),
                    scope: scopes(endpoint, scope.as_deref(), &self.access),
                };
                let token = self.token(endpoint, &wanted, credential.as_ref())?;
                (bearer(token.text.expose(), endpoint)?, Some(token.expires))
            }
        };
        let session = Session {
            challenge,
            header: Some((header.clone(), expires)),
        };
        self.sessions.set(endpoint, session);
        Ok(header)
    }

    /// Gets a token: POST for an identity token, GET otherwise, and POST again where an
    /// endpoint knows no GET.
    fn token(
        &self,
        endpoint: &Endpoint,
        wanted: &Wanted<'_>,
        credential: Option<&Credential>,
    ) -> Result<Token> {
        match credential {
            Some(Credential::IdentityToken(token)) => {
                let grant = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", token.expose()),
                ];
                self.post_token(endpoint, wanted, &grant)
            }
            Some(Credential::Password { username, password }) => {
                let header = basic(username, password);
                match self.get_token(endpoint, wanted, Some((username, &header)))? {
                    Some(token) => Ok(token),
                    None => {
                        let grant = [
                            ("grant_type", "password"),
                            ("username", username.as_str()),
                            ("password", password.expose()),
                        ];
                        self.post_token(endpoint, wanted, &grant)
                    }
                }
            }
            _ => self.get_token(endpoint, wanted, None)?.ok_or_else(|| {
                Error::new(Kind::Network, "get token", wanted.realm.origin.to_string())
                    .because("the token service knows no GET".to_owned())
            }),
        }
    }

    /// None when the endpoint does not know GET.
    fn get_token(
        &self,
        endpoint: &Endpoint,
        wanted: &Wanted<'_>,
        login: Option<(&str, &Secret)>,
    ) -> Result<Option<Token>> {
        let mut pairs = vec![("service", wanted.service)];
        pairs.retain(|(_, value)| !value.is_empty());
        pairs.extend(wanted.scope.iter().map(|scope| ("scope", scope.as_str())));
        if let Some((account, _)) = login {
            pairs.push(("account", account));
        }
        let url = token::with_query(&wanted.realm, &token::encode(&pairs));
        let (status, body) = self.ask_token(endpoint, url, login.map(|(_, h)| h), None)?;
        match status {
            200 => token::parse(&body, &wanted.realm.origin.host).map(Some),
            404 | 405 if login.is_some() => Ok(None),
            status => Err(self.token_refused(endpoint, status, &body, login.is_some())),
        }
    }

    fn post_token(
        &self,
        endpoint: &Endpoint,
        wanted: &Wanted<'_>,
        grant: &[(&str, &str)],
    ) -> Result<Token> {
        let scope = wanted.scope.join(" ");
        let mut pairs = grant.to_vec();
        pairs.extend([
            ("service", wanted.service),
            ("client_id", "ketch"),
            ("access_type", "offline"),
            ("scope", scope.as_str()),
        ]);
        let form = token::encode(&pairs);
        let (status, body) = self.ask_token(endpoint, wanted.realm.clone(), None, Some(&form))?;
        match status {
            200 => token::parse(&body, &wanted.realm.origin.host),
            status => Err(self.token_refused(endpoint, status, &body, true)),
        }
    }

    fn token_refused(
        &self,
        endpoint: &Endpoint,
        status: u16,
        body: &[u8],
        logged_in: bool,
    ) -> Error {
        // A token service answers 400 or 403 to a bad login as well.
        let status = if matches!(status, 400 | 403) {
            401
        } else {
            status
        };
        let name = endpoint.name();
        refusal(
            "log in for",
            &name,
            &endpoint.domain,
            status,
            body,
            logged_in,
        )
    }

    /// One exchange with a token endpoint, with retries; redirects pass the realm's checks
    /// again, a POST is never redirected, and a login never goes to another origin.
    fn ask_token(
        &self,
        endpoint: &Endpoint,
        url: Url,
        login: Option<&Secret>,
        form: Option<&str>,
    ) -> Result<(u16, Vec<u8>)> {
        const OPERATION: &str = "get token for";
        let first = url.origin.clone();
        self.persist(OPERATION, &endpoint.name(), &url.origin.host, || {
            let mut url = url.clone();
            for _ in 0..=MAX_REDIRECTS {
                let same_host = url.origin.host == endpoint.origin.host;
                let answer = self.transport.send(Request {
                    url: &url,
                    accept: Some("application/json"),
                    authorization: login.filter(|_| url.origin == first).map(Secret::expose),
                    from: None,
                    payload: form.map_or(Payload::None, Payload::Form),
                    verify: self.verify_elsewhere(same_host && !endpoint.verify),
                    probe: false,
                })?;
                if !is_redirect(&answer) || form.is_some() {
                    return Tried::small(answer, token::MAX_ANSWER)
                        .map(|tried| tried.map(|small| (small.status, small.body)));
                }
                let location = answer.header("location").unwrap_or_default();
                url = token::check_realm(url.join(location), location, endpoint)?;
            }
            Err(too_many_redirects(&first).into())
        })
    }

    /// Whether certificates are checked at a host; `excused` is true at an insecure registry.
    pub(super) fn verify_elsewhere(&self, excused: bool) -> bool {
        !excused && self.options.tls_verify != Some(false)
    }

    /// `--creds` for the registry itself, else the stored login.
    fn credential(&self, endpoint: &Endpoint) -> Result<Option<Credential>> {
        if let Some(login) = &self.options.login
            && !endpoint.mirror
        {
            return Ok(Some(Credential::Password {
                username: login.username.clone(),
                password: login.password.clone(),
            }));
        }
        let keychain = match self.keychain.get() {
            Some(keychain) => keychain,
            None => {
                let read = self.settings.keychain(self.options.authfile.as_deref())?;
                self.keychain.get_or_init(|| read)
            }
        };
        keychain.lookup(&endpoint.domain, &endpoint.path)
    }
}

/// What to ask a token endpoint for.
struct Wanted<'a> {
    realm: Url,
    service: &'a str,
    scope: Vec<String>,
}

/// The scope of a pull or push, and the registry's own wording of it where that differs; a scope
/// that asks for more than what is done is not granted. A push also asks to read where blobs may
/// be mounted from.
fn scopes(endpoint: &Endpoint, offered: Option<&str>, access: &Access) -> Vec<String> {
    let actions = match access {
        Access::Pull => "pull",
        Access::Push { .. } => "pull,push",
    };
    let own = format!("repository:{}:{actions}", endpoint.path);
    let mut scopes = vec![own.clone()];
    if let Access::Push { from } = access {
        let read = |path: &String| format!("repository:{path}:pull");
        scopes.extend(from.iter().filter(|path| **path != endpoint.path).map(read));
    }
    scopes.extend(
        offered
            .unwrap_or_default()
            .split(' ')
            .filter(|scope| {
                let allowed = match access {
                    Access::Pull => [":pull", ":pull"],
                    Access::Push { .. } => [":pull,push", ":push,pull"],
                };
                allowed.iter().any(|end| scope.ends_with(end)) && *scope != own
            })
            .take(1)
            .map(str::to_owned),
    );
    scopes
}

fn basic(username: &str, password: &Secret) -> Secret {
    let text = format!("{username}:{}", password.expose());
    Secret::new(format!("Basic {}", STANDARD.encode(text)))
}

fn bearer(token: &str, endpoint: &Endpoint) -> Result<Secret> {
    if token.is_empty() || !token.bytes().all(|c| c.is_ascii_graphic()) {
        return Err(Error::usage(
            "log in to",
            endpoint.domain.clone(),
            "the stored token holds characters that no header may hold",
        ));
    }
    Ok(Secret::new(format!("Bearer {token}")))
}
