/**
 * Types of graph inputs, outputs and inner tensors, and the dimensions that a file leaves open.
 *
 * @module
 */

import { BpuError, type ErrorPlace } from "../../errors.ts";
import type { Graph } from "../../ir/graph.ts";
import { type DType, shapeText } from "../../ir/tensor.ts";
import type { TensorShapeProto, ValueInfoProto } from "./gen/onnx_pb.ts";
import type { Limits } from "./limits.ts";
import { heldDtype } from "./narrow.ts";

/** Sizes of named dimensions, from the shapes that the user gave. */
export interface DimBinding {
  readonly sizes: Map<string, number>;
  /** Shapes of inputs that the user fixed. */
  readonly fixed: Map<string, readonly number[]>;
}

/** A type as the file states it. */
export interface PortType {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** False when the file does not state dtype and shape; `shape` is then meaningless. */
  readonly known: boolean;
}

interface Source {
  readonly file: string | undefined;
  readonly limits: Limits;
  readonly dims: DimBinding;
}

/** Type of a value; sequences, maps, optionals and sparse tensors are refused. */
export function portType(
  v: ValueInfoProto,
  source: Source,
  role: "input" | "output" | "inner",
): PortType {
  const place: ErrorPlace = { file: source.file, tensor: v.name };
  const kind = v.type?.value;
  if (kind?.case !== undefined && kind.case !== "tensorType") {
    throw new BpuError(
      "unsupported",
      `a value of type ${kind.case.replace("Type", "")} is not supported`,
      { ...place, hint: "Only dense tensors can be converted; export the model without it." },
    );
  }
  const type = kind?.value;
  if (type === undefined || type.elemType === 0) {
    if (role === "inner") return { dtype: "float32", shape: [], known: false };
    throw new BpuError("model", `the graph ${role} has no element type`, place);
  }
  const dtype = heldDtype(type.elemType, place);
  const fixed = role === "input" ? source.dims.fixed.get(v.name) : undefined;
  if (type.shape === undefined) {
    if (fixed !== undefined) return { dtype, shape: fixed, known: true };
    if (role !== "input") return { dtype, shape: [], known: false };
    throw new BpuError("shape", "the input has no shape in the model", {
      ...place,
      hint: "Give its shape (input_shape).",
    });
  }
  const shape = readShape(type.shape, source, place);
  return { dtype, shape: fixed ?? shape, known: true };
}

/** Dimensions of a value: -1 where the file leaves one open and nobody named its size. */
function readShape(s: TensorShapeProto, source: Source, place: ErrorPlace): number[] {
  if (s.dim.length > source.limits.rank) {
    throw new BpuError("limit", `the tensor has ${s.dim.length} dimensions`, place);
  }
  return s.dim.map((d) => {
    if (d.value.case === "dimParam") return source.dims.sizes.get(d.value.value) ?? -1;
    if (d.value.case === undefined) return -1;
    if (d.value.value > 0x7fffffffn) {
      throw new BpuError("limit", `dimension ${d.value.value} is too large`, place);
    }
    // Exporters write 0 or -1 for "unknown" as well.
    return d.value.value <= 0n ? -1 : Number(d.value.value);
  });
}

/**
 * Matches the shapes that the user gave against the graph inputs: open dimensions take the given
 * size (and so does every dimension of the same name), stated ones must agree.
 */
export function bindDims(
  inputs: readonly ValueInfoProto[],
  given: ReadonlyMap<string, readonly number[]>,
  file: string | undefined,
): DimBinding {
  const sizes = new Map<string, number>();
  const fixed = new Map<string, readonly number[]>();
  const byName = new Map(inputs.map((v) => [v.name, v]));
  for (const [name, asked] of given) {
    const place: ErrorPlace = { file, tensor: name };
    const v = byName.get(name);
    if (v === undefined) {
      throw new BpuError("shape", `the model has no input ${name}`, {
        file,
        hint: `Its inputs are ${[...byName.keys()].join(", ")}.`,
      });
    }
    const dims = v.type?.value.case === "tensorType" ? v.type.value.value.shape?.dim : undefined;
    const stated = dims?.map((d) =>
      d.value.case === "dimValue" && d.value.value > 0n ? Number(d.value.value) : -1
    );
    // A dimension that the user leaves open (-1) too is the file's.
    const shape = asked.map((d, i) => d === -1 ? stated?.[i] ?? d : d);
    // Nothing at all is a size only where the file says so itself.
    const least = (i: number) => dims?.[i]?.value.value === 0n ? 0 : 1;
    if (shape.some((d, i) => !Number.isInteger(d) || d < least(i) || d > 0x7fffffff)) {
      const open = shape.includes(-1);
      throw new BpuError(
        "shape",
        open
          ? `${shapeText(shape)} leaves a dimension open, and so does the model`
          : `${shape.join("x")} is not a shape`,
        { ...place, hint: "Give every dimension as a whole number from 1 (input_shape)." },
      );
    }
    fixed.set(name, shape);
    if (dims === undefined || stated === undefined) continue;
    const clash = () =>
      new BpuError(
        "shape",
        `the input has shape ${shapeText(stated)} in the model, ${shapeText(shape)} was given`,
        { ...place, hint: "Only open dimensions can be chosen; export the model for other sizes." },
      );
    if (dims.length !== shape.length) throw clash();
    dims.forEach((d, i) => {
      const size = shape[i]!;
      if (stated[i] !== -1 && stated[i] !== size) throw clash();
      if (d.value.case !== "dimParam" || d.value.value === "") return;
      const before = sizes.get(d.value.value);
      if (before !== undefined && before !== size) {
        throw new BpuError(
          "shape",
          `dimension ${d.value.value} would be both ${before} and ${size}`,
          place,
        );
      }
      sizes.set(d.value.value, size);
    });
  }
  return { sizes, fixed };
}

/** Key of the metadata entry that keeps the dimension names of an input. */
const dimsKey = (tensor: string) => `bpukit.dims:${tensor}`;

/** Metadata entries that keep the names of open dimensions of the graph inputs and outputs. */
export function dimMetadata(
  ports: readonly ValueInfoProto[],
  open: ReadonlySet<string>,
): [string, string][] {
  const entries: [string, string][] = [];
  for (const v of ports) {
    const dims = v.type?.value.case === "tensorType" ? v.type.value.value.shape?.dim : undefined;
    if (dims === undefined || !open.has(v.name)) continue;
    const names = dims.map((d) => d.value.case === "dimParam" ? d.value.value : "");
    if (names.some((s) => s !== "")) entries.push([dimsKey(v.name), JSON.stringify(names)]);
  }
  return entries;
}

/**
 * Names of the dimensions of a graph input or output as the file gives them (`""` where it gives
 * none); undefined when no open dimension has a name.
 */
export function dimNames(g: Graph, tensor: string): readonly string[] | undefined {
  const text = g.metadata.get(dimsKey(tensor));
  if (text === undefined) return undefined;
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(names) && names.every((s) => typeof s === "string") ? names : undefined;
}
