/**
 * Inputs and outputs of a model file as a runtime shows them: type, layout, shapes, bytes, scales.
 *
 * @module
 */

import { runtimeLayout } from "../formats/config/mod.ts";
import type { CompleteInput, Layout } from "../formats/config/mod.ts";
import { axesOf } from "../formats/data/axes.ts";
import { runtimeByteSize } from "../formats/data/mod.ts";
import { byteSize, elementCount, isStatic, sameShape } from "../ir/tensor.ts";
import type { DType, TensorType } from "../ir/tensor.ts";
import { Reader } from "./codec.ts";
import type { Json } from "./codec.ts";
import { recordsOf, scaleInfo } from "./deleted.ts";

/** Scale of an integer tensor: real value = (q - zero) * scale. */
export interface TensorScale {
  readonly values: Float32Array;
  readonly zero: number;
  /** Axis of the values when there are several and it is known. */
  readonly axis: number | undefined;
}

/** An input or output. */
export interface ModelTensor {
  readonly name: string;
  /** `NV12`, `F32`, `S8`, ... */
  readonly type: string;
  readonly layout: Layout | "NONE";
  readonly validShape: readonly number[];
  /** bpukit's runtime stores tensors densely: the same as the valid shape. */
  readonly alignedShape: readonly number[];
  /** 0 where only a run decides the size (a -1 in the shape of an output). */
  readonly byteSize: number;
  /** In bytes; zeros for pictures in planes and for sizes that only a run decides. */
  readonly stride: readonly number[];
  /** What the program's port takes or gives (the whole batch). */
  readonly port: TensorType;
  /** Layout of the port, where it is an input that the configuration describes. */
  readonly portLayout: Layout | undefined;
  /** Where the runtime takes it from (inputs only). */
  readonly source: string | undefined;
  /** How runtime bytes become the port's tensor; undefined: the bytes are the tensor. */
  readonly input: CompleteInput | undefined;
  readonly scale: TensorScale | undefined;
}

/** What `tensorsOf` returns. */
export interface ModelTensors {
  readonly inputs: readonly ModelTensor[];
  readonly outputs: readonly ModelTensor[];
}

type Info = { readonly [k: string]: Json };

const shortNames: Partial<Record<DType, string>> = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  int8: "S8",
  uint8: "U8",
  int16: "S16",
  uint16: "U16",
  int32: "S32",
  uint32: "U32",
  int64: "S64",
  uint64: "U64",
  bool: "BOOL",
};

function byteStrides(shape: readonly number[], item: number): number[] {
  const out = new Array<number>(shape.length);
  let n = item;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = n;
    n *= shape[i]!;
  }
  return out;
}

const trainTypes = ["rgb", "bgr", "yuv444", "gray", "featuremap"] as const;
const layouts = ["NCHW", "NHWC"] as const;
/** No tensor of a runnable model is larger. */
const MAX_BYTES = 2 ** 32;

/** The configuration of every input, from the info section. Names are the model's. */
export function configInputs(info: Info, file: string): readonly CompleteInput[] {
  const r = new Reader(file);
  const config = r.record(info["config"], "config");
  const group = r.record(config["input_parameters"], "input_parameters");
  const numbers = (v: Json | undefined) =>
    r.list(v, "input_parameters").map((x) =>
      typeof x === "number" ? x : r.fail("input_parameters")
    );
  return r.list(group["inputs"], "input_parameters").map((v): CompleteInput => {
    const i = r.record(v, "input_parameters");
    const text = (key: string) => r.text(i[key], `input_parameters.${key}`);
    const maybe = (key: string) => i[key] === null ? undefined : text(key);
    const oneOf = <T extends string>(key: string, all: readonly T[]): T =>
      all.find((v) => v === i[key]) ?? r.fail(`input_parameters.${key}`);
    return {
      name: text("input_name"),
      shape: r.list(i["input_shape"], "input_shape").map((d) => r.int(d, "input_shape", 1)),
      typeTrain: oneOf("input_type_train", trainTypes),
      typeRt: oneOf("input_type_rt", [...trainTypes, "nv12"] as const),
      layoutTrain: oneOf("input_layout_train", layouts),
      layoutRt: i["input_layout_rt"] === null ? undefined : oneOf("input_layout_rt", layouts),
      spaceAndRange: oneOf("input_space_and_range", ["regular", "bt601_video"] as const),
      norm: {
        type: text("norm_type") as CompleteInput["norm"]["type"],
        mean: numbers(i["mean_value"]),
        scale: numbers(i["scale_value"]),
      },
      calDataDir: maybe("cal_data_dir"),
      calDataType: text("cal_data_type") as CompleteInput["calDataType"],
      calDataTypeGiven: true,
      inputSource: text("input_source") as CompleteInput["inputSource"],
      inputSourceGiven: true,
    };
  });
}

