/**
 * Placement of normalisations over the last dimensions: that of what they are written out as.
 *
 * @module
 */

import { elementCount } from "../ir/tensor.ts";
import { given } from "./context.ts";
import { normalisedAxis } from "./lower/layer_norm.ts";
import type { InferContext, OpDef } from "./op.ts";
import { inputRankIn, note, onBpu, onCpu, outside, place, rule } from "./rules.ts";

/** Several last axes are one dimension of a Reshape, which is what ReduceMean takes. */
const normalisedSize = rule(
  "1..65536 elements are normalised together (one axis of ReduceMean behind a Reshape)",
  (c) => {
    const shape = c.need(0).shape.slice(normalisedAxis(c));
    return outside("the number of normalised elements", elementCount(shape), 1, 65536);
  },
);

const constantAffine = rule("scale and bias constant", (c) => {
  const at = [1, 2].find((i) => given(c, i) && c.constant(i) === undefined);
  return at === undefined ? undefined : `input ${at} is computed, not constant`;
});

const oneOutput = rule("Mean and InvStdDev are not read", (c) => {
  const extra = c.node.outputs.slice(1).find((t) => t !== "");
  return extra === undefined ? undefined : `it also gives ${extra}`;
});

/** What ReduceMean takes on bernoulli2. */
const overHW = rule(
  "on request, and over H,W of rank 4 only",
  (c: InferContext) =>
    c.need(0).shape.length === 4 && normalisedAxis(c) === 2
      ? undefined
      : "its means are not over H,W of rank 4, all that ReduceMean takes",
);

/** Rows of a normalisation; `pieces`: the operators that it stands for. */
export function placeNormalisation(pieces: string): OpDef["place"] {
  const writtenOut = note(
    `no row of the original: written out as ${pieces} with int16 between them`,
  );
  return place(
    onBpu(
      "in+out",
      [writtenOut, inputRankIn(2, 5), normalisedSize, constantAffine, oneOutput],
      [],
      "sizes",
    ),
    { ...onCpu(), bpu: [overHW, constantAffine, oneOutput] },
  );
}
