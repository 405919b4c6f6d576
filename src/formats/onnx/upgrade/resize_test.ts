// Upsample and Resize.
import assert from "node:assert/strict";
import { attr } from "../../../ir/graph.ts";
import { f32, i64 } from "../../../ir/tensor.ts";
import { randomTensor } from "../test_models.ts";
import { type Case, ops, refused, same, strings, x4 } from "./testing.ts";

Deno.test("Upsample 7 and 9, Resize 10", async () => {
  for (const mode of ["nearest", "linear"]) {
    const scales = [1, 1, 2, 3];
    await same(`7 ${mode}`, {
      opset: 7,
      op: "Upsample",
      attrs: { mode: strings(mode), scales: attr.floats(scales) },
      feeds: [x4],
      tolerance: 1e-6,
    });
    for (const s of [scales, [1, 1, 1.5, 2.25]]) {
      await same(`9 ${mode} ${s}`, {
        opset: 9,
        op: "Upsample",
        attrs: { mode: strings(mode) },
        feeds: [x4],
        constants: [f32([4], s)],
        tolerance: 1e-6,
      });
    }
    for (
      const s of [scales, [1, 1, 0.5, 0.75], [1, 1, 0.6, 0.3], [1, 1, 2.5, 0.6], [1, 1, 0.5, 2]]
    ) {
      await same(`10 ${mode} ${s}`, {
        opset: 10,
        op: "Resize",
        attrs: { mode: strings(mode) },
        feeds: [x4],
        constants: [f32([4], s)],
        tolerance: 1e-6,
      });
    }
  }
});

Deno.test("Resize 11 and 13", async () => {
  const roi = f32([0], []);
  for (const coordinates of ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]) {
    for (const mode of ["nearest", "linear", "cubic"]) {
      await same(`${coordinates} ${mode}`, {
        opset: 11,
        op: "Resize",
        attrs: { mode: strings(mode), coordinate_transformation_mode: strings(coordinates) },
        feeds: [x4],
        constants: [roi, f32([4], [1, 1, 1.6, 2])],
      });
    }
  }
  for (const s of [[1, 1, 2, 3], [1, 1, 0.6, 0.5], [1, 1, 1.7, 0.4]]) {
    await same(`tf_half_pixel_for_nn ${s}`, {
      opset: 11,
      op: "Resize",
      attrs: {
        mode: strings("nearest"),
        nearest_mode: strings("floor"),
        coordinate_transformation_mode: strings("tf_half_pixel_for_nn"),
      },
      feeds: [randomTensor([1, 2, 7, 9], 5)],
      constants: [roi, f32([4], s)],
    });
  }
  await same("sizes", {
    opset: 13,
    op: "Resize",
    feeds: [x4],
    constants: [null, null, i64([2, 3, 7, 3])],
  });
});

Deno.test("Resize 18 and 19", async () => {
  const scales = f32([2], [2, 1.5]);
  const axes = { axes: attr.ints([-2, 3]) };
  await same("axes, scales", {
    opset: 18,
    op: "Resize",
    attrs: { ...axes, mode: strings("linear") },
    feeds: [x4],
    constants: [null, scales],
  });
  await same("axes, sizes", {
    opset: 18,
    op: "Resize",
    attrs: { ...axes, mode: strings("cubic"), antialias: attr.int(0) },
    feeds: [x4],
    constants: [null, null, i64([9, 3])],
  });
  // Axes counted from the front: onnxruntime mistakes negative ones here.
  const keep = (policy: string, sizes: number[]): Case => ({
    opset: 18,
    op: "Resize",
    attrs: { axes: attr.ints([2, 3]), keep_aspect_ratio_policy: strings(policy) },
    feeds: [x4],
    constants: [null, null, i64(sizes)],
  });
  for (const sizes of [[10, 12], [10, 8], [6, 8], [7, 7]]) {
    await same(`stretch ${sizes}`, keep("stretch", sizes));
  }
  for (const sizes of [[10, 12], [10, 8], [8, 9]]) {
    await same(`not_larger ${sizes}`, keep("not_larger", sizes));
  }
  for (const sizes of [[10, 12], [6, 8], [5, 5]]) {
    await same(`not_smaller ${sizes}`, keep("not_smaller", sizes));
  }
  // A size that is rounded up has no form in opset 17: it is a Gather per axis.
  assert.match(ops(await same("rounded up", keep("not_larger", [7, 6]))), /^Gather/);
  await same("antialias while growing", {
    opset: 18,
    op: "Resize",
    attrs: { mode: strings("linear"), antialias: attr.int(1) },
    feeds: [x4],
    constants: [null, f32([4], [1, 1, 2, 2])],
    tolerance: 1e-6,
  });
  await same("half_pixel_symmetric", {
    opset: 19,
    op: "Resize",
    attrs: {
      mode: strings("linear"),
      coordinate_transformation_mode: strings("half_pixel_symmetric"),
    },
    feeds: [x4],
    constants: [null, f32([4], [1, 1, 2, 0.5])],
  });
  const smaller = f32([4], [1, 1, 0.5, 0.6]);
  for (const mode of ["linear", "cubic"]) {
    for (const outside of [0, 1]) {
      const small: Case = {
        opset: 18,
        op: "Resize",
        attrs: {
          mode: strings(mode),
          antialias: attr.int(1),
          ...(mode === "cubic" ? { exclude_outside: attr.int(outside) } : {}),
        },
        feeds: [x4],
        constants: [null, smaller],
        tolerance: 1e-5,
      };
      assert.equal(ops(await same(`antialias ${mode} ${outside}`, small)), "MatMul MatMul");
      if (outside === 0) refused({ ...small, open: true }, /antialias/);
    }
  }
});
