// Responses and conversations with the official client.
//
// Run it with OPENAI_BASE_URL and OPENAI_API_KEY of a server, and the scripted model of
// `tests/it/clients.rs`.

import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI();
const first = await client.responses.create({ model: "scripted", input: "Hello" });
assert.equal(first.output_text, "Hello!");
const stream = client.responses.stream({
  model: "scripted",
  input: "Again",
  previous_response_id: first.id,
});
const types = [];
for await (const event of stream) types.push(event.type);
assert.equal((await stream.finalResponse()).output_text, "Hello again!");
assert.equal(types[0], "response.created");
assert.equal(types.at(-1), "response.completed");

const conversation = await client.conversations.create({});
const calling = await client.responses.create({
  model: "scripted",
  input: "Weather?",
  conversation: conversation.id,
  tools: [{ type: "function", name: "weather", parameters: { type: "object", properties: {} }, strict: false }],
});
const call = calling.output.find((item) => item.type === "function_call");
const answered = await client.responses.create({
  model: "scripted",
  input: [{ type: "function_call_output", call_id: call.call_id, output: "sunny" }],
  conversation: conversation.id,
});
assert.equal(answered.output_text, "It is sunny.");
const kinds = [];
for await (const item of client.conversations.items.list(conversation.id, { order: "asc" }))
  kinds.push(item.type);
assert.deepEqual(kinds, ["message", "function_call", "function_call_output", "message"]);
await assert.rejects(client.responses.retrieve("resp_none"), OpenAI.NotFoundError);
console.log("ok");
