import type { March } from "./march.ts";

/** X3 and J3. Rates are derived from published figures (5 TOPS for two cores, 2 ops per MAC). */
export const bernoulli2: March = {
  name: "bernoulli2",
  chips: "X3, J3",
  int16: false,
  maxBatch: 128,
  cores: [1, 2],
  maxOutputs: 32,
  macsPerSecond: 1.25e12,
  bytesPerSecond: 4e9,
  channelAlign: 8,
  printsDdr: false,
};
