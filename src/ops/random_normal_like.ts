import { randomLikeOp } from "./random_like.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Normal random values in the shape of the input. */
export const randomNormalLike = randomLikeOp("RandomNormalLike", everywhere(notIntegrated()));
