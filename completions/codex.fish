# fish completion for codex

# The words before the cursor, from the program on.
function __codex_words
    set -l words (commandline -opc)
    while string match -qr '^\w+=' -- $words[1]
        set -e words[1]
    end
    printf '%s\n' $words
end

# Whether the command is one of these.
function __codex_is
    set -l words (__codex_words)
    contains -- "$words[2]" $argv
end

# Whether the command is this one, with this many arguments (or any number: -), the first of which is this.
function __codex_at
    __codex_is $argv[1]; or return
    set -l places
    set -l before
    for word in (__codex_words)[3..]
        if set -q before[1]
            set before
        else if string match -qr -- '^-.' $word
            contains -- $word --model -m --fallback-model --models --effort -e --verbosity --summary --image -i --file -f --instructions --append-instructions --limit --output-schema --output-last-message -o --resume --fork --cd -C --add-dir --sandbox -s --env --tools --tool --mcp --mcp-tools --fail-on --max-turns --max-tokens --max-tool-calls --max-cost --timeout --turn-timeout --tool-timeout --idle-timeout --retries --wait-for-reset --input --config-file --compact --api-key-file --auth-file --config -c --thread-source --cyber-access-program --enable --disable --color; and set before $word
        else
            set -a places $word
        end
    end
    contains -- $argv[2] - (count $places); or return
    test "$argv[3]" = "$places[1]"
end

# The values of a kind that the program lists, with what they are.
function __codex_values
    set -l program (string replace -r '^~/' "$HOME/" -- (__codex_words)[1])
    # A function has no program of its own.
    command -sq -- $program; or set program codex
    set -l word (string replace -r '^-[^=]*=' '' -- (commandline -ct))
    set -l found (command $program __complete $argv[1] "$word" 2>/dev/null </dev/null); or return
    printf '%s\n' $found
end