/** Inputs and outputs of a model by its info section. Throws BpuError("format") when it is malformed. */
export function tensorsOf(info: Info, file: string): ModelTensors {
  const r = new Reader(file);
  const deleted = recordsOf(info, file);
  const configs = new Map(configInputs(info, file).map((i) => [i.name, i]));
  const plain = (side: "input" | "output", v: Json): ModelTensor => {
    const port = r.port(v, `${side}s`);
    const open = !isStatic(port.shape);
    if (!open && elementCount(port.shape) * byteSize(port.dtype) > MAX_BYTES) r.fail(`${side}s`);
    const own = deleted.filter((d) => d.side === side && d.port === port.name);
    const at = own.findIndex((d) => scaleInfo(d) !== undefined);
    const found = at < 0 ? undefined : scaleInfo(own[at]!);
    const several = found !== undefined && found.scale.length > 1;
    const item = byteSize(port.dtype);
    return {
      name: port.name,
      type: shortNames[port.dtype] ?? port.dtype.toUpperCase(),
      layout: port.shape.length === 4 ? "NCHW" : "NONE",
      validShape: port.shape,
      alignedShape: port.shape,
      byteSize: open ? 0 : elementCount(port.shape) * item,
      stride: open ? port.shape.map(() => 0) : byteStrides(port.shape, item),
      port: { dtype: port.dtype, shape: port.shape },
      portLayout: undefined,
      source: side === "input" ? "ddr" : undefined,
      input: undefined,
      scale: found === undefined ? undefined : {
        values: found.scale,
        zero: found.zero,
        axis: several && at === own.length - 1 ? 1 : undefined,
      },
    };
  };
  const input = (v: Json): ModelTensor => {
    const t = plain("input", v);
    const own = configs.get(t.name);
    if (own === undefined || deleted.some((d) => d.side === "input" && d.port === t.name)) return t;
    // The port is in the layout of the runtime; the configuration's shape in that of training.
    const four = own.shape.length === 4 && t.port.shape.length === 4;
    const batch = (t.port.shape[0] ?? 1) / (own.shape[0] ?? 1);
    const c = { ...own, shape: own.shape.map((d, i) => i === 0 ? d * batch : d) };
    if (elementCount(c.shape) !== elementCount(t.port.shape)) r.fail(`input ${t.name}`);
    const portLayout = !four
      ? undefined
      : sameShape(shapeIn(c, runtimeLayout(c)), t.port.shape)
      ? runtimeLayout(c)
      : c.layoutTrain;
    const bytes = runtimeByteSize(c);
    if (c.typeRt === "featuremap") {
      const layout = c.shape.length === 4 ? runtimeLayout(c) : "NONE";
      const shape = layout === "NONE" ? c.shape : shapeIn(c, layout);
      return {
        ...t,
        layout,
        validShape: shape,
        alignedShape: shape,
        stride: byteStrides(shape, 4),
        portLayout,
        source: c.inputSource,
        input: c,
      };
    }
    // As the original's runtime: nv12 is shown as NCHW.
    const layout = c.typeRt === "nv12" ? "NCHW" : runtimeLayout(c);
    const shape = shapeIn(c, layout);
    return {
      ...t,
      type: c.typeRt === "gray" ? "Y" : c.typeRt.toUpperCase(),
      layout,
      validShape: shape,
      alignedShape: shape,
      byteSize: bytes,
      stride: c.typeRt === "nv12" ? shape.map(() => 0) : byteStrides(shape, 1),
      portLayout,
      source: c.inputSource,
      input: c,
    };
  };
  return {
    inputs: r.list(info["inputs"], "inputs").map(input),
    outputs: r.list(info["outputs"], "outputs").map((v) => plain("output", v)),
  };
}

function shapeIn(c: CompleteInput, layout: Layout): readonly number[] {
  const a = axesOf(c.shape, c.layoutTrain);
  return layout === "NCHW" ? [a.n, a.c, a.h, a.w] : [a.n, a.h, a.w, a.c];
}
