import { strict as assert } from "node:assert";
import { loadCaffe } from "../load.ts";
import { encodeModel } from "../testing/encode.ts";
import { check, compare, randomArr, randomBlob, run } from "../testing/harness.ts";
import { generator } from "../testing/random.ts";
import { type Arr, arr, build, lstm } from "../testing/reference.ts";

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

/** Caffe's RNN, step by step. */
function plainRnn(
  x: Arr,
  cont: Arr,
  w: { wx: Arr; b: Arr; wh: Arr; wo: Arr; bo: Arr; ws?: Arr },
  stat?: Arr,
  h0?: Arr,
): { y: Arr; h: Arr } {
  const y = arr([T, N, H]), last = arr([1, N, H]);
  for (let n = 0; n < N; n++) {
    let h = Array.from({ length: H }, (_, k) => h0?.data[n * H + k] ?? 0);
    for (let t = 0; t < T; t++) {
      const mark = cont.data[t * N + n]!;
      const old = h;
      h = old.map((_, k) => {
        let s = w.b.data[k]!;
        for (let i = 0; i < I; i++) s += w.wx.data[k * I + i]! * x.data[(t * N + n) * I + i]!;
        for (let i = 0; i < H; i++) s += w.wh.data[k * H + i]! * old[i]! * mark;
        for (let i = 0; i < 6 && stat !== undefined; i++) {
          s += w.ws!.data[k * 6 + i]! * stat.data[n * 6 + i]!;
        }
        return Math.tanh(s);
      });
      for (let k = 0; k < H; k++) {
        let s = w.bo.data[k]!;
        for (let i = 0; i < H; i++) s += w.wo.data[k * H + i]! * h[i]!;
        y.data[(t * N + n) * H + k] = Math.tanh(s);
      }
    }
    h.forEach((v, k) => last.data[n * H + k] = v);
  }
  return { y, h: last };
}

Deno.test("RNN: unrolled with a marker, a static input and states; whole behind an indicator", async () => {
  const w = {
    wx: randomBlob([H, I], 1),
    b: randomBlob([H], 2),
    wh: randomBlob([H, H], 3),
    wo: randomBlob([H, H], 4),
    bo: randomBlob([H], 5),
    ws: randomBlob([H, 6], 6),
  };
  const param = `type: "RNN" recurrent_param { num_output: ${H}`;
  const cont = build([T, N], (t, n) => t === 0 || t === 3 && n === 1 ? 0 : 1);
  await check({
    layer: `${param} expose_hidden: true }`,
    inputs: [[T, N, I], cont, [N, 2, 3], [1, N, H]],
    tops: 2,
    blobs: [w.wx, w.b, w.ws, w.wh, w.wo, w.bo],
    expected: ([x, c, s, h0]) => {
      const r = plainRnn(x!, c!, w, s, h0);
      return [r.y, r.h];
    },
  });
  const graph = loadCaffe(
    `layer { name: "x" type: "Input" top: "x" input_param { shape { dim: ${T} dim: ${N} dim: ${I} } } }
     layer { name: "c" type: "ContinuationIndicator" top: "c"
       continuation_indicator_param { time_step: ${T} batch_size: ${N} } }
     layer { name: "rnn" bottom: "x" bottom: "c" top: "y" ${param} } }`,
    encodeModel([{ name: "rnn", blobs: [w.wx, w.b, w.wh, w.wo, w.bo] }]),
  );
  assert.ok(graph.nodes.some((n) => n.op === "RNN"));
  const x = randomArr([T, N, I], generator(6));
  const outputs = await run(graph, new Map([["x", x]]));
  const plain = build([T, N], (t) => t === 0 ? 0 : 1);
  compare(outputs.get("y")!, plainRnn(x, plain, w).y, 1e-5, "rnn");
});
