import type { OpDef } from "./op.ts";
import { note, onBpu, place } from "./rules.ts";

const removed = note("removed for inference");

/** Its input, in inference; output 1 (optional) is the mask. */
export const dropout: OpDef = {
  op: "Dropout",
  infer(c) {
    const { dtype, shape } = c.need(0);
    const y = { dtype, shape };
    return (c.node.outputs[1] ?? "") === "" ? [y] : [y, { dtype: "bool", shape }];
  },
  fold(c) {
    const x = c.constant(0);
    const training = c.constant(2);
    const random = (c.node.inputs[2] ?? "") !== "" && training?.data[0] !== 0;
    if (x === undefined || random) return undefined;
    const y = { dtype: x.dtype, shape: x.shape, data: x.data };
    const mask = new Uint8Array(x.data.length).fill(1);
    return (c.node.outputs[1] ?? "") === ""
      ? [y]
      : [y, { dtype: "bool", shape: x.shape, data: mask }];
  },
  place: place(onBpu("unstated", [removed], []), onBpu("no", [removed], [])),
};
