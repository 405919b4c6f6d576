import { intAttr, stringAttr } from "../ir/graph.ts";
import { needRank } from "./args.ts";
import { permute, reshaped } from "./nd.ts";
import { type InferContext, type OpDef, shapeError } from "./op.ts";
import { attrOneOf, dimOf, dtypeIn, inputRank, onBpu, place, rule } from "./rules.ts";
import { rearrangesHW, shapeMap } from "./rules_b.ts";
import { blockQuant } from "./lower/movement.ts";
import { runDepthToSpace } from "./movement_run.ts";

function target(c: InferContext): number[] {
  const { shape } = c.need(0);
  needRank(c.node, shape, 4, "the input");
  const b = intAttr(c.node, "blocksize");
  const [n, ch, h, w] = shape as [number, number, number, number];
  if (b < 1) shapeError(c.node, `blocksize ${b} is not positive`);
  if (ch >= 0 && ch % (b * b) !== 0) {
    shapeError(c.node, `${ch} channels are not a multiple of ${b * b}`);
  }
  return [n, ch < 0 ? -1 : ch / (b * b), h < 0 ? -1 : h * b, w < 0 ? -1 : w * b];
}

const rules = [
  attrOneOf("mode", ["DCR", "CRD"], "DCR"),
  rearrangesHW,
  attrOneOf("blocksize", [2], 0),
  shapeMap("shape map N,C,H,W -> N,C/4,2H,2W", true),
];
const channels = rule("output C a multiple of 4", (c) => {
  const n = dimOf(c.output(0), 1);
  return n % 4 === 0 ? undefined : `output C ${n} is not a multiple of 4`;
});
const cpu = [
  dtypeIn(["float"], "input and output dtype float only"),
  inputRank(4, "input and output rank 4"),
];

/** Blocks of channels to blocks of pixels: [N, C*b*b, H, W] to [N, C, H*b, W*b]. */
export const depthToSpace: OpDef = {
  op: "DepthToSpace",
  quant: blockQuant,
  run: runDepthToSpace,
  place: place(
    onBpu("unstated", [...rules, channels], cpu, "rank4"),
    onBpu("no", rules, cpu),
  ),
  infer: (c) => [{ dtype: c.need(0).dtype, shape: target(c) }],
  fold(c) {
    const x = c.constant(0);
    if (x === undefined) return undefined;
    const out = target(c);
    const b = intAttr(c.node, "blocksize");
    const [n, , h, w] = x.shape as [number, number, number, number];
    const crd = stringAttr(c.node, "mode", "DCR") === "CRD";
    const split = crd ? [n, out[1]!, b, b, h, w] : [n, b, b, out[1]!, h, w];
    const perm = crd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
    return [reshaped(permute(reshaped(x, split), perm), out)];
  },
};
