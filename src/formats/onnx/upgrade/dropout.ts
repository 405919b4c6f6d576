/**
 * Dropout: opsets 7 and 10 (`ratio` attribute), 12 (inputs). In inference it passes its input on.
 *
 * @module
 */

import { attr, intAttr, type Node, node } from "../../../ir/graph.ts";
import { numbersOf } from "../../../ir/tensor.ts";
import { type Context, helper, refuse } from "./context.ts";

/** Identity, and a constant mask where something reads the mask. */
export function dropout(n: Node, c: Context): readonly Node[] | undefined {
  const training = n.inputs[2] ?? "";
  if (training !== "") {
    const t = c.constant(training);
    const ratio = c.constant(n.inputs[1] ?? "");
    const nothing = ratio !== undefined && numbersOf(ratio)[0] === 0;
    if (t === undefined || (Number(t.data[0]) !== 0 && !nothing)) {
      throw refuse(
        n,
        "the dropout is in training mode",
        "What it drops is drawn at random; export the model in inference mode.",
      );
    }
  }
  if (intAttr(n, "is_test", 1) === 0) throw refuse(n, "the dropout is in training mode");
  const x = n.inputs[0] ?? "";
  const pass = node("Identity", n.name, [x], [n.outputs[0]!]);
  const mask = n.outputs[1] ?? "";
  if (mask === "" || !c.isUsed(mask)) return [pass];
  if (c.opset < 10) throw refuse(n, "the mask of the dropout is used", "Export for inference.");
  // Opset 10 fills the mask with false outside of training, opset 12 with true.
  const fill = { dtype: "bool", shape: [1], data: Uint8Array.of(c.opset < 12 ? 0 : 1) } as const;
  const shape = helper(n, c, "Shape", "shape", [x]);
  return [
    pass,
    shape,
    node("ConstantOfShape", c.unique(`${n.name}_mask`), [shape.outputs[0]!], [mask], {
      value: attr.tensor(fill),
    }),
  ];
}
