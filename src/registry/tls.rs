//! TLS to a registry: rustls below ureq, with one decision of our own about whom to trust.
//!
//! A registry's certificate made by `openssl req -x509`, as docker's guide to self-signed
//! certificates has it, is marked as an authority's. Whoever put that very certificate among the
//! trusted ones means the registry by it, and Go's crypto/x509 takes it so; webpki never does.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, OtherError,
    RootCertStore, SignatureScheme, StreamOwned,
};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, LazyBuffers, NextTimeout,
    TcpConnector, Transport, TransportAdapter,
};

use crate::common::{Error, Kind, Result};
use crate::settings::ClientPair;

/// Certificates that are trusted.
pub(super) type Authorities = Arc<Vec<CertificateDer<'static>>>;

/// An agent whose connections to https origins are made with `tls`.
pub(super) fn agent(config: ureq::config::Config, tls: Arc<ClientConfig>) -> ureq::Agent {
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(Handshake(tls));
    ureq::Agent::with_parts(config, connector, DefaultResolver::default())
}

/// The certificates of a PEM text; what is none is passed over.
pub(super) fn authorities(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem)
        .filter_map(std::result::Result::ok)
        .collect()
}

/// What connections check of the server: `own` and `system` authorities, or, where there are
/// neither, the ones built in; with `verify` false nothing. `client` shows who is calling.
///
/// # Errors
/// `Usage` for a client certificate whose key is no key, or another's.
pub(super) fn config(
    own: Vec<CertificateDer<'static>>,
    system: Authorities,
    client: Option<&ClientPair>,
    verify: bool,
) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let failed = |error: &dyn fmt::Display| {
        Error::new(Kind::System, "set up", "TLS").because(error.to_string())
    };
    let trust = match verify {
        true => Some(Trust::new(&provider, own, system)?),
        false => None,
    };
    let verifier = Arc::new(Verifier {
        provider: provider.clone(),
        trust,
    });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let Some(pair) = client else {
        return Ok(Arc::new(builder.with_no_client_auth()));
    };
    let bad = |path: &Path, why: String| {
        Error::usage("use client certificate", path.display().to_string(), why)
    };
    let key = PrivateKeyDer::from_pem_slice(pair.key.expose().as_bytes())
        .map_err(|_| bad(&pair.path, "its key is not a PEM private key".to_owned()))?;
    let config = builder
        .with_client_auth_cert(authorities(&pair.certificate), key)
        .map_err(|error| bad(&pair.path, error.to_string()))?;
    Ok(Arc::new(config))
}

/// The certificates that are trusted, and what checks a chain against them.
#[derive(Debug)]
struct Trust {
    chains: Arc<WebPkiServerVerifier>,
    own: Vec<CertificateDer<'static>>,
    system: Authorities,
}

impl Trust {
    fn new(
        provider: &Arc<CryptoProvider>,
        own: Vec<CertificateDer<'static>>,
        system: Authorities,
    ) -> Result<Trust> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(own.iter().chain(system.iter()).cloned());
        if own.is_empty() && system.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let chains =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
        Ok(Trust {
            chains: chains.map_err(|error| {
                Error::new(Kind::System, "read", "the trusted certificates")
                    .because(error.to_string())
            })?,
            own,
            system,
        })
    }

    /// Whether this very certificate is among the trusted ones.
    fn names(&self, certificate: &CertificateDer<'_>) -> bool {
        let mut all = self.own.iter().chain(self.system.iter());
        all.any(|trusted| trusted == certificate)
    }
}

/// Whether nothing but the mark of an authority is wrong with a certificate. It is looked at after
/// the time of validity, and before any chain.
fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why))) = error else {
        return false;
    };
    matches!(
        why.downcast_ref::<webpki::Error>(),
        Some(webpki::Error::CaUsedAsEndEntity)
    )
}

/// Checks that whoever shows a certificate has its key, and the certificate itself unless any is
/// taken, as `--tls-verify=false` asks.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    trust: Option<Trust>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let Some(trust) = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        let found = trust
            .chains
            .verify_server_cert(certificate, intermediates, name, ocsp, now);
        match found {
            Err(error) if is_authority(&error) && trust.names(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            found => found,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// Wraps connections to https origins. One to a proxy that speaks TLS itself is wrapped once
/// for the proxy and, through it, once more for the origin.
#[derive(Debug)]
struct Handshake(Arc<ClientConfig>);

impl<In: Transport> Connector<In> for Handshake {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> std::result::Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Err(ureq::Error::ConnectionFailed);
        };
        if !details.needs_tls() {
            return Ok(Some(Box::new(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ureq::Error::Tls("the registry's name cannot be one of a certificate"))?;
        let failed = |error| std::io::Error::new(std::io::ErrorKind::InvalidData, error);
        let mut conn = ClientConnection::new(self.0.clone(), name).map_err(failed)?;
        let mut sock = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        sock.set_timeout(details.timeout);
        conn.complete_io(&mut sock)?;
        Ok(Some(Box::new(Wrapped {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: StreamOwned::new(conn, sock),
        })))
    }
}

/// A connection after its handshake.
struct Wrapped {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = self.stream.sock.inner();
        formatter.debug_tuple("Wrapped").field(below).finish()
    }
}

impl Transport for Wrapped {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(
        &mut self,
        amount: usize,
        timeout: NextTimeout,
    ) -> std::result::Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Ok(std::io::Write::write_all(&mut self.stream, output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> std::result::Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = std::io::Read::read(&mut self.stream, input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
