//! Table tests of the choice of model, without a file, a variable or a clock.

use super::choice::{ChoiceInputs, KnownOfService, ModelAt, choose};
use super::destination::Destination;
use super::error::ModelError;
use super::named::{ModelOrigin, NamedModel};
use crate::api::{Endpoints, Scope, WorkspaceRoute};
use crate::auth::{CredentialSource, FoundCredential, What};
use crate::cli::flags::FlagOrigin;
use crate::cli::settings::endpoints::AddressOrigin;
use crate::http::BaseUrl;
use crate::models::Model;
use crate::models::cache::{Cache, CacheFile, CachedLists};
use crate::models::custom::{self, Provider};
use crate::secret::Secret;
use crate::wire::request::Shape;

const CHATGPT: &str = "https://chatgpt.example/codex";

const MODELS: &str = r#"{"providers": {
    "box": {"baseUrl": "http://127.0.0.1:1/v1", "headers": {"x": "y"},
        "models": [{"id": "small"}, {"id": "lite", "shape": "lite"}]},
    "chat": {"baseUrl": "http://127.0.0.1:2/v1", "api": "openai-completions", "models": [{"id": "small"}]},
    "clear": {"baseUrl": "http://off.example/v1"},
    "nowhere": {"models": [{"id": "small"}]},
    "openai-codex": {"modelOverrides": {"gpt-5.5": {"shape": "lite"}}},
    "openai": {"apiKey": "sk-other"}}}"#;

/// The inputs of a choice, apart from the named model.
struct Case {
    found: Vec<FoundCredential>,
    api: &'static str,
    listed: Vec<Model>,
    learned: &'static [(&'static str, Shape)],
    search: bool,
    kept: Option<&'static str>,
    key_flag: bool,
    models: &'static str,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            found: Vec::new(),
            api: "https://api.openai.com/v1",
            listed: Vec::new(),
            learned: &[],
            search: false,
            kept: None,
            key_flag: false,
            models: "{}",
        }
    }
}

fn with_key() -> Vec<FoundCredential> {
    vec![FoundCredential {
        what: What::Key(Secret::new("sk-invented".to_owned())),
        source: CredentialSource::Variable("CODEX_API_KEY"),
    }]
}

fn address(text: &str) -> BaseUrl {
    BaseUrl::parse(text).expect("an address")
}

/// The choice on one line: the model as for `-m`, its backend, its shape and further shapes, the origins, the substitute
/// and the notes.
fn chosen(case: &Case, model: Option<(&str, ModelOrigin)>) -> Result<String, ModelError> {
    let providers: Vec<Provider> = custom::parse(case.models, "F").expect("providers");
    let named = model.map(|(id, origin)| NamedModel {
        id: id.parse().expect("an id"),
        origin,
    });
    let asked = ChoiceInputs {
        providers: &providers,
        is_new: case.kept.is_none(),
        search: case.search,
        key_flag: case.key_flag.then(|| "--api-key-file".to_owned()),
    };
    let at = match Destination::of(named, &providers, case.kept)? {
        Destination::Server(provider, named) => ModelAt::Server(provider, named),
        Destination::Service(named) => {
            let file = CacheFile::default();
            let of_chatgpt = Cache::of(file.clone(), "", CHATGPT);
            let known = KnownOfService {
                found: &case.found,
                endpoints: Endpoints {
                    subscription: address(CHATGPT),
                    api: address(case.api),
                    route: WorkspaceRoute::default(),
                    scope: Scope::default(),
                },
                address_origin: AddressOrigin::Default,
                file,
                lists: CachedLists::of(&of_chatgpt, case.listed.clone(), case.learned),
            };
            ModelAt::Service(named, Box::new(known))
        }
    };
    let chosen = choose(at, &asked)?;
    let choice = &chosen.choice;
    let others: Vec<&str> = choice.others.iter().map(|shape| shape.name()).collect();
    let mut line = format!(
        "{} {:?} {} [{}] from {}; shape {}; address {}",
        choice.qualified_name(),
        choice.backend,
        choice.shape.name(),
        others.join(" "),
        chosen.origin,
        chosen.shape_origin,
        chosen.address_origin
    );
    if let Some(substitute) = &chosen.substitute {
        line.push_str(&format!("; or {}", substitute.qualified_name()));
    }
    for note in &chosen.notes {
        line.push_str(&format!("; {note}"));
    }
    Ok(line)
}

