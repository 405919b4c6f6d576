import { intAttr } from "../ir/graph.ts";
import { needRank } from "./args.ts";
import { permute, reshaped } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { attrOneOf, dtypeFloat, onBpu, place } from "./rules.ts";
import { rearrangesHW, shapeMap } from "./rules_b.ts";
import { blockQuant } from "./lower/movement.ts";
import { runSpaceToDepth } from "./movement_run.ts";

function target(c: InferContext): number[] {
  const { shape } = c.need(0);
  needRank(c.node, shape, 4, "the input");
  const b = intAttr(c.node, "blocksize");
  const [n, ch, h, w] = shape as [number, number, number, number];
  if (b < 1) shapeError(c.node, `blocksize ${b} is not positive`);
  if ((h >= 0 && h % b !== 0) || (w >= 0 && w % b !== 0)) {
    shapeError(c.node, `${h}x${w} is not a multiple of blocksize ${b}`);
  }
  return [n, ch < 0 ? -1 : ch * b * b, h < 0 ? -1 : h / b, w < 0 ? -1 : w / b];
}

const rules = [
  attrOneOf("mode", ["DCR", "CRD"], "DCR"),
  rearrangesHW,
  attrOneOf("blocksize", [2], 0),
  shapeMap("shape map N,C,H,W -> N,4C,H/2,W/2", false),
];

/** Blocks of pixels to blocks of channels: [N, C, H*b, W*b] to [N, C*b*b, H, W]. */
export const spaceToDepth: OpDef = {
  op: "SpaceToDepth",
  quant: blockQuant,
  run: runSpaceToDepth,
  place: place(onBpu("unstated", rules, [dtypeFloat], "rank4"), onBpu("no", rules, [dtypeFloat])),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c) }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const out = target(c);
    const b = intAttr(c.node, "blocksize");
    const split = reshaped(x, [x.shape[0]!, x.shape[1]!, out[2]!, b, out[3]!, b]);
    return [reshaped(permute(split, [0, 3, 5, 1, 2, 4]), out)];
  },
};
