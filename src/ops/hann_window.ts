import { windowOp } from "./window_function.ts";

export const hannWindow = windowOp("HannWindow", [0.5, -0.5]);
