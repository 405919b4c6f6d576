import type { March } from "./march.ts";

/** J5 and RDK Ultra. Rates are derived from published figures (128 TOPS for two cores, 2 ops per MAC). */
export const bayes: March = {
  name: "bayes",
  chips: "J5, RDK Ultra",
  int16: true,
  maxBatch: 4096,
  cores: [1],
  maxOutputs: 32,
  macsPerSecond: 32e12,
  bytesPerSecond: 12e9,
  channelAlign: 32,
  printsDdr: false,
};
