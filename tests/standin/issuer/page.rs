//! The few pages that people see: plain HTML without scripts, readable on a phone.

use super::Reply;

const STYLE: &str = "\
body{font:1.1rem/1.5 system-ui,sans-serif;max-width:24rem;margin:3rem auto;padding:0 1rem}\
a,button,input{display:block;box-sizing:border-box;width:100%;margin:.6rem 0;padding:.8rem;\
font:inherit;text-align:center;text-decoration:none;color:inherit;background:none;\
border:1px solid;border-radius:.5rem}\
a,button{cursor:pointer}";

/// A page with this title and content, the latter in HTML.
pub(super) fn page(status: u16, title: &str, content: &str) -> Reply {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n{content}\n"
    );
    Reply::status(status, &[("cache-control", "no-store")], html)
}

/// Asks whether a program may sign in. The three values are the addresses of the buttons.
pub(super) fn consent(program: &str, allow: &str, deny: &str, tamper: &str) -> Reply {
    let program = escape(program);
    let link = |id: &str, to: &str, words: &str| {
        format!("<a id=\"{id}\" href=\"{}\">{words}</a>\n", escape(to))
    };
    let content = format!(
        "<p>The program <b>{program}</b> asks to sign in as ada@example.com.</p>\n{}{}{}\
         <p>This is the stand-in service: nothing here is real.</p>",
        link("allow", allow, "Allow"),
        link("deny", deny, "Deny"),
        link("tamper", tamper, "Allow, but change the state on the way"),
    );
    page(200, "Sign in", &content)
}

/// Asks for the code that a device shows.
pub(super) fn device(user_code: &str) -> Reply {
    let content = format!(
        "<form method=\"post\" action=\"/codex/device\">\n\
         <p><label for=\"user_code\">The code that your device shows</label>\n\
         <input id=\"user_code\" name=\"user_code\" value=\"{}\" placeholder=\"ABCD-12345\" \
         autocomplete=\"off\" autocapitalize=\"characters\" required>\n\
         <button id=\"allow\" name=\"answer\" value=\"allow\">Allow</button>\n\
         <button id=\"deny\" name=\"answer\" value=\"deny\">Deny</button>\n</form>",
        escape(user_code)
    );
    page(200, "Sign in on a device", &content)
}

/// A refusal for people.
pub(super) fn mistake(sentence: &str) -> Reply {
    let content = format!("<p id=\"mistake\">{}</p>", escape(sentence));
    page(400, "This does not work", &content)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
