import { randomLikeOp } from "./random_like.ts";

/** Draws of 0 and 1 with the given probabilities. */
export const bernoulli = randomLikeOp("Bernoulli");
