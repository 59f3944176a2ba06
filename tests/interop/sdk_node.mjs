// The openai package for Node against the gateway: sdk_node.mjs OPENAI_URL COMPAT_URL RETRYING_URL.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import OpenAI from "openai";
import { VERSION } from "openai/version";

const CASES = JSON.parse(readFileSync(new URL("cases.json", import.meta.url)));
const ASK = { model: "kimi-k3", messages: [{ role: "user", content: "你好" }] };
const OVERLOADED = "The engine is currently overloaded, please try again later";
const BROKEN_STREAMS = [
  // The connection breaks: the gateway adds the event that says so.
  [{ cut_at: 400 }, "stream_truncated", "流式输出中断"],
  // It ends in order and too early, which the SDK alone takes for the end of the answer.
  [{ no_done: true }, "stream_truncated", "流式输出中断"],
  // The upstream's own event is written anew.
  [{ sse_error: { after_chunks: 2, fault: "plat.overloaded" } }, "overloaded", OVERLOADED],
];

/** A client of one gateway that counts the requests it sends. */
class Gateway {
  requests = 0;

  constructor(url) {
    this.client = new OpenAI({
      baseURL: `${url}/v1`,
      apiKey: "sk-interop",
      maxRetries: 1,
      timeout: 10_000,
      fetch: (...request) => {
        this.requests += 1;
        return fetch(...request);
      },
    });
  }

  /** Asks for a chat, which the upstream meets with `step` of its script. */
  chat({ step, stream = false } = {}) {
    const headers = step ? { "x-mock-step": JSON.stringify(step) } : {};
    return this.client.chat.completions.create({ ...ASK, stream }, { headers });
  }
}

async function answers(gateway) {
  const unary = await gateway.chat();
  assert.ok(unary.choices[0].message.content, "an answer has content");
  const chunks = [];
  for await (const chunk of await gateway.chat({ stream: true })) {
    chunks.push(chunk.choices[0]?.delta.content ?? "");
  }
  assert.ok(chunks.length > 1 && chunks.join(""), "a stream has content, in pieces");
}

/** The gateway tries again, and the SDK hears of nothing: the upstream's third answer is its first. */
async function answersAtOnce(gateway) {
  const answer = await gateway.chat();
  assert.equal(answer.choices[0].message.content, "第三次成功了。");
  assert.equal(gateway.requests, 1);
}

/** The right class, our message and our code; tried again only where that can help. */
async function raises(gateway, expected) {
  const before = gateway.requests;
  const error = await gateway.chat({ step: expected.step }).then(
    () => assert.fail(`${JSON.stringify(expected.step)} raises nothing`),
    (error) => error,
  );
  assert.equal(error.constructor, OpenAI[expected.class ?? "APIError"], String(error));
  assert.equal(error.status, expected.status);
  assert.equal(error.error.message, expected.message);
  assert.deepEqual([error.type, error.code], [expected.type, expected.code]);
  assert.equal(gateway.requests - before, expected.retried ? 2 : 1, expected.code);
}

/** A stream that fails after its head raises our message, and is no short answer. */
async function raisesInTheMiddle(gateway, [step, code, message]) {
  const seen = [];
  const read = async () => {
    for await (const chunk of await gateway.chat({ step, stream: true })) {
      seen.push(chunk);
    }
  };
  await assert.rejects(read, (error) => {
    assert.ok(error instanceof OpenAI.APIError, String(error));
    assert.equal(error.error.message, message);
    assert.equal(error.code, code);
    return true;
  });
  assert.ok(seen.length > 0, "what had come before the failure was handed out");
}

const urls = process.argv.slice(2);
assert.equal(urls.length, 3, "sdk_node.mjs OPENAI_URL COMPAT_URL RETRYING_URL");
await answersAtOnce(new Gateway(urls.pop()));
for (const url of urls) {
  const gateway = new Gateway(url);
  await answers(gateway);
  for (const failure of BROKEN_STREAMS) {
    await raisesInTheMiddle(gateway, failure);
  }
  for (const expected of CASES) {
    await raises(gateway, expected);
  }
}
console.log(`openai ${VERSION} for Node: ${CASES.length} errors in ${urls.length} dialects`);
