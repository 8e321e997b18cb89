//! The flags about credentials.

use super::flag::{BARE, Complete, Flag, Takes};

/// The flags, in listing order.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "api-key-file",
        takes: Takes::Value("FILE"),
        of: &["run", "chat", "status", "models"],
        brief: "use the API key in this file",
        rare: true,
        doc: "Uses the API key in this file, for this run only and before any other credential.",
        complete: Complete::Files,
        set: |args, value| args.api_key_file = Some(value),
        ..BARE
    },
    Flag {
        long: "auth-file",
        takes: Takes::Value("FILE"),
        of: &[
            "login", "logout", "status", "token", "models", "run", "chat",
        ],
        brief: "use this credentials file",
        rare: true,
        doc: "Uses this credentials file instead of auth.json in CODEX_RUN_HOME. It may belong to pi or to the official \
              client: its format and locking are respected, and entries of other programs in it stay. Without it, \
              CODEX_RUN_AUTH_FILE decides.",
        complete: Complete::Files,
        set: |args, value| args.auth_file = Some(value),
        ..BARE
    },
    Flag {
        long: "no-browser",
        takes: Takes::Nothing,
        of: &["login"],
        brief: "print the address, open nothing",
        rare: false,
        doc: "Prints the sign-in address and opens nothing; waits for the browser to return, or for the address \
              of the page it ends on to be pasted.",
        excludes: &["device-auth", "with-api-key", "with-access-token"],
        set: |args, _| args.no_browser = true,
        ..BARE
    },
    Flag {
        long: "device-auth",
        takes: Takes::Nothing,
        of: &["login"],
        brief: "sign in with a code on another device",
        rare: false,
        doc: "Prints an address, and a code to enter there on any device with a browser.",
        excludes: &["with-api-key", "with-access-token"],
        set: |args, _| args.device_auth = true,
        ..BARE
    },
    Flag {
        long: "with-api-key",
        takes: Takes::Nothing,
        of: &["login"],
        brief: "store an API key from standard input",
        rare: false,
        doc: "Reads an API key from standard input and stores it. A stored sign-in takes precedence over it.",
        excludes: &["with-access-token"],
        set: |args, _| args.with_api_key = true,
        ..BARE
    },
    Flag {
        long: "with-access-token",
        takes: Takes::Nothing,
        of: &["login"],
        brief: "store an access token from standard input",
        rare: false,
        doc: "Reads a ChatGPT access token from standard input, as `codex token` prints it, and stores it. It is not renewed \
              when it expires.",
        set: |args, _| args.with_access_token = true,
        ..BARE
    },
    Flag {
        long: "local",
        takes: Takes::Nothing,
        of: &["logout"],
        brief: "do not ask the service to revoke",
        rare: false,
        doc: "Removes the stored sign-in without asking the service to revoke it.",
        set: |args, _| args.local = true,
        ..BARE
    },
    Flag {
        long: "all",
        takes: Takes::Nothing,
        of: &["logout"],
        brief: "remove a stored key too",
        rare: false,
        doc: "Removes everything that codex-run has stored, the sign-in and the key.",
        set: |args, _| args.all = true,
        ..BARE
    },
    Flag {
        long: "json",
        takes: Takes::Nothing,
        of: &["status"],
        brief: "as one JSON object",
        rare: false,
        doc: "Prints one JSON object: method (chatgpt, access_token, api_key or null), account, email, plan, expires_at in \
              Unix seconds, source, and overridden, a list of the sources it overrides; problem, elsewhere and limits \
              if they apply.",
        set: |args, _| args.json = true,
        ..BARE
    },
    Flag {
        long: "limits",
        takes: Takes::Nothing,
        of: &["status"],
        brief: "also how much of the plan is used",
        rare: false,
        doc: "Also asks the service how much of the plan's usage windows is used, and when each resets.",
        set: |args, _| args.limits = true,
        ..BARE
    },
    Flag {
        long: "all",
        takes: Takes::Nothing,
        of: &["models"],
        brief: "every known model, with its status",
        rare: false,
        doc: "Lists every known model, including hidden and older ones and those not for this credential, each marked \
              as such. Works without a sign-in too.",
        set: |args, _| args.all = true,
        ..BARE
    },
    Flag {
        long: "json",
        takes: Takes::Nothing,
        of: &["models"],
        brief: "as one JSON object",
        rare: false,
        doc: "Prints one JSON object: models, a list of objects with id, name, default, usable, context_window, \
              max_context_window, max_output_tokens, efforts, default_effort, verbosity, inputs, tiers, \
              usd_per_million_tokens, hidden and older, null if not known; source (service, cache or built-in), \
              and fetched_at in Unix seconds.",
        set: |args, _| args.json = true,
        ..BARE
    },
];