fn flag(id: &str) -> Option<(&str, ModelOrigin)> {
    Some((id, ModelOrigin::Flag(FlagOrigin::Flag)))
}

fn kept(id: &str) -> Option<(&str, ModelOrigin)> {
    Some((id, ModelOrigin::Conversation))
}

fn check(case: &Case, model: Option<(&str, ModelOrigin)>, expected: &str) {
    let id = model.as_ref().map(|(id, _)| (*id).to_owned());
    assert_eq!(chosen(case, model), Ok(expected.to_owned()), "{id:?}");
}

fn refuse(case: &Case, model: Option<(&str, ModelOrigin)>, expected: &ModelError) {
    let id = model.as_ref().map(|(id, _)| (*id).to_owned());
    assert_eq!(chosen(case, model).as_ref(), Err(expected), "{id:?}");
}

#[test]
fn a_model_of_the_service_is_chosen_by_name_or_by_its_lists() {
    let plain = Case::default();
    check(
        &plain,
        None,
        "gpt-6.2-sol Subscription additional [lite classic] from the built-in list of models; shape from the list of models; address the default; or gpt-6.2-astra",
    );
    check(
        &plain,
        flag("gpt-5.5"),
        "gpt-5.5 Subscription classic [additional lite] from --model; shape from the list of models; address the default",
    );
    check(
        &plain,
        flag("gpt-5.55"),
        "gpt-5.55 Subscription classic [additional lite] from --model; shape the default; address the \
         default; gpt-5.55 is not in the list of models; it is sent unchanged; the nearest is gpt-5.5",
    );
    let listed = Case {
        listed: vec![Model::unknown("new-one"), Model::unknown("new-two")],
        learned: &[("new-one", Shape::Lite)],
        ..Case::default()
    };
    check(
        &listed,
        None,
        "new-one Subscription lite [additional classic] from the service's list of models; shape the one that the service accepted, from models_cache.json; address the default; or new-two",
    );
    check(
        &listed,
        Some(("new-two", ModelOrigin::Variable)),
        "new-two Subscription classic [additional lite] from CODEX_MODEL; shape from the list of models; address the default",
    );
    check(
        &listed,
        flag("gpt-5.5"),
        "gpt-5.5 Subscription classic [additional lite] from --model; shape from the list of models; address the default",
    );
    let key = Case {
        found: with_key(),
        ..Case::default()
    };
    check(
        &key,
        None,
        "gpt-6.2-sol Api classic [] from the built-in list of models; shape from the list of models; address the default; or gpt-6.1-terra",
    );
    let other = Case {
        api: "https://other.example/v1",
        found: with_key(),
        ..Case::default()
    };
    check(
        &other,
        flag("x"),
        "x Other classic [] from --model; shape the default; address the default",
    );
}

