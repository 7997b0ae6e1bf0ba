"""An MCP server with the tools that the tests ask for, on the reference implementation.

Its arguments: `tools` serves over stdio; `asks` does so with a tool that asks a person twice, and a resource and a prompt
that ask once; `stubborn PORT` does so, too, but does not end when told to, and holds a connection to PORT for as long as it
lives.
"""

import os
import signal
import socket
import sys
import threading

import anyio
import mcp.server.stdio
import mcp_types as types
from mcp import MCPError
from mcp.server import NotificationOptions, Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged

ANY = {"type": "object"}
PAGES = [["fail", "grow"], ["wait", "die"], ["files.read", "files/read", "x" * 80]]
if sys.argv[1] == "asks":
    PAGES = [["book"]]
N_CALLS = 0
GROWN = []
CHANGES = InMemorySubscriptionBus()


async def list_tools(ctx, params):
    page = int(params.cursor) if params and params.cursor else 0
    names = PAGES[page] + (GROWN if page == 0 else [])
    following = str(page + 1) if page + 1 < len(PAGES) else None
    tools = [types.Tool(name=name, title=f"Title of {name}", input_schema=ANY) for name in names]
    return types.ListToolsResult(tools=tools, next_cursor=following)


async def call_tool(ctx, params):
    arguments = params.arguments or {}
    if params.name == "fail":
        return text("the disk is full", is_error=True)
    if params.name == "grow":
        GROWN.append("grown")
        await ctx.session.send_tool_list_changed()
        await CHANGES.publish(ToolsListChanged())
        return text("grown")
    if params.name == "wait":
        with socket.create_connection(("127.0.0.1", arguments["port"])) as connection:
            connection.sendall(b"waiting\n")
            try:
                await anyio.sleep_forever()
            finally:
                connection.sendall(b"cancelled\n")
    if params.name == "book":
        return book(params)
    if params.name == "die":
        print("first this\nthen that", file=sys.stderr, flush=True)
        os._exit(1)
    return text(f"this is {params.name}")


def book(params):
    """Asks for a name, then for a confirmation, and keeps what it knows in the state of the request."""
    global N_CALLS
    N_CALLS += 1
    answers = {key: getattr(value, "content", None) for key, value in (params.input_responses or {}).items()}
    if params.request_state is None:
        return asks("state:0", "name", "Under which name?", {"name": {"type": "string"}})
    if "name" in answers:
        return asks(f"name:{answers['name']['name']}", "sure", "Really?", {"sure": {"type": "boolean"}})
    name = params.request_state.removeprefix("name:")
    return text(f"booked for {name}: {answers['sure']['sure']}, in {N_CALLS} calls")


async def read_resource(ctx, params):
    if not params.input_responses:
        return asks("state:0", "pin", "Which PIN?", {"pin": {"type": "string"}})
    words = answered(params, "pin")
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=params.uri, text=words)])


async def get_prompt(ctx, params):
    if not params.input_responses:
        return asks("state:0", "city", "Which city?", {"city": {"type": "string"}})
    content = types.TextContent(type="text", text=f"Plan a day in {answered(params, 'city')}.")
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=content)])


def answered(params, key):
    answer = params.input_responses[key]
    if answer.action != "accept":
        raise MCPError(types.INVALID_PARAMS, f"no {key}, nothing to read")
    return answer.content[key]


def asks(state, key, message, properties):
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    asked = types.ElicitRequestFormParams(message=message, requested_schema=schema)
    request = types.ElicitRequest(method="elicitation/create", params=asked)
    return types.InputRequiredResult(input_requests={key: request}, request_state=state)


def text(words, is_error=False):
    content = [types.TextContent(type="text", text=words)]
    return types.CallToolResult(content=content, is_error=is_error)


async def main():
    instructions = "Read before you write."
    server = Server(
        "python",
        instructions=instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_read_resource=read_resource,
        on_get_prompt=get_prompt,
        on_subscriptions_listen=ListenHandler(CHANGES),
    )
    options = server.create_initialization_options(NotificationOptions(tools_changed=True))
    async with mcp.server.stdio.stdio_server() as (read, write):
        await server.run(read, write, options)


if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    held = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    threading.Thread(target=threading.Event().wait).start()
anyio.run(main)
