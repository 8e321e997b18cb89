//! The tools' environment: an allowlist of what programs need, and a few variables that make them non-interactive.
//! No credential belongs in it under any name; variables passed on by name are added elsewhere.

use std::ffi::OsString;

use super::sensitive;

/// Variables passed on under exactly these names. None holds a credential, names a directory for temporary files
/// (tools have their own: no `GOTMPDIR`), forces colours (`FORCE_COLOR`), or only makes sense to the process that set
/// it (`NODE_CHANNEL_FD`). Compiler wrappers such as `RUSTC_WRAPPER` need a service that the sandbox blocks, and
/// builds work without them.
const NAMES: &[(&str, &str)] = &[
    (
        "who and where",
        "CI COLORTERM CONTINUOUS_INTEGRATION DEBIAN_FRONTEND EMAIL HOME LANG LANGUAGE LOCALE_ARCHIVE \
         LOGNAME NO_COLOR PATH SHELL SOURCE_DATE_EPOCH TERM TZ TZDIR USER",
    ),
    (
        "where things are kept",
        "XDG_CACHE_HOME XDG_CONFIG_DIRS XDG_CONFIG_HOME XDG_DATA_DIRS XDG_DATA_HOME XDG_RUNTIME_DIR XDG_STATE_HOME",
    ),
    (
        "git",
        "GIT_AUTHOR_DATE GIT_AUTHOR_EMAIL GIT_AUTHOR_NAME GIT_CEILING_DIRECTORIES GIT_COMMITTER_DATE \
         GIT_COMMITTER_EMAIL GIT_COMMITTER_NAME GIT_CONFIG_GLOBAL GIT_CONFIG_NOSYSTEM GIT_CONFIG_SYSTEM",
    ),
    (
        "compilers and linkers",
        "ACLOCAL_PATH AR ARFLAGS AS ASFLAGS ASAN_OPTIONS CC CFLAGS CONAN_HOME CONAN_USER_HOME CONFIG_SITE CPATH CPP \
         CPPFLAGS CPLUS_INCLUDE_PATH CROSS_COMPILE CUDA_HOME CUDA_PATH CUDA_VISIBLE_DEVICES CXX CXXFLAGS \
         C_INCLUDE_PATH DEVELOPER_DIR EMSDK EM_CACHE EM_CONFIG FC FCFLAGS FFLAGS GNUMAKEFLAGS LD LDFLAGS LDLIBS \
         LD_LIBRARY_PATH LIBCLANG_PATH LIBRARY_PATH LIBS LLVM_CONFIG LSAN_OPTIONS MACOSX_DEPLOYMENT_TARGET MAKEFLAGS \
         MSAN_OPTIONS NINJA_STATUS NM OBJCOPY OBJC_INCLUDE_PATH OBJDUMP OMP_NUM_THREADS OPENSSL_DIR \
         OPENSSL_INCLUDE_DIR OPENSSL_LIB_DIR OPENSSL_STATIC PKG_CONFIG PKG_CONFIG_ALLOW_CROSS PKG_CONFIG_LIBDIR \
         PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR PROTOC PROTOC_INCLUDE QTDIR QT_PLUGIN_PATH QT_QPA_PLATFORM RANLIB \
         ROCM_PATH SDKROOT STRIP TSAN_OPTIONS UBSAN_OPTIONS VCPKG_DEFAULT_BINARY_CACHE VCPKG_DEFAULT_TRIPLET \
         VCPKG_DOWNLOADS VCPKG_FORCE_SYSTEM_BINARIES VCPKG_ROOT",
    ),
    (
        "Rust",
        "BINDGEN_EXTRA_CLANG_ARGS RUSTC RUSTDOCFLAGS RUSTFLAGS SQLX_OFFLINE",
    ),
    (
        "Go",
        "GCCGO GO111MODULE GO386 GOAMD64 GOARCH GOARM GOARM64 GOBIN GOCACHE GOCOVERDIR GODEBUG GOENV GOEXPERIMENT \
         GOFIPS140 GOFLAGS GOGC GOINSECURE GOMAXPROCS GOMEMLIMIT GOMODCACHE GONOPROXY GONOSUMDB GOOS GOPATH GOPRIVATE \
         GOPROXY GORISCV64 GOROOT GOSUMDB GOTOOLCHAIN GOTRACEBACK GOVCS GOWORK",
    ),
    (
        "JavaScript",
        "BUN_INSTALL CHROME_BIN CHROME_PATH CYPRESS_CACHE_FOLDER FNM_DIR NODE_COMPILE_CACHE NODE_DEBUG \
         NODE_DISABLE_COLORS NODE_ENV NODE_ICU_DATA NODE_NO_WARNINGS NODE_OPTIONS NODE_PATH \
         NODE_PENDING_DEPRECATION NODE_PRESERVE_SYMLINKS NODE_USE_ENV_PROXY NVM_DIR N_PREFIX \
         PLAYWRIGHT_BROWSERS_PATH PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD PUPPETEER_CACHE_DIR PUPPETEER_EXECUTABLE_PATH \
         PUPPETEER_SKIP_DOWNLOAD VOLTA_HOME",
    ),
    (
        "Python",
        "CONDA_DEFAULT_ENV CONDA_ENVS_DIRS CONDA_ENVS_PATH CONDA_EXE CONDA_PKGS_DIRS CONDA_PREFIX CONDA_PYTHON_EXE \
         CONDA_SHLVL DJANGO_SETTINGS_MODULE MAMBA_EXE MAMBA_ROOT_PREFIX PYENV_ROOT PYENV_VERSION VIRTUAL_ENV",
    ),
    (
        "Java and its relatives",
        "ANDROID_HOME ANDROID_NDK_HOME ANDROID_NDK_ROOT ANDROID_SDK_ROOT ANDROID_USER_HOME ANT_HOME ANT_OPTS CLASSPATH \
         COURSIER_CACHE GRADLE_HOME GRADLE_OPTS GRADLE_RO_DEP_CACHE GRADLE_USER_HOME JAVA_HOME JAVA_OPTS \
         JAVA_TOOL_OPTIONS JDK_HOME JDK_JAVA_OPTIONS JRE_HOME JVM_OPTS KOTLIN_HOME M2 M2_HOME MAVEN_ARGS MAVEN_HOME \
         MAVEN_OPTS SBT_OPTS SCALA_HOME SDKMAN_DIR _JAVA_OPTIONS",
    ),
    (
        ".NET, PHP, Ruby, Perl",
        "BUNDLE_APP_CONFIG BUNDLE_BIN BUNDLE_CACHE_PATH BUNDLE_DEPLOYMENT BUNDLE_FROZEN BUNDLE_GEMFILE BUNDLE_JOBS \
         BUNDLE_PATH BUNDLE_USER_HOME BUNDLE_WITH BUNDLE_WITHOUT GEM_HOME GEM_PATH GEM_SPEC_CACHE MSBUILDDISABLENODEREUSE \
         NUGET_FALLBACK_PACKAGES NUGET_PACKAGES PERL5LIB PERL5OPT PERL_CPANM_OPT PERL_LOCAL_LIB_ROOT PERL_MB_OPT \
         PERL_MM_OPT PERL_UNICODE PHPRC PHP_INI_SCAN_DIR RACK_ENV RAILS_ENV RBENV_ROOT RBENV_VERSION RUBYLIB RUBYOPT",
    ),
    (
        "further languages and package managers",
        "ASDF_DATA_DIR ASDF_DIR BAZELISK_HOME CABAL_CONFIG CABAL_DIR CAML_LD_LIBRARY_PATH ERL_AFLAGS ERL_FLAGS \
         ERL_LIBS FLUTTER_ROOT GHCUP_INSTALL_BASE_PREFIX GHC_PACKAGE_PATH HEX_HOME HOMEBREW_CELLAR HOMEBREW_PREFIX \
         HOMEBREW_REPOSITORY JULIA_DEPOT_PATH JULIA_LOAD_PATH JULIA_NUM_THREADS JULIA_PROJECT LUA_CPATH LUA_PATH \
         MISE_CACHE_DIR MISE_CONFIG_DIR MISE_DATA_DIR MIX_ARCHIVES MIX_ENV MIX_HOME OCAMLPATH OCAML_TOPLEVEL_PATH \
         OPAMROOT OPAMSWITCH OPAM_SWITCH_PREFIX PUB_CACHE REBAR_CACHE_DIR R_HOME R_LIBS R_LIBS_USER STACK_ROOT \
         USE_BAZEL_VERSION ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR",
    ),
];

