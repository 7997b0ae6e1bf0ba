// Threads and runs with the official client.
//
// Run it with OPENAI_BASE_URL and OPENAI_API_KEY of a server, and the scripted model of
// `tests/it/clients.rs`.

import assert from "node:assert/strict";
import OpenAI, { toFile } from "openai";

const client = new OpenAI();
const { threads } = client.beta;
const weather = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const assistant = await client.beta.assistants.create({ model: "scripted", tools: [weather] });
const thread = await threads.create({ messages: [{ role: "user", content: "Hello" }] });

// Text, by the helper for streams.
let text = "";
const stream = threads.runs
  .stream(thread.id, { assistant_id: assistant.id })
  .on("textDelta", (delta) => (text += delta.value));
assert.equal((await stream.finalRun()).status, "completed");
assert.equal(text, "Hello!");
assert.equal((await stream.finalMessages())[0].content[0].text.value, "Hello!");

// Calls of functions: by polling, and by events.
await threads.messages.create(thread.id, { role: "user", content: "Weather?" });
let run = await threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id });
assert.equal(run.status, "requires_action");
let [call] = run.required_action.submit_tool_outputs.tool_calls;
assert.deepEqual(JSON.parse(call.function.arguments), { city: "Oslo" });
run = await threads.runs.submitToolOutputsAndPoll(run.id, {
  thread_id: thread.id,
  tool_outputs: [{ tool_call_id: call.id, output: "sunny" }],
});
assert.equal(run.status, "completed");

await threads.messages.create(thread.id, { role: "user", content: "And now?" });
const calling = threads.runs.stream(thread.id, { assistant_id: assistant.id });
run = await calling.finalRun();
assert.equal(run.status, "requires_action");
[call] = run.required_action.submit_tool_outputs.tool_calls;
const after = threads.runs.submitToolOutputsStream(run.id, {
  thread_id: thread.id,
  tool_outputs: [{ tool_call_id: call.id, output: "rain" }],
});
assert.equal((await after.finalRun()).status, "completed");
const steps = await threads.runs.steps.list(run.id, { thread_id: thread.id, order: "asc" });
assert.deepEqual(
  steps.data.map((step) => step.type),
  ["tool_calls", "message_creation"],
);

// Errors have the classes of the client.
await assert.rejects(threads.retrieve("thread_none"), OpenAI.NotFoundError);
await assert.rejects(
  client.beta.assistants.create({ model: "scripted", temperature: 3 }),
  (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature",
);

// Files.
const file = await client.files.create({
  file: await toFile(Buffer.from("tea at four"), "notes.txt"),
  purpose: "assistants",
});
assert.equal(await (await client.files.content(file.id)).text(), "tea at four");
assert.ok((await client.files.delete(file.id)).deleted);
console.log("ok");
