/**
 * Operators that the user registers: found by the class name of a `PyOp` node, run in a Worker.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { ErrorPlace } from "../../errors.ts";
import { dtypeFromOnnx, dtypeToOnnx } from "../../formats/onnx/dtypes.ts";
import { intsAttr, stringAttr } from "../../ir/graph.ts";
import type { Attr, Node } from "../../ir/graph.ts";
import { allocate, elementCount, shapeText } from "../../ir/tensor.ts";
import type { DType, Tensor, TensorData, TensorType } from "../../ir/tensor.ts";
import { openSandbox } from "./sandbox.ts";
import type { FoundOperator, Sandbox } from "./sandbox.ts";
import type { CustomLimits, CustomTensor, OperatorFile, ParamValue } from "./types.ts";

/** Domain and type of the nodes. */
export const CUSTOM_DOMAIN = "horizon.custom";

/** Whether the user must have registered this node's operator. */
export function isCustom(n: Node): boolean {
  return n.domain === CUSTOM_DOMAIN;
}

/** Registered operators. */
export interface CustomOperators {
  /** Names of the operators, in the order of the files. */
  readonly names: readonly string[];
  /** Types of a node's outputs, by the user's `infer_shape` (and `infer_dtype`, where there is one). */
  infer(n: Node, inputs: readonly TensorType[]): Promise<TensorType[]>;
  /** Values of a node's outputs, which have the types given. */
  compute(
    n: Node,
    inputs: readonly Tensor[],
    outputs: readonly TensorType[],
  ): Promise<Tensor[]>;
  /** Ends the Worker. */
  close(): void;
}

/** Options of {@linkcode openCustomOperators}. */
export interface CustomOptions extends CustomLimits {
  /** What user code prints with console.log. */
  readonly log?: (line: string) => void;
}

/** Attributes that say what the node is; all others are parameters. */
const RESERVED: ReadonlySet<string> = new Set([
  "class_name",
  "compute",
  "input_types",
  "module",
  "output_shape",
  "output_shapes",
  "output_types",
]);

const MAX_RANK = 16;
const MAX_ELEMENTS = 2 ** 31;

function paramOf(n: Node, name: string, a: Attr): ParamValue {
  switch (a.type) {
    case "int":
    case "float":
    case "string":
      return a.value;
    case "ints":
    case "floats":
      return [...a.value];
    case "strings":
      return [...a.value];
    case "tensor":
      return { dtype: a.value.dtype, shape: a.value.shape, data: a.value.data };
    default:
      throw new BpuError("unsupported", `attribute ${name} cannot be given to a custom operator`, {
        node: n.name,
        op: n.op,
      });
  }
}

/** Parameters as a plain object without a prototype: `__proto__` is a name like any other. */
function paramsOf(n: Node): Record<string, ParamValue> {
  const params: Record<string, ParamValue> = Object.create(null);
  for (const [name, a] of n.attrs) if (!RESERVED.has(name)) params[name] = paramOf(n, name, a);
  return params;
}

function placeOf(n: Node): ErrorPlace {
  return { node: n.name, op: stringAttr(n, "class_name", n.op) };
}

function definition(f: FoundOperator): ErrorPlace {
  return { file: f.file, ...(f.line === undefined ? {} : { line: f.line }) };
}

function isList(v: unknown): v is readonly unknown[] {
  return Array.isArray(v);
}

function shapesOf(value: unknown, n: Node, f: FoundOperator): number[][] {
  const wrong = (what: string) =>
    new BpuError("shape", `infer_shape must give one shape per output: ${what}`, {
      ...placeOf(n),
      ...definition(f),
    });
  if (!isList(value)) throw wrong("it gives no array");
  if (value.length !== n.outputs.length) {
    throw wrong(`it gives ${value.length}, the node has ${n.outputs.length}`);
  }
  return value.map((shape, i) => {
    const good = isList(shape) && shape.length <= MAX_RANK &&
      shape.every((d) => typeof d === "number" && Number.isSafeInteger(d) && d >= 0) &&
      elementCount(shape as number[]) <= MAX_ELEMENTS;
    if (!good) throw wrong(`output ${i} is ${JSON.stringify(shape)?.slice(0, 80)}`);
    return [...shape as number[]];
  });
}

function isDType(v: unknown): v is DType {
  try {
    return typeof v === "string" && dtypeToOnnx(v as DType) !== undefined && v !== "string";
  } catch {
    return false;
  }
}

/** The values of one output as the array that its dtype needs; undefined when they do not fit. */
function valuesOf(value: unknown, type: TensorType): TensorData | undefined {
  const count = elementCount(type.shape);
  const wanted = allocate(type.dtype, 0);
  const data: unknown = typeof value === "object" && value !== null && "data" in value
    ? (value as CustomTensor).data
    : value;
  if (ArrayBuffer.isView(data) && !(data instanceof DataView)) {
    const array = data as Exclude<TensorData, string[]>;
    if (Object.getPrototypeOf(array) !== Object.getPrototypeOf(wanted)) return undefined;
    return array.length === count ? array : undefined;
  }
  if (!isList(data) || data.length !== count) return undefined;
  const out = allocate(type.dtype, count);
  if (Array.isArray(out)) return undefined;
  for (let i = 0; i < count; i++) {
    const v = data[i];
    if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
      if (typeof v === "number" && Number.isSafeInteger(v)) out[i] = BigInt(v);
      else if (typeof v === "bigint") out[i] = v;
      else return undefined;
    } else if (typeof v === "number" || typeof v === "boolean") out[i] = Number(v);
    else return undefined;
  }
  return out;
}

