import { windowOp } from "./window_function.ts";

/** Hann window of a given size. */
export const hannWindow = windowOp("HannWindow", [0.5, -0.5]);
