"""An MCP server over stdio that is not as the protocol wants it, written without a library.

It knows the handshake of 2025-11-25 only. Its tools: `good`; one without `inputSchema`; one whose schema
is odd; `blocks` gives a block of an unknown kind; `leaks` fails with what it was given in SECRET;
`large` answers with 17 MiB; `progress` reports progress; `logs` logs. Its resource asks a person for a
PIN while it is read. Its argument is `endless` for pages of tools without end.
"""

import json
import os
import sys

SECRET = os.environ.get("SECRET", "")
GOOD = {"type": "object", "properties": {}}
TOOLS = [
    {"name": "good", "description": "Is good.", "inputSchema": GOOD},
    {"name": "no_schema", "description": "Has no schema."},
    {"description": "Has no name.", "inputSchema": GOOD},
    "no object",
    {"name": "odd_schema", "description": "Odd.", "inputSchema": {"type": "object", "properties": {"a": {"pattern": "("}}}},
    *({"name": name, "inputSchema": GOOD} for name in ["blocks", "leaks", "refuses", "large", "progress", "logs"]),
]
level = "info"


def send(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def text(words, **more):
    return {"content": [{"type": "text", "text": words}], **more}


def call(name, meta):
    global level
    if name == "blocks":
        unknown = {"type": "hologram", "data": "x"}
        return {"content": [{"type": "text", "text": "seen"}, unknown], "isError": False}
    if name == "leaks":
        return text(f"refused {SECRET}", isError=True)
    if name == "large":
        return text("x" * (17 << 20))
    if name == "progress":
        for done in range(3):
            token = meta["progressToken"]
            params = {"progressToken": token, "progress": done, "total": 3, "message": f"step {done}"}
            send({"method": "notifications/progress", "params": params})
    if name == "logs":
        for at, data in [("debug", "not told"), ("warning", f"key {SECRET}"), ("error", {"code": 7})]:
            if ["debug", "info", "warning", "error"].index(at) >= ["debug", "info", "warning", "error"].index(level):
                send({"method": "notifications/message", "params": {"level": at, "logger": "odd", "data": data}})
    return text(f"this is {name}")


def read_resource(id, uri):
    schema = {"type": "object", "properties": {"pin": {"type": "string"}}, "required": ["pin"]}
    params = {"mode": "form", "message": "Which PIN?", "requestedSchema": schema}
    question = f"question {id}"
    send({"id": question, "method": "elicitation/create", "params": params})
    for line in sys.stdin:
        said = json.loads(line)
        if said.get("method") == "notifications/cancelled" and said["params"]["requestId"] == id:
            return None
        if said.get("id") == question:
            result = said.get("result", {})
            if result.get("action") != "accept":
                return {"error": {"code": -32000, "message": "no PIN, nothing to read"}}
            contents = [{"uri": uri, "text": f"opened with {result['content']['pin']}"}]
            return {"result": {"contents": contents}}


for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked or "method" not in asked:
        continue
    method, params = asked["method"], asked.get("params") or {}
    answer = {"id": asked["id"]}
    if method == "initialize":
        capabilities = {"tools": {}, "logging": {}, "resources": {}}
        info = {"name": "odd", "version": "1"}
        answer["result"] = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": info}
    elif method == "tools/list" and sys.argv[1:] == ["endless"]:
        answer["result"] = {"tools": [], "nextCursor": str(int(params.get("cursor") or 0) + 1)}
    elif method == "tools/list":
        answer["result"] = {"tools": TOOLS}
    elif method == "resources/read":
        read = read_resource(asked["id"], params["uri"])
        if read is None:
            continue
        answer.update(read)
    elif method == "logging/setLevel":
        level = params["level"]
        answer["result"] = {}
    elif method == "tools/call" and params["name"] == "refuses":
        print(f"stderr says {SECRET}", file=sys.stderr, flush=True)
        answer["error"] = {"code": -32000, "message": f"no \x1b[31m{SECRET}", "data": SECRET}
    elif method == "tools/call":
        answer["result"] = call(params["name"], params.get("_meta") or {})
    else:
        answer["error"] = {"code": -32601, "message": f"unknown: {method}"}
    send(answer)
