// The openai package for Node against gateways: sdk_node.mjs CASES GATEWAY=URL...
//
// CASES is what expand.py writes, GATEWAY such as openai-once or compat-retrying: its dialect, and
// which of the cases are for it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

import OpenAI from "openai";
import { VERSION } from "openai/version";

const ASK = { model: "kimi-k3", messages: [{ role: "user", content: "你好" }] };

/** A client of one gateway, and what is asked of it. */
class Gateway {
  last = 0;

  constructor(url) {
    this.client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-interop", maxRetries: 2, timeout: 20_000 });
  }

  /** Asks for a chat, which the upstream meets with `step` of its script. */
  chat({ step, stream = false } = {}) {
    const headers = step ? { "x-mock-step": JSON.stringify(step) } : {};
    return this.client.chat.completions.create({ ...ASK, stream }, { headers });
  }

  /**
   * Asks how many requests the upstream has received since it was last asked. It numbers its answers
   * by them, and what asks is one itself.
   */
  async received() {
    const number = Number((await this.chat()).id.replace("chatcmpl-mock-", ""));
    const since = number - this.last - 1;
    this.last = number;
    return since;
  }

  /** Returns what comes of a case, in the case's own words. */
  async outcome({ step, stream }) {
    const started = performance.now();
    let chunks = 0;
    let raised;
    try {
      const answer = await this.chat({ step, stream });
      for await (const _ of stream ? answer : []) {
        chunks += 1;
      }
    } catch (error) {
      raised = error;
    }
    assert.ok(raised instanceof OpenAI.APIError, `${JSON.stringify(step)} raises ${raised}`);
    const elapsedMs = performance.now() - started;
    const name = raised.constructor.name;
    const got = {
      chunks,
      status: raised.status ?? null,
      class: name === "APIError" ? null : name,
      type: raised.type,
      code: raised.code,
      message: raised.error.message,
      requests: await this.received(),
    };
    return [got, elapsedMs];
  }
}

async function answers(gateway) {
  const unary = (await gateway.chat()).choices[0].message.content;
  const chunks = [];
  for await (const chunk of await gateway.chat({ stream: true })) {
    chunks.push(chunk.choices[0]?.delta.content ?? "");
  }
  assert.ok(unary, "an answer has content");
  assert.ok(chunks.length > 1, "a stream comes in pieces");
  assert.equal(chunks.join(""), unary, "a stream has the same content");
}

/** The gateway tries again, and the SDK hears of nothing: the upstream's third answer is its first. */
async function answersAtOnce(gateway) {
  const answer = await gateway.chat();
  assert.equal(answer.choices[0].message.content, "第三次成功了。");
  assert.equal(answer.id, "chatcmpl-mock-3");
  const chunks = [];
  for await (const chunk of await gateway.chat({ stream: true })) {
    chunks.push(chunk);
  }
  assert.equal(chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join(""), "第三次成功了。");
  assert.equal(chunks[0].id, "chatcmpl-mock-6");
}

/** Returns how many errors were as they should be, by the place where they came. */
async function check(gatewayName, url, cases) {
  const gateway = new Gateway(url);
  const isOnce = gatewayName.endsWith("-once");
  await (isOnce ? answers : answersAtOnce)(gateway);
  await gateway.received();
  const counts = new Map();
  for (const wanted of cases[isOnce ? "once" : "retrying"]) {
    const [got, elapsedMs] = await gateway.outcome(wanted);
    const expected = Object.fromEntries(Object.keys(got).map((key) => [key, wanted[key]]));
    // So that a difference says which case it is of.
    const which = { gateway: gatewayName, place: wanted.place, name: wanted.name };
    assert.deepEqual({ ...which, ...got }, { ...which, ...expected });
    // A timer of Node's may fire a millisecond early.
    const leastMs = (wanted.requests - 1) * (wanted.wait_ms - 1);
    assert.ok(elapsedMs >= leastMs, `${gatewayName}, ${wanted.name}: ${elapsedMs} ms, not ${leastMs}`);
    counts.set(wanted.place, (counts.get(wanted.place) ?? 0) + 1);
  }
  return counts;
}

const [path, ...gateways] = process.argv.slice(2);
assert.ok(gateways.length > 0, "sdk_node.mjs CASES GATEWAY=URL...");
const cases = JSON.parse(readFileSync(path));
const pairs = gateways.map((gateway) => gateway.split("="));
const counts = await Promise.all(pairs.map(([name, url]) => check(name, url, cases)));
for (const [index, [name]] of pairs.entries()) {
  for (const [place, count] of counts[index]) {
    console.log(`openai ${VERSION} for Node, ${name}, ${place}: ${count}`);
  }
}
