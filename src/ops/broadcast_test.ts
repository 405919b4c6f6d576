import assert from "node:assert/strict";
import { broadcastIndex, broadcastKinds, broadcastStrides, tryBroadcast } from "./broadcast.ts";

Deno.test("shapes broadcast as in numpy, unknown dimensions included", () => {
  assert.deepEqual(tryBroadcast([[2, 3], [3]]), [2, 3]);
  assert.deepEqual(tryBroadcast([[2, 1], [1, 3], [1]]), [2, 3]);
  assert.deepEqual(tryBroadcast([[], [4]]), [4]);
  assert.deepEqual(tryBroadcast([[0], [1]]), [0]);
  assert.deepEqual(tryBroadcast([[-1, 4], [3, 4]]), [3, 4]);
  assert.deepEqual(tryBroadcast([[-1], [1]]), [-1]);
  assert.deepEqual(tryBroadcast([[-1], [-1]]), [-1]);
  assert.equal(tryBroadcast([[2], [3]]), undefined);
  assert.deepEqual(tryBroadcast([]), []);
});

Deno.test("element indices of a stretched tensor", () => {
  assert.equal(broadcastIndex([2, 3], [2, 3]), undefined);
  assert.deepEqual([...broadcastIndex([3], [2, 3])!], [0, 1, 2, 0, 1, 2]);
  assert.deepEqual([...broadcastIndex([2, 1], [2, 3])!], [0, 0, 0, 1, 1, 1]);
  assert.deepEqual([...broadcastIndex([], [2, 2])!], [0, 0, 0, 0]);
  assert.deepEqual([...broadcastIndex([2, 1, 2], [2, 2, 2])!], [0, 1, 0, 1, 2, 3, 2, 3]);
  assert.deepEqual(broadcastStrides([2, 1, 4], [2, 3, 4]), [4, 0, 1]);
});

Deno.test("which side is stretched", () => {
  assert.deepEqual(broadcastKinds([2, 1, 4], [2, 3, 1]), ["none", "a", "b"]);
  assert.deepEqual(broadcastKinds([4], [2, 4]), ["a", "none"]);
});
