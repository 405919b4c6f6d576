import { strict as assert } from "node:assert";
import { loadCaffe } from "../load.ts";
import { encodeModel } from "../testing/encode.ts";
import { check, compare, randomArr, randomBlob, run } from "../testing/harness.ts";
import { generator } from "../testing/random.ts";
import { build, lstm } from "../testing/reference.ts";

const [T, N, I, H] = [5, 2, 3, 4];
const W = {
  wx: randomBlob([4 * H, I], 1),
  b: randomBlob([4 * H], 2),
  wh: randomBlob([4 * H, H], 3),
};
const PARAM = `type: "LSTM" recurrent_param { num_output: ${H}`;

Deno.test("LSTM unrolled: the marker restarts a stream anywhere", async () => {
  const cont = build([T, N], (t, n) => t === 0 || t === 3 && n === 1 ? 0 : 1);
  await check({
    layer: `${PARAM} }`,
    inputs: [[T, N, I], cont],
    blobs: [W.wx, W.b, W.wh],
    expected: ([x, c]) => [lstm(x!, c!, W).y],
  });
});

Deno.test("LSTM unrolled: static input, exposed states, trailing axes", async () => {
  const ws = randomBlob([4 * H, 6], 4);
  const cont = build([T, N], (t) => t === 2 ? 0 : 1);
  await check({
    layer: `${PARAM} expose_hidden: true }`,
    inputs: [[T, N, 1, I], cont, [N, 2, 3], [1, N, H], [1, N, H]],
    tops: 3,
    blobs: [W.wx, W.b, ws, W.wh],
    expected: ([x, c, s, h0, c0]) => {
      const r = lstm(x!, c!, { ...W, ws }, s, h0, c0);
      return [r.y, r.h, r.c];
    },
  });
});

Deno.test("LSTM behind a ContinuationIndicator is one ONNX LSTM", async () => {
  const graph = loadCaffe(
    `layer { name: "x" type: "Input" top: "x" input_param { shape { dim: ${T} dim: ${N} dim: ${I} } } }
     layer { name: "c" type: "ContinuationIndicator" top: "c"
       continuation_indicator_param { time_step: ${T} batch_size: ${N} } }
     layer { name: "lstm" bottom: "x" bottom: "c" top: "y" ${PARAM} } }`,
    encodeModel([{ name: "lstm", blobs: [W.wx, W.b, W.wh] }]),
  );
  assert.deepEqual(graph.nodes.map((n) => n.op), ["LSTM", "Reshape"]);
  const x = randomArr([T, N, I], generator(6));
  const outputs = await run(graph, new Map([["x", x]]));
  const cont = build([T, N], (t) => t === 0 ? 0 : 1);
  compare(outputs.get("y")!, lstm(x, cont, W).y, 1e-5, "lstm");
});
