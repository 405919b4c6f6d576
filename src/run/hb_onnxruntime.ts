/**
 * HB_ONNXRuntime: runs any model of the flow like Python's onnxruntime does, with the input conversions
 * of the original library. Stage models and plain ONNX run in onnxruntime-web, a `.bin` in the simulator.
 *
 * @module
 */

import { readBin } from "../container/bin.ts";
import { BpuError } from "../errors.ts";
import type { Engine, Session } from "../ir/engine.ts";
import type { Graph, Port } from "../ir/graph.ts";
import type { DType, Tensor } from "../ir/tensor.ts";
import { elementCount } from "../ir/tensor.ts";
import { functionsOf } from "../ops/functions.ts";
import { batched } from "./batch.ts";
import { createCustomEngine } from "./custom/engine.ts";
import { openCustomOperators } from "./custom/operators.ts";
import type { CustomLimits, OperatorFile } from "./custom/types.ts";
import { createFloatEngine } from "./float.ts";
import type { FloatEngine } from "./float.ts";
import { type FeedValue, inputValue } from "./input_values.ts";
import { type ModelPorts, portsOfGraph, portsOfOnnx } from "./model_ports.ts";
import { openProgram } from "./simulator.ts";

/** A model: path of a file (Deno only), the bytes of an ONNX file or a `.bin`, or a graph. */
export type HbModel = string | URL | Uint8Array | Graph;

/** Options of {@linkcode HB_ONNXRuntime}. */
export interface HbOptions {
  /** Name for messages where the model is bytes. */
  readonly file?: string;
  /** Engine to use; it is not closed. */
  readonly engine?: FloatEngine;
  /**
   * Files with the model's custom operators: paths (Deno only) or bytes. They run in a Worker of this
   * session, which `close()` ends.
   */
  readonly custom_op?: readonly (string | URL | OperatorFile)[];
  /** Limits of the custom operators. */
  readonly custom_limits?: CustomLimits;
}

/** An input or output as Python's onnxruntime describes it. */
export interface HbPort {
  readonly name: string;
  /** A free dimension is -1. */
  readonly shape: readonly number[];
  /** `tensor(float)`, `tensor(int8)`, ... */
  readonly type: string;
  readonly dtype: DType;
}

/** Values by input name. */
export type HbFeed = Readonly<Record<string, FeedValue>> | ReadonlyMap<string, FeedValue>;

const onnxNames: ReadonlyMap<DType, string> = new Map([
  ["float32", "float"],
  ["float64", "double"],
]);

function hbPort({ name, shape, dtype }: Port): HbPort {
  return { name, shape: [...shape], dtype, type: `tensor(${onnxNames.get(dtype) ?? dtype})` };
}

/** The first bytes of our container. */
const isBin = (b: Uint8Array) => new TextDecoder().decode(b.subarray(0, 6)) === "BPUKIT";

interface Opened {
  readonly ports: ModelPorts;
  /** Samples that the ports hold (a `.bin` of several); feeds may be a single one as well. */
  readonly batch: number;
  open(engine: Engine & Pick<FloatEngine, "openBytes">): Promise<Session>;
}

function openedOnnx(bytes: Uint8Array, file: string): Opened {
  return {
    ports: portsOfOnnx(bytes, file),
    batch: 1,
    open: (engine) => engine.openBytes(bytes),
  };
}

async function openedBin(bytes: Uint8Array, file: string): Promise<Opened> {
  const { program } = await readBin(bytes, file);
  const batch = program.batch ?? 1;
  const whole = (p: Port): Port => ({ ...p, shape: batched(p.shape, batch) });
  const custom = program.segments.some((s) => s.kind === "cpu" && portsOfGraph(s.graph).custom);
  return {
    ports: {
      inputs: program.inputs.map(whole),
      outputs: program.outputs.map(whole),
      preprocessed: new Set(),
      custom,
    },
    batch,
    open: (engine) => openProgram(program, { cpu: engine }),
  };
}

