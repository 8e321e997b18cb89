"""A server for the older chat completions API, for as long as a `with` block lasts. A gateway that translates makes
answers of the Responses API from its streams. It repeats the prompt; if tools are offered, it thinks, says so and calls
`bash` twice at once, and accepts any output. A prompt with `too much` reaches the output limit.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Chat(ThreadingHTTPServer):
    """`asked` are the bodies of the requests, in order."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(body)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        choices = [[{"index": 0, "delta": delta, "finish_reason": end}] for delta, end in answer(body)]
        for chunk in [*({**head, "choices": choice} for choice in choices), {**head, "choices": [], "usage": usage}]:
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")


def answer(body):
    """The pieces of an answer; the last one has the reason why it ends."""
    yield {"role": "assistant", "content": ""}, None
    if body.get("tools") and body["messages"][-1]["role"] != "tool":
        yield {"reasoning_content": "Look "}, None
        yield {"reasoning_content": "first."}, None
        yield {"content": "I look."}, None
        for n in range(2):
            call = json.dumps({"command": f"echo from tool $(({n} + 40))"})
            function = {"name": "bash", "arguments": ""}
            yield {"tool_calls": [{"index": n, "id": f"call_{n}", "type": "function", "function": function}]}, None
            for piece in (call[:7], call[7:]):
                yield {"tool_calls": [{"index": n, "function": {"arguments": piece}}]}, None
        yield {}, "tool_calls"
        return
    said = next(message["content"] for message in reversed(body["messages"]) if message["role"] == "user")
    text = said if isinstance(said, str) else "".join(part["text"] for part in said)
    for piece in ("You ", "said: ", text):
        yield {"content": piece}, None
    yield {}, "length" if "too much" in text else "stop"
