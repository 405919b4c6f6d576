import { containerOp } from "./container.ts";

export const optional = containerOp("Optional");