/**
 * A session on a model.
 *
 * `new HB_ONNXRuntime(model)` knows the inputs of an ONNX model at once. A `.bin` is checked before
 * anything is believed, which takes a moment: use `await HB_ONNXRuntime.create(model)`, or `run` first.
 *
 * @example
 * ```ts
 * import { HB_ONNXRuntime } from "./hb_onnxruntime.ts";
 * import { node } from "../ir/graph.ts";
 *
 * const x = { name: "x", dtype: "float32", shape: [1, 4] } as const;
 * const sess = new HB_ONNXRuntime({
 *   name: "tiny", opset: 17, domains: new Map(), inputs: [x], outputs: [{ ...x, name: "y" }],
 *   nodes: [node("Relu", "relu", ["x"], ["y"])],
 *   constants: new Map(), types: new Map(), metadata: new Map(),
 * });
 * const [y] = await sess.run(null, { [sess.input_names[0]!]: Float32Array.of(-1, 0, 1, 2) });
 * console.log(y!.data); // Float32Array(4) [ 0, 0, 1, 2 ]
 * await sess.close();
 * ```
 */
export class HB_ONNXRuntime {
  readonly #file: string;
  readonly #given: FloatEngine | undefined;
  readonly #options: HbOptions;
  #own: FloatEngine | undefined;
  #bin: Uint8Array | undefined;
  #opened: Opened | undefined;
  #session: Promise<Session> | undefined;
  #closed = false;

