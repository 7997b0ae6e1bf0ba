// Responses with the AI SDK, which checks each event by a schema.
//
// Run it with OPENAI_BASE_URL and OPENAI_API_KEY of a server, and the scripted model of
// `tests/it/clients.rs`.

import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
const model = openai.responses("scripted");
const weather = tool({
  description: "The weather of a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});

const plain = await generateText({ model, prompt: "Hello" });
assert.equal(plain.text, "Hello!");
assert.equal(plain.usage.outputTokens, 5);

const called = await generateText({
  model,
  prompt: "Weather?",
  tools: { weather },
  stopWhen: stepCountIs(3),
});
assert.equal(called.text, "It is sunny.");
assert.equal(called.steps.length, 2);

const errors = [];
const streamed = streamText({
  model,
  prompt: "Weather?",
  tools: { weather },
  stopWhen: stepCountIs(3),
  onError: ({ error }) => errors.push(error),
});
let text = "";
for await (const piece of streamed.textStream) text += piece;
assert.deepEqual(errors, []);
assert.equal(text, "Rain, still.");
console.log("ok");
