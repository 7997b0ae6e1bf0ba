"""Threads and runs with the official client, synchronously.

Run it with OPENAI_BASE_URL and OPENAI_API_KEY of a server. The replies of the model that it expects are
those of the scripted model in `tests/it/clients.rs`.
"""

import warnings

import openai
from openai import AssistantEventHandler, OpenAI

# The client says of each call that the vendor has shut its own server down.
warnings.simplefilter("ignore", DeprecationWarning)

client = OpenAI()
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


class Handler(AssistantEventHandler):
    """Collects what the helper of the client reports."""

    def __init__(self):
        super().__init__()
        self.names, self.deltas, self.text, self.calls, self.arguments = [], [], None, [], ""

    def on_event(self, event):
        self.names.append(event.event)

    def on_text_delta(self, delta, snapshot):
        self.deltas.append(delta.value)

    def on_text_done(self, text):
        self.text = text.value

    def on_tool_call_created(self, tool_call):
        assert tool_call.function.arguments == "", tool_call
        self.calls.append(tool_call.function.name)

    def on_tool_call_delta(self, delta, snapshot):
        self.arguments += (delta.function and delta.function.arguments) or ""


def names(*parts):
    return [name for part in parts for name in part]


def run_events(*states):
    return [f"thread.run.{state}" for state in states]


def step_events(*states):
    return [f"thread.run.step.{state}" for state in states]


def message_events(n_deltas):
    states = ["created", "in_progress", *["delta"] * n_deltas, "completed"]
    return [f"thread.message.{state}" for state in states]


BEGIN = run_events("created", "queued", "in_progress")


def objects():
    assistant = client.beta.assistants.create(
        model="scripted", name="Guide", instructions="Be brief.", temperature=0, tools=[WEATHER]
    )
    assert assistant.object == "assistant" and assistant.temperature == 0, assistant
    assert client.beta.assistants.retrieve(assistant.id) == assistant
    updated = client.beta.assistants.update(assistant.id, name="Leader", metadata={"a": "b"})
    assert updated.name == "Leader" and updated.metadata == {"a": "b"}, updated
    assert [each.id for each in client.beta.assistants.list()] == [assistant.id]

    thread = client.beta.threads.create(messages=[{"role": "user", "content": "one"}])
    two = client.beta.threads.messages.create(thread.id, role="user", content="two")
    listed = list(client.beta.threads.messages.list(thread.id, order="asc", limit=1))
    assert [each.content[0].text.value for each in listed] == ["one", "two"], listed
    copy = client.beta.threads.create(
        extra_body={"thread_id": thread.id, "end_message_id": listed[0].id}
    )
    assert len(list(client.beta.threads.messages.list(copy.id))) == 1
    message = client.beta.threads.messages.update(two.id, thread_id=thread.id, metadata={"k": "v"})
    assert message.metadata == {"k": "v"}
    deleted = client.beta.threads.messages.delete(two.id, thread_id=thread.id)
    assert deleted.deleted and deleted.object == "thread.message.deleted"
    deleted = client.beta.threads.delete(copy.id)
    assert deleted.deleted and deleted.object == "thread.deleted"
    return updated


def text(assistant):
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(thread.id, role="user", content="Hello")
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=Handler()
    ) as stream:
        stream.until_done()
    assert stream.deltas == ["Hel", "lo!"] and stream.text == "Hello!", stream.deltas
    expected = names(
        BEGIN,
        step_events("created", "in_progress"),
        message_events(2),
        step_events("completed"),
        run_events("completed"),
    )
    assert stream.names == expected, stream.names
    assert stream.get_final_messages()[0].content[0].text.value == "Hello!"
    run = stream.current_run
    assert run.status == "completed" and run.usage.completion_tokens == 5, run

    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=assistant.id, additional_instructions="Now."
    )
    assert run.status == "completed" and run.instructions == "Be brief.\nNow.", run
    found = client.beta.threads.messages.list(thread.id, run_id=run.id).data
    assert [each.content[0].text.value for each in found] == ["Second."], found
    assert [each.id for each in client.beta.threads.runs.list(thread.id, order="asc")][1] == run.id
    return thread


