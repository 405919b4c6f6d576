import assert from "node:assert/strict";
import { attr, node } from "../../../ir/graph.ts";
import { type DType, f32, i64, numbersOf, type Tensor } from "../../../ir/tensor.ts";
import { loadOnnx } from "../load.ts";
import { saveOnnx } from "../save.ts";
import { randomTensor, runOrt, testModel } from "../test_models.ts";
import { ops, strings } from "./testing.ts";

const x = randomTensor([2, 3, 2, 2], 5);

const list = (t: Tensor): number[] => Array.from(numbersOf(t));

/** Loads one node of an old opset and runs what it became. */
async function run(
  opset: number,
  op: string,
  attrs: Parameters<typeof node>[4],
  constants: readonly Tensor[] = [],
  dtype: DType = "float32",
) {
  const initializers = new Map(constants.map((t, i) => [`c${i}`, t]));
  const graph = loadOnnx(testModel({
    opset,
    nodes: [node(op, "the_node", ["x", ...initializers.keys()], ["y"], attrs)],
    inputs: [{ name: "x", shape: x.shape }],
    outputs: [{ name: "y", dtype }],
    initializers,
  }));
  assert.equal(graph.opset, 17);
  const y = (await runOrt(saveOnnx(graph), new Map([["x", x]]))).get("y")!;
  return { graph, y, list: list(y) };
}

const values = (f: (v: number, i: number) => number) =>
  Array.from(x.data as Float32Array, (v, i) => Math.fround(f(v, i)));

Deno.test("broadcasting of opset 6 along an axis", async () => {
  const b = f32([3], [1, 10, 100]);
  const at = { broadcast: attr.int(1), axis: attr.int(1) };
  const one = await run(6, "Add", at, [b]);
  assert.equal(ops(one.graph), "Unsqueeze Add");
  const channel = (i: number) => [1, 10, 100][Math.floor(i / 4) % 3]!;
  assert.deepEqual(one.list, values((v, i) => v + channel(i)));
  // Without an axis B stands at the end.
  const end = await run(6, "Mul", { broadcast: attr.int(1) }, [f32([2], [2, 3])]);
  assert.deepEqual(end.list, values((v, i) => v * [2, 3][i % 2]!));
});

Deno.test("a slope for each channel", async () => {
  const slopes = [-1, 0.5, 2];
  const prelu = await run(6, "PRelu", {}, [f32([3], slopes)]);
  assert.deepEqual(
    prelu.list,
    values((v, i) => v < 0 ? v * slopes[Math.floor(i / 4) % 3]! : v),
  );
});

Deno.test("attributes that became inputs or got other names", async () => {
  const reshaped = await run(1, "Reshape", { shape: attr.ints([6, 4]) });
  assert.deepEqual(reshaped.y.shape, [6, 4]);
  const padded = await run(1, "Pad", { paddings: attr.ints([0, 0, 0, 1, 0, 0, 0, 0]) });
  assert.deepEqual(padded.y.shape, [2, 3, 2, 3]);
  const cast = await run(1, "Cast", { to: strings("INT32") }, [], "int32");
  assert.equal(cast.y.dtype, "int32");
  const grown = await run(1, "Upsample", {
    height_scale: attr.float(2),
    width_scale: attr.float(3),
    mode: strings("nearest"),
  });
  assert.deepEqual(grown.y.shape, [2, 3, 4, 6]);
  const joined = await run(3, "Concat", {}, [x]);
  assert.deepEqual(joined.y.shape, [2, 6, 2, 2]);
  const relu = await run(1, "Relu", { consumed_inputs: attr.ints([0]) });
  assert.equal(relu.graph.nodes[0]!.attrs.size, 0);
});

Deno.test("recurrent layers with the batch first", async () => {
  const shape = [2, 3, 4];
  const t = randomTensor(shape, 9);
  const w = randomTensor([1, 5, 4], 10, 0.5), r = randomTensor([1, 5, 5], 11, 0.5);
  const model = (layout: number) =>
    testModel({
      opset: 14,
      nodes: [
        node("RNN", "the_node", ["x", "w", "r"], ["y", "h"], {
          hidden_size: attr.int(5),
          layout: attr.int(layout),
        }),
      ],
      inputs: [{ name: "x", shape: layout === 1 ? shape : [3, 2, 4] }],
      outputs: [{ name: "y" }, { name: "h" }],
      initializers: new Map([["w", w], ["r", r]]),
    });
  const turned = f32(
    [3, 2, 4],
    Array.from({ length: 24 }, (_, i) => {
      const s = Math.floor(i / 8), b = Math.floor(i / 4) % 2;
      return (t.data as Float32Array)[b * 12 + s * 4 + i % 4]!;
    }),
  );
  const plain = await runOrt(model(0), new Map([["x", turned]]));
  const first = await runOrt(saveOnnx(loadOnnx(model(1))), new Map([["x", t]]));
  assert.deepEqual(first.get("y")!.shape, [2, 3, 1, 5]);
  assert.deepEqual(first.get("h")!.shape, [2, 1, 5]);
  assert.deepEqual(list(first.get("h")!), list(plain.get("h")!));
  const a = first.get("y")!.data, b = plain.get("y")!.data;
  for (let i = 0; i < 30; i++) {
    const n = Math.floor(i / 15), s = Math.floor(i / 5) % 3;
    assert.equal(a[i], b[s * 10 + n * 5 + i % 5]);
  }
});

Deno.test("dropout in training that drops nothing passes its input on", async () => {
  const none = f32([], [0]);
  const yes = { dtype: "bool", shape: [], data: Uint8Array.of(1) } as const;
  const { graph, list } = await run(13, "Dropout", {}, [none, yes]);
  assert.equal(ops(graph), "Identity");
  assert.deepEqual(list, values((v) => v));
});

Deno.test("pads for some axes that are computed", async () => {
  const graph = loadOnnx(testModel({
    opset: 18,
    nodes: [node("Pad", "the_node", ["x", "p", "", "axes"], ["y"])],
    inputs: [{ name: "x", shape: [2, 3] }, { name: "p", dtype: "int64", shape: [2] }],
    outputs: [{ name: "y" }],
    initializers: new Map([["axes", i64([-1])]]),
  }));
  assert.equal(ops(graph), "ScatterElements Pad");
  const feeds = new Map([["x", f32([2, 3], [1, 2, 3, 4, 5, 6])], ["p", i64([1, 2])]]);
  const y = (await runOrt(saveOnnx(graph), feeds)).get("y")!;
  assert.deepEqual(list(y), [0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0]);
});
