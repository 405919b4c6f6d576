/**
 * Col2Im (opset 18).
 *
 * @module
 */

import { attr, intsAttr, type Node } from "../../../ir/graph.ts";
import { elementCount, f32 } from "../../../ir/tensor.ts";
import { Chain } from "./chain.ts";
import { constantInput, type Context, refuse, reserve } from "./context.ts";

/** A grouped ConvTranspose whose weights put element k of a column at place k of the block. */
export function col2im(n: Node, c: Context): readonly Node[] {
  const image = constantInput(n, c, 1, "the image shape");
  const block = constantInput(n, c, 2, "the block shape");
  const { shape, dtype } = c.fact(n.inputs[0] ?? "");
  if (image === undefined || block === undefined || block.length !== image.length) {
    throw refuse(n, "the image and the block must have the same rank");
  }
  if ([...block, ...image].some((d) => d < 1)) throw refuse(n, "its shapes must be positive");
  const rank = block.length;
  const count = elementCount(block);
  const columns = shape?.[1] ?? -1;
  if (shape?.length !== 3 || columns < 0 || columns % count !== 0) {
    throw refuse(n, "the number of columns is not known, or does not fit the block");
  }
  if ((dtype ?? "float32") !== "float32") throw refuse(n, `Col2Im of ${dtype} is not supported`);
  const strides = intsAttr(n, "strides", block.map(() => 1));
  const dilations = intsAttr(n, "dilations", block.map(() => 1));
  const pads = intsAttr(n, "pads", new Array<number>(2 * rank).fill(0));
  const span = block.map((k, i) => (k - 1) * dilations[i]! + 1);
  const padded = image.map((d, i) => d + pads[i]! + pads[i + rank]!);
  const steps = padded.map((d, i) => Math.floor((d - span[i]!) / strides[i]!) + 1);
  const rest = padded.map((d, i) => d - span[i]! - (steps[i]! - 1) * strides[i]!);
  reserve(n, columns * count);
  const weight = new Float32Array(columns * count);
  for (let i = 0; i < columns; i++) weight[i * count + i % count] = 1;
  const chain = new Chain(n, c);
  const cells = chain.add("Reshape", [
    n.inputs[0] ?? "",
    chain.ints("cells", [0, columns, ...steps]),
  ]);
  chain.add(
    "ConvTranspose",
    [cells, chain.constant("places", f32([columns, 1, ...block], weight))],
    {
      group: attr.int(columns / count),
      kernel_shape: attr.ints(block),
      strides: attr.ints(strides),
      dilations: attr.ints(dilations),
      pads: attr.ints(pads),
      output_padding: attr.ints(rest),
    },
  );
  return chain.end();
}