complete -c codex -f
complete -c codex -n '__codex_is ""' -a login -d 'sign in with a ChatGPT account'
complete -c codex -n '__codex_is ""' -a logout -d 'sign out, and revoke the sign-in'
complete -c codex -n '__codex_is ""' -a status -d 'show which credential is used, and why'
complete -c codex -n '__codex_is ""' -a token -d 'print a valid access token'
complete -c codex -n '__codex_is ""' -a models -d 'list the available models'
complete -c codex -n '__codex_is ""' -a run -d 'ask a model, run its tools, print the answer'
complete -c codex -n '__codex_is ""' -a exec -d '`run` with the official client\'s syntax'
complete -c codex -n '__codex_is ""' -a chat -d 'a full-screen conversation'
complete -c codex -n '__codex_is ""' -a sessions -d 'list, show or remove conversations'
complete -c codex -n '__codex_is ""' -a mcp -d 'show what MCP servers offer'
complete -c codex -n '__codex_is ""' -a schema -d 'print the JSON Schema of the JSON lines'
complete -c codex -n '__codex_is ""' -a tool -d 'run a built-in tool, just as `run` does'
complete -c codex -n '__codex_is ""' -a completion -d 'print a completion script'
complete -c codex -n '__codex_is ""' -a help -d 'explain a command, or a topic'
complete -c codex -n '__codex_is ""' -a version -d 'print name and version'
complete -c codex -n '__codex_is run exec chat' -l model -s m -x -k -a '(__codex_values models)' -d 'model to use'
complete -c codex -n '__codex_is run chat' -l fallback-model -x -k -a '(__codex_values model-list)' -d 'models to use instead, A,B'
complete -c codex -n '__codex_is chat' -l models -x -k -a '(__codex_values model-efforts)' -d 'models that Ctrl+P cycles through'
complete -c codex -n '__codex_is run chat' -l effort -s e -x -a 'none minimal low medium high xhigh max' -d 'how much the model thinks'
complete -c codex -n '__codex_is run chat' -l verbosity -x -a 'low medium high' -d 'how detailed the answer is'
complete -c codex -n '__codex_is run chat' -l summary -x -a 'auto concise detailed none' -d 'summarize the model\'s reasoning (none)'
complete -c codex -n '__codex_is run chat' -l search -a 'live cached' -d 'let the model search the web'
complete -c codex -n '__codex_is run exec chat' -l image -s i -r -F -d 'attach an image'
complete -c codex -n '__codex_is run chat' -l file -s f -r -F -d 'attach a text file'
complete -c codex -n '__codex_is run chat' -l instructions -r -F -d 'replace the built-in instructions'
complete -c codex -n '__codex_is run chat' -l append-instructions -x -d 'add to the instructions'
complete -c codex -n '__codex_is run chat' -l no-agents-md -d 'do not read AGENTS.md'
complete -c codex -n '__codex_is run' -l json -d 'JSON lines on standard output'
complete -c codex -n '__codex_is sessions' -l json -d 'print a JSON array'
complete -c codex -n '__codex_is mcp' -l json -d 'print JSON'
complete -c codex -n '__codex_is sessions' -l here -d 'only those of this directory'
complete -c codex -n '__codex_is sessions' -l limit -x -d 'at most this many'
complete -c codex -n '__codex_is run' -l deltas -d 'with --json, text as it arrives'
complete -c codex -n '__codex_is run exec' -l output-schema -r -F -d 'the answer must match this JSON Schema'
complete -c codex -n '__codex_is run exec' -l output-last-message -s o -r -F -d 'also write the last message to this file'
complete -c codex -n '__codex_is run chat' -l resume -x -k -a '(__codex_values sessions)' -d 'continue a stored conversation'
complete -c codex -n '__codex_is run chat' -l last -d 'continue this directory\'s latest one'
complete -c codex -n '__codex_is run chat' -l fork -x -k -a '(__codex_values sessions)' -d 'continue a copy of a conversation'
complete -c codex -n '__codex_is run exec chat' -l ephemeral -d 'do not store the conversation'
complete -c codex -n '__codex_is run tool exec chat mcp' -l cd -s C -x -a '(__fish_complete_directories)' -d 'working directory of the tools'
complete -c codex -n '__codex_is run tool exec chat mcp' -l add-dir -x -a '(__fish_complete_directories)' -d 'another directory that tools may change'
complete -c codex -n '__codex_is run tool exec chat mcp' -l sandbox -s s -x -a 'read-only workspace-write danger-full-access' -d 'what the tools may access (read-only)'
complete -c codex -n '__codex_is run tool chat mcp' -l network -d 'let tools use the network'
complete -c codex -n '__codex_is run tool chat mcp' -l no-tmp -d 'do not let tools write to /tmp'
complete -c codex -n '__codex_is run tool chat mcp' -l env -x -k -a '(__codex_values env)' -d 'also pass this variable to tools'
complete -c codex -n '__codex_is run chat' -l tools -x -k -a '(__codex_values tools)' -d 'tools to offer, separated by commas'
complete -c codex -n '__codex_is run chat' -l no-tools -d 'offer no tools'
complete -c codex -n '__codex_is run chat' -l tool -r -F -d 'offer the tool in this manifest'
complete -c codex -n '__codex_is run chat mcp' -l mcp -r -F -d 'start an MCP server and offer its tools'
complete -c codex -n '__codex_is run chat mcp' -l mcp-tools -x -d 'which tools of MCP servers to offer'
complete -c codex -n '__codex_is run chat mcp' -l no-mcp -d 'do not start the servers of mcp.json'
complete -c codex -n '__codex_is run' -l fail-on -x -a 'tool-error' -d 'tool-error: fail if a tool call fails'
complete -c codex -n '__codex_is run' -l max-turns -x -d 'maximum number of model requests (100)'
complete -c codex -n '__codex_is chat' -l max-turns -x -d 'maximum number of model requests'
complete -c codex -n '__codex_is run chat' -l max-tokens -x -d 'maximum number of tokens of the run'
complete -c codex -n '__codex_is run chat' -l max-tool-calls -x -d 'maximum number of tool calls of the run'
complete -c codex -n '__codex_is run chat' -l max-cost -x -d 'maximum cost of the run, in US dollars'
complete -c codex -n '__codex_is run chat' -l timeout -x -d 'time limit for the whole run'
complete -c codex -n '__codex_is run chat' -l turn-timeout -x -d 'time limit for each turn (--input jsonl)'
complete -c codex -n '__codex_is run tool chat mcp' -l tool-timeout -x -d 'time limit for each tool call (120s)'
complete -c codex -n '__codex_is run chat' -l idle-timeout -x -d 'how long to wait for data (300s)'
complete -c codex -n '__codex_is run chat' -l retries -x -d 'retries after a failed request (5)'
complete -c codex -n '__codex_is run chat' -l wait-for-reset -x -d 'wait up to this long for a limit to reset'
complete -c codex -n '__codex_is run' -l buffer -d 'print an answer only once it is complete'
complete -c codex -n '__codex_is run' -l no-stdin -d 'do not read standard input'
complete -c codex -n '__codex_is run' -l input -x -a 'jsonl' -d 'several turns, as JSON lines on stdin'
complete -c codex -n '__codex_is run chat' -l config-file -r -F -d 'settings file instead of config.json'
complete -c codex -n '__codex_is run' -l dry-run -d 'print the request, send nothing'
complete -c codex -n '__codex_is run chat' -l compact -x -a 'auto off' -d 'shorten a long conversation (auto)'
complete -c codex -n '__codex_is run chat status models' -l api-key-file -r -F -d 'use the API key in this file'
complete -c codex -n '__codex_is login logout status token models run chat' -l auth-file -r -F -d 'use this credentials file'
complete -c codex -n '__codex_is login' -l no-browser -d 'print the URL instead of opening a browser'
complete -c codex -n '__codex_is login' -l device-auth -d 'sign in with a code on another device'
complete -c codex -n '__codex_is login' -l with-api-key -d 'store an API key from standard input'
complete -c codex -n '__codex_is login' -l with-access-token -d 'store an access token from standard input'
complete -c codex -n '__codex_is logout' -l local -d 'do not revoke the sign-in'
complete -c codex -n '__codex_is logout' -l all -d 'remove a stored key too'
complete -c codex -n '__codex_is status' -l json -d 'print one JSON object'
complete -c codex -n '__codex_is status' -l limits -d 'also show how much of the plan is used'
complete -c codex -n '__codex_is status' -l check -d 'also check everything else a run needs'
complete -c codex -n '__codex_is models' -l all -d 'every known model, with its status'
complete -c codex -n '__codex_is models' -l json -d 'print one JSON object'
complete -c codex -n '__codex_is exec' -l json -d 'JSON lines on standard output'
complete -c codex -n '__codex_is exec' -l experimental-json -d '--json, for the official SDK'
complete -c codex -n '__codex_is exec' -l config -s c -x -d 'a setting of the official client, KEY=VALUE'
complete -c codex -n '__codex_is exec' -l last -d 'with resume, the newest in this directory'
complete -c codex -n '__codex_is exec' -l full-auto -d '-s workspace-write'
complete -c codex -n '__codex_is exec' -l approve-for-me -d '-s workspace-write'
complete -c codex -n '__codex_is exec' -l dangerously-bypass-approvals-and-sandbox -d '-s danger-full-access'
complete -c codex -n '__codex_is exec' -l skip-git-repo-check -d 'accepted and ignored'
complete -c codex -n '__codex_is exec' -l thread-source -x -d 'accepted and ignored'
complete -c codex -n '__codex_is exec' -l cyber-access-program -x -d 'accepted and ignored'
complete -c codex -n '__codex_is exec' -l ignore-user-config -d 'accepted and ignored'
complete -c codex -n '__codex_is exec' -l ignore-rules -d 'accepted and ignored'
complete -c codex -n '__codex_is exec' -l strict-config -d 'accepted and ignored'
complete -c codex -n '__codex_is exec' -l trust -d 'accepted and ignored'
complete -c codex -n '__codex_is exec' -l enable -x -d 'accepted and ignored'
complete -c codex -n '__codex_is exec' -l disable -x -d 'accepted and ignored'
complete -c codex -n '__codex_is exec' -l dangerously-bypass-hook-trust -d 'accepted and ignored'
complete -c codex -n '__codex_is run' -l quiet -s q -d 'only errors on standard error'
complete -c codex -n '__codex_is run' -l verbose -s v -d 'also show tool output and token usage'
complete -c codex -n '__codex_is run exec chat' -l color -x -a 'auto always never' -d 'colours on standard error'
complete -c codex -n '__codex_at login 0' -a 'status'
complete -c codex -n '__codex_at exec 0' -a 'resume fork'
complete -c codex -n '__codex_at exec 1 resume' -k -a '(__codex_values sessions)'
complete -c codex -n '__codex_at exec 1 fork' -k -a '(__codex_values sessions)'
complete -c codex -n '__codex_at sessions 0' -a 'show rm'
complete -c codex -n '__codex_at sessions 1 show' -k -a '(__codex_values sessions)'
complete -c codex -n '__codex_at sessions - rm' -k -a '(__codex_values sessions)'
complete -c codex -n '__codex_at mcp 0' -a 'list'
complete -c codex -n '__codex_at schema 0' -a 'events'
complete -c codex -n '__codex_at tool 0' -a 'bash read edit write grep find ls'
complete -c codex -n '__codex_at completion 0' -a 'bash zsh fish'
complete -c codex -n '__codex_at help 0' -a 'login logout status token models run exec chat sessions mcp schema tool completion help version exit-codes environment config sandbox json compaction'
