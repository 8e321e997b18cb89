//! The credentials file: whatever is in it, an edit keeps all other contents byte for byte, can be read back, and is undone
//! by its opposite; and an invalid file is never overwritten.
#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use codex_run::auth::signed_in::SignedIn;
use codex_run::auth::store::{
    Contents, CredentialStore, Document, Error, StoreEdit, StoreFormat, StorePath,
};
use codex_run::auth::token::Claims;
use codex_run::secret::Secret;
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::Value;

/// What an edit of a file may change, in each of its formats.
const OURS: [&str; 7] = [
    "openai-codex",
    "openai",
    "tokens",
    "last_refresh",
    "OPENAI_API_KEY",
    "auth_mode",
    "personal_access_token",
];

fn sign_in() -> SignedIn {
    let known = Claims {
        account: "acct-fuzz".parse().ok(),
        expires: Some(4_000_000_000),
        ..Claims::default()
    };
    let refresh = Some(Secret::new("rt_new".to_owned()));
    SignedIn::new(Secret::new("opaque".to_owned()), refresh, None, known)
        .expect("it names an account")
}

/// All other contents, as written; of a repeated key the last value.
fn foreign(text: &str) -> BTreeMap<String, String> {
    let document: BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(text).expect("an object");
    let foreign = document
        .into_iter()
        .filter(|(key, _)| !OURS.contains(&&**key));
    foreign
        .map(|(key, value)| (key, value.get().to_owned()))
        .collect()
}

fn edited(text: &str) {
    let document = Document::read(text).expect("it was read before");
    let before = foreign(text);
    let format = StoreFormat::of(&document);
    let contents = Contents::read(format, &document);
    assert_eq!(contents.format, format);
    let (mut with, signed_in) = (document.clone(), sign_in());
    format.set_sign_in(&mut with, &signed_in, 1_790_000_000);
    format.begin_sign_in(&mut with, &signed_in);
    let written = with.text(0);
    assert_eq!(foreign(&written), before);
    let back = Document::read(&written).expect("we wrote it");
    let here = Contents::read(StoreFormat::of(&back), &back).sign_in;
    let here = here.expect("it was written").expect("it is good");
    assert_eq!(
        (here.access, here.refresh),
        (signed_in.access, signed_in.refresh)
    );
    assert_eq!(here.account, signed_in.account);
    let (mut with, key) = (document.clone(), Secret::new("sk-fuzz".to_owned()));
    format.set_key(&mut with, &key);
    let back = Document::read(&with.text(0)).expect("we wrote it");
    assert_eq!(Contents::read(StoreFormat::of(&back), &back).key, Some(key));
    assert_eq!(foreign(&with.text(0)), before);
    let mut without = document;
    format.remove_sign_in(&mut without);
    format.remove_key(&mut without);
    assert_eq!(foreign(&without.text(0)), before);
    let back = Document::read(&without.text(0)).expect("we wrote it");
    let rest = Contents::read(format, &back);
    assert!(rest.sign_in.is_none() && rest.key.is_none());
}

/// A directory of this process, with the file in it.
fn place() -> PathBuf {
    let name = format!("codex-run-fuzz-{}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory).expect("a temporary directory");
    directory.join("auth.json")
}

/// Signs in and out again, like the commands, with a file that has these contents.
fn replaced(input: &[u8]) {
    let file = place();
    fs::write(&file, input).expect("a temporary file");
    let home = file.parent().map(ToOwned::to_owned);
    let store = CredentialStore::new(&StorePath {
        file: file.clone(),
        home,
        foreign: false,
    });
    let signed_in = sign_in();
    let done = (|| {
        let lock = store.try_lock()?.expect("nobody else has it");
        store.replace(
            store.prepare(None)?,
            &lock,
            &[StoreEdit::SignIn(&signed_in)],
            1_790_000_000,
        )
    })();
    let now = fs::read(&file).unwrap_or_default();
    let trimmed = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let text = std::str::from_utf8(trimmed);
    let object = |text: &str| matches!(serde_json::from_str::<Value>(text), Ok(Value::Object(_)));
    match done {
        Ok(_) => {
            let here = store.read().expect("we wrote it").sign_in;
            assert!(
                here.is_some_and(|here| here.is_ok_and(|here| here.access == signed_in.access))
            );
        }
        Err(Error::NotOurs(..)) => assert_eq!(now, input, "what is not ours stays"),
        Err(_) => {
            assert_eq!(now, input, "a file that makes no sense is left as it is");
            assert!(!text.is_ok_and(object), "this one made sense");
        }
    }
    let _ = fs::remove_file(&file);
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(input) else {
        replaced(input);
        return Corpus::Keep;
    };
    let is_object = Document::read(text).is_ok();
    if is_object {
        edited(text);
    }
    // The disk is slow, so only some of the inputs are tried with it: the invalid ones, and some of the others.
    if !is_object || input.len() % 8 == 0 {
        replaced(input);
    }
    Corpus::Keep
});
