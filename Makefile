# The two commands of the README are `make demo` and `make test`; `make check` is what CI runs.
CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: demo test picture test-readme test-browser test-peers test-tools test-dist check generate format lint deny size install uninstall dist bench bench-keys compare counts profile fuzz

demo: ## a prompt piped in, an answer streaming out, tools that run: against a stand-in service on this machine
	@echo "building (the first time this takes a minute or two)"
	@$(CARGO) build --quiet --bin codex --example standin
	@CODEX=$(TARGET)/debug/codex STANDIN=$(TARGET)/debug/examples/standin sh tests/demo/demo.sh

test: ## all tests; most of them wait, so more run at the same time than there are cores. CODEX_TESTS_PROGRAM=FILE has `it` start another build of the program
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

test-peers: ## real programs: tinyproxy and squid, a TLS server with its own authority, LiteLLM, the official client and its SDK, pi, MCP servers, two terminals; each where it is there. PEERS_NEWEST=1 takes the newest of these
	$(CARGO) build --quiet --bin codex --example standin
	python3 tests/peers/tls.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin
	python3 tests/peers/proxy.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin
	python3 tests/peers/compaction.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --official $(TARGET)/peers/node_modules/.bin/codex --rounds 100
	python3 tests/peers/litellm.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --venv $(TARGET)/litellm
	python3 tests/peers/sdk.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --modules $(TARGET)/peers
	python3 tests/peers/events.py --codex $(TARGET)/debug/codex --spelling exec --official $(TARGET)/peers/node_modules/.bin/codex --standin $(TARGET)/debug/examples/standin
	python3 tests/peers/help.py --codex $(TARGET)/debug/codex --modules $(TARGET)/peers/newest
	python3 tests/peers/rig.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --modules $(TARGET)/peers
	python3 tests/peers/screen.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --modules $(TARGET)/peers
	python3 tests/peers/mcp.py --codex $(TARGET)/debug/codex --standin $(TARGET)/debug/examples/standin --modules $(TARGET)/peers --venv $(TARGET)/mcp

test-tools: ## real work in the sandbox, and beside it in the official client's: what is installed, and programs of npm and PyPI. ONLY=NAME picks tasks
	$(CARGO) build --quiet --bin codex
	python3 tests/tools/run.py --codex $(TARGET)/debug/codex --programs $(TARGET)/tools $(if $(ONLY),--only $(ONLY))

fuzz: ## libFuzzer on the parsers, FUZZ_SECONDS (60) for each of the targets in tests/fuzz; needs a C++ compiler
	@CARGO=$(CARGO) sh tests/fuzz/run.sh

# Says what is not checked, and the name of what is missing for it; tests/README.md lists the names.
skip = case ",$$CODEX_TESTS_STRICT," in *,$(1),*) echo "$(1) is required but missing: $(2)"; exit 1;; *) echo "skipped ($(1)): $(2)";; esac

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

size: ## the static program, where its target is installed, and the crates: within the limits of tests/size.sh; what a panic does in it
	@CARGO=$(CARGO) sh tests/size.sh $(TARGET)

generate: ## man pages and completions, from the table of flags and the texts in src/cli/manual
	@mkdir -p man completions
	$(CARGO) build --quiet --bin codex
	for page in $$($(TARGET)/debug/codex --generate pages); do $(TARGET)/debug/codex --generate $$page > man/$$page || exit; done
	$(TARGET)/debug/codex --generate bash > completions/codex.bash
	$(TARGET)/debug/codex --generate zsh > completions/_codex
	$(TARGET)/debug/codex --generate fish > completions/codex.fish

bench: ## both builds beside curl, a minimal C program, GNU grep, wc and bash: writes tests/bench/results.md and ratios.svg. PEERS=DIR adds the official client and pi, ROWS=grep,read picks rows, PAIRS=2 doubles the turns
	@CARGO=$(CARGO) sh tests/size.sh $(TARGET) build
	$(CARGO) build --quiet --release --bin codex --example standin
	python3 -B tests/bench/table.py --codex $(TARGET)/release/codex --musl $(TARGET)/$(shell uname -m)-unknown-linux-musl/release/codex --standin $(TARGET)/release/examples/standin $(if $(PEERS),--peers $(PEERS)) $(if $(ROWS),--rows $(ROWS),--write) $(if $(PAIRS),--pairs $(PAIRS))

bench-keys: ## codex chat: how long a key takes to its echo, start-up and memory, beside cat and, with PEERS=DIR, pi and the official client
	$(CARGO) build --quiet --release --bin codex --example standin
	python3 tests/bench/keys.py --codex $(TARGET)/release/codex --standin $(TARGET)/release/examples/standin $(if $(PEERS),--peers $(PEERS))

compare: ## the figures of the README's comparison; PEERS=DIR has the other clients, as tests/bench/compare.py says
	$(CARGO) build --quiet --release --bin codex --example standin
	python3 -B tests/bench/compare.py --codex $(TARGET)/release/codex --standin $(TARGET)/release/examples/standin $(if $(PEERS),--peers $(PEERS))

counts: ## the instructions that the static program takes for three small scenarios, within 5 % of tests/bench/counts.txt; needs valgrind
	$(CARGO) build --quiet --example standin
	@built=$$(CARGO=$(CARGO) sh tests/size.sh $(TARGET) build) && \
	python3 -B tests/bench/counts.py --target $${built%% *} --codex $${built#* } --standin $(TARGET)/debug/examples/standin

profile: ## the functions of the static program that take the most instructions, in a start and in a long stream; needs valgrind
	$(CARGO) build --quiet --example standin
	@built=$$(CARGO=$(CARGO) CARGO_PROFILE_RELEASE_STRIP=none CARGO_TARGET_DIR=$(TARGET)/symbols sh tests/size.sh $(TARGET)/symbols build) && \
	python3 -B tests/bench/profile.py --codex $${built#* } --standin $(TARGET)/debug/examples/standin

PREFIX ?= $(HOME)/.local
# Not `?=`: some systems set NAME in the environment.
NAME = codex
PROGRAM =
quoted = '$(subst ','\'',$(1))'
placed = PREFIX=$(call quoted,$(PREFIX)) DESTDIR=$(call quoted,$(DESTDIR)) NAME=$(call quoted,$(NAME))

install: ## the command, its manual pages and its completions below PREFIX (and DESTDIR), under another NAME if given. PROGRAM=FILE installs a built one
ifeq ($(PROGRAM),)
	@echo "building (the first time this takes some minutes)"
	$(CARGO) build --locked --release --bin codex
endif
	@sh src/dist/install.sh install $(placed) PROGRAM=$(call quoted,$(or $(PROGRAM),$(TARGET)/release/codex))

uninstall: ## removes what `make install` with the same PREFIX, DESTDIR and NAME has installed, and nothing else
	@sh src/dist/install.sh uninstall $(placed)

dist: ## archives and .deb packages of the static program, with SHA256SUMS, in $(TARGET)/dist. DIST_TARGETS=... for some of the targets
	@CARGO=$(CARGO) python3 -B src/dist/dist.py --target-dir $(TARGET) --output $(TARGET)/dist $(DIST_TARGETS)

test-dist: ## what `make dist` has built: contents, start in an empty root, aarch64 under qemu, the same bytes from another directory; macOS, the package of crates.io. ONLY=NAME picks checks
	$(CARGO) build --quiet --example standin
	python3 -B tests/dist/check.py --dist $(TARGET)/dist --standin $(TARGET)/debug/examples/standin --scratch $(TARGET)/dist-check $(ONLY)
