import { windowOp } from "./window_function.ts";

/** Blackman window of a given size. */
export const blackmanWindow = windowOp("BlackmanWindow", [0.42, -0.5, 0.08]);
