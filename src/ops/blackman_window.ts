import { windowOp } from "./window_function.ts";

export const blackmanWindow = windowOp("BlackmanWindow", [0.42, -0.5, 0.08]);
