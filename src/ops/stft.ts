import { intAttr } from "../ir/graph.ts";
import { countInput, needRank } from "./args.ts";
import { given } from "./context.ts";
import { type OpDef, shapeError } from "./op.ts";

/** Short-time Fourier transform: [N, length, 1] to [N, frames, bins, 2]. */
export const stft: OpDef = {
  op: "STFT",
  infer(c) {
    const { dtype, shape } = c.need(0);
    needRank(c.node, shape, 3, "the signal");
    const step = countInput(c, 1, "frame_step");
    const frame = given(c, 3) ? countInput(c, 3, "frame_length") : c.need(2).shape[0] ?? -1;
    const [batch, length] = [shape[0]!, shape[1]!];
    if (length >= 0 && frame > length) {
      shapeError(c.node, `a frame of ${frame} is longer than the signal of ${length}`);
    }
    const known = step > 0 && frame >= 0 && length >= 0;
    const frames = known ? Math.floor((length - frame) / step) + 1 : -1;
    const half = intAttr(c.node, "onesided", 1) !== 0;
    const bins = half && frame >= 0 ? Math.floor(frame / 2) + 1 : frame;
    return [{ dtype, shape: [batch, frames, bins, 2] }];
  },
};
