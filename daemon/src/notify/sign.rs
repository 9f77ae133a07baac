//! Signatures of webhooks, by the Standard Webhooks convention: HMAC-SHA256 of id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What the secrets of the convention begin with.
const PREFIX: &str = "whsec_";

/// Bytes of the shortest secret that the convention allows.
const BYTES_LEAST: usize = 24;

/// Bytes of the longest.
const BYTES_MOST: usize = 64;

/// Reads secrets, one a line. All of them sign, so that a receiver can be given a new one while it still knows the old.
///
/// # Errors
/// What is wrong, in words that never quote one.
pub(super) fn secrets(text: &str) -> Result<Vec<SecretString>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets = lines.enumerate().map(|(number, line)| {
        key(line).map_err(|what| format!("secret {}: {what}", number + 1))?;
        Ok(SecretString::from(line))
    });
    let secrets: Vec<SecretString> = secrets.collect::<Result<_, String>>()?;
    if secrets.is_empty() { Err("there is no secret in it".to_owned()) } else { Ok(secrets) }
}

fn key(secret: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let encoded = secret.strip_prefix(PREFIX).ok_or("it does not begin with whsec_")?;
    let key = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| "what follows whsec_ is not base64")?);
    if (BYTES_LEAST..=BYTES_MOST).contains(&key.len()) {
        Ok(key)
    } else {
        Err(format!("it has {} bytes; {BYTES_LEAST} to {BYTES_MOST} are right", key.len()))
    }
}

/// The value of `webhook-signature`: one signature for each secret.
///
/// # Errors
/// Where a secret is none, which reading them rules out.
pub(super) fn signature(
    secrets: &[SecretString],
    id: &str,
    timestamp: u64,
    body: &[u8],
) -> Result<String, String> {
    let sign = |secret: &SecretString| {
        let key = key(secret.expose_secret())?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    Ok(secrets.iter().map(sign).collect::<Result<Vec<_>, String>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the convention's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn a_body_is_signed_as_the_convention_says() {
        let secrets = secrets(SECRET).unwrap();
        let signed =
            signature(&secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_new_secret_signs_beside_the_old_one() {
        let new = format!("whsec_{}", STANDARD.encode([7; 32]));
        let both = secrets(&format!("{new}\n\n  {SECRET}\n")).unwrap();
        let signed = signature(&both, "n-1", 1, b"{}").unwrap();
        let alone = |text: &str| signature(&secrets(text).unwrap(), "n-1", 1, b"{}").unwrap();
        assert_eq!(signed, format!("{} {}", alone(&new), alone(SECRET)));
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        for wrong in ["", "SECRET99", "whsec_SECRET99!", "whsec_U0VDUkVUOTk="] {
            let what = secrets(wrong).unwrap_err();
            assert!(!what.contains("SECRET99") && !what.contains("U0VD"), "{what}");
        }
    }
}
