"""An agent of the riddle platform in Python: solves `x * y =` from extracted texts.

usage: riddle_agent.py PORT MANAGEMENT_URL SHARED_FOLDER
"""
import json, re, sys, threading, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

port, management, shared = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])

def answer(message):
    """Answers later: the message with our solution, its number and agent unchanged."""
    texts = [(shared / d["file_extracted"]).read_text() for d in message["data"] if d["file_extracted"]]
    values = dict(re.findall(r"(\w+) = (\d+)", "\n".join(texts)))
    left, right = re.match(r"(\w+) \* (\w+)", message["riddle"]["question"]).groups()
    if left in values and right in values:
        product = int(values[left]) * int(values[right])
        message["solution"].append({"solution": str(product), "explanation": "computed in Python"})
    else:
        message["decision"] = "stop"
    request = urllib.request.Request(management + "/message", json.dumps(message).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request).read()

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        threading.Thread(target=answer, args=(message,)).start()
        self.send_response(202)
        self.end_headers()
    def log_message(self, *_): pass

server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
