// The official TypeScript SDK with a `codex` of choice: what its users do, and what they get.
//
//   node sdk.mjs --modules DIR --codex PROGRAM --dialect ours|official --base URL/v1 --log FILE --work DIR
//
// DIR has node_modules/@openai/codex-sdk. FILE is what the stand-in service behind URL writes of its requests,
// the other DIR an empty one for homes and files. `dialect` says whose tools the service is to call. Every
// check is a line, `ok: ...` or `FAILED: ...`; exit code 1 if one failed.

import { Buffer } from 'node:buffer';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';

const text = { type: 'string' };
const { values: given } = parseArgs({
  options: { modules: text, codex: text, dialect: text, base: text, log: text, work: text, only: text },
});
const entry = join(resolve(given.modules), 'node_modules/@openai/codex-sdk/dist/index.js');
const { Codex } = await import(pathToFileURL(entry));

const KEY = 'sk-peer-0123456789abcdef';
const WRONG = 'head.e30.signature-0123456789'; // the service refuses it, for it looks like a token
const MODEL = 'gpt-5.5';
const AT_ONCE = 10_000; // milliseconds that whatever ends should take at most
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==',
  'base64',
);
const SCHEMA = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false };

// The SDK keeps its files there, and a program that is ended may leave some of its own.
const temporary = folder('tmp');
process.env.TMPDIR = temporary;

/** A directory below the one that is ours. */
function folder(...names) {
  const made = join(resolve(given.work), ...names);
  mkdirSync(made, { recursive: true });
  return made;
}

const env = {
  PATH: process.env.PATH,
  HOME: folder('home'),
  TMPDIR: temporary,
  CODEX_HOME: folder('home', 'official'),
  CODEX_RUN_HOME: folder('home', 'ours'),
};

/** The SDK with the program. */
function codex(more = {}) {
  return new Codex({ codexPathOverride: resolve(given.codex), baseUrl: given.base, apiKey: KEY, env, ...more });
}

/** What most threads are begun with. */
function thread(more = {}) {
  return {
    model: MODEL,
    skipGitRepoCheck: true,
    workingDirectory: folder('cwd'),
    sandboxMode: 'danger-full-access',
    ...more,
  };
}

/** A question that brings along what the service answers, a list of items for each round. */
function asks(question, ...rounds) {
  const written = rounds.map((round) => (Array.isArray(round) ? { items: round } : round));
  return `${question}\nstandin: ${JSON.stringify({ rounds: written })}\n`;
}

const says = (words) => ({ text: words });
const shell = (command) => (given.dialect === 'ours'
  ? { call: { name: 'bash', arguments: { command } } }
  : { call: { name: 'exec_command', arguments: { cmd: command, yield_time_ms: 30_000 } } });

let made = 0;
let failed = 0;

// Nobody listens for errors of the pipe to the program: one that ends without reading all of its prompt ends its
// caller, too. Here it is written down instead.
const crashes = [];
process.on('uncaughtException', (error) => { crashes.push(error); });

function check(what, fits, ...seen) {
  made += 1;
  if (fits) {
    console.log(`ok: ${what}`);
    return;
  }
  failed += 1;
  console.log(`FAILED: ${what}`);
  for (const part of seen) {
    const said = part instanceof Error ? `${part.name}: ${part.message}` : part;
    const shown = typeof said === 'string' ? said : JSON.stringify(said) ?? String(said);
    for (const line of shown.slice(0, 1500).split('\n').slice(0, 12)) console.log(`  | ${line}`);
  }
}

/** The bodies of the requests so far. */
function asked() {
  return readFileSync(given.log, 'utf8').split('\n').filter(Boolean)
    .map((line) => JSON.parse(line).request)
    .filter((request) => request?.method === 'POST' && request.path.endsWith('/responses'))
    .map((request) => request.body);
}

/** The texts of a request's messages. */
function texts(body) {
  return JSON.stringify(body.input.filter((item) => item.role === 'user' || item.role === 'assistant'));
}

/** All events of a stream, and what it threw. */
async function drain(streamed) {
  const events = [];
  try {
    for await (const event of streamed.events) events.push(event);
  } catch (error) {
    return { events, error };
  }
  return { events };
}