  /**
   * @param model see {@linkcode HbModel}
   * @throws BpuError `file`, `format` or `unsupported` for what is no model
   */
  constructor(model: HbModel, options: HbOptions = {}) {
    this.#given = options.engine;
    this.#options = options;
    if (options.engine !== undefined && options.custom_op !== undefined) {
      throw new BpuError("usage", "custom_op and engine are given", {
        hint: "Give one: the engine may know the operators, createCustomEngine(engine, operators).",
      });
    }
    const path = typeof model === "string" || model instanceof URL ? model : undefined;
    this.#file = options.file ?? (path === undefined ? "model" : String(path));
    if (path === undefined && !(model instanceof Uint8Array)) {
      const graph = model as Graph;
      this.#opened = {
        ports: portsOfGraph(graph),
        batch: 1,
        open: (engine) => engine.open(graph),
      };
      return;
    }
    const bytes = path === undefined ? model as Uint8Array : readPath(path);
    if (isBin(bytes)) this.#bin = bytes;
    else this.#opened = openedOnnx(bytes, this.#file);
  }

  /** A session that is ready to run: everything that can be wrong with the model has been found. */
  static async create(model: HbModel, options: HbOptions = {}): Promise<HB_ONNXRuntime> {
    const made = new HB_ONNXRuntime(model, options);
    try {
      await made.#ready();
    } catch (error) {
      await made.close();
      throw error;
    }
    return made;
  }

  /** Names of the inputs, in the model's order. */
  get input_names(): string[] {
    return this.#ports().inputs.map((p) => p.name);
  }

  /** Names of the outputs, in the model's order. */
  get output_names(): string[] {
    return this.#ports().outputs.map((p) => p.name);
  }

  /** Inputs with shape and type. */
  get_inputs(): HbPort[] {
    return this.#ports().inputs.map(hbPort);
  }

  /** Outputs with shape and type. */
  get_outputs(): HbPort[] {
    return this.#ports().outputs.map(hbPort);
  }

  /**
   * Runs one sample.
   *
   * Pictures are fed as they are at run time (0..255): where an input is int8, or where a preprocessing
   * node reads it, `input_offset` is subtracted. int8 data counts as shifted already. Inputs without
   * either are left alone unless `input_offset` is given and the model has no picture input at all.
   *
   * @param output_names outputs in the order wanted; null for all
   * A `.bin` made with `input_batch` takes the whole batch, or a single sample; all inputs alike.
   *
   * @returns the outputs in that order
   * @throws BpuError `usage` for missing or unknown names, shapes that differ, conversions that would
   * lose a value; `runtime` from the engine
   */
  async run(
    output_names: readonly string[] | null,
    feed: HbFeed,
    input_offset?: number,
  ): Promise<Tensor[]> {
    const session = await this.#ready();
    const { inputs, outputs, preprocessed } = this.#ports();
    const wanted = output_names ?? outputs.map((p) => p.name);
    for (const name of wanted) {
      if (outputs.some((p) => p.name === name)) continue;
      throw new BpuError("usage", `the model has no output ${name}`, {
        hint: `Its outputs are ${outputs.map((p) => p.name).join(", ")}.`,
      });
    }
    const offset = input_offset ?? 128;
    if (!Number.isInteger(offset) || offset < 0 || offset > 255) {
      throw new BpuError("usage", `input_offset must be a whole number of 0..255, not ${offset}`);
    }
    const given = feed instanceof Map ? feed as ReadonlyMap<string, FeedValue> : new Map(
      Object.entries(feed as Readonly<Record<string, FeedValue>>),
    );
    for (const name of given.keys()) {
      if (inputs.some((p) => p.name === name)) continue;
      throw new BpuError("usage", `the model has no input ${name}`, {
        hint: `Its inputs are ${inputs.map((p) => p.name).join(", ")}.`,
      });
    }
    const pictures = (p: Port) => p.dtype === "int8" || preprocessed.has(p.name);
    const all = input_offset !== undefined && !inputs.some(pictures);
    const feeds = new Map(inputs.map((p): [string, Tensor] => {
      const value = given.get(p.name);
      if (value === undefined) {
        throw new BpuError("usage", `no value was given for input ${p.name}`, {
          tensor: p.name,
          hint: `Given: ${[...given.keys()].join(", ") || "nothing"}.`,
        });
      }
      const port = singleOf(p, this.#opened!.batch, value);
      return [p.name, inputValue(value, port, offset, all || preprocessed.has(p.name))];
    }));
    const results = await session.run(feeds);
    return wanted.map((name) => results.get(name)!);
  }

  /** As {@linkcode run} for feature maps: nothing is subtracted unless `input_offset` says so. */
  run_feature(
    output_names: readonly string[] | null,
    feed: HbFeed,
    input_offset = 0,
  ): Promise<Tensor[]> {
    return this.run(output_names, feed, input_offset);
  }

  /** Frees the model. Runs that are under way end first. */
  async close(): Promise<void> {
    this.#closed = true;
    const session = await this.#session?.catch(() => undefined);
    await session?.close();
    await this.#own?.close();
  }

  /** `await using sess = await HB_ONNXRuntime.create(model)`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ports(): ModelPorts {
    if (this.#opened !== undefined) return this.#opened.ports;
    throw new BpuError("usage", "the .bin has not been read yet", {
      file: this.#file,
      hint: "Make the session with await HB_ONNXRuntime.create(model).",
    });
  }

  async #ready(): Promise<Session> {
    if (this.#closed) throw new BpuError("usage", "the session is closed");
    this.#session ??= this.#start();
    return await this.#session;
  }

  async #start(): Promise<Session> {
    if (this.#bin !== undefined) this.#opened = await openedBin(this.#bin, this.#file);
    const opened = this.#opened!;
    const custom = this.#options.custom_op;
    if (opened.ports.custom && this.#given === undefined && custom === undefined) {
      throw new BpuError("unsupported", "the model has custom operators", {
        file: this.#file,
        hint: 'Register their files: { custom_op: ["my_operators.ts"] }.',
      });
    }
    if (this.#given !== undefined) return await opened.open(this.#given);
    const plain = this.#own = createFloatEngine({ workers: 0, functions: functionsOf });
    if (custom !== undefined) {
      const files = custom.map((f): OperatorFile =>
        typeof f === "string" || f instanceof URL
          ? { file: String(f), bytes: readPath(f, "custom operator file") }
          : f
      );
      const operators = await openCustomOperators(files, this.#options.custom_limits);
      this.#own = createCustomEngine(plain, operators);
    }
    return await opened.open(this.#own);
  }
}

/** The port of one sample where a model of several gets the values of one; else the port itself. */
function singleOf(port: Port, batch: number, value: FeedValue): Port {
  if (batch === 1 || port.shape.length === 0) return port;
  const count = ArrayBuffer.isView(value) ? value.length : value.data.length;
  if (count * batch !== elementCount(port.shape)) return port;
  return { ...port, shape: [port.shape[0]! / batch, ...port.shape.slice(1)] };
}

function readPath(path: string | URL, what = "model"): Uint8Array {
  if (typeof Deno === "undefined") {
    throw new BpuError("usage", "files can be read in Deno only", {
      file: String(path),
      hint: "Fetch it and give its bytes.",
    });
  }
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const refused = cause instanceof Deno.errors.NotCapable;
    throw new BpuError(
      "file",
      missing
        ? `${what} ${path} does not exist`
        : refused
        ? `${what} ${path}: Deno was not allowed to read it`
        : `${what} ${path} cannot be read`,
      {
        hint: refused ? "Add its folder to --allow-read." : "Check the path.",
        cause,
      },
    );
  }
}
