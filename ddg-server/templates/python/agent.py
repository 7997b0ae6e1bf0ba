"""An agent of the riddle platform. The part to change is `solve`; the rest is the way to the platform.

    python3 agent.py        serves the agent; settings are the variables below
"""
import json
import os
import re
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep

LISTEN = os.environ.get("DDG_RIDDLES_LISTEN", "127.0.0.1:9001")
MANAGEMENT = os.environ.get("DDG_RIDDLES_MANAGEMENT", "http://127.0.0.1:8090")
SHARED = Path(os.environ.get("DDG_RIDDLES_SHARED", "shared"))
PERSIST = Path(os.environ.get("DDG_RIDDLES_PERSIST", "persist"))
SECRET = os.environ.get("DDG_RIDDLES_SECRET", "")


def solve(question, texts):
    """Returns the solution and why it is one, or None to give up on this message."""
    values = dict(re.findall(r"(\w+)\s*=\s*(-?\d+)", "\n".join(texts)))
    found = re.match(r"\s*(\w+)\s*([-+*])\s*(\w+)\s*=?\s*$", question)
    if not found:
        return None
    left, sign, right = found.groups()
    left, right = values.get(left, left), values.get(right, right)
    if not re.match(r"-?\d+$", left) or not re.match(r"-?\d+$", right):
        return None  # A value is missing: perhaps there are more extractions later.
    left, right = int(left), int(right)
    result = {"+": left + right, "-": left - right, "*": left * right}[sign]
    return str(result), f"{left} {sign} {right} = {result}"


def handle(message):
    """Answers a message: the same object, with a solution in it, or with `decision`: `stop`."""
    paths = [data["file_extracted"] for data in message["data"] if data.get("file_extracted")]
    texts = [(SHARED / path).read_text(encoding="utf-8") for path in paths]
    solution = solve(message["riddle"]["question"], texts)
    if solution is None:
        return {**message, "decision": "stop"}
    solution = {"solution": solution[0], "explanation": solution[1], "used_data": paths}
    return {**message, "solution": message["solution"] + [solution]}


def answer(message):
    """Handles a message, and posts the answer until the management takes or refuses it."""
    try:
        response = handle(message)
    except Exception as error:  # An agent that fails gives up on this message, and serves the next.
        print(f"message {message['number']} failed: {error}", flush=True)
        response = {**message, "decision": "stop"}
    headers = {"content-type": "application/json"}
    if SECRET:
        headers["authorization"] = f"Bearer {SECRET}"
    body, pause = json.dumps(response).encode(), 0.2
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(f"{MANAGEMENT}/message", body, headers), timeout=30).read()
            return
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                print(f"message {message['number']} was refused: {error}", flush=True)
                return
        except OSError:
            pass  # The management is away for a moment.
        sleep(pause)
        pause = min(pause * 2, 10)


class Handler(BaseHTTPRequestHandler):
    """Acknowledges each message at once; a message that comes again is not handled twice at the same time."""

    busy, lock = set(), threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if SECRET and self.headers.get("authorization") != f"Bearer {SECRET}":
            return self.reply(401)
        try:
            message = json.loads(body)
            number = message["number"]
        except (ValueError, KeyError, TypeError):
            return self.reply(400)
        with self.lock:
            is_new = number not in self.busy
            self.busy.add(number)
        if is_new:
            threading.Thread(target=self.answer, args=(message, number), daemon=True).start()
        self.reply(202)

    def answer(self, message, number):
        try:
            answer(message)
        finally:
            with self.lock:
                self.busy.discard(number)

    def do_GET(self):
        self.reply(200)  # For health checks.

    def reply(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    PERSIST.mkdir(parents=True, exist_ok=True)
    host, port = LISTEN.rsplit(":", 1)
    server = ThreadingHTTPServer((host, int(port)), Handler)
    print(f"listening on http://{host}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
