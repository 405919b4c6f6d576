/**
 * The file that `hb_custom_op create` writes: a complete operator with its types.
 *
 * @module
 */

/** Whether a name can be that of an operator. */
export function isOperatorName(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

/** The template for an operator. */
export function templateOf(name: string): string {
  return `/**
 * Custom operator ${name}.
 *
 * ONNX: a node of type PyOp, domain horizon.custom, with the attributes class_name = "${name}",
 * compute = "compute" and, as further attributes, the parameters. Caffe: a layer of type Custom with
 * custom_param { kind: "${name}" ... }. In the yaml:
 *
 *     custom_op:
 *       custom_op_method: register
 *       op_register_files: sample_custom.ts
 *       custom_op_dir: ./
 *
 * The file runs in a Worker without access to files, network or other programs, and without imports
 * (types may be taken from elsewhere). Calls are limited in time and memory.
 */

/** Values of a tensor in row-major order. */
type Values =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

interface Tensor<T extends Values = Values> {
  /** float32, int8, int64, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: T;
}

/** Attributes of the node. */
interface Params {
  readonly kernel_size?: number;
  readonly threshold?: number;
}

interface Context {
  /** Modules of the .wasm files in op_register_files, by name without .wasm. */
  readonly wasm: ReadonlyMap<string, WebAssembly.Module>;
}

export const ${name} = {
  /** One shape per output, from one shape per input. */
  infer_shape(input_shapes: number[][], _params: Params): number[][] {
    return input_shapes;
  },

  /** One dtype per output; without this function output_types counts, or the first input's. */
  infer_dtype(input_dtypes: string[], _params: Params): string[] {
    return input_dtypes;
  },

  /** The values of the outputs: one array per output, of its dtype and as long as its shape says. */
  compute(inputs: Tensor<Float32Array>[], params: Params, _context: Context): Values[] {
    const threshold = params.threshold ?? 0;
    return inputs.map((x) => x.data.map((v) => v > threshold ? v : 0));
  },
};
`;
}
