import { type OpDef, shapeError } from "./op.ts";
import { needFloat } from "./pool.ts";
import { dtypeFloat, everywhere, note, onCpu } from "./rules.ts";

/** Normalises each channel of each sample by its own mean and variance; inputs X, scale, B. */
export const instanceNormalization: OpDef = {
  op: "InstanceNormalization",
  infer(c) {
    needFloat(c);
    const { dtype, shape } = c.need(0);
    if (shape.length < 3) {
      shapeError(c.node, `its input has rank ${shape.length}, it needs 3 or more`);
    }
    for (const i of [1, 2]) {
      const s = c.need(i).shape;
      if (s.length !== 1 || (s[0]! >= 0 && shape[1]! >= 0 && s[0] !== shape[1])) {
        shapeError(c.node, `input ${i} has ${s.join("x")} values for ${shape[1]} channels`);
      }
    }
    return [{ dtype, shape }];
  },
  place: everywhere(onCpu(
    dtypeFloat,
    note("channel at dim 1"),
  )),
};
