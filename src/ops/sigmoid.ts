import { dimOf, dtypeFloat, note, onBpu, place, rule } from "./rules.ts";
import { logistic } from "./special.ts";
import { lutOnBayes, unary, type UnaryDef } from "./unary.ts";

const up = (n: number, to: number): number => Math.ceil(n / to) * to;

/** 1 / (1 + exp(-x)). */
export const sigmoid: UnaryDef = unary({
  op: "Sigmoid",
  bound: 1,
  real: () => logistic,
  place: place(
    lutOnBayes,
    onBpu("no", [
      rule(
        "input 1,C,H,W: min(8W4C-aligned size, 32C-aligned size) <= 8192",
        (c) => {
          const t = c.need(0);
          const [n, ch, h, w] = [0, 1, 2, 3].map((i) => dimOf(t, i)) as [
            number,
            number,
            number,
            number,
          ];
          if (n !== 1) return `input N ${n} is not 1`;
          const size = Math.min(h * up(w, 8) * up(ch, 4), h * w * up(ch, 32));
          return size <= 8192 ? undefined : `aligned input size ${size} is more than 8192`;
        },
      ),
      note("8W4C: W padded to a multiple of 8, C padded to a multiple of 4"),
      note("32C: C padded to a multiple of 32"),
    ], [dtypeFloat]),
  ),
});
