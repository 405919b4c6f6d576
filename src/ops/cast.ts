import { intAttr } from "../ir/graph.ts";
import { dtypeAttr } from "./args.ts";
import { castTensor } from "./convert.ts";
import type { OpDef } from "./op.ts";
import { dtypeIn, everywhere, onCpu, outputDtypeIn } from "./rules.ts";

const words = [
  "double",
  "float",
  "bool",
  "int64",
  "uint32",
  "int32",
  "uint16",
  "int16",
  "uint8",
  "int8",
];

/** Elements in another type. */
export const cast: OpDef = {
  op: "Cast",
  place: everywhere(
    onCpu(
      dtypeIn(words, `input dtype in {${words.join(",")}}`),
      outputDtypeIn(words, `output dtype in {${words.join(",")}}`),
    ),
  ),
  infer: (c) => [{ dtype: dtypeAttr(c.node, intAttr(c.node, "to"), "to"), shape: c.need(0).shape }],
  fold(c) {
    const x = c.constant(0);
    return x && [castTensor(x, dtypeAttr(c.node, intAttr(c.node, "to"), "to"))];
  },
};
