//! `codex models`: the service's list of models, when it is requested, and the fallbacks if it is not available.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::standin::{Reply, Script, Server, now_unix};

/// The path of the subscription's list.
pub(crate) const LIST: &str = "/backend-api/codex/models";

impl Home {
    /// With an access token of the subscription, and a directory for the cache.
    pub(crate) fn with_cache_directory() -> Self {
        let home = Self::with_token();
        fs::create_dir(home.own()).expect("a directory");
        home
    }

    /// The directory of cached lists and shapes.
    pub(crate) fn cache(&self) -> PathBuf {
        self.own().join("models_cache.json")
    }

    /// The cached lists and shapes.
    pub(crate) fn cached(&self) -> Value {
        let text = fs::read_to_string(self.cache()).expect("it is there");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The only cached list.
    fn cached_list(&self) -> Value {
        let cached = self.cached();
        let lists = cached["lists"].as_object().expect("lists");
        assert_eq!(lists.len(), 1, "{cached:#}");
        lists.values().next().expect("one").clone()
    }

    /// Changes the cached list.
    pub(crate) fn edit_cached_list(&self, field: &str, value: &Value) {
        let mut cached = self.cached();
        for list in cached["lists"].as_object_mut().expect("lists").values_mut() {
            assert!(!list[field].is_null(), "there is {field}");
            list[field] = value.clone();
        }
        fs::write(self.cache(), cached.to_string()).expect("a file");
    }

    /// The output of `codex models --json`.
    pub(crate) fn models(&self, server: &Server) -> Value {
        json_of(&self.codex(server).args(["models", "--json"]).run())
    }
}

fn json_of(ran: &CommandOutput) -> Value {
    serde_json::from_str(&ran.exits(0).text()).expect("JSON")
}

/// A list of models in the subscription's format, with nothing but these fields for each.
pub(crate) fn list(slugs: &[(&str, &str)]) -> Value {
    let entry = |(place, (slug, visibility)): (usize, &(&str, &str))| json!({"slug": slug, "priority": place, "visibility": visibility});
    slugs.iter().enumerate().map(entry).collect()
}

/// The ids in the output of `--json`.
fn ids(printed: &Value) -> Vec<&str> {
    let models = printed["models"].as_array().expect("models").iter();
    models
        .map(|model| model["id"].as_str().expect("an id"))
        .collect()
}

/// The model that is used if none is named.
fn default_of(printed: &Value) -> &str {
    let models = printed["models"].as_array().expect("models");
    let marked: Vec<&Value> = models
        .iter()
        .filter(|model| model["default"] == true)
        .collect();
    assert_eq!(marked.len(), 1, "{printed:#}");
    marked[0]["id"].as_str().expect("an id")
}

#[test]
fn without_a_sign_in_models_are_listed_only_with_all() {
    let server = Server::start([]);
    let home = Home::new();
    for args in [&["models"][..], &["models", "--json"]] {
        let mut cmd = home.codex(&server);
        cmd.command.args(args);
        let ran = cmd.run();
        ran.exits(4).stdout("").says("codex login");
    }
    let all = home.codex(&server).args(["models", "--all"]).run();
    let text = all.exits(0).text();
    all.stderr("");
    assert_eq!(text.lines().count(), 24, "{text}");
    assert!(!text.contains("usable") && !text.contains(" * "), "{text}");
    let printed = json_of(
        &home
            .codex(&server)
            .args(["models", "--all", "--json"])
            .run(),
    );
    assert_eq!(
        (&printed["source"], ids(&printed).len()),
        (&json!("built-in"), 23)
    );
    let models = printed["models"].as_array().expect("models");
    assert!(
        models
            .iter()
            .all(|model| model["usable"] == false && model["default"] == false)
    );
    assert_eq!((server.connections(), server.lists().len()), (0, 0));
}

#[test]
fn a_list_is_fetched_once_and_again_when_it_is_old() {
    let server = Server::start([]);
    let (home, _) = Home::signed_in(&server);
    let first = home.models(&server);
    assert_eq!(
        (&first["source"], default_of(&first)),
        (&json!("service"), "gpt-6.2-sol")
    );
    assert!(first["fetched_at"].is_u64(), "{first:#}");
    let asked = server.lists();
    assert_eq!((asked.len(), asked[0].bare_path()), (1, LIST));
    assert_eq!(asked[0].header("if-none-match"), None);
    assert_eq!(asked[0].header("chatgpt-account-id"), Some("acct-test"));

    let second = home.models(&server);
    assert_eq!(
        (&second["source"], &second["models"]),
        (&json!("cache"), &first["models"])
    );
    assert_eq!(server.lists().len(), 1, "it is fresh");

    // For 300 s and no longer; and never for a time in the future.
    let now = now_unix();
    for (fetched_at, asks) in [(now - 280, 0), (now - 301, 1), (1, 1), (now + 3600, 1)] {
        let before = server.lists().len();
        home.edit_cached_list("fetched_at", &json!(fetched_at));
        assert_eq!(
            home.models(&server)["models"],
            first["models"],
            "{fetched_at}"
        );
        let asked = server.lists();
        assert_eq!(asked.len() - before, asks, "{fetched_at}");
        if asks > 0 {
            let mark = asked[before].header("if-none-match");
            assert_eq!(mark, Some("\"standin-models-1\""), "{fetched_at}");
            let kept = home.cached_list();
            assert!(
                kept["fetched_at"].as_u64().is_some_and(|at| at >= now),
                "{kept:#}"
            );
        }
    }
    let before = server.lists().len();
    home.models(&server);
    assert_eq!(
        server.lists().len(),
        before,
        "what has not changed is fresh again"
    );

    server.relist(list(&[
        ("gpt-5.5", "list"),
        ("gpt-9", "list"),
        ("gpt-0", "hide"),
    ]));
    home.edit_cached_list("fetched_at", &json!(1));
    let changed = home.models(&server);
    assert_eq!(
        (ids(&changed), default_of(&changed)),
        (vec!["gpt-5.5", "gpt-9"], "gpt-5.5")
    );
    assert_eq!(home.cached_list()["etag"], "\"standin-models-2\"");
}

#[test]
fn without_a_list_the_cached_or_the_built_in_one_is_used() {
    let broken = [
        (
            "an empty object",
            Reply::status(200, &[], "{}"),
            "not a list of models",
        ),
        (
            "a page",
            Reply::status(200, &[], "<html>hello</html>"),
            "not a list of models",
        ),
        (
            "no JSON",
            Reply::status(200, &[], "{\"models\": ["),
            "not a list of models",
        ),
        (
            "another kind",
            Reply::status(200, &[], r#"{"models": {}}"#),
            "not a list of models",
        ),
        ("a fault", Reply::status(500, &[], "oops"), "HTTP 500"),
        (
            "a cut",
            Reply::json(200, &json!({"models": []})).cut_at(3),
            "cannot",
        ),
    ];
    for (name, reply, why) in broken {
        let server = Server::start(Script::default().fix("GET", LIST, reply));
        let home = Home::with_token();
        let ran = home.codex(&server).args(["models", "--json"]).run();
        let printed = json_of(&ran);
        ran.says(why).says("; showing the built-in list\n");
        assert_eq!(ran.stderr.lines().count(), 1, "{name}: {}", ran.stderr);
        assert_eq!(printed["source"], "built-in", "{name}");
        assert_eq!(default_of(&printed), "gpt-6.2-sol", "{name}");
    }
}

/// The addresses stay the same, since lists are cached by address.
#[test]
fn the_cached_list_is_used_if_the_service_is_unreachable() {
    let server = Server::start(Script::default().models(list(&[("gpt-5.5", "list")])));
    let (kept, empty) = (Home::with_cache_directory(), Home::with_cache_directory());
    assert_eq!(ids(&kept.models(&server)), ["gpt-5.5"]);
    kept.edit_cached_list("fetched_at", &json!(1));
    let before = kept.cached_list()["models"].clone();
    let cmd = |home: &Home| home.codex(&server).args(["models", "--json"]);
    let dry = kept.codex(&server).args(["run", "--dry-run", "hi"]);
    let (with, without) = (cmd(&kept), cmd(&empty));
    drop(server);

    let ran = with.run();
    let printed = json_of(&ran);
    assert_eq!(
        (&printed["source"], ids(&printed)),
        (&json!("cache"), vec!["gpt-5.5"])
    );
    ran.says("cannot reach the service")
        .says("; showing the last list that was received\n");
    assert_eq!(kept.cached_list()["models"], before, "it is kept");
    assert_eq!(json_of(&dry.run())["body"]["model"], "gpt-5.5");

    let ran = without.run();
    let printed = json_of(&ran);
    assert_eq!(
        (&printed["source"], default_of(&printed)),
        (&json!("built-in"), "gpt-6.2-sol")
    );
    ran.says("; showing the built-in list\n");
}

#[test]
fn an_unreadable_cache_is_ignored() {
    for content in ["", "{", "[]", "{\"lists\": 5}", "\u{0}\u{0}"] {
        let server = Server::start([]);
        let home = Home::with_cache_directory();
        fs::write(home.cache(), content).expect("a file");
        let ran = home.codex(&server).args(["models", "--json"]).run();
        ran.stderr("");
        assert_eq!(json_of(&ran)["source"], "service", "{content:?}");
        assert_eq!(home.cached_list()["etag"], "\"standin-models-1\"");
    }
}

#[test]
fn a_key_lists_the_models_of_the_api() {
    let server = Server::start([]);
    let home = Home::with_key();
    for asked in 1..=2 {
        let printed = home.models(&server);
        assert_eq!(printed["source"], "service");
        let ids = ids(&printed);
        assert!(
            ids.contains(&"gpt-5.4") && !ids.contains(&"gpt-5.3-codex-spark"),
            "{ids:?}"
        );
        assert_eq!(default_of(&printed), "gpt-6.2-sol");
        let lists = server.lists();
        assert_eq!((lists.len(), &*lists[0].path), (asked, "/v1/models"));
        assert!(lists[0].header("chatgpt-account-id").is_none());
    }
    assert!(!home.cache().exists(), "nothing of it is kept");
    let server =
        Server::start(Script::default().fix("GET", "/v1/models", Reply::status(200, &[], "{}")));
    let ran = home.codex(&server).args(["models"]).run();
    ran.exits(0)
        .says("not a list of models; showing the built-in list\n");
    assert!(ran.text().contains("gpt-6.2-sol *"), "{}", ran.text());
}

#[test]
fn the_table_shows_usable_models_and_with_all_every_model() {
    let shown = |all: bool, server: &Server, home: &Home| {
        let mut cmd = home.codex(server).args(["models"]);
        cmd.command.args(all.then_some("--all"));
        let ran = cmd.run();
        ran.exits(0).stderr("");
        ran.text()
    };
    let row = |table: &str, id: &str| {
        let mut rows = table
            .lines()
            .filter(|row| row.split(' ').next() == Some(id));
        let words = |row: &str| row.split_whitespace().collect::<Vec<_>>().join(" ");
        rows.next().map(words)
    };
    let models = [
        ("gpt-6-sol", "hide"),
        ("gpt-5.5", "list"),
        ("gpt-5.1", "list"),
        ("od\u{1b}[1md", "list"),
    ];
    let server = Server::start(Script::default().models(list(&models)));
    let home = Home::with_cache_directory();
    let table = shown(false, &server, &home);
    assert!(table.starts_with("model "), "{table}");
    // An invalid id is skipped.
    assert_eq!(table.lines().count(), 3, "{table}");
    // The first one is hidden, so the next is the default.
    let first = row(&table, "gpt-5.5").expect("a row");
    assert_eq!(
        first,
        "gpt-5.5 * 272k low medium* high xhigh text image 5 / 30"
    );
    assert!(
        row(&table, "gpt-5.1").is_some_and(|row| !row.contains(" * ")),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'), "{table:?}");

    let table = shown(true, &server, &home);
    for (id, with) in [
        ("gpt-5.5", "usable chatgpt api"),
        ("gpt-6-sol", "usable chatgpt api hidden"),
        ("gpt-5.1", "usable chatgpt api"),
        ("gpt-5.3-codex-spark", "chatgpt-retired"),
        ("gpt-5.4", "chatgpt-retired api"),
        ("gpt-6.1-sol", "chatgpt api"),
        ("codex-auto-review", "chatgpt api hidden"),
    ] {
        let row = row(&table, id).expect("a row");
        let marked = row.ends_with(&format!(" {with}"))
            && row.matches("usable").count() == with.matches("usable").count();
        assert!(marked, "{id}: {row}");
    }
    assert_eq!(table.lines().count(), 1 + 23, "{table}");
}