/// Prefixes of variables that are passed on, unless the rest of the name suggests a credential.
const FAMILIES: &[&str] = &[
    "CARGO_",
    "CCACHE_",
    "CGO_",
    "CMAKE_",
    "COMPOSER_",
    "COREPACK_",
    "CTEST_",
    "DENO_",
    "DOTNET_",
    "LC_",
    "NIX_",
    "NPM_CONFIG_",
    "PDM_",
    "PIPENV_",
    "PIP_",
    "PNPM_",
    "POETRY_",
    "PYTEST_",
    "PYTHON",
    "RUSTUP_",
    "RUST_",
    "UV_",
    "YARN_",
    "npm_config_",
    "pnpm_config_",
];

/// Exceptions to the prefixes: compiler wrappers as above, the pipes of another `make`, arbitrary settings (tokens
/// among them), the prompt of a script, and a start-up file.
const EXCEPTIONS: &[&str] = &[
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_MAKEFLAGS",
    "NIX_CONFIG",
    "PYTHONINSPECT",
    "PYTHONSTARTUP",
];

/// Variables that name trusted certificates. They are passed on with network access, which is what they are for.
const CERTIFICATES: &[&str] = &[
    "AWS_CA_BUNDLE",
    "BUNDLE_SSL_CA_CERT",
    "CARGO_HTTP_CAINFO",
    "COMPOSER_CAFILE",
    "CURL_CA_BUNDLE",
    "DENO_CERT",
    "DENO_TLS_CA_STORE",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "HTTPS_CA_FILE",
    "NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "NODE_USE_SYSTEM_CA",
    "NPM_CONFIG_CAFILE",
    "PERL_LWP_SSL_CA_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "npm_config_cafile",
];

