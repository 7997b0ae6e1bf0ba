"""An MCP client on the reference implementation. Its arguments: the version of the protocol or `auto`
or `legacy`, a JSON list of calls, and an URL or a program with its arguments. It prints what it hears.
With DDG_ANSWERS, a JSON list, its person answers questions with these, one after the other.
"""

import json
import os
import sys

import anyio
import mcp_types as types
from mcp import Client, StdioServerParameters

ANSWERS = json.loads(os.environ.get("DDG_ANSWERS", "null"))


async def answer(context, params):
    print("asked:", params.message)
    content = ANSWERS.pop(0)
    if content is None:
        return types.ElicitResult(action="decline")
    return types.ElicitResult(action="accept", content=content)


async def progress(done, total, message):
    print(f"progress: {done:g} of {total:g}, {message}")


async def main():
    mode, calls, command, *args = sys.argv[1:]
    env = {name: os.environ[name] for name in os.environ if name.startswith("DDG_")}
    stdio = StdioServerParameters(command=command, args=args, env=env)
    server = command if command.startswith("http") else stdio
    asks = {"elicitation_callback": answer} if ANSWERS else {}
    async with Client(server, mode=mode, **asks) as client:
        print("version:", client.protocol_version)
        if not ANSWERS:
            await tell_offers(client)
        for name, arguments in json.loads(calls):
            result = await client.call_tool(name, arguments, progress_callback=progress)
            texts = " ".join(block.text for block in result.content)
            structured = f" {json.dumps(result.structured_content)}" if result.structured_content else ""
            print(f"{name}:", "FAILED" if result.is_error else "gave", f"{texts}{structured}")


async def tell_offers(client):
    print("server:", client.server_info.name, client.server_info.version)
    print("instructions:", client.instructions)
    for tool in (await client.list_tools()).tools:
        print("tool:", tool.name, "-", tool.description, json.dumps(tool.input_schema, sort_keys=True))
        if tool.output_schema:
            print("  gives", json.dumps(tool.output_schema, sort_keys=True))
        if tool.annotations:
            print("  is", json.dumps(tool.annotations.model_dump(exclude_none=True), sort_keys=True))
    for resource in (await client.list_resources()).resources:
        [contents] = (await client.read_resource(resource.uri)).contents
        print("resource:", resource.uri, resource.mime_type, repr(contents.text))
    for prompt in (await client.list_prompts()).prompts:
        given = await client.get_prompt(prompt.name, {"name": "Ada"})
        print("prompt:", prompt.name, "-", prompt.description, repr(given.messages[0].content.text))
        ref = types.PromptReference(name=prompt.name)
        found = await client.complete(ref, {"name": "name", "value": "A"}, {"title": "Dr."})
        completion = found.completion
        print("  completes", len(completion.values), "of", completion.total, completion.has_more, completion.values[0])
    for template in (await client.list_resource_templates()).resource_templates:
        ref = types.ResourceTemplateReference(uri=template.uri_template)
        found = await client.complete(ref, {"name": "name", "value": "gre"})
        [contents] = (await client.read_resource("ours://teas/green%20tea")).contents
        print("template:", template.uri_template, found.completion.values, repr(contents.text))


anyio.run(main)