/** What a promise rejects with. */
async function rejection(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

/** The processes that this one has started and that have not ended. */
function children() {
  const listed = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  return listed.split(' ').filter(Boolean);
}

const lives = (pid) => existsSync(`/proc/${pid}/stat`) && !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** Waits until it is so. */
async function soon(question) {
  const end = Date.now() + AT_ONCE;
  while (!question() && Date.now() < end) await sleep(50);
  return question();
}

const COUNTS = ['input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens',
  'reasoning_output_tokens'];
const counts = (usage) => COUNTS.every((name) => Number.isInteger(usage?.[name]));

const tests = {
  async conversation() {
    const one = codex().startThread(thread());
    const first = await one.run(asks('The first question.', [says('Hello there.')]));
    check('run: the answer', first.finalResponse === 'Hello there.', first);
    const kinds = first.items.map((item) => item.type);
    check('run: its items', isDeepStrictEqual(kinds, ['agent_message']), first.items);
    check('run: the tokens', counts(first.usage) && first.usage.input_tokens > 0, first.usage);
    check('run: the thread has an id', /^[0-9a-f-]{36}$/.test(one.id), one.id);
    const { id } = one;
    const second = await one.run(asks('The second question.', [says('And again.')]));
    check('run again: the answer', second.finalResponse === 'And again.', second);
    check('run again: the id is the same', one.id === id, one.id, id);
    const before = ['The first question.', 'Hello there.', 'The second question.'];
    const told = texts(asked().at(-1));
    check('run again: the service is told what was said before', before.every((words) => told.includes(words)), told);
    check('run again: the tokens', counts(second.usage), second.usage);
    const again = codex().resumeThread(id, thread());
    const { events, error } = await drain(await again.runStreamed(asks('The third one.', [says('Once more.')])));
    check('resumeThread: it ends well', !error && events.at(-1)?.type === 'turn.completed', error, events);
    check('resumeThread: the id is the same', events[0]?.thread_id === id && again.id === id, events[0]);
    const whole = texts(asked().at(-1));
    check('resumeThread: the service is told all', [...before, 'And again.'].every((words) => whole.includes(words)),
      whole);
    const lost = await rejection(codex().resumeThread('019f0000-0000-7000-8000-000000000000', thread()).run('hello'));
    check('resumeThread: of an unknown id rejects', /exited with code [1-9]|no stored conversation/.test(lost.error?.message), lost);
  },

  async stream() {
    const begun = codex().startThread(thread());
    const question = asks('Stream this.', [{ reasoning: '**Looking**' }, says('First I look.'),
      shell('echo hi; exit 3')], [says('It said hi.')]);
    const { events, error } = await drain(await begun.runStreamed(question));
    check('runStreamed: no error', !error, error);
    const kinds = events.map((event) => event.type);
    check('runStreamed: thread.started and turn.started come first',
      isDeepStrictEqual(kinds.slice(0, 2), ['thread.started', 'turn.started']), kinds);
    check('runStreamed: turn.completed comes last, with the tokens', kinds.at(-1) === 'turn.completed'
      && counts(events.at(-1).usage), kinds, events.at(-1));
    const command = events.filter((event) => event.item?.type === 'command_execution');
    const [first, last] = [command[0]?.item, command.at(-1)?.item];
    check('runStreamed: the command begins, and ends as the same item', command[0]?.type === 'item.started'
      && command.at(-1)?.type === 'item.completed' && first?.id === last?.id, command);
    check('runStreamed: the command, its output and its exit code', last?.command.includes('echo hi; exit 3')
      && last.aggregated_output === 'hi\n' && last.exit_code === 3 && last.status === 'failed', last);
    const said = events.filter((event) => event.type === 'item.completed' && event.item.type === 'agent_message');
    check('runStreamed: the messages', isDeepStrictEqual(said.map((event) => event.item.text),
      ['First I look.', 'It said hi.']), said);
  },

  async pictures() {
    const file = join(folder('files'), 'a picture.png');
    writeFileSync(file, PICTURE);
    const begun = codex().startThread(thread());
    const input = (...words) => [...words.map((part) => ({ type: 'text', text: part })),
      { type: 'local_image', path: file }, { type: 'local_image', path: file }];
    for (const turn of ['first', 'second']) {
      const { value, error } = await rejection(begun.run(input('What is this?', asks('Say.', [says('Squares.')]))));
      check(`images, ${turn} turn: the answer`, value?.finalResponse === 'Squares.', error ?? value);
      const body = asked().at(-1);
      const asking = body.input.findLast((item) => item.role === 'user');
      const sent = (Array.isArray(asking?.content) ? asking.content : []).filter((part) => part.type === 'input_image');
      const fits = sent.length === 2 && sent.every((part) => part.image_url.startsWith('data:image/png;base64,iVBOR'));
      check(`images, ${turn} turn: the service gets both`, fits, sent);
      check(`images, ${turn} turn: the texts are one prompt`, texts(body).includes('What is this?\\n\\nSay.'),
        texts(body));
    }
  },

  async schema() {
    const begun = codex().startThread(thread());
    const { value, error } = await rejection(begun.run(asks('Count.', [says('{"n": 7}')]), { outputSchema: SCHEMA }));
    check('outputSchema: the answer is JSON', value && isDeepStrictEqual(JSON.parse(value.finalResponse), { n: 7 }),
      error ?? value);
    const format = asked().at(-1).text?.format;
    check('outputSchema: the service gets it, in strict mode', format?.type === 'json_schema' && format.strict === true
      && isDeepStrictEqual(format.schema, SCHEMA), format);
    const left = readdirSync(temporary).filter((name) => name.startsWith('codex-output-schema'));
    check('outputSchema: no file is left', left.length === 0, left);
  },

  async abort() {
    const file = join(folder('files'), 'pid');
    // The shell writes it down before it becomes the sleep: 0 is nobody's.
    const started = () => Number(existsSync(file) && readFileSync(file, 'utf8'));
    const stop = new AbortController();
    const running = codex().startThread(thread())
      .run(asks('Sleep.', [shell(`echo $$ > '${file}'; exec sleep 300`)], [says('Slept.')]), { signal: stop.signal });
    const ended = rejection(running);
    check('signal: the command runs', await soon(started), children());
    let at = Date.now();
    stop.abort();
    let { value, error } = await Promise.race([ended, sleep(AT_ONCE, {})]);
    check(`signal: run rejects with AbortError`, error?.name === 'AbortError', error ?? value ?? 'it still runs');
    console.log(`note: after ${Date.now() - at} ms`);
    check('signal: the program is gone', await soon(() => children().length === 0), children());
    check('signal: its command is gone', await soon(() => !lives(started())), started());

    const stalls = { items: [says('Half of it and some more words')], stall_at: 1500, hold_open: true };
    const { events } = await codex().startThread(thread())
      .runStreamed(asks('Stall.', stalls), { signal: AbortSignal.timeout(3000) });
    at = Date.now();
    ({ error } = await Promise.race([drain({ events }), sleep(AT_ONCE, {})]));
    check('signal: a stream rejects with AbortError', error?.name === 'AbortError', error ?? 'it still runs');
    check('signal: the program is gone', await soon(() => children().length === 0), children());

    ({ value, error } = await rejection(codex().startThread(thread())
      .run(asks('Never.', [says('Said.')]), { signal: AbortSignal.abort() })));
    check('signal: what is aborted already rejects', error?.name === 'AbortError', error ?? value);

    const { events: left } = await codex().startThread(thread()).runStreamed(asks('Leave.', stalls));
    for await (const event of left) if (event.type === 'turn.started') break;
    check('break: the program is gone', await soon(() => children().length === 0), children());
  },

  async failures() {
    const ends = { items: [says('Half of')], ends: 'failed:invalid_prompt:the words of failed' };
    const { error } = await rejection(codex().startThread(thread()).run(asks('Fail.', ends)));
    check('a failed response: run rejects with its words', error?.message.includes('the words of failed'), error);
    const seen = await drain(await codex().startThread(thread()).runStreamed(asks('Fail.', ends)));
    const told = seen.events.at(-1);
    check('a failed response: the stream has turn.failed', told?.type === 'turn.failed'
      && told.error.message.includes('the words of failed'), seen.events);
    check('a failed response: the stream rejects after it', /exited with code [1-9]/.test(seen.error?.message),
      seen.error);
    const refused = await rejection(codex({ apiKey: WRONG }).startThread(thread()).run('hello'));
    check('a wrong key: run rejects with the words of the service', /api key/i.test(refused.error?.message),
      refused.error ?? refused.value);
    check('a wrong key is not told', !refused.error?.message.includes(WRONG), refused.error);
    const missing = thread({ workingDirectory: join(folder('files'), 'missing') });
    const nowhere = await rejection(codex().startThread(missing).run('hello'));
    check('no such directory: run rejects', /exited with code [1-9]|cannot work in/.test(nowhere.error?.message), nowhere);
    const long = await rejection(codex().startThread(missing).run('word '.repeat(200_000)));
    check('no such directory and a long prompt: run rejects', /exited with code [1-9]|cannot work in/.test(long.error?.message), long);
    await sleep(100);
    if (given.dialect === 'official') console.log(`note: ${crashes.splice(0).length} crashes of the caller`);
  },

  async options() {
    const [extra, cwd, outside] = [folder('extra'), folder('cwd'), folder('outside')];
    const writes = `pwd; echo x > '${extra}/written' && echo can; echo y > '${outside}/written' || echo cannot`;
    const begun = codex({ config: { model_verbosity: 'high' }, configOverrides: ['model_reasoning_summary="concise"'] })
      .startThread(thread({
        sandboxMode: 'workspace-write',
        workingDirectory: cwd,
        additionalDirectories: [extra],
        modelReasoningEffort: 'high',
        networkAccessEnabled: true,
        webSearchMode: 'disabled',
        approvalPolicy: 'never',
        threadSource: 'peer',
      }));
    const question = asks('Write.', [shell(writes)], [says('Written.')]);
    const { value, error } = await rejection(begun.run(question, { cyberAccessProgram: 'standard' }));
    check('options: the answer', value?.finalResponse === 'Written.', error ?? value);
    const output = value?.items.find((item) => item.type === 'command_execution')?.aggregated_output ?? '';
    check('workingDirectory: tools work there', output.split('\n').includes(cwd), output);
    check('additionalDirectories: tools can write there', output.includes('can\n')
      && existsSync(join(extra, 'written')), output);
    check('sandboxMode: tools cannot write elsewhere', output.includes('cannot\n')
      && !existsSync(join(outside, 'written')), output);
    const body = asked().at(-1);
    check('model', body.model === MODEL, body.model);
    check('modelReasoningEffort', body.reasoning?.effort === 'high', body.reasoning);
    check('config', body.text?.verbosity === 'high', body.text);
    check('configOverrides', body.reasoning?.summary === 'concise', body.reasoning);
    const searches = (tools) => (tools ?? []).some((tool) => tool.type.startsWith('web_search'));
    check('webSearchMode disabled: no search is offered', !searches(body.tools), body.tools);
    const again = await rejection(begun.run(asks('Again.', [says('Again.')])));
    check('options: with a thread that is resumed', again.value?.finalResponse === 'Again.', again);
    for (const more of [{ webSearchMode: 'live' }, { webSearchEnabled: true }, { networkAccessEnabled: false },
      { sandboxMode: 'read-only' }, { sandboxMode: undefined }, { approvalPolicy: 'on-request' },
      { modelReasoningEffort: 'xhigh' }, { modelReasoningEffort: 'ultra' }]) {
      const ended = await rejection(codex().startThread(thread(more)).run(asks('Take.', [says('Taken.')])));
      check(`taken: ${JSON.stringify(more)}`, ended.value?.finalResponse === 'Taken.', ended.error ?? ended.value);
      if (more.webSearchMode ?? more.webSearchEnabled) {
        check('a search is offered', searches(asked().at(-1).tools), asked().at(-1).tools);
      }
    }
  },

  async environment() {
    Object.assign(process.env, env, { CODEX_API_KEY: KEY });
    const inherits = { codexPathOverride: resolve(given.codex), baseUrl: given.base };
    const one = await rejection(new Codex(inherits).startThread(thread()).run(asks('Hear.', [says('Heard.')])));
    check('the environment is inherited without env', one.value?.finalResponse === 'Heard.', one.error ?? one.value);
    process.env.CODEX_API_KEY = WRONG;
    const two = await rejection(codex().startThread(thread()).run(asks('Hear.', [says('Heard.')])));
    check('apiKey and env count, not what is inherited', two.value?.finalResponse === 'Heard.', two.error ?? two.value);
    delete process.env.CODEX_API_KEY;
  },

  async much() {
    const long = 'A long line of a long prompt, told again and again.\n'.repeat(8_000);
    const one = await rejection(codex().startThread(thread()).run(long + asks('', [says('Read.')])));
    check('a prompt of 400 KB', one.value?.finalResponse === 'Read.', one.error ?? one.value);
    const answers = ['one', 'two', 'three', 'four'];
    const runs = answers.map((word) => codex().startThread(thread()).run(asks('At once.', [says(word)])));
    const ended = await rejection(Promise.all(runs));
    check('four threads at once', isDeepStrictEqual(ended.value?.map((turn) => turn.finalResponse), answers),
      ended.error ?? ended.value);
  },
};

for (const [name, test] of Object.entries(tests)) {
  if (given.only && !name.match(given.only)) continue;
  try {
    await test();
  } catch (error) {
    check(`${name} is done to its end`, false, error.stack);
  }
}
check('the caller never crashed', crashes.length === 0, ...crashes);
console.log(`${made - failed} of ${made} checks hold`);
process.exit(failed ? 1 : 0);
