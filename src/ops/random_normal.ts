import { randomOp } from "./random_like.ts";
import { everywhere, notIntegrated } from "./rules.ts";

export const randomNormal = randomOp("RandomNormal", everywhere(notIntegrated()));