#[test]
fn models_json_sets_the_address_and_the_shape() {
    let case = |search| Case {
        models: MODELS,
        search,
        ..Case::default()
    };
    check(
        &case(false),
        flag("box/small"),
        "box/small Other classic [] from --model; shape the default; address from models.json; the \
         \"headers\" of box in models.json are not sent",
    );
    check(
        &case(false),
        flag("box/smal"),
        "box/smal Other classic [] from --model; shape the default; address from models.json; the \
         \"headers\" of box in models.json are not sent; smal is not among the models of box; it is sent unchanged; the nearest is small",
    );
    check(
        &case(false),
        flag("gpt-5.5"),
        "gpt-5.5 Subscription lite [] from --model; shape from models.json; address the default; the \
         address and key of openai in models.json are used only with -m openai/ID",
    );
    check(
        &case(false),
        flag("openai-codex/gpt-5.5"),
        "gpt-5.5 Subscription lite [] from --model; shape from models.json; address the default; the \
         address and key of openai in models.json are used only with -m openai/ID",
    );
    let of = |text: &str| text.to_owned();
    let unknown =
        |model: &str, known: &[&str], nearest: Option<&str>| ModelError::UnknownProvider {
            model: of(model),
            known: known.iter().copied().map(str::to_owned).collect(),
            nearest: nearest.map(str::to_owned),
        };
    let all = ["box", "chat", "clear", "nowhere", "openai-codex", "openai"];
    let mistyped = unknown("openia/gpt-5.5", &all, Some("openai"));
    refuse(&case(false), flag("openia/gpt-5.5"), &mistyped);
    refuse(&case(false), flag("x/y"), &unknown("x/y", &all, None));
    refuse(&Case::default(), flag("x/y"), &unknown("x/y", &[], None));
    // The ids of another server may have a slash.
    let other = Case {
        api: "https://other.example/v1",
        found: with_key(),
        ..case(false)
    };
    let line = chosen(&other, flag("x/y")).expect("a model");
    assert!(line.starts_with("x/y Other "), "{line}");
    let mistyped = unknown("bxo/small", &all, Some("box"));
    refuse(&other, flag("bxo/small"), &mistyped);
    refuse(
        &case(true),
        flag("box/lite"),
        &ModelError::NoSearch(of("lite")),
    );
    refuse(
        &case(true),
        flag("gpt-5.5"),
        &ModelError::NoSearch(of("gpt-5.5")),
    );
    refuse(
        &case(false),
        flag("nowhere/small"),
        &ModelError::NoAddress(of("nowhere")),
    );
    let other = ModelError::OtherProtocol {
        provider: of("chat"),
        protocol: of("openai-completions"),
    };
    refuse(&case(false), flag("chat/small"), &other);
    let clear = ModelError::BadAddress {
        place: of("\"baseUrl\" in F:5:26"),
        error: crate::http::AddressError::InTheClear,
    };
    refuse(&case(false), flag("clear/small"), &clear);
}

#[test]
fn a_conversation_keeps_its_model_if_it_is_available() {
    let case = |provider| Case {
        models: MODELS,
        kept: Some(provider),
        ..Case::default()
    };
    check(
        &case("box"),
        kept("box/small"),
        "box/small Other classic [] from the conversation; shape the default; address from \
         models.json; the \"headers\" of box in models.json are not sent",
    );
    let with_key_flag = Case {
        key_flag: true,
        ..case("box")
    };
    let line = chosen(&with_key_flag, kept("box/small")).expect("a model");
    assert!(
        line.ends_with("; --api-key-file is ignored: models.json sets the key of box, or none")
    );
    check(
        &case("gone"),
        flag("gpt-5.5"),
        "gpt-5.5 Subscription lite [] from --model; shape from models.json; address the default; the \
         address and key of openai in models.json are used only with -m openai/ID",
    );
    let gone = ModelError::NoProvider {
        model: "gone/small".to_owned(),
        provider: "gone".to_owned(),
    };
    refuse(&case("gone"), kept("gone/small"), &gone);
    let key = Case {
        found: with_key(),
        ..Case::default()
    };
    let unusable = |retired| ModelError::Unusable {
        model: "gpt-5.3-codex-spark".to_owned(),
        retired,
    };
    refuse(&key, kept("gpt-5.3-codex-spark"), &unusable(false));
    refuse(
        &Case::default(),
        kept("gpt-5.3-codex-spark"),
        &unusable(true),
    );
}
