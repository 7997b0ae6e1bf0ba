"""Threads and runs with the official client, asynchronously.

Run it with OPENAI_BASE_URL and OPENAI_API_KEY of a server, and the scripted model of
`tests/it/clients.rs`.
"""

import asyncio

from openai import AsyncAssistantEventHandler, AsyncOpenAI
from typing_extensions import override

client = AsyncOpenAI()


class Handler(AsyncAssistantEventHandler):
    def __init__(self):
        super().__init__()
        self.text = ""

    @override
    async def on_text_delta(self, delta, snapshot):
        self.text += delta.value


async def main():
    assistant = await client.beta.assistants.create(
        model="scripted",
        tools=[{"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}],
    )
    thread = await client.beta.threads.create(messages=[{"role": "user", "content": "Time?"}])
    run = await client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id
    )
    assert run.status == "requires_action", run
    call = run.required_action.submit_tool_outputs.tool_calls[0]
    async with client.beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id,
        thread_id=thread.id,
        tool_outputs=[{"tool_call_id": call.id, "output": "noon"}],
        event_handler=Handler(),
    ) as stream:
        await stream.until_done()
    assert stream.text == "It is noon.", stream.text

    # The plain stream of events, and 20 threads at the same time.
    events = await client.beta.threads.create_and_run(
        assistant_id=assistant.id,
        thread={"messages": [{"role": "user", "content": "Hello"}]},
        stream=True,
    )
    seen = [event.event async for event in events]
    assert seen[0] == "thread.created" and seen[-1] == "thread.run.completed", seen

    async def one(n):
        run = await client.beta.threads.create_and_run_poll(
            assistant_id=assistant.id,
            thread={"messages": [{"role": "user", "content": f"number {n}"}]},
        )
        found = await client.beta.threads.messages.list(run.thread_id)
        return found.data[0].content[0].text.value

    texts = await asyncio.gather(*(one(n) for n in range(20)))
    assert texts == [f"echo: number {n}" for n in range(20)], texts
    print("ok")


asyncio.run(main())
