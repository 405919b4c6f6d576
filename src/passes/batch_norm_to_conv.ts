/**
 * A BatchNormalization that nothing takes up becomes a depthwise convolution.
 *
 * @module
 */

import { attr, node } from "../ir/graph.ts";
import { f32 } from "../ir/tensor.ts";
import { type Affine, batchNormAffine } from "./fold_batch_norm.ts";
import { nodePass } from "./pass.ts";

/** Runs last: only for normalisations that no convolution could absorb. */
export const batchNormToConv = nodePass<Affine>({
  name: "batch_norm_to_conv",
  doc: `BatchNormalization   =>   Conv 1x1, one group per channel
BatchNormalization of rank 2   =>   Mul -> Add`,
  ops: ["BatchNormalization"],
  check(w, n) {
    const shape = w.shape(n.inputs[0]!);
    if (!w.isFloat(n.outputs[0]!) || shape === undefined) return "its type is not known";
    if (shape.length < 2 || shape.length > 4) return `its input has rank ${shape.length}`;
    return batchNormAffine(w, n);
  },
  rewrite(w, n, m) {
    const [x, out] = [n.inputs[0]!, n.outputs[0]!];
    const shape = w.shape(x)!;
    const channels = shape[1]!;
    if (shape.length === 2) {
      const scaled = w.temp(`${n.name}_scaled`, { dtype: "float32", shape });
      w.replace([n], [
        node("Mul", n.name, [x, w.store(`${n.name}_scale`, f32([channels], m.scale))], [scaled]),
        w.make("Add", `${n.name}_add`, [
          scaled,
          w.store(`${n.name}_shift`, f32([channels], m.shift)),
        ], [out]),
      ]);
      return;
    }
    const spatial = shape.length - 2;
    const ones = new Array<number>(spatial).fill(1);
    const weight = w.store(`${n.name}_weight`, f32([channels, 1, ...ones], m.scale));
    const bias = w.store(`${n.name}_bias`, f32([channels], m.shift));
    w.replace([n], [
      node("Conv", n.name, [x, weight, bias], [out], {
        kernel_shape: attr.ints(ones),
        strides: attr.ints(ones),
        pads: attr.ints([...ones, ...ones].map(() => 0)),
        dilations: attr.ints(ones),
        group: attr.int(channels),
      }),
    ]);
  },
});
