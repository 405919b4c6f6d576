import { intAttr } from "../ir/graph.ts";
import { axisOf, countInput } from "./args.ts";
import { given } from "./context.ts";
import { type OpDef, shapeError } from "./op.ts";

/** Discrete Fourier transform along an axis; the last axis is real and imaginary part. */
export const dft: OpDef = {
  op: "DFT",
  infer(c) {
    const { dtype, shape } = c.need(0);
    if (shape.length < 2) shapeError(c.node, "the input must have rank 2 or more");
    // The last axis holds real and imaginary parts.
    const axis = axisOf(c.node, intAttr(c.node, "axis", 1), shape.length - 1);
    const length = given(c, 1) ? countInput(c, 1, "dft_length") : shape[axis]!;
    const half = intAttr(c.node, "onesided", 0) !== 0;
    const bins = half && length >= 0 ? Math.floor(length / 2) + 1 : length;
    const out = shape.map((d, i) => i === axis ? bins : i === shape.length - 1 ? 2 : d);
    return [{ dtype, shape: out }];
  },
};
