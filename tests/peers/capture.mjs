// Plays the services at their own names: ends TLS, writes each request down as a line of JSON, and hands it on to the
// stand-in. Bodies are written down and handed on unpacked. `listening on ...` is its first line; it ends with its
// standard input.
//
//     node capture.mjs --chain FILE --standin http://127.0.0.1:PORT --log FILE [--models FILE]
//
// With --models, that is the subscription's list of models. Whoever wants a WebSocket is asked to use HTTP.

import { appendFileSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { parseArgs } from "node:util";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";

const text = { type: "string" };
const { values: options } = parseArgs({ options: { chain: text, standin: text, log: text, models: text } });
const chain = readFileSync(options.chain);
const standin = new URL(options.standin);
const models = options.models && readFileSync(options.models);
const ETAG = '"captured"';
const SERVICES = ["chatgpt.com", "auth.openai.com", "api.openai.com"];
const UNPACK = { zstd: zstdDecompressSync, gzip: gunzipSync, br: brotliDecompressSync };
// These are about one connection, or about bytes that are not handed on as they came.
const OWN = ["host", "connection", "content-length", "content-encoding", "transfer-encoding", "expect", "upgrade"];

function note(request, body) {
  const { method, url, rawHeaders } = request;
  const headers = [];
  for (let at = 0; at < rawHeaders.length; at += 2) headers.push([rawHeaders[at].toLowerCase(), rawHeaders[at + 1]]);
  const host = (request.headers.host ?? "").replace(/:443$/, "");
  const line = { host, method, path: url, headers, body: body.toString() };
  appendFileSync(options.log, `${JSON.stringify(line)}\n`);
  return host;
}

function unpacked(request, body) {
  const unpack = UNPACK[request.headers["content-encoding"]];
  return unpack && body.length ? unpack(body) : body;
}

function refuse(response, status) {
  response.writeHead(status, { "content-type": "application/json" }).end('{"detail":"Not Found"}');
}

function answer(request, response, body) {
  const host = note(request, body);
  if (!SERVICES.includes(host)) return refuse(response, 404);
  const path = request.url.split("?")[0];
  if (models && host === "chatgpt.com" && request.method === "GET" && path.endsWith("/codex/models")) {
    return response.writeHead(200, { "content-type": "application/json", etag: ETAG }).end(models);
  }
  const headers = Object.entries(request.headers).filter(([name]) => !OWN.includes(name));
  const to = { host: standin.hostname, port: standin.port, method: request.method, path: request.url };
  const onward = http.request({ ...to, headers: Object.fromEntries([...headers, ["content-length", body.length]]) });
  onward.on("response", (answered) => {
    const answeredWith = { ...answered.headers };
    if (models && "x-models-etag" in answeredWith) answeredWith["x-models-etag"] = ETAG;
    if (host === "chatgpt.com" && path.endsWith("/responses")) answeredWith["x-codex-turn-state"] = "state-1";
    response.writeHead(answered.statusCode, answeredWith);
    answered.pipe(response);
  });
  onward.on("error", () => refuse(response, 502));
  onward.end(body);
}

const server = https.createServer({ cert: chain, key: chain }, (request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => answer(request, response, unpacked(request, Buffer.concat(pieces))));
});
server.on("upgrade", (request, socket) => {
  note(request, Buffer.alloc(0));
  socket.end("HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
});
server.on("tlsClientError", () => {});
server.listen(443, "127.0.0.1", () => console.log("listening on https://127.0.0.1:443"));
process.stdin.resume().on("end", () => process.exit());