/// The part of an environment that is passed to tools.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// The variables.
    pub variables: Vec<(OsString, OsString)>,
    /// Names of variables dropped because their value looks like a credential.
    pub left_out: Vec<String>,
}

/// Selects the variables for tools; with network access, also those that programs need for it.
#[must_use]
pub fn for_tools(all: &[(OsString, OsString)], network: bool) -> Selected {
    // Only a few variables are looked up, so a hash table is not worth it: most names already differ in length.
    let listed = NAMES.iter().flat_map(|(_, names)| names.split(' '));
    let listed: Vec<&str> = listed.collect();
    let is_wanted = |name: &str| {
        if CERTIFICATES.contains(&name) || is_proxy(name) {
            network
        } else {
            listed.contains(&name) || is_in_family(name)
        }
    };
    let mut selected = Selected::default();
    for (name, value) in all {
        let Some(name) = name.to_str().filter(|name| is_wanted(name)) else {
            continue;
        };
        let text = value.to_string_lossy();
        // A proxy is often given without a scheme, and its address contains this character only after a user name.
        let is_proxy_login = name.to_ascii_lowercase().contains("proxy") && text.contains('@');
        if is_proxy_login || sensitive::value(&text) {
            selected.left_out.push(name.to_owned());
        } else {
            selected.variables.push((name.into(), value.clone()));
        }
    }
    selected
}

/// Whether the variable names a proxy or the hosts that need none.
fn is_proxy(name: &str) -> bool {
    ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].contains(&&*name.to_ascii_lowercase())
}

/// Whether the name has one of the prefixes and suggests neither a credential nor colours. npm keeps registry
/// credentials under the registry's address: `npm_config_//host/:_authToken`.
fn is_in_family(name: &str) -> bool {
    FAMILIES.iter().any(|family| name.starts_with(family))
        && !EXCEPTIONS.contains(&name)
        && !name.contains("//")
        && !name.to_ascii_uppercase().contains("COLOR")
        && !sensitive::name(name)
}

