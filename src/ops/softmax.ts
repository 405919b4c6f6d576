import { alongAxis, exponentials } from "./normalised.ts";
import type { OpDef } from "./op.ts";
import { axisIn, dtypeFloat, inputRank, manualOnly, onBpu, place, rule } from "./rules.ts";
import { softmaxQuant } from "./lower/softmax.ts";

/** exp(x) / sum exp(x) along one axis (the meaning since opset 13). */
export const softmax: OpDef = {
  ...alongAxis(
    "Softmax",
    () => (line) => {
      const sum = exponentials(line);
      for (let i = 0; i < line.length; i++) line[i]! /= sum;
    },
    place(
      onBpu(
        "in+out",
        [
          manualOnly,
          // Since opset 13 the ONNX operator is PyTorch's: one axis, nothing is flattened.
          rule(
            "any of: (a) ONNX softmax, input rank 4, axis in {3} (b) PyTorch softmax, input rank 4, axis in {1,2,3}",
            (c) => {
              const rank = c.need(0).shape.length;
              if (rank !== 4) return `input rank ${rank} is not 4`;
              const axis = c.node.attrs.get("axis");
              const at = axis?.type === "int" ? axis.value : -1;
              return at === 0 || at === -4 ? "axis 0 is not one of 1, 2, 3" : undefined;
            },
          ),
        ],
        [dtypeFloat],
        "sizes",
      ),
      onBpu("no", [
        manualOnly,
        inputRank(4),
        axisIn([1], -1),
        rule(
          "must be a model output node",
          (c) => c.consumers.length === 0 ? undefined : `${c.consumers[0]!.op} reads it`,
        ),
      ], [dtypeFloat]),
    ),
  ),
  quant: softmaxQuant,
};
