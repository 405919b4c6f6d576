import { windowOp } from "./window_function.ts";

export const hammingWindow = windowOp("HammingWindow", [25 / 46, -21 / 46]);
