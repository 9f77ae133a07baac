//! A letter to a mail server. The connection is one that was looked at, secured as every other and bounded in everything;
//! what is spoken over it is `lettre`'s.
//!
//! A 5xx that answers the message, its sender or an address is for good: the server will never take it. One that comes
//! before that is about us, such as a password that was changed, and what waits is not to be lost for that.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;

use super::post::PostError;

/// The most that a mail server may say in one connection; what it has to say takes a few hundred bytes.
const SAID_BYTES_MAX: usize = 64 * 1024;

/// The longest line of it before TLS: what the standard allows.
const LINE_BYTES_MAX: usize = 512;

/// Lines of an answer before TLS.
const LINES_MAX: usize = 100;

/// How long a server has to say goodbye. It has taken the message by then, and that must not be lost.
const GOODBYE: Duration = Duration::from_secs(1);

/// What lettre is told of a connection whose server has greeted before TLS.
const GREETED: &[u8] = b"220 secured\r\n";

/// How a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// From its first byte on.
    Implicit,
    /// After a few words in the clear; without, nothing is sent.
    Start,
    /// Not at all, and then to this machine alone.
    None,
}

/// A message, and where it goes.
pub(super) struct Letter {
    pub(super) host: Host<String>,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) login: Option<(String, SecretString)>,
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    /// With its headers.
    pub(super) message: Vec<u8>,
}

/// What stands for an address where it is remembered who has a letter: nobody reads it there.
pub(super) fn mark(address: &Address) -> String {
    let digest = Sha256::digest(address.to_string());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Hands a letter over.
pub(super) async fn send(
    mut stream: TcpStream,
    secure: Option<(TlsConnector, ServerName<'static>)>,
    letter: Letter,
) -> Result<u16, PostError> {
    let hello = ClientId::Domain(letter.from.domain().to_owned());
    let Some((connector, name)) = secure else {
        return speak(Line::new(stream, b""), &hello, letter).await;
    };
    let is_greeted = letter.tls == Tls::Start;
    if is_greeted {
        ask_for_tls(&mut stream, &hello).await?;
    }
    let secured = connector.connect(name, stream).await;
    let secured = secured.map_err(|error| PostError::Tls(error.to_string()))?;
    speak(Line::new(secured, if is_greeted { GREETED } else { b"" }), &hello, letter).await
}

/// What is said before TLS. Read byte by byte: what comes after the last line belongs to TLS, or else to whoever put it in
/// between, and is no answer to anything.
async fn ask_for_tls(stream: &mut TcpStream, hello: &ClientId) -> Result<(), PostError> {
    plain_answer(stream).await?;
    stream.write_all(format!("EHLO {hello}\r\n").as_bytes()).await.map_err(|_| PostError::Cut)?;
    let offered = plain_answer(stream).await?;
    if !offered.iter().any(|line| line.eq_ignore_ascii_case("STARTTLS")) {
        return Err(PostError::NoStartTls);
    }
    stream.write_all(b"STARTTLS\r\n").await.map_err(|_| PostError::Cut)?;
    plain_answer(stream).await.map(drop)
}

/// The lines of an answer without their codes, where it is a good one.
async fn plain_answer(stream: &mut TcpStream) -> Result<Vec<String>, PostError> {
    let mut lines = Vec::new();
    while lines.len() < LINES_MAX {
        let line = plain_line(stream).await?;
        let (code, rest) = line.split_at_checked(3).ok_or(PostError::Cut)?;
        let code: u16 = code.parse().map_err(|_| PostError::Cut)?;
        if !(200..300).contains(&code) {
            return Err(PostError::PutOff(code));
        }
        lines.push(rest.get(1..).unwrap_or_default().to_owned());
        if !rest.starts_with('-') {
            return Ok(lines);
        }
    }
    Err(PostError::Cut)
}

async fn plain_line(stream: &mut TcpStream) -> Result<String, PostError> {
    let mut line = Vec::new();
    while line.len() < LINE_BYTES_MAX {
        match stream.read_u8().await.map_err(|_| PostError::Cut)? {
            b'\n' => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            byte => line.push(byte),
        }
    }
    Err(PostError::Cut)
}

/// Speaks SMTP to its end.
async fn speak(
    line: impl AsyncTokioStream + 'static,
    hello: &ClientId,
    letter: Letter,
) -> Result<u16, PostError> {
    let connected = AsyncSmtpConnection::connect_with_transport(Box::new(line), hello).await;
    let mut connection = connected.map_err(|error| about_us(&error))?;
    if let Some((user, password)) = letter.login {
        let credentials = Credentials::new(user, password.expose_secret().to_owned());
        let login = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
        login.map_err(|error| if error.is_client() { PostError::NoLogin } else { about_us(&error) })?;
    }
    connection.command(Mail::new(Some(letter.from), Vec::new())).await.map_err(|error| about_it(&error))?;
    let (all, mut refusals, mut has) = (letter.to.len(), Vec::new(), Vec::new());
    for address in letter.to {
        let mark = mark(&address);
        match connection.command(Rcpt::new(address, Vec::new())).await {
            Ok(_) => has.push(mark),
            Err(error) => refusals.push(refusal(&error)?),
        }
    }
    let for_good = refusals.iter().all(|code| *code >= 500);
    if let (Some(code), true) = (refusals.first(), refusals.len() == all) {
        return Err(if for_good { PostError::Refused(*code) } else { PostError::PutOff(*code) });
    }
    connection.command(Data).await.map_err(|error| about_it(&error))?;
    let answer = connection.message(&letter.message).await.map_err(|error| about_it(&error))?;
    let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
    match refusals.first() {
        Some(code) => Err(PostError::Partly { refused: refusals.len(), all, code: *code, for_good, has }),
        None => Ok(answer.code().into()),
    }
}

/// The code with which an address was refused; what is no answer ends the attempt.
fn refusal(error: &Error) -> Result<u16, PostError> {
    error.status().map(u16::from).ok_or(PostError::Cut)
}

fn about_us(error: &Error) -> PostError {
    refusal(error).map_or_else(|cut| cut, PostError::PutOff)
}

fn about_it(error: &Error) -> PostError {
    match refusal(error) {
        Ok(code) if code >= 500 => PostError::Refused(code),
        Ok(code) => PostError::PutOff(code),
        Err(cut) => cut,
    }
}

/// A connection of which no more is read than a mail server has to say.
struct Line<S> {
    stream: S,
    /// What is read before anything that comes over it.
    before: &'static [u8],
    left: usize,
}

impl<S> Line<S> {
    fn new(stream: S, before: &'static [u8]) -> Self {
        Self { stream, before, left: SAID_BYTES_MAX }
    }
}

impl<S> fmt::Debug for Line<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> AsyncTokioStream for Line<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        // Asked for by nobody who speaks over one connection alone.
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        if !line.before.is_empty() {
            let (now, later) = line.before.split_at(line.before.len().min(into.remaining()));
            into.put_slice(now);
            line.before = later;
            return Poll::Ready(Ok(()));
        }
        let had = into.filled().len();
        let polled = Pin::new(&mut line.stream).poll_read(context, into);
        let read = into.filled().len().saturating_sub(had);
        match line.left.checked_sub(read) {
            Some(left) => line.left = left,
            None => return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into())),
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
