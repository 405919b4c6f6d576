import { randomOp } from "./random_like.ts";
import { everywhere, onCpu } from "./rules.ts";

/** Uniform random values in a given shape. */
export const randomUniform = randomOp("RandomUniform", everywhere(onCpu()));