function described(value: unknown): string {
  const data: unknown = typeof value === "object" && value !== null && "data" in value
    ? (value as CustomTensor).data
    : value;
  if (isList(data)) return `an array of ${data.length} values`;
  if (ArrayBuffer.isView(data)) {
    return `${data.constructor.name} of ${(data as Uint8Array).length} values`;
  }
  return data === null ? "null" : typeof data;
}

/**
 * Loads the user's files and starts their Worker. A process does not end while it lives: close it.
 *
 * @example
 * ```ts
 * import { openCustomOperators } from "./operators.ts";
 * import { attr, node } from "../../ir/graph.ts";
 *
 * const text = `export const Twice = {
 *   infer_shape: (shapes: number[][]) => shapes,
 *   compute: (inputs: { data: Float32Array }[]) => [inputs[0].data.map((v) => 2 * v)],
 * };`;
 * const ops = await openCustomOperators([
 *   { file: "twice.ts", bytes: new TextEncoder().encode(text) },
 * ]);
 * const n = node("PyOp", "twice", ["x"], ["y"], { class_name: attr.string("Twice") }, "horizon.custom");
 * const x = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } as const;
 * const [y] = await ops.compute(n, [x], await ops.infer(n, [x]));
 * console.log(y!.data); // Float32Array(2) [ 2, 4 ]
 * ops.close();
 * ```
 *
 * @throws BpuError `format`, `unsupported`, `runtime` or `limit`, with the user's file and line
 */
export async function openCustomOperators(
  files: readonly OperatorFile[],
  options: CustomOptions = {},
): Promise<CustomOperators> {
  const sandbox: Sandbox = await openSandbox(files, options, options.log);
  const byName = new Map<string, FoundOperator[]>();
  for (const f of sandbox.operators) byName.set(f.name, [...byName.get(f.name) ?? [], f]);

  const find = (n: Node): FoundOperator => {
    const name = stringAttr(n, "class_name", "");
    const module = stringAttr(n, "module", "").replace(/\.(py|m?[jt]s)$/i, "");
    const stem = (file: string) => file.slice(file.lastIndexOf("/") + 1).replace(/\.\w+$/, "");
    const all = byName.get(name) ?? [];
    const found = all.length > 1 ? all.filter((f) => stem(f.file) === module) : all;
    if (found.length === 1) return found[0]!;
    throw new BpuError(
      "unsupported",
      found.length === 0
        ? `no file registers the custom operator ${name}`
        : `several files register the custom operator ${name}`,
      {
        ...placeOf(n),
        hint: found.length === 0
          ? `Registered: ${[...byName.keys()].join(", ") || "none"}. Export it from a file of ` +
            "op_register_files."
          : "Give the node's attribute module the name of one file.",
      },
    );
  };

  return {
    names: sandbox.operators.map((f) => f.name),
    async infer(n, inputs) {
      const f = find(n);
      const place = placeOf(n);
      if (!f.functions.includes("infer_shape")) {
        throw new BpuError("unsupported", "the operator has no function infer_shape", {
          ...place,
          ...definition(f),
        });
      }
      const params = paramsOf(n);
      const given = inputs.map((t) => [...t.shape]);
      const shapes = shapesOf(
        await sandbox.call(f, "infer_shape", [given, params], place),
        n,
        f,
      );
      if (f.functions.includes("infer_dtype")) {
        const types = await sandbox.call(
          f,
          "infer_dtype",
          [inputs.map((t) => t.dtype), params],
          place,
        );
        if (!isList(types) || types.length !== shapes.length || !types.every(isDType)) {
          throw new BpuError(
            "shape",
            `infer_dtype must give one dtype per output, it gives ${
              JSON.stringify(types)?.slice(0, 80)
            }`,
            { ...place, ...definition(f) },
          );
        }
        return shapes.map((shape, i) => ({ shape, dtype: types[i] as DType }));
      }
      const codes = intsAttr(n, "output_types", []);
      return shapes.map((shape, i) => ({
        shape,
        dtype: codes[i] === undefined ? inputs[0]?.dtype ?? "float32" : dtypeFromOnnx(codes[i]!, {
          node: n.name,
          op: n.op,
        }),
      }));
    },
    async compute(n, inputs, outputs) {
      const f = find(n);
      const place = placeOf(n);
      const name = stringAttr(n, "compute", "compute");
      if (!f.functions.includes(name)) {
        throw new BpuError("unsupported", `the operator has no function ${name}`, {
          ...place,
          ...definition(f),
        });
      }
      const given = inputs.map(({ dtype, shape, data }): CustomTensor => ({ dtype, shape, data }));
      const result = await sandbox.call(f, name, [given, paramsOf(n)], place);
      const list = isList(result) && result.length === outputs.length ? result : undefined;
      if (list === undefined) {
        throw new BpuError(
          "runtime",
          `${name} must give an array with ${outputs.length} result${
            outputs.length === 1 ? "" : "s"
          }, it gives ${described(result)}`,
          { ...place, ...definition(f) },
        );
      }
      return outputs.map((type, i): Tensor => {
        const data = valuesOf(list[i], type);
        if (data !== undefined) return { ...type, data };
        throw new BpuError(
          "runtime",
          `${name} must give ${type.dtype} ${shapeText(type.shape)} (${
            elementCount(type.shape)
          } values) for output ${i}, it gives ${described(list[i])}`,
          { ...place, ...definition(f) },
        );
      });
    },
    close: () => sandbox.close(),
  };
}
