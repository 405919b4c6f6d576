import { windowOp } from "./window_function.ts";

/** Hamming window of a given size. */
export const hammingWindow = windowOp("HammingWindow", [25 / 46, -21 / 46]);
