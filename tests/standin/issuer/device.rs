//! Sign-in on a device without a browser: it shows a short code, polls until a person has
//! entered it, and then gets a code to exchange together with its PKCE pair, which the
//! service makes in this case.

use serde_json::{Value, json};

use super::book::{Code, Person, challenge, random};
use super::form::Fields;
use super::{CLIENT_ID, Issuer, Recorded, Reply, State, page, refusal};

/// The scope of a device, although it never sends it.
const SCOPE: &str = "openid profile email offline_access";

/// Letters and digits that cannot be confused.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A user code and its state.
pub(super) struct Device {
    id: String,
    pub(super) user_code: String,
    pub(super) stage: Stage,
    polls: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Stage {
    Pending,
    /// The response to every poll from now on.
    Approved(Value),
    Denied,
    Expired,
}

/// `POST /api/accounts/deviceauth/usercode`.
pub(super) fn begin(issuer: &Issuer, request: &Recorded) -> Reply {
    let mut state = issuer.state();
    if state.knobs.device_disabled {
        return Reply::json(404, &json!({"detail": "Not Found"}));
    }
    let asked = Fields::body(request).and_then(|(fields, _)| fields.is("client_id", CLIENT_ID));
    if let Err(sentence) = asked {
        return refusal(400, "invalid_request", &sentence);
    }
    let device = Device {
        id: format!("da_{}", random(24)),
        user_code: user_code(),
        stage: Stage::Pending,
        polls: 0,
    };
    let body = json!({
        "device_auth_id": device.id,
        "user_code": device.user_code,
        "interval": state.knobs.interval.to_string(),
    });
    state.devices.push(device);
    Reply::json(200, &body)
}

/// `POST /api/accounts/deviceauth/token`.
pub(super) fn poll(issuer: &Issuer, request: &Recorded) -> Reply {
    let mut state = issuer.state();
    let state = &mut *state;
    let fields = match Fields::body(request) {
        Ok((fields, _)) => fields,
        Err(sentence) => return refusal(400, "invalid_request", &sentence),
    };
    let id = fields.get("device_auth_id");
    let user_code = fields.get("user_code");
    let known =
        |device: &&mut Device| Some(&*device.id) == id && Some(&*device.user_code) == user_code;
    let Some(device) = state.devices.iter_mut().find(known) else {
        return refusal(
            400,
            "invalid_request",
            "No device authorization has this device_auth_id and user_code.",
        );
    };
    device.polls += 1;
    let polls = device.polls;
    if state.knobs.slow_downs > 0 {
        state.knobs.slow_downs -= 1;
        return refusal(400, "slow_down", "Please ask less often.");
    }
    if let (Some(user_code), true) = (user_code, polls > 1 && state.knobs.approves) {
        settle(state, &issuer.callbacks(), user_code, true);
    }
    let device = state.devices.iter().find(|device| Some(&*device.id) == id);
    match device.map(|device| &device.stage) {
        Some(Stage::Approved(body)) => Reply::json(200, body),
        Some(Stage::Denied) => refusal(400, "access_denied", "The person said no."),
        Some(Stage::Expired) => refusal(
            403,
            "deviceauth_expired",
            "Device authorization code has expired. Please request a new code.",
        ),
        Some(Stage::Pending) | None => refusal(
            403,
            "deviceauth_authorization_pending",
            "Device authorization is pending. Please enter the code in your browser.",
        ),
    }
}

/// `GET /codex/device`: the page where a person enters the code. A query can prefill it.
pub(super) fn form(request: &Recorded) -> Reply {
    match Fields::query(&request.path) {
        Ok(fields) => page::device(fields.get("user_code").unwrap_or_default()),
        Err(sentence) => page::mistake(&sentence),
    }
}

/// `POST /codex/device`: the person's answer.
pub(super) fn answered(issuer: &Issuer, request: &Recorded) -> Reply {
    let read = Fields::body(request).and_then(|(fields, _)| {
        let user_code = fields.need("user_code")?.trim().to_ascii_uppercase();
        match fields.need("answer")? {
            "allow" => Ok((user_code, true)),
            "deny" => Ok((user_code, false)),
            other => Err(format!("{other:?} is no answer")),
        }
    });
    let (user_code, allowed) = match read {
        Ok(read) => read,
        Err(sentence) => return page::mistake(&sentence),
    };
    if !settle(
        &mut issuer.state(),
        &issuer.callbacks(),
        &user_code,
        allowed,
    ) {
        return page::mistake("No device waits for this code.");
    }
    let title = if allowed {
        "Signed in"
    } else {
        "Not signed in"
    };
    page::page(200, title, "<p>You can close this window.</p>")
}

/// Records the person's answer, and returns whether a device is waiting for it.
pub(super) fn settle(
    state: &mut State,
    callbacks: &[String],
    user_code: &str,
    allowed: bool,
) -> bool {
    let waiting = |device: &&mut Device| {
        device.user_code == user_code && matches!(device.stage, Stage::Pending)
    };
    let Some(device) = state.devices.iter_mut().find(waiting) else {
        return false;
    };
    if !allowed {
        device.stage = Stage::Denied;
        return true;
    }
    let verifier = random(64);
    let challenge = challenge(&verifier);
    let code = state.book.code(Code {
        redirect_uris: callbacks.to_vec(),
        challenge: challenge.clone(),
        person: Person {
            account: state.knobs.account.clone(),
            plan: state.knobs.plan.clone(),
            scope: SCOPE.to_owned(),
            bounds: state.knobs.bounds.clone(),
        },
    });
    device.stage = Stage::Approved(json!({
        "authorization_code": code,
        "code_challenge": challenge,
        "code_verifier": verifier,
    }));
    true
}

/// A code to type, such as `ABCD-12345`.
fn user_code() -> String {
    let mut bytes = [0; 9];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    let mut code: String = bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect();
    code.insert(4, '-');
    code
}
