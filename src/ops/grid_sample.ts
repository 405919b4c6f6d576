import { type OpDef, shapeError } from "./op.ts";
import { unify } from "./args.ts";
import {
  attrOneOf,
  dimOf,
  inputDim,
  inputHW,
  inputRank,
  note,
  notIntegrated,
  onBpu,
  place,
  rule,
} from "./rules.ts";
import { gridSampleQuant } from "./lower/grid_sample.ts";

const bpu = [
  inputRank(4),
  inputDim("N", 1, 4096, "input 1 N in 1..4096"),
  inputDim("C", 1, 65536, "input 1 C in 1..65536"),
  inputHW(1, 1024, "input 1 H,W in 1..1024"),
  rule("input 1 H*W <= 720*1024", (c) => {
    const area = dimOf(c.need(0), 2) * dimOf(c.need(0), 3);
    return area <= 720 * 1024 ? undefined : `input H*W ${area} is more than 720*1024`;
  }),
  attrOneOf("mode", ["bilinear", "nearest"], "bilinear"),
  attrOneOf("padding_mode", ["zeros", "border"], "zeros"),
  note("opset 16 op, exposed at opset 11 as a custom op"),
  note(
    "export with horizon_nn.torch.export_onnx in place of torch.onnx.export, same arguments",
  ),
];

/** Pixels of X [N, C, H, W] at the positions of a grid [N, h, w, 2], to [N, C, h, w]. */
export const gridSample: OpDef = {
  op: "GridSample",
  quant: gridSampleQuant,
  place: place(onBpu("unstated", bpu, []), notIntegrated()),
  infer(c) {
    const { dtype, shape } = c.need(0);
    const grid = c.need(1).shape;
    if (shape.length < 3 || grid.length !== shape.length) {
      shapeError(c.node, `the input has rank ${shape.length}, the grid ${grid.length}`);
    }
    unify(c.node, grid.at(-1)!, shape.length - 2, "coordinates per grid point");
    const n = unify(c.node, shape[0]!, grid[0]!, "N of input and grid");
    return [{ dtype, shape: [n, shape[1]!, ...grid.slice(1, -1)] }];
  },
};
