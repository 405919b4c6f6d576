import { HORIZON } from "../ir/graph.ts";
import { dtypeFloat, onCpu, place } from "./rules.ts";
import { geluOf } from "./special.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** Gelu in its exact form, made by a pass from its Erf chain. */
export const hzGelu: UnaryDef = unary({
  op: "HzGelu",
  domain: HORIZON,
  real: () => geluOf,
  place: place(lutOnBayes, onCpu(dtypeFloat)),
});
