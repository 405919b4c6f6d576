import { randomLikeOp } from "./random_like.ts";
import { everywhere, onCpu } from "./rules.ts";

/** Uniform random values in the shape of the input. */
export const randomUniformLike = randomLikeOp("RandomUniformLike", everywhere(onCpu()));