/// Variables that make programs non-interactive: a pager or an editor would only wait for the time limit.
const NON_INTERACTIVE: &[(&str, &str)] = &[
    ("GIT_EDITOR", "true"),
    ("GIT_PAGER", "cat"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("PAGER", "cat"),
];

/// The variables that make programs non-interactive.
pub fn non_interactive() -> impl Iterator<Item = (OsString, OsString)> {
    NON_INTERACTIVE
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str], network: bool) -> Vec<String> {
        let all: Vec<(OsString, OsString)> =
            all.iter().map(|name| (name.into(), "x".into())).collect();
        let selected = for_tools(&all, network);
        assert_eq!(selected.left_out, [""; 0]);
        let names = selected.variables.into_iter().map(|(name, _)| name);
        names.filter_map(|name| name.into_string().ok()).collect()
    }

    #[test]
    fn no_name_looks_like_a_credential() {
        let listed = NAMES.iter().flat_map(|(_, names)| names.split_whitespace());
        let all: Vec<&str> = listed.chain(CERTIFICATES.iter().copied()).collect();
        for name in &all {
            // An author's name and a module's name are not credentials; GOPRIVATE is a list of hosts.
            let harmless = name.starts_with("GIT_AUTHOR_") || *name == "GOPRIVATE";
            assert!(harmless || !sensitive::name(name), "{name}");
        }
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.len(), "one is listed twice");
    }

    #[test]
    fn only_listed_variables_are_passed_on() {
        let kept = [
            "PATH",
            "LC_ALL",
            "CI",
            "GIT_AUTHOR_NAME",
            "GIT_COMMITTER_EMAIL",
            "RUST_BACKTRACE",
            "NODE_ENV",
            "PYTHONUNBUFFERED",
            "JAVA_TOOL_OPTIONS",
            "CMAKE_PREFIX_PATH",
            "npm_config_registry",
            "npm_config_@scope:registry",
            "PIP_INDEX_URL",
            "UV_PYTHON",
            "CARGO_TARGET_DIR",
            "CARGO_NET_OFFLINE",
        ];
        assert_eq!(names(&kept, false), kept);
        let kept_out = [
            "OPENAI_API_KEY",
            "CODEX_ACCESS_TOKEN",
            "MY_TOKEN",
            "PATHS",
            "SSH_AUTH_SOCK",
            "BASH_ENV",
            "GIT_SSH_COMMAND",
            "GIT_DIR",
            "GITHUB_ENV",
            "GOTMPDIR",
            "NODE_CHANNEL_FD",
            "PYTHONSTARTUP",
            "RUSTC_WRAPPER",
            "FORCE_COLOR",
            "CARGO_TERM_COLOR",
            "npm_config_color",
            "CARGO_BUILD_RUSTC_WRAPPER",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_MINE_TOKEN",
            "npm_config__auth",
            "npm_config_//registry.example/:_authToken",
            "npm_config_//registry.example/:certfile",
            "POETRY_PYPI_TOKEN_MINE",
            "POETRY_HTTP_BASIC_MINE_USERNAME",
            "UV_PUBLISH_PASSWORD",
            "YARN_NPM_AUTH_IDENT",
            "BUNDLE_GEMS__EXAMPLE__COM",
            "ORG_GRADLE_PROJECT_signing",
            "GOOGLE_CLOUD_PROJECT",
        ];
        assert_eq!(names(&kept_out, true), [""; 0]);
    }

    #[test]
    fn network_variables_are_passed_on_with_the_network() {
        let all = [
            "SSL_CERT_FILE",
            "PIP_CERT",
            "CARGO_HTTP_CAINFO",
            "https_proxy",
            "NO_PROXY",
        ];
        assert_eq!(names(&all, false), [""; 0]);
        assert_eq!(names(&all, true), all);
    }

    #[test]
    fn a_value_that_looks_like_a_credential_is_dropped() {
        let all = [
            ("https_proxy", "http://proxy:3128"),
            ("HTTP_PROXY", "http://me:secret@proxy:3128"),
            ("ALL_PROXY", "me:secret@proxy:3128"),
            ("PIP_INDEX_URL", "https://me:secret@host/simple"),
            ("MY_PROXY", "x"),
            ("EMAIL", "me@example.test"),
            ("JAVA_TOOL_OPTIONS", "-Dhttp.proxyPassword=x"),
        ];
        let all = all.map(|(name, value)| (name.into(), value.into()));
        let selected = for_tools(&all, true);
        let names: Vec<_> = selected.variables.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["https_proxy", "EMAIL"]);
        assert_eq!(
            selected.left_out,
            [
                "HTTP_PROXY",
                "ALL_PROXY",
                "PIP_INDEX_URL",
                "JAVA_TOOL_OPTIONS"
            ]
        );
    }
}
