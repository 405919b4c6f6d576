/** Functions of one input. */

import { attr } from "../../ir/graph.ts";
import { f32 } from "../../ir/tensor.ts";
import { exact, map, one } from "./harness.ts";

exact("Relu", (r) => one("Relu", r, map(r)));
exact("Clip", (r) => one("Clip", r, map(r), {}, { lo: f32([], [-0.5]), hi: f32([], [0.7]) }));
exact("LeakyRelu", (r) => one("LeakyRelu", r, map(r), { alpha: attr.float(0.1) }));
exact("Sigmoid", (r) => one("Sigmoid", r, map(r)));
exact("HardSigmoid", (r) => one("HardSigmoid", r, map(r)));
exact("HardSwish", (r) => one("HardSwish", r, map(r)));
exact("Tanh", (r) => one("Tanh", r, map(r)));
