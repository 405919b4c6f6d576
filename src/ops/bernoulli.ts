import { randomLikeOp } from "./random_like.ts";

export const bernoulli = randomLikeOp("Bernoulli");
