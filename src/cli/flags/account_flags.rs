//! The flags about credentials.

use super::flag::{Complete, EMPTY, Flag, FlagGroup, Takes};

/// The flags, in listing order.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "api-key-file",
        takes: Takes::Value("FILE"),
        commands: &["run", "chat", "status", "models"],
        brief: "use the API key in this file",
        group: FlagGroup::Settings,
        rare: true,
        doc: "Uses the API key in this file, for this run only. It takes precedence over every other credential.",
        complete: Complete::Files,
        set: |args, value| args.api_key_file = Some(value),
        ..EMPTY
    },
    Flag {
        long: "auth-file",
        takes: Takes::Value("FILE"),
        commands: &[
            "login", "logout", "status", "token", "models", "run", "chat",
        ],
        brief: "use this credentials file",
        group: FlagGroup::Settings,
        rare: true,
        doc: "Uses this credentials file instead of auth.json in CODEX_RUN_HOME. It may belong to pi or to the official \
              client: its format and locking are respected, and entries of other programs are preserved. If not given, \
              the file that CODEX_RUN_AUTH_FILE names is used.",
        complete: Complete::Files,
        set: |args, value| args.auth_file = Some(value),
        ..EMPTY
    },
    Flag {
        long: "no-browser",
        takes: Takes::Nothing,
        commands: &["login"],
        brief: "print the address, open no browser",
        group: FlagGroup::SignIn,
        rare: false,
        doc: "Prints the sign-in address and opens no browser. Complete the sign-in in a browser on this \
              machine, or paste the address of the page that it ends on.",
        excludes: &["device-auth", "with-api-key", "with-access-token"],
        set: |args, _| args.no_browser = true,
        ..EMPTY
    },
    Flag {
        long: "device-auth",
        takes: Takes::Nothing,
        commands: &["login"],
        brief: "sign in with a code on another device",
        group: FlagGroup::SignIn,
        rare: false,
        doc: "Prints an address, and a code to enter there on any device with a browser.",
        excludes: &["with-api-key", "with-access-token"],
        set: |args, _| args.device_auth = true,
        ..EMPTY
    },
    Flag {
        long: "with-api-key",
        takes: Takes::Nothing,
        commands: &["login"],
        brief: "store an API key from standard input",
        group: FlagGroup::SignIn,
        rare: false,
        doc: "Reads an API key from standard input and stores it. A stored sign-in takes precedence over it.",
        excludes: &["with-access-token"],
        set: |args, _| args.with_api_key = true,
        ..EMPTY
    },
    Flag {
        long: "with-access-token",
        takes: Takes::Nothing,
        commands: &["login"],
        brief: "store an access token from standard input",
        group: FlagGroup::SignIn,
        rare: false,
        doc: "Reads a ChatGPT access token from standard input, as `codex token` prints it, and stores it. It is not renewed \
              when it expires.",
        set: |args, _| args.with_access_token = true,
        ..EMPTY
    },
    Flag {
        long: "local",
        takes: Takes::Nothing,
        commands: &["logout"],
        brief: "do not revoke the sign-in",
        group: FlagGroup::SignIn,
        rare: false,
        doc: "Removes the stored sign-in without asking the service to revoke it.",
        set: |args, _| args.local = true,
        ..EMPTY
    },
    Flag {
        long: "all",
        takes: Takes::Nothing,
        commands: &["logout"],
        brief: "remove a stored key too",
        group: FlagGroup::SignIn,
        rare: false,
        doc: "Removes every stored credential, the sign-in and the key.",
        set: |args, _| args.all = true,
        ..EMPTY
    },
    Flag {
        long: "json",
        takes: Takes::Nothing,
        commands: &["status"],
        brief: "print one JSON object",
        group: FlagGroup::Output,
        rare: false,
        doc: "Prints one JSON object: method (chatgpt, access_token, api_key or null), account, email, plan, expires_at in \
              Unix seconds, source, and overridden, a list of the sources it overrides; problem, elsewhere, limits and checks \
              if they apply.",
        set: |args, _| args.json = true,
        ..EMPTY
    },
    Flag {
        long: "limits",
        takes: Takes::Nothing,
        commands: &["status"],
        brief: "also show how much of the plan is used",
        group: FlagGroup::Output,
        rare: false,
        doc: "Also asks the service how much of each usage window of the plan is used, and when it resets.",
        set: |args, _| args.limits = true,
        ..EMPTY
    },
    Flag {
        long: "check",
        takes: Takes::Nothing,
        commands: &["status"],
        brief: "also check everything else a run needs",
        group: FlagGroup::Output,
        rare: false,
        doc: "Also checks what else a run needs: the settings, the home, the sandbox, the proxy, the certificates, the service and \
              the clock, and says what is wrong and what to do. No model is asked. The exit code is 0, or the one that a run \
              would end with.",
        set: |args, _| args.check = true,
        ..EMPTY
    },
    Flag {
        long: "all",
        takes: Takes::Nothing,
        commands: &["models"],
        brief: "every known model, with its status",
        group: FlagGroup::Output,
        rare: false,
        doc: "Lists every known model, including hidden and older ones and those not available to this credential, \
              each marked as such. Also works without a sign-in.",
        set: |args, _| args.all = true,
        ..EMPTY
    },
    Flag {
        long: "json",
        takes: Takes::Nothing,
        commands: &["models"],
        brief: "print one JSON object",
        group: FlagGroup::Output,
        rare: false,
        doc: "Prints one JSON object: models, a list of objects with id, name, default, usable, context_window, \
              max_context_window, max_output_tokens, efforts, default_effort, verbosity, inputs, tiers, \
              usd_per_million_tokens, hidden and older, null if unknown; source (service, cache or built-in), \
              and fetched_at in Unix seconds.",
        set: |args, _| args.json = true,
        ..EMPTY
    },
];
