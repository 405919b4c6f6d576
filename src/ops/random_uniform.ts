import { randomOp } from "./random_like.ts";
import { everywhere, onCpu } from "./rules.ts";

export const randomUniform = randomOp("RandomUniform", everywhere(onCpu()));
