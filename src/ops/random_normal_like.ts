import { randomLikeOp } from "./random_like.ts";
import { everywhere, notIntegrated } from "./rules.ts";

export const randomNormalLike = randomLikeOp("RandomNormalLike", everywhere(notIntegrated()));
