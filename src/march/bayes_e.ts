import { bayes } from "./bayes.ts";
import type { March } from "./march.ts";

/** X5: the operators of bayes at a tenth of the rate (10 TOPS, one core). */
export const bayesE: March = {
  ...bayes,
  name: "bayes_e",
  chips: "X5",
  macsPerSecond: 5e12,
  bytesPerSecond: 6e9,
  printsDdr: true,
};
