# The two commands of the README are `make demo` and `make test`; `make check` is what CI runs.
CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: demo test picture test-readme test-browser test-peers test-tools check generate format lint deny size install bench compare fuzz

demo: ## a prompt piped in, an answer streaming out, tools that run: against a stand-in service on this machine
	@echo "building (the first time this takes a minute or two)"
	@$(CARGO) build --quiet --bin codex --example standin
	@CODEX=$(TARGET)/debug/codex STANDIN=$(TARGET)/debug/examples/standin sh tests/demo/demo.sh

test: ## all tests; most of them wait, so more run at the same time than there are cores
	$(CARGO) test --quiet --lib --test it -- --test-threads 6
	$(CARGO) test --quiet --doc

test-readme: ## every command of README.md against the stand-in service, and whether its picture shows what a terminal shows
	$(CARGO) build --quiet --bin codex --example standin
	python3 -B tests/readme/run.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin
	python3 -B tests/demo/picture.py --check --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin

picture: ## draws the picture of README.md from a session on a terminal
	$(CARGO) build --quiet --bin codex --example standin
	python3 -B tests/demo/picture.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin

test-browser: ## signs in through the stand-in's page with Chromium, where it is found
	$(CARGO) build --quiet --bin codex --example standin
	python3 tests/browser/browser.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --shots $(TARGET)/browser

test-peers: ## real programs: tinyproxy and squid, a TLS server with its own authority, LiteLLM, the official client and its SDK, pi; each where it is there. PEERS_NEWEST=1 takes the newest of these
	$(CARGO) build --quiet --bin codex --example standin
	python3 tests/peers/tls.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin
	python3 tests/peers/proxy.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin
	python3 tests/peers/litellm.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --venv $(TARGET)/litellm
	python3 tests/peers/sdk.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --modules $(TARGET)/peers
	python3 tests/peers/events.py --codex $(TARGET)/debug/codex --spelling exec --official $(TARGET)/peers/node_modules/.bin/codex --standin $(TARGET)/debug/examples/standin
	python3 tests/peers/rig.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --modules $(TARGET)/peers

test-tools: ## real work in the sandbox, and beside it in the official client's: what is installed, and programs of npm and PyPI. ONLY=NAME picks tasks
	$(CARGO) build --quiet --bin codex
	python3 tests/tools/run.py --codex $(TARGET)/debug/codex --programs $(TARGET)/tools $(if $(ONLY),--only $(ONLY))

fuzz: ## libFuzzer on the parsers, FUZZ_SECONDS (60) for each of the targets in tests/fuzz; needs a C++ compiler
	@CARGO=$(CARGO) sh tests/fuzz/run.sh

# Says what is not checked, and the name of what is missing for it; tests/README.md lists the names.
skip = case ",$$CODEX_TESTS_STRICT," in *,$(1),*) echo "$(1) is wanted and not here: $(2)"; exit 1;; *) echo "skipped ($(1)): $(2)";; esac

check: format lint test deny

format:
	$(CARGO) fmt --check

lint:
	$(CARGO) clippy --quiet --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --no-deps --lib
	@if command -v c++ >/dev/null 2>&1; then $(CARGO) check --quiet --locked --manifest-path tests/fuzz/Cargo.toml --target-dir $(TARGET)/fuzz; \
	else $(call skip,c++,the fuzz targets are not checked); fi

deny: ## advisories, licences and sources, where cargo-deny is installed
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --log-level error check; \
	else $(call skip,cargo-deny,licences and advisories are not checked); fi

size: ## the static program, where its target is installed, and the crates: within the limits of tests/size.sh
	@CARGO=$(CARGO) sh tests/size.sh $(TARGET)

generate: ## man page and completions, from the table of flags
	@mkdir -p man completions
	$(CARGO) run --quiet --bin codex -- --generate man > man/codex.1
	$(CARGO) run --quiet --bin codex -- --generate bash > completions/codex.bash
	$(CARGO) run --quiet --bin codex -- --generate zsh > completions/_codex
	$(CARGO) run --quiet --bin codex -- --generate fish > completions/codex.fish

bench: ## time, memory and size beside curl; needs curl and python3. PEERS=DIR adds other clients, PLOT=FILE draws
	$(CARGO) build --quiet --release --bin codex --example standin
	python3 tests/bench/bench.py --codex $(TARGET)/release/codex --standin $(TARGET)/release/examples/standin $(if $(PEERS),--peers $(PEERS)) $(if $(PLOT),--plot $(PLOT))

compare: ## the figures of the README's comparison; PEERS=DIR has the other clients, as tests/bench/compare.py says
	$(CARGO) build --quiet --release --bin codex --example standin
	python3 -B tests/bench/compare.py --codex $(TARGET)/release/codex --standin $(TARGET)/release/examples/standin $(if $(PEERS),--peers $(PEERS))

PREFIX ?= $(HOME)/.local
install: ## the command, its man page and its completions
	$(CARGO) build --quiet --release --bin codex
	install -D -m 755 $(TARGET)/release/codex $(PREFIX)/bin/codex
	install -D -m 644 man/codex.1 $(PREFIX)/share/man/man1/codex.1
	install -D -m 644 completions/codex.bash $(PREFIX)/share/bash-completion/completions/codex
	install -D -m 644 completions/_codex $(PREFIX)/share/zsh/site-functions/_codex
	install -D -m 644 completions/codex.fish $(PREFIX)/share/fish/vendor_completions.d/codex.fish
