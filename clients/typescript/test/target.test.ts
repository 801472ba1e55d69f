import assert from "node:assert/strict";
import { test } from "node:test";

import { isLoopback, parseTarget } from "#dist/target.js";
import { WorkerpoolError } from "@workerpool/client";

const READ: readonly (readonly [string, string])[] = [
  ["localhost:23000", "http://localhost:23000"],
  ["127.0.0.1:23000", "http://127.0.0.1:23000"],
  ["[::1]:23000", "http://[::1]:23000"],
  ["dns:///localhost:23000", "http://localhost:23000"],
  ["pool.example:23000", "https://pool.example:23000"],
  ["dns:///pool.example:23000", "https://pool.example:23000"],
  ["http://pool.example:23000", "http://pool.example:23000"],
  ["https://pool.example", "https://pool.example:443"],
  ["https://pool.example/", "https://pool.example:443"],
  ["HTTPS://localhost:8443", "https://localhost:8443"],
];

for (const [text, url] of READ) {
  test(`${text} leads to ${url}`, () => assert.equal(parseTarget(text).url, url));
}

const REFUSED = ["", "localhost", "http://localhost", "ftp://localhost:21", "localhost:0", "localhost:65536", "user@host:1", "host:1/path", "a b:1"];

for (const text of REFUSED) {
  test(`${JSON.stringify(text)} is refused with what to give`, () => {
    assert.throws(() => parseTarget(text), (error) => {
      assert(error instanceof WorkerpoolError);
      assert.equal(error.reason, "INVALID_TARGET");
      assert.match(error.nextStep, /host:port/);
      return true;
    });
  });
}

test("certificates mean TLS on this machine too", () => {
  assert.equal(parseTarget("localhost:23000", true).url, "https://localhost:23000");
});

test("certificates with http:// are refused", () => {
  assert.throws(() => parseTarget("http://localhost:23000", true), /TLS_REQUIRED: .+; use https:\/\/localhost:23000/);
});

test("loopback is this machine, in every spelling", () => {
  for (const host of ["localhost", "LOCALHOST.", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "[::ffff:127.0.0.1]"]) {
    assert(isLoopback(host), host);
  }
  for (const host of ["localhost.example", "10.0.0.1", "[::2]", "[::ffff:10.0.0.1]"]) assert(!isLoopback(host), host);
});
