import { strict as assert } from "node:assert";
import { check, randomArr, randomBlob } from "../testing/harness.ts";
import { generator } from "../testing/random.ts";
import { type Arr, arr, at, build, map, softmax } from "../testing/reference.ts";

const SHAPES = [[2, 3, 4, 5], [3, 4], [2, 3, 4]];

/** Checks an element-wise layer on several shapes, with values in [-4, 4). */
async function elementwise(layer: string, f: (v: number) => number, positive = false) {
  const random = generator(5);
  for (const shape of SHAPES) {
    const x = map(
      randomArr(shape, random),
      (v) => Math.fround(positive ? 0.1 + (v + 1) * 2 : v * 4),
    );
    await check({ layer, inputs: [x], expected: ([v]) => [map(v!, f)] });
  }
}

Deno.test("activations without parameters", async () => {
  await elementwise(`type: "ReLU"`, (v) => Math.max(v, 0));
  await elementwise(
    `type: "Sigmoid" sigmoid_param { engine: CUDNN }`,
    (v) => 1 / (1 + Math.exp(-v)),
  );
  await elementwise(`type: "TanH"`, Math.tanh);
  await elementwise(`type: "AbsVal"`, Math.abs);
  await elementwise(`type: "BNLL"`, (v) => Math.log(1 + Math.exp(v)));
  await elementwise(`type: "ReLU6"`, (v) => Math.min(Math.max(v, 0), 6));
});

Deno.test("activations with parameters", async () => {
  await elementwise(
    `type: "ReLU" relu_param { negative_slope: 0.1 }`,
    (v) => v > 0 ? v : Math.fround(0.1) * v,
  );
  await elementwise(
    `type: "RReLU" rrelu_param { lower: 0.2 upper: 0.4 }`,
    (v) => v > 0 ? v : 0.3 * v,
  );
  await elementwise(
    `type: "Clip" clip_param { min: -1.5 max: 0.75 }`,
    (v) => Math.min(Math.max(v, -1.5), 0.75),
  );
  await elementwise(
    `type: "Clip" clip_param { min: 0 max: 2 }`,
    (v) => Math.min(Math.max(v, 0), 2),
  );
  await elementwise(`type: "Swish"`, (v) => v / (1 + Math.exp(-v)));
  await elementwise(`type: "Swish" swish_param { beta: 2 }`, (v) => v / (1 + Math.exp(-2 * v)));
  await elementwise(`type: "ELU" elu_param { alpha: 0.5 }`, (v) => v > 0 ? v : 0.5 * Math.expm1(v));
  await elementwise(`type: "Threshold" threshold_param { threshold: 0.5 }`, (v) => v > 0.5 ? 1 : 0);
  await elementwise(
    `type: "Dropout" dropout_param { dropout_ratio: 0.3 scale_train: false }`,
    (v) => v * 0.7,
  );
});

Deno.test("Clip refuses a missing bound", async () => {
  for (const param of ["", "clip_param { min: 0 }", "clip_param { max: 6 }"]) {
    await assert.rejects(
      elementwise(`type: "Clip" ${param}`, (v) => v),
      /clip_param must give min and max/,
    );
  }
});

Deno.test("Power, Exp, Log with base, scale and shift", async () => {
  const power = (p: number, scale: number, shift: number) =>
    elementwise(
      `type: "Power" power_param { power: ${p} scale: ${scale} shift: ${shift} }`,
      (v) => (shift + scale * v) ** p,
      true,
    );
  await power(1, 1, 0.5);
  await power(1, 2, 0);
  await power(1, 1, 0);
  await power(2, -0.5, 1);
  await power(0.5, 2, 3);
  await power(-0.75, 0.5, 1);
  await power(0, 2, 3);
  await power(3, 0, 1.5);
  await elementwise(`type: "Exp"`, Math.exp);
  await elementwise(
    `type: "Exp" exp_param { base: 2 scale: 0.5 shift: -1 }`,
    (v) => 2 ** (v * 0.5 - 1),
  );
  await elementwise(`type: "Log"`, Math.log, true);
  await elementwise(
    `type: "Log" log_param { base: 10 scale: 2 shift: 1 }`,
    (v) => Math.log10(1 + 2 * v),
    true,
  );
});

Deno.test("PReLU: a slope per channel or for all", async () => {
  for (const shape of SHAPES) {
    const slope = randomBlob([shape[1]!], 1);
    await check({
      layer: `type: "PReLU"`,
      inputs: [shape],
      blobs: [slope],
      expected: ([x]) => [
        build(shape, (...i) => {
          const v = at(x!, ...i);
          return v > 0 ? v : slope.data[i[1]!]! * v;
        }),
      ],
    });
  }
  await check({
    layer: `type: "PReLU" prelu_param { channel_shared: true }`,
    inputs: [[1, 3, 2, 2]],
    blobs: [{ shape: [], data: [0.3] }],
    expected: ([x]) => [map(x!, (v) => v > 0 ? v : Math.fround(0.3) * v)],
  });
});

Deno.test("Softmax along the default and other axes", async () => {
  for (const axis of [undefined, 0, 2, -1]) {
    await check({
      layer: `type: "Softmax" softmax_param { ${axis === undefined ? "" : `axis: ${axis}`} }`,
      inputs: [[2, 3, 4]],
      expected: ([x]) => [softmax(x!, axis === undefined ? 1 : axis < 0 ? 2 : axis)],
    });
  }
});

Deno.test("CReLU: both halves", async () => {
  await check({
    layer: `type: "CReLU"`,
    inputs: [[2, 3, 2, 2]],
    expected: ([x]) => [
      build([2, 6, 2, 2], (n, c, h, w) => Math.max(0, (c < 3 ? 1 : -1) * at(x!, n, c % 3, h, w))),
    ],
  });
});

Deno.test("Dropout leaves no node but keeps the name of an output", async () => {
  const graph = await check({
    layer: `type: "Dropout"`,
    inputs: [[2, 3]],
    expected: ([x]: Arr[]) => [arr([2, 3], x!.data)],
  });
  assert.deepEqual(graph.nodes.map((n) => n.op), ["Identity"]);
});
