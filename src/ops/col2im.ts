import { type OpDef, shapeError } from "./op.ts";
import { checkedShape, integerInput, lengthOf, needRank, product, unknownDims } from "./args.ts";

/** Sums column blocks [N, C*block, L] back into images [N, C, ...]. */
export const col2im: OpDef = {
  op: "Col2Im",
  infer(c) {
    const { dtype, shape } = c.need(0);
    needRank(c.node, shape, 3, "the input");
    const image = integerInput(c, 1, "image_shape");
    const block = integerInput(c, 2, "block_shape");
    const dims = image === undefined
      ? unknownDims(lengthOf(c, 1, "image_shape"))
      : checkedShape(c.node, image, "image_shape");
    const b = block === undefined ? -1 : product(checkedShape(c.node, block, "block_shape"));
    if (b === 0 || (b > 0 && shape[1]! >= 0 && shape[1]! % b !== 0)) {
      shapeError(c.node, `${shape[1]} rows are not a multiple of the block size ${b}`);
    }
    const channels = b < 0 || shape[1]! < 0 ? -1 : shape[1]! / b;
    return [{ dtype, shape: [shape[0]!, channels, ...dims] }];
  },
};
