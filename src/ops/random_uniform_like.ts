import { randomLikeOp } from "./random_like.ts";
import { everywhere, onCpu } from "./rules.ts";

export const randomUniformLike = randomLikeOp("RandomUniformLike", everywhere(onCpu()));