def tools(assistant):
    """Calls of the client's functions: by polling, and by events."""
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "Weather?"}])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "requires_action", run
    calls = run.required_action.submit_tool_outputs.tool_calls
    assert [call.function.arguments for call in calls] == ['{"city":"Oslo"}', '{"city":"Rome"}']
    outputs = [{"tool_call_id": call.id, "output": "sunny"} for call in calls]
    try:
        client.beta.threads.runs.submit_tool_outputs(
            run.id, thread_id=thread.id, tool_outputs=outputs[:1]
        )
        raise AssertionError("one output is missing")
    except openai.BadRequestError as error:
        assert calls[1].id in error.message, error
    run = client.beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs
    )
    assert run.status == "completed", run
    steps = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id, order="asc").data
    assert [step.type for step in steps] == ["tool_calls", "message_creation"], steps
    first = steps[0].step_details.tool_calls
    assert [call.function.output for call in first] == ["sunny", "sunny"], first
    assert sum(step.usage.total_tokens for step in steps) == run.usage.total_tokens
    same = client.beta.threads.runs.steps.retrieve(steps[0].id, run_id=run.id, thread_id=thread.id)
    assert same == steps[0]

    client.beta.threads.messages.create(thread.id, role="user", content="And now?")
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=Handler()
    ) as stream:
        stream.until_done()
    run = stream.current_run
    assert run.status == "requires_action" and stream.calls == ["weather"], run
    assert stream.arguments == '{"city":"Bern"}', stream.arguments
    assert stream.names[-1] == "thread.run.requires_action", stream.names
    assert stream.names[:5] == names(BEGIN, step_events("created", "in_progress")), stream.names
    call = run.required_action.submit_tool_outputs.tool_calls[0]
    with client.beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id,
        thread_id=thread.id,
        tool_outputs=[{"tool_call_id": call.id, "output": "rain"}],
        event_handler=Handler(),
    ) as stream:
        stream.until_done()
    expected = names(
        step_events("completed"),
        run_events("queued", "in_progress"),
        step_events("created", "in_progress"),
        message_events(1),
        step_events("completed"),
        run_events("completed"),
    )
    assert stream.names == expected, stream.names


def with_thread(assistant):
    with client.beta.threads.create_and_run_stream(
        assistant_id=assistant.id,
        thread={"messages": [{"role": "user", "content": "Begin"}]},
        event_handler=Handler(),
    ) as stream:
        stream.until_done()
    assert stream.names[:2] == ["thread.created", "thread.run.created"], stream.names
    run = client.beta.threads.create_and_run_poll(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Begin"}]}
    )
    assert run.status == "completed", run


def failures(assistant, thread):
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=Handler()
    ) as stream:
        try:
            stream.until_done()
            raise AssertionError("the model has refused")
        except openai.APIError as error:
            assert "too long" in error.message, error
    assert stream.names[-1] == "thread.run.failed", stream.names
    assert stream.current_run.last_error.code == "invalid_prompt", stream.current_run

    # The model stops in the middle of its reply, so the run is active until it is cancelled.
    events = client.beta.threads.runs.create(
        thread_id=thread.id, assistant_id=assistant.id, stream=True
    )
    run = next(events).data
    next(event for event in events if event.event == "thread.message.delta")
    for busy in (
        lambda: client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id),
        lambda: client.beta.threads.messages.create(thread.id, role="user", content="more"),
    ):
        try:
            busy()
            raise AssertionError("the thread is busy")
        except openai.BadRequestError as error:
            assert run.id in error.message and error.type == "invalid_request_error", error
    client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
    run = client.beta.threads.runs.poll(run.id, thread_id=thread.id)
    assert run.status == "cancelled", run

    for call in (
        lambda: client.beta.threads.retrieve("thread_none"),
        lambda: client.beta.assistants.delete("asst_none"),
        lambda: client.files.retrieve("file-none"),
    ):
        try:
            call()
            raise AssertionError("there is no such object")
        except openai.NotFoundError as error:
            assert error.type == "not_found_error", error.body


def files():
    notes = client.files.create(file=("notes.txt", b"tea at four"), purpose="assistants")
    assert notes.filename == "notes.txt" and notes.bytes == 11, notes
    assert client.files.content(notes.id).read() == b"tea at four"
    assert [each.id for each in client.files.list()] == [notes.id]
    thread = client.beta.threads.create()
    message = client.beta.threads.messages.create(
        thread.id, role="user", content="See the file.", attachments=[{"file_id": notes.id}]
    )
    assert message.attachments[0].file_id == notes.id, message
    assert client.files.delete(notes.id).deleted


assistant = objects()
thread = text(assistant)
tools(assistant)
with_thread(assistant)
failures(assistant, thread)
files()
assert client.beta.assistants.delete(assistant.id).object == "assistant.deleted"
print("ok")
