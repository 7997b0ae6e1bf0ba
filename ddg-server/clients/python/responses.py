"""Responses and conversations with the official client.

Run it with OPENAI_BASE_URL and OPENAI_API_KEY of a server, and the scripted model of
`tests/it/clients.rs`.
"""

import openai
from openai import OpenAI
from pydantic import BaseModel

client = OpenAI()
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Person(BaseModel):
    name: str
    age: int


def text():
    first = client.responses.create(model="scripted", input="Hello", instructions="Be brief.")
    assert first.status == "completed" and first.output_text == "Hello!", first
    assert first.usage.output_tokens == 5 and first.usage.input_tokens_details is not None, first
    second = client.responses.create(
        model="scripted", input="Again", previous_response_id=first.id, metadata={"a": "b"}
    )
    assert second.output_text == "Hello again!" and second.previous_response_id == first.id
    assert client.responses.retrieve(second.id) == second
    items = client.responses.input_items.list(second.id).data
    assert items[0].content[0].text == "Again", items

    with client.responses.stream(model="scripted", input="Stream") as stream:
        seen = [event for event in stream]
        final = stream.get_final_response()
    kinds = [event.type for event in seen]
    expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert kinds == expected, kinds
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    assert final.output_text == "In parts", final

    parsed = client.responses.parse(model="scripted", input="Who?", text_format=Person)
    assert parsed.output_parsed == Person(name="Ada", age=36), parsed
    return first


def functions():
    first = client.responses.create(model="scripted", input="Weather?", tools=[WEATHER])
    assert first.status == "completed", first
    call = next(item for item in first.output if item.type == "function_call")
    assert call.name == "weather" and call.arguments == '{"city":"Oslo"}', call
    try:
        client.responses.create(model="scripted", input="And?", previous_response_id=first.id)
        raise AssertionError("the call has no output")
    except openai.BadRequestError as error:
        assert call.call_id in error.message, error
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    second = client.responses.create(
        model="scripted", input=[output], previous_response_id=first.id, tools=[WEATHER]
    )
    assert second.output_text == "It is sunny.", second

    with client.responses.stream(model="scripted", input="Weather?", tools=[WEATHER]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert "response.function_call_arguments.delta" in kinds, kinds
    assert kinds[-1] == "response.completed", kinds
    assert final.output[0].parsed_arguments == {"city": "Bern"}, final.output


def conversations():
    conversation = client.conversations.create(
        items=[{"type": "message", "role": "user", "content": "My name is Ada."}],
        metadata={"topic": "names"},
    )
    response = client.responses.create(
        model="scripted", input="What is my name?", conversation=conversation.id
    )
    assert response.conversation.id == conversation.id, response
    items = client.conversations.items.list(conversation.id, order="asc").data
    assert [item.role for item in items] == ["user", "user", "assistant"], items
    item = client.conversations.items.retrieve(items[0].id, conversation_id=conversation.id)
    assert item == items[0]
    added = client.conversations.items.create(
        conversation.id, items=[{"type": "message", "role": "user", "content": "Thanks."}]
    )
    assert len(added.data) == 1
    client.conversations.items.delete(items[0].id, conversation_id=conversation.id)
    assert len(list(client.conversations.items.list(conversation.id, limit=2))) == 3
    updated = client.conversations.update(conversation.id, metadata={"topic": "other"})
    assert updated.metadata == {"topic": "other"}, updated
    # A thread and a conversation are the same.
    assert client.beta.threads.retrieve(conversation.id).metadata == {"topic": "other"}
    assert client.conversations.delete(conversation.id).object == "conversation.deleted"


def background():
    # The model stops in the middle of its reply, so the response is active until it is cancelled.
    events = client.responses.create(model="scripted", input="Slow", background=True, stream=True)
    response = next(events).response
    assert response.status in ("queued", "in_progress"), response
    next(event for event in events if event.type == "response.output_text.delta")
    cancelled = client.responses.cancel(response.id)
    assert cancelled.status == "cancelled", cancelled
    try:
        client.responses.cancel(response.id)
        raise AssertionError("it has ended")
    except openai.BadRequestError:
        pass
    response = client.responses.create(
        model="scripted", input="Count", background=True, stream=True
    )
    seen = [event for event in response]
    replayed = list(client.responses.retrieve(seen[0].response.id, stream=True, starting_after=2))
    assert [event.sequence_number for event in replayed] == list(range(3, len(seen)))
    assert replayed[-1] == seen[-1]


def failures(first):
    failed = client.responses.create(model="scripted", input="Fail")
    assert failed.status == "failed" and failed.error.code, failed
    for call in (
        lambda: client.responses.create(
            model="scripted", input="x", previous_response_id="resp_none"
        ),
        lambda: client.responses.retrieve("resp_none"),
        lambda: client.conversations.retrieve("conv_none"),
    ):
        try:
            call()
            raise AssertionError("there is no such object")
        except openai.NotFoundError as error:
            assert error.type == "not_found_error", error.body
    client.responses.delete(first.id)
    try:
        client.responses.retrieve(first.id)
        raise AssertionError("it is deleted")
    except openai.NotFoundError:
        pass
    assert [model.id for model in client.models.list()] == ["scripted"]


first = text()
functions()
conversations()
background()
failures(first)
print("ok")
