//! The server's errors: one table of token, number and text, and the failure a handler answers.

use serde_json::{Map, Value};

/// Builds [`RpcError`] and its three columns from one table, so that none can be forgotten.
macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $token:literal, $message:literal;)*) => {
        /// An error of the server, by its token, number and text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum RpcError {
            $($(#[$doc])* $name,)*
        }

        impl RpcError {
            /// The stable number that replies carry as `error_code`.
            #[must_use]
            pub const fn code(self) -> i32 {
                match self { $(Self::$name => $code,)* }
            }

            /// The stable word that replies carry as `error`.
            #[must_use]
            pub const fn token(self) -> &'static str {
                match self { $(Self::$name => $token,)* }
            }

            /// The error of a word.
            #[must_use]
            pub fn from_token(token: &str) -> Option<Self> {
                match token {
                    $($token => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The server's own text, carried as `error_message` unless a handler says more.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

errors! {
    /// The caller may not use this method on this port.
    Forbidden = 3, "forbidden", "Bad credentials.";
    /// A CTID of another network.
    WrongNetwork = 4, "wrongNetwork", "Wrong network.";
    /// An administrator's method or option.
    NoPermission = 6, "noPermission", "You don't have permission for this command.";
    /// The server sheds load.
    SlowDown = 10, "slowDown", "You are placing too much load on the server.";
    /// The fee asked for by the network is above the caller's limit.
    HighFee = 11, "highFee", "Current transaction fee exceeds your limit.";
    /// The method exists and is switched off.
    NotEnabled = 12, "notEnabled", "Not enabled in configuration.";
    /// The server has no current ledger yet.
    NotSynced = 18, "notSynced", "Not synced to the network.";
    /// The transport has no way to send anything later.
    NoEvents = 7, "noEvents", "Current transport does not support events.";
    /// The server has too much to do.
    TooBusy = 9, "tooBusy", "The server is too busy to help you now.";
    /// No such account in that ledger.
    ActNotFound = 19, "actNotFound", "Account not found.";
    /// No such ledger here.
    LgrNotFound = 21, "lgrNotFound", "Ledger not found.";
    /// That ledger is not validated.
    LgrNotValidated = 22, "lgrNotValidated", "Ledger not validated.";
    /// The account's master key no longer signs.
    MasterDisabled = 23, "masterDisabled", "Master key is disabled.";
    /// No such transaction here.
    TxnNotFound = 29, "txnNotFound", "Transaction not found.";
    /// A hot wallet is not an account.
    InvalidHotWallet = 30, "invalidHotWallet", "Invalid hotwallet.";
    /// A parameter is missing, of the wrong kind or out of range.
    InvalidParams = 31, "invalidParams", "Invalid parameters.";
    /// No such method.
    UnknownCommand = 32, "unknownCmd", "Unknown method.";
    /// No search for paths is under way.
    NoPathRequest = 33, "noPathRequest", "No pathfinding request in progress.";
    /// The account is not an address.
    ActMalformed = 35, "actMalformed", "Account malformed.";
    /// Signers where a single signature is to be made.
    AlreadyMultisig = 36, "alreadyMultisig", "Already multisigned.";
    /// A single signature where a signer's is to be made.
    AlreadySingleSig = 37, "alreadySingleSig", "Already single-signed.";
    /// No such amendment.
    BadFeature = 40, "badFeature", "Feature unknown or invalid.";
    /// The issuer is not an account.
    BadIssuer = 41, "badIssuer", "Issuer account malformed.";
    /// Both sides of the book are the same.
    BadMarket = 42, "badMarket", "No such market.";
    /// The secret belongs to another account.
    BadSecret = 43, "badSecret", "Secret does not match account.";
    /// Not a seed.
    BadSeed = 44, "badSeed", "Disallowed seed.";
    /// The payment channel's id is not one.
    ChannelMalformed = 45, "channelMalformed", "Payment channel is malformed.";
    /// The payment channel's amount is not one.
    ChannelAmtMalformed = 46, "channelAmtMalformed", "Payment channel amount is malformed.";
    /// The destination account is not an address.
    DstActMalformed = 48, "dstActMalformed", "Destination account is malformed.";
    /// The destination account is missing.
    DstActMissing = 49, "dstActMissing", "Destination account not provided.";
    /// No such destination account.
    DstActNotFound = 50, "dstActNotFound", "Destination account not found.";
    /// The amount to deliver is not one.
    DstAmtMalformed = 51, "dstAmtMalformed", "Destination amount/currency/issuer is malformed.";
    /// The amount to deliver is missing.
    DstAmtMissing = 52, "dstAmtMissing", "Destination amount/currency/issuer is missing.";
    /// The issuer of what is to be delivered is not an account.
    DstIsrMalformed = 53, "dstIsrMalformed", "Destination issuer is malformed.";
    /// The ledger range is empty or outside what the server holds.
    LgrIdxsInvalid = 57, "lgrIdxsInvalid", "Ledger indexes invalid.";
    /// A ledger index outside what the server holds.
    LgrIdxMalformed = 58, "lgrIdxMalformed", "Ledger index malformed.";
    /// The public key is not one.
    PublicMalformed = 62, "publicMalformed", "Public key is malformed.";
    /// The fields of a signature are wrong.
    SigningMalformed = 63, "signingMalformed", "Signing of transaction is malformed.";
    /// The most that may be sent is no amount.
    SendMaxMalformed = 64, "sendMaxMalformed", "SendMax amount malformed.";
    /// The source account is not an address.
    SrcActMalformed = 65, "srcActMalformed", "Source account is malformed.";
    /// The source account is missing.
    SrcActMissing = 66, "srcActMissing", "Source account not provided.";
    /// No such source account.
    SrcActNotFound = 67, "srcActNotFound", "Source account not found.";
    /// No such delegate.
    DelegateActNotFound = 68, "delegateActNotFound", "Delegate account not found.";
    /// What is to be sent is no currency.
    SrcCurMalformed = 69, "srcCurMalformed", "Source currency is malformed.";
    /// The issuer of what is to be sent is not an account.
    SrcIsrMalformed = 70, "srcIsrMalformed", "Source issuer is malformed.";
    /// No such stream.
    StreamMalformed = 71, "malformedStream", "Stream malformed.";
    /// What the server says when a parameter's kind surprises it.
    Internal = 73, "internal", "Internal error.";
    /// Not implemented.
    NotImpl = 74, "notImpl", "Not implemented.";
    /// Not supported by this server.
    NotSupported = 75, "notSupported", "Operation not supported.";
    /// No such kind of key.
    BadKeyType = 76, "badKeyType", "Bad key type.";
    /// The ledger range is wider than the server searches.
    ExcessiveLgrRange = 78, "excessiveLgrRange", "Ledger range exceeds 1000.";
    /// The ledger range is upside down.
    InvalidLgrRange = 79, "invalidLgrRange", "Ledger range is invalid.";
    /// No such object.
    ObjectNotFound = 92, "objectNotFound", "The requested object was not found.";
    /// The currency and issuer of one side are none.
    IssueMalformed = 93, "issueMalformed", "Issue is malformed.";
    /// Credentials are missing, not accepted or expired.
    BadCredentials = 95, "badCredentials", "Credentials do not exist, are not accepted, or have expired.";
    /// A signed transaction where an unsigned one is wanted.
    TxSigned = 96, "transactionSigned", "Transaction should not be signed.";
    /// The permissioned domain is not one.
    DomainMalformed = 97, "domainMalformed", "Domain is malformed.";
    /// No such ledger entry.
    EntryNotFound = 98, "entryNotFound", "Entry not found.";
    /// The ledger entry is of another type than asked for.
    UnexpectedLedgerType = 99, "unexpectedLedgerType", "Unexpected ledger type.";
}

/// What a handler answers when it cannot serve: the fields of the reply, `error` among them.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure(pub Map<String, Value>);

/// What a handler answers: the fields of the result, or a [`Failure`].
pub type RpcResult = Result<Map<String, Value>, Failure>;

impl Failure {
    /// The error with the handler's own text in place of the usual one.
    #[must_use]
    pub fn with_message(error: RpcError, message: impl Into<String>) -> Self {
        Self::inject(Map::new(), error, message)
    }

    /// The error added to fields already found, as the server does once it has chosen a ledger.
    #[must_use]
    pub fn with_fields(fields: Map<String, Value>, error: RpcError) -> Self {
        Self::inject(fields, error, error.message())
    }

    /// The error with the handler's own text, added to fields already found.
    #[must_use]
    pub fn with_fields_and_message(
        fields: Map<String, Value>,
        error: RpcError,
        message: impl Into<String>,
    ) -> Self {
        Self::inject(fields, error, message)
    }

    /// One of the few errors that have a token and no number.
    #[must_use]
    pub fn token_only(token: &str, exception: Option<&str>) -> Self {
        let mut fields = Map::new();
        fields.insert("error".into(), token.into());
        if let Some(exception) = exception {
            fields.insert("error_exception".into(), exception.into());
        }
        Self(fields)
    }

    /// `ledger_entry` words its own tokens over the number of `invalidParams`.
    #[must_use]
    pub fn malformed(token: &str, message: impl Into<String>) -> Self {
        let mut fields = Map::new();
        fields.insert("error".into(), token.into());
        fields.insert("error_code".into(), RpcError::InvalidParams.code().into());
        fields.insert("error_message".into(), message.into().into());
        Self(fields)
    }

    /// "Missing field 'name'."
    #[must_use]
    pub fn missing_field(name: &str) -> Self {
        Self::with_message(RpcError::InvalidParams, missing_field_message(name))
    }

    /// "Invalid field 'name'."
    #[must_use]
    pub fn invalid_field(name: &str) -> Self {
        Self::with_message(RpcError::InvalidParams, format!("Invalid field '{name}'."))
    }

    /// "Invalid field 'name', not kind."
    #[must_use]
    pub fn expected_field(name: &str, kind: &str) -> Self {
        Self::with_message(RpcError::InvalidParams, expected_field_message(name, kind))
    }

    /// The word of the error.
    #[must_use]
    pub fn token(&self) -> &str {
        self.0.get("error").and_then(Value::as_str).unwrap_or_default()
    }

    fn inject(mut fields: Map<String, Value>, error: RpcError, message: impl Into<String>) -> Self {
        fields.insert("error".into(), error.token().into());
        fields.insert("error_code".into(), error.code().into());
        fields.insert("error_message".into(), message.into().into());
        Self(fields)
    }
}

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        Self::with_fields(Map::new(), error)
    }
}

/// "Missing field 'name'."
#[must_use]
pub fn missing_field_message(name: &str) -> String {
    format!("Missing field '{name}'.")
}

/// "Invalid field 'name', not kind."
#[must_use]
pub fn expected_field_message(name: &str, kind: &str) -> String {
    format!("Invalid field '{name}', not {kind}.")
}
