// BatchNormalization, GroupNormalization, Dropout, activations of newer opsets.
import assert from "node:assert/strict";
import { attr } from "../../../ir/graph.ts";
import { f32 } from "../../../ir/tensor.ts";
import { loadOnnx } from "../load.ts";
import { randomTensor, testModel } from "../test_models.ts";
import { build, ops, refused, same, strings, x4 } from "./testing.ts";

Deno.test("BatchNormalization 7, 9, 14 and 15", async () => {
  const params = [11, 12, 13].map((s) => randomTensor([3], s));
  const variance = f32([3], [0.5, 1.5, 2]);
  for (
    const [opset, attrs] of [
      [7, { spatial: attr.int(1), epsilon: attr.float(1e-3) }],
      [9, { momentum: attr.float(0.9) }],
      [14, { training_mode: attr.int(0) }],
      [15, {}],
    ] as const
  ) {
    const g = await same(`opset ${opset}`, {
      opset,
      op: "BatchNormalization",
      attrs,
      feeds: [x4],
      constants: [...params, variance],
    });
    assert.equal(ops(g), "BatchNormalization");
    assert.equal(g.nodes[0]!.attrs.has("spatial"), false);
  }
});

Deno.test("BatchNormalization 7 with spatial=0", async () => {
  const params = [11, 12, 13].map((s) => randomTensor([3, 5, 4], s));
  const variance = randomTensor([3, 5, 4], 14);
  const positive = { ...variance, data: (variance.data as Float32Array).map((v) => v * v + 0.1) };
  const g = await same("spatial=0", {
    opset: 7,
    op: "BatchNormalization",
    attrs: { spatial: attr.int(0) },
    feeds: [x4],
    constants: [...params, positive],
    tolerance: 1e-6,
  });
  assert.equal(g.nodes.some((n) => n.op === "BatchNormalization"), false);
});

Deno.test("BatchNormalization in training mode takes the batch's own statistics", async () => {
  const [scale, bias, mean] = [11, 12, 13].map((s) => randomTensor([3], s));
  const constants = [scale!, bias!, mean!, f32([3], [0.5, 1.5, 2])];
  const base = { op: "BatchNormalization", feeds: [x4], constants, tolerance: 1e-5 };
  const attrs = { training_mode: attr.int(1), momentum: attr.float(0.7) };
  const outputs = ["y", "mean", "variance"].map((name) => ({ name }));
  await same("training", { ...base, opset: 15, attrs, outputs });
  const five = ["y", "m", "v", "sm", "sv"].map((name) => ({ name }));
  refused({ ...base, opset: 9, outputs: five }, /statistics/);
});

Deno.test("unused statistics of BatchNormalization are cut off", () => {
  const { model } = build({
    opset: 9,
    op: "BatchNormalization",
    feeds: [x4],
    constants: [11, 12, 13, 14].map((s) => randomTensor([3], s)),
    outputs: ["y", "m", "v", "sm", "sv"].map((name) => ({ name })),
  });
  const g = loadOnnx(testModel({ ...model, outputs: [{ name: "y" }] }));
  assert.deepEqual(g.nodes[0]!.outputs, ["y"]);
});

Deno.test("Dropout 7, 10, 12", async () => {
  for (const opset of [7, 10]) {
    const g = await same(`opset ${opset}`, {
      opset,
      op: "Dropout",
      attrs: { ratio: attr.float(0.3) },
      feeds: [x4],
    });
    assert.equal(ops(g), "Identity");
  }
  await same("opset 12", { opset: 12, op: "Dropout", feeds: [x4], constants: [f32([], [0.3])] });
  const outputs = [{ name: "y" }, { name: "mask", dtype: "bool" as const }];
  await same("mask of 10", { opset: 10, op: "Dropout", feeds: [x4], outputs });
  await same("mask of 12", { opset: 12, op: "Dropout", feeds: [x4], outputs });
  refused({
    opset: 13,
    op: "Dropout",
    feeds: [x4],
    constants: [f32([], [0.3]), { dtype: "bool", shape: [], data: Uint8Array.of(1) }],
  }, /training mode/);
});

Deno.test("GroupNormalization 18 and 21", async () => {
  const x = randomTensor([2, 6, 3, 4], 8);
  const attrs = { num_groups: attr.int(3), epsilon: attr.float(1e-4) };
  await same("18", {
    opset: 18,
    op: "GroupNormalization",
    attrs,
    feeds: [x],
    constants: [randomTensor([3], 9), randomTensor([3], 10)],
    tolerance: 1e-5,
  });
  await same("21", {
    opset: 21,
    op: "GroupNormalization",
    attrs,
    feeds: [x],
    constants: [randomTensor([6], 9), randomTensor([6], 10)],
    tolerance: 1e-5,
  });
});

Deno.test("Mish 18 and Gelu 20", async () => {
  const x = randomTensor([3, 40], 2, 6);
  await same("Mish", { opset: 18, op: "Mish", feeds: [x], tolerance: 1e-6 });
  await same("Gelu", { opset: 20, op: "Gelu", feeds: [x], tolerance: 1e-6 });
  await same("Gelu tanh", {
    opset: 20,
    op: "Gelu",
    attrs: { approximate: strings("tanh") },
    feeds: [x],
    tolerance: 1e-6,
  });
});
