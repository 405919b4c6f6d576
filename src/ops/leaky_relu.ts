import { floatAttr } from "../ir/graph.ts";
import { onBpu, place, unrestricted } from "./rules.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

/** x, or alpha x below 0. */
export const leakyRelu: UnaryDef = unary({
  op: "LeakyRelu",
  real: (n) => {
    const alpha = floatAttr(n, "alpha", 0.01);
    return (x) => x < 0 ? alpha * x : x;
  },
  place: place(lutOnBayes, onBpu("no", [unrestricted], [unrestricted])),
});
