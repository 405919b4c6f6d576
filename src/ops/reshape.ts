import { intAttr, intsAttr } from "../ir/graph.ts";
import { shapeText } from "../ir/tensor.ts";
import { integerInput, lengthOf, product, unknownDims } from "./args.ts";
import { modelError } from "./context.ts";
import { reshaped } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { onBpu, onCpu, place } from "./rules.ts";
import { reshapeRanks } from "./rules_b.ts";
import { movementQuant } from "./lower/movement.ts";
import { runReshape } from "./movement_run.ts";

/** Target dimensions: 0 copies (unless allowzero), one -1 is what remains. */
function target(c: InferContext): number[] {
  const input = c.need(0).shape;
  const given = c.node.attrs.has("shape") ? intsAttr(c.node, "shape") : integerInput(c, 1, "shape");
  const rank = given?.length ?? lengthOf(c, 1, "shape");
  if (given === undefined && rank > 0) return unknownDims(rank);
  const want = given ?? [];
  const zero = intAttr(c.node, "allowzero", 0) !== 0;
  const text = `[${want.join(", ")}]`;
  let open = -1;
  const out = want.map((d, i) => {
    if (d === -1) {
      if (open >= 0) modelError(c.node, `shape ${text} has more than one -1`);
      open = i;
      return -1;
    }
    if (!Number.isSafeInteger(d) || d < -1) modelError(c.node, `shape ${text} is invalid`);
    if (d !== 0 || zero) return d;
    return input[i] ??
      shapeError(c.node, `shape ${text} copies dimension ${i}, which is not there`);
  });
  const count = product(input);
  if (open >= 0) {
    if (zero && want.includes(0)) modelError(c.node, `shape ${text} has both 0 and -1`);
    // Dimensions that are copied from the same place cancel even where they are unknown.
    const rest = out.filter((_, i) => i !== open && !(want[i] === 0 && !zero));
    const left = input.filter((_, i) => !(i < want.length && want[i] === 0 && !zero));
    const a = product(left);
    const b = product(rest);
    if (a >= 0 && b > 0) {
      if (a % b !== 0) {
        shapeError(c.node, `${shapeText(input)} does not reshape to ${text}`);
      }
      out[open] = a / b;
    } else if (a >= 0 && b === 0) {
      if (a !== 0) shapeError(c.node, `${shapeText(input)} does not reshape to ${text}`);
      out[open] = 0;
    }
    return out;
  }
  const have = product(out);
  if (count >= 0 && have >= 0 && count !== have) {
    shapeError(c.node, `${shapeText(input)} does not reshape to ${text}`);
  }
  // One unknown dimension (a copied one) is what the counts leave.
  const unknown = out.indexOf(-1);
  if (count > 0 && unknown >= 0 && out.lastIndexOf(-1) === unknown) {
    const rest = product(out.filter((_, i) => i !== unknown));
    if (rest > 0 && count % rest === 0) out[unknown] = count / rest;
  }
  return out;
}

/** The same elements in another shape. */
export const reshape: OpDef = {
  op: "Reshape",
  quant: movementQuant,
  run: runReshape,
  place: place(onBpu("in+out", [reshapeRanks], []), onCpu()),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c) }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const shape = target(c);
    return shape.includes(-1) ? undefined : [reshaped(x, shape)];
  },
};
