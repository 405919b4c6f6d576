/**
 * Scan: opset 8 has a batch dimension, a sequence length input and directions.
 *
 * @module
 */

import { attr, intAttr, intsAttr, type Node } from "../../../ir/graph.ts";
import { Chain } from "./chain.ts";
import { type Context, refuse } from "./context.ts";

/** One Scan of today's form per element of the batch. */
export function scan(n: Node, c: Context): readonly Node[] | undefined {
  if (c.opset >= 9) return undefined;
  if ((n.inputs[0] ?? "") !== "") {
    throw refuse(
      n,
      "a Scan of opset 8 with sequence lengths is not supported",
      "Export the model with opset 9 or later.",
    );
  }
  const inputs = n.inputs.slice(1);
  const batch = c.fact(inputs[0] ?? "").shape?.[0] ?? -1;
  if (batch < 1 || batch > 64) {
    throw refuse(
      n,
      batch > 64 ? `a Scan over a batch of ${batch} is too large` : "the batch size is not known",
      "Export the model with opset 9 or later.",
    );
  }
  const scans = intAttr(n, "num_scan_inputs");
  const body = n.attrs.get("body");
  if (body === undefined) throw refuse(n, "the Scan has no body");
  const attrs = {
    body,
    num_scan_inputs: attr.int(scans),
    scan_input_directions: attr.ints(intsAttr(n, "directions", new Array<number>(scans).fill(0))),
  };
  const chain = new Chain(n, c);
  const first = chain.ints("first", [0]);
  const parts = Array.from({ length: batch }, (_, b) => {
    const slices = inputs.map((x) => {
      const index = { dtype: "int64" as const, shape: [], data: BigInt64Array.of(BigInt(b)) };
      return chain.add("Gather", [x, chain.constant("index", index)], { axis: attr.int(0) });
    });
    return chain.many("Scan", slices, n.outputs.length, attrs)
      .map((y) => chain.add("Unsqueeze", [y, first]));
  });
  const results = n.outputs.map((_, i) =>
    chain.add("Concat", parts.map((p) => p[i]!), { axis: attr.int(0) })
  );
  return chain.as(results);
}
