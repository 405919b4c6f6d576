/**
 * Squash: x / (softness + |x|), an activation that ONNX does not have. `hb_custom_op create` wrote the
 * frame of this file.
 */

interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Attributes of the node. */
interface Params {
  readonly softness?: number;
}

export const Squash = {
  infer_shape(input_shapes: number[][], _params: Params): number[][] {
    return input_shapes;
  },

  compute([x]: Tensor[], { softness = 1 }: Params): Float32Array[] {
    return [x.data.map((v) => v / (softness + Math.abs(v)))];
  },
};
