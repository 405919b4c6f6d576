import { randomOp } from "./random_like.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Normal random values in a given shape. */
export const randomNormal = randomOp("RandomNormal", everywhere(notIntegrated()));
