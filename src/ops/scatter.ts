import type { OpDef } from "./op.ts";
import { scatterElementsAs } from "./scatter_elements.ts";
import { everywhere, notIntegrated } from "./rules.ts";

/** Deprecated by ONNX since opset 11 in favour of ScatterElements. */
export const scatter: OpDef = scatterElementsAs("Scatter", everywhere(notIntegrated()));
