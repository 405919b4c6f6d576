import { containerOp } from "./container.ts";

/** An optional value (not a tensor). */
export const optional = containerOp("Optional");
