"""An MCP client on the reference implementation. Its arguments: the version of the protocol or `auto`
or `legacy`, a JSON list of calls, and an URL or a program with its arguments. It prints what it hears.
"""

import json
import os
import sys

import anyio
from mcp import Client, StdioServerParameters


async def main():
    mode, calls, command, *args = sys.argv[1:]
    env = {name: os.environ[name] for name in os.environ if name.startswith("DDG_")}
    stdio = StdioServerParameters(command=command, args=args, env=env)
    server = command if command.startswith("http") else stdio
    async with Client(server, mode=mode) as client:
        print("version:", client.protocol_version)
        print("server:", client.server_info.name, client.server_info.version)
        print("instructions:", client.instructions)
        for tool in (await client.list_tools()).tools:
            print("tool:", tool.name, "-", tool.description, json.dumps(tool.input_schema, sort_keys=True))
        for name, arguments in json.loads(calls):
            result = await client.call_tool(name, arguments)
            texts = " ".join(block.text for block in result.content)
            print(f"{name}:", "FAILED" if result.is_error else "gave", texts)


anyio.run(main)
