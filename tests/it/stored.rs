//! A home with a stored credential.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::home::Home;
use crate::standin::{Server, Tokens, now_unix};

impl Home {
    /// With a stored sign-in that this server knows, valid for ten days.
    pub(crate) fn signed_in(server: &Server) -> (Self, Tokens) {
        let tokens = server.issuer().grant("acct-test");
        (Self::with_tokens(&tokens, now_unix() + 864_000), tokens)
    }

    /// With a stored sign-in that this server knows, whose access token has expired.
    pub(crate) fn expired(server: &Server) -> (Self, Tokens) {
        let tokens = server.issuer().grant_until("acct-test", now_unix() - 60);
        (Self::with_tokens(&tokens, now_unix() - 60), tokens)
    }

    /// With a stored sign-in with these tokens.
    pub(crate) fn with_tokens(tokens: &Tokens, expires: u64) -> Self {
        let home = Self::new();
        let entry = json!({"type": "oauth", "access": tokens.access, "refresh": tokens.refresh,
            "expires": expires * 1000, "accountId": "acct-test"});
        home.write_auth(&format!("{:#}\n", json!({ "openai-codex": entry })));
        home
    }

    /// The directory of codex-run.
    pub(crate) fn own(&self) -> PathBuf {
        self.root().join(".codex-run")
    }

    /// The credentials file.
    pub(crate) fn auth(&self) -> PathBuf {
        self.own().join("auth.json")
    }

    pub(crate) fn write_auth(&self, text: &str) {
        fs::create_dir_all(self.own()).expect("a directory");
        fs::set_permissions(self.own(), Permissions::from_mode(0o700)).expect("a mode");
        fs::write(self.auth(), text).expect("a file");
        fs::set_permissions(self.auth(), Permissions::from_mode(0o600)).expect("a mode");
    }

    /// The contents of the credentials file; `None` if there is none.
    pub(crate) fn auth_text(&self) -> Option<String> {
        fs::read_to_string(self.auth()).ok()
    }

    pub(crate) fn auth_json(&self) -> Value {
        let text = self.auth_text().expect("it is there");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The stored refresh token.
    pub(crate) fn refresh_token(&self) -> String {
        let file = self.auth_json();
        file["openai-codex"]["refresh"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// The files of the sign-in in that directory. The list of models and conversations are next to them.
    pub(crate) fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.own()).expect("a directory").flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            // A run killed while writing the list of models leaves a file that a later one removes after a minute.
            .filter(|name| !name.starts_with("models_cache.json") && name != "sessions")
            .collect();
        names.sort();
        names
    }

    /// Checks that other users have no access.
    #[track_caller]
    pub(crate) fn is_private(&self) {
        let mode = |path: PathBuf| fs::metadata(path).expect("it is there").mode() & 0o7777;
        assert_eq!((mode(self.own()), mode(self.auth())), (0o700, 0o600));
    }
}
