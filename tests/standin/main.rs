//! The stand-in service as a program, for the demo, for benchmarks and for trying other clients.
//! It prints the line `listening on http://127.0.0.1:PORT` and answers until it is killed.

#[path = "mod.rs"]
mod standin;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;
use std::{env, fs, thread};

use standin::{Scenarios, Script, Server, mcp};

const HELP: &str = "\
usage: standin [OPTION...]
Serves the Responses API on 127.0.0.1: the subscription's backend below /backend-api/codex,
the public API below /v1. Its answers come from a script file, or from the prompt itself, on a
line such as: standin: {\"rounds\":[{\"items\":[{\"text\":\"hello\"}]}]}
The OAuth issuer is below /oauth, the sign-in by device code at /codex/device.
  --port N         listen here instead of on a free port
  --script FILE    choose rounds from this file by the prompt
  --data DIR       directory of the recorded streams that rounds name
  --log FILE       append every request and reply as a line of JSON
  --window N       context window of every model in the list, in tokens
  --full N         report N input tokens with every answer
  --no-trigger     do not know the item that triggers a compaction
  --counted        count the rounds of one conversation in the server, also after a compaction
  --unchecked      accept any request, with or without a valid credential
  --until-eof      stop when standard input ends
  --print-token    print an invented access token, valid for 10 days, and exit
  --account ID     account of that token and of all sign-ins, instead of acct-standin
  --lifetime SECS  lifetime of the access tokens that its issuer mints, instead of 10 days
  --token-pause MS pause between spending a refresh token and the response
  --interval SECS  polling interval of device codes, instead of 5
  --auto-approve-device
                   approve every device code at its second poll
  --browse URL     be a browser that presses Allow: follow URL on this machine, and exit with 0 if the
                   last response is 200, otherwise with 1
  --mcp WORDS      be an MCP server on standard input and output, which behaves as WORDS say;
                   `--mcp help` lists them
  --mcp-url WORDS  serve such a server at /mcp too
  --help           print this and exit
";

/// Lifetime of a printed token, in seconds.
const TEN_DAYS: u64 = 10 * 24 * 3600;

#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a separate flag")]
struct Options {
    port: u16,
    script: Option<PathBuf>,
    data: Option<PathBuf>,
    log: Option<PathBuf>,
    window: Option<u64>,
    full: Option<usize>,
    no_trigger: bool,
    counted: bool,
    unchecked: bool,
    until_eof: bool,
    print_token: bool,
    account: Option<String>,
    lifetime: Option<u64>,
    token_pause: Option<u64>,
    interval: Option<u64>,
    auto_approve_device: bool,
    browse: Option<String>,
    mcp: Option<String>,
    mcp_url: Option<String>,
    help: bool,
}

fn main() -> ExitCode {
    match options(env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(sentence) => {
            let _ = writeln!(io::stderr(), "standin: {sentence}");
            ExitCode::from(2)
        }
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--port" => options.port = number(&value()?)?,
            "--lifetime" => options.lifetime = Some(number(&value()?)?),
            "--token-pause" => options.token_pause = Some(number(&value()?)?),
            "--interval" => options.interval = Some(number(&value()?)?),
            "--browse" => options.browse = Some(value()?),
            "--mcp" => options.mcp = Some(value()?),
            "--mcp-url" => options.mcp_url = Some(value()?),
            "--auto-approve-device" => options.auto_approve_device = true,
            "--script" => options.script = Some(value()?.into()),
            "--data" => options.data = Some(value()?.into()),
            "--log" => options.log = Some(value()?.into()),
            "--account" => options.account = Some(value()?),
            "--window" => options.window = Some(number(&value()?)?),
            "--full" => options.full = Some(number(&value()?)?),
            "--no-trigger" => options.no_trigger = true,
            "--counted" => options.counted = true,
            "--unchecked" => options.unchecked = true,
            "--until-eof" => options.until_eof = true,
            "--print-token" => options.print_token = true,
            "--help" | "-h" => options.help = true,
            other => return Err(format!("unknown argument {other}; see --help")),
        }
    }
    Ok(options)
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a valid number"))
}

fn run(options: &Options) -> Result<ExitCode, String> {
    if options.help {
        say(HELP.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(url) = &options.browse {
        let arrived = standin::browse(url) == Ok(200);
        return Ok(ExitCode::from(u8::from(!arrived)));
    }
    match options.mcp.as_deref() {
        None => {}
        Some("help") => return say(mcp::HELP.trim_end()).map(|()| ExitCode::SUCCESS),
        Some(words) => {
            mcp::serve(words, io::stdin().lock(), io::stdout())?;
            return Ok(ExitCode::SUCCESS);
        }
    }
    if options.print_token {
        let account = options.account.as_deref().unwrap_or("acct-standin");
        let token = standin::jwt(account, standin::now_unix() + TEN_DAYS);
        say(&token)?;
        return Ok(ExitCode::SUCCESS);
    }
    let server = Server::bind(script(options)?, options.port, options.log.as_deref())
        .map_err(|error| format!("cannot start: {error}"))?;
    order(options, &server);
    say(&format!("listening on {}", server.url()))?;
    if options.until_eof {
        io::copy(&mut io::stdin(), &mut io::sink()).map_err(|error| error.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        thread::park();
    }
}

/// Applies the flags about the issuer.
fn order(options: &Options, server: &Server) {
    let issuer = server.issuer();
    if let Some(account) = &options.account {
        issuer.account(account);
    }
    if let Some(seconds) = options.lifetime {
        issuer.lifetime(seconds);
    }
    if let Some(milliseconds) = options.token_pause {
        issuer.pause(Duration::from_millis(milliseconds));
    }
    if let Some(seconds) = options.interval {
        issuer.interval(seconds);
    }
    if options.auto_approve_device {
        issuer.approve_devices();
    }
}

fn script(options: &Options) -> Result<Script, String> {
    let scenarios = match &options.script {
        None => Scenarios::default(),
        Some(path) => {
            let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let text = fs::read_to_string(path).map_err(|error| named(&error))?;
            Scenarios::parse(&text).map_err(|error| named(&error))?
        }
    };
    let mut script = Script::prompts(scenarios);
    if let Some(folder) = &options.data {
        script = script.data(folder);
    }
    if let Some(tokens) = options.window {
        script = script.models(standin::with_window(tokens));
    }
    if let Some(tokens) = options.full {
        script = script.reporting(tokens);
    }
    if options.no_trigger {
        script = script.without_trigger();
    }
    if options.counted {
        script = script.counted();
    }
    if let Some(words) = &options.mcp_url {
        script = script.mcp(words);
    }
    if options.unchecked {
        script = script.unchecked();
    }
    Ok(script)
}

fn say(line: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    written.map_err(|error| format!("cannot write: {error}"))
}
