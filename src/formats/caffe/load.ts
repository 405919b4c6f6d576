/**
 * The Caffe front end: prototxt and caffemodel to the graph that the ONNX front end makes.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { type Binding, GraphBuilder, type Value } from "./build.ts";
import { LayerContext } from "./context.ts";
import { declaredShape, inputShape, isDataLayer, isInputLayer } from "./inputs.ts";
import { converters } from "./layers/registry.ts";
import { type LayerSpec, type Net, readNet } from "./net.ts";
import { readCaffemodel } from "./weights.ts";

/** Options of {@linkcode loadCaffe}. */
export interface CaffeOptions {
  /** Name of the prototxt, for errors. */
  readonly prototxtFile?: string;
  /** Name of the caffemodel, for errors. */
  readonly modelFile?: string;
  /** Shapes that replace those of the prototxt, by input name. */
  readonly inputShapes?: ReadonlyMap<string, readonly number[]>;
  /** Receives a sentence for each thing in the prototxt that is ignored. */
  readonly warn?: (sentence: string) => void;
}

/** What a blob name holds at some point of the walk. */
interface Current {
  readonly binding: Binding;
  readonly line: number;
  used: boolean;
}

/**
 * Loads a Caffe net for inference (phase TEST): V0, V1 and V2 prototxts.
 *
 * Nodes carry the names of the layers (helper nodes `layer/part`), tensors those of the tops. Of an
 * in-place chain the last version keeps the name, earlier ones are called `top/layer`. Outputs are the
 * tops that nothing reads, in the order of the layers.
 *
 * @param prototxt text of the net
 * @param caffemodel bytes of the weights
 * @throws BpuError naming file and line: `unsupported` for a layer that cannot be converted, `format`
 * for text or bytes that cannot be read, `model` or `shape` for a net that contradicts itself
 *
 * @example
 * ```ts
 * import { loadCaffe } from "./load.ts";
 * const prototxt = `
 *   name: "tiny"
 *   layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
 *   layer { name: "relu" type: "ReLU" bottom: "data" top: "relu" }`;
 * const caffemodel = Uint8Array.of(0xa2, 0x06, 0x06, 0x0a, 0x04, 0x72, 0x65, 0x6c, 0x75);
 * const graph = loadCaffe(prototxt, caffemodel);
 * console.log(graph.nodes.map((n) => `${n.op} ${n.name}`)); // [ "Relu relu" ]
 * ```
 */
export function loadCaffe(
  prototxt: string,
  caffemodel: Uint8Array,
  options: CaffeOptions = {},
): Graph {
  const files = {
    prototxt: options.prototxtFile ?? "prototxt",
    model: options.modelFile ?? "caffemodel",
  };
  const net = readNet(
    prototxt,
    files.prototxt,
    (type) => isInputLayer(type) || converters.has(type),
    options.warn,
  );
  const model = readCaffemodel(caffemodel, files.model);
  const walk = new Walk(net, files.prototxt, options.inputShapes);
  const masks = new Map<string, { indices: Value; plane: number }>();
  const named = new Map<string, Tensor>();
  const weighted = new Set<string>();
  walk.declareInputs();
  for (const spec of net.layers) {
    if (isInputLayer(spec.type)) {
      walk.inputLayer(spec);
      continue;
    }
    const inputs = spec.bottoms.map((name) => walk.read(spec, name));
    const ctx = new LayerContext(spec, walk.builder, inputs, model, files, masks, named);
    if (ctx.blobCount > 0) {
      if (weighted.has(spec.name)) ctx.fail("another layer with weights has the same name", "name");
      weighted.add(spec.name);
    }
    converters.get(spec.type)!(ctx);
    walk.write(spec, ctx.tops);
  }
  return walk.finish();
}

/** The blobs of a net while its layers are walked. */
class Walk {
  readonly builder = new GraphBuilder();
  readonly #current = new Map<string, Current>();
  readonly #bindings: Binding[] = [];
  readonly #inputs = new Set<string>();
  readonly #read: ReadonlySet<string>;

  constructor(
    readonly net: Net,
    readonly file: string,
    readonly shapes: ReadonlyMap<string, readonly number[]> | undefined,
  ) {
    this.#read = new Set(net.layers.flatMap((l) => l.bottoms));
  }

  #fail(spec: LayerSpec, field: string, message: string, hint?: string): never {
    throw new BpuError("model", message, {
      node: spec.name,
      op: spec.type,
      file: this.file,
      line: spec.lineOf(field),
      hint,
    });
  }

  #input(name: string, declared: readonly number[] | undefined, line: number): void {
    if (this.#current.has(name)) {
      throw new BpuError("model", `the blob ${name} is made twice`, { file: this.file, line });
    }
    if (name === "") throw new BpuError("model", "an input has no name", { file: this.file, line });
    const shape = inputShape(name, declared, this.shapes, this.file, line);
    const binding = { name, value: this.builder.input(name, shape), layer: name };
    this.#inputs.add(name);
    // An input that nothing reads is no output.
    this.#current.set(name, { binding, line, used: true });
  }

  declareInputs(): void {
    for (const i of this.net.inputs) this.#input(i.name, i.shape, i.line);
  }

  inputLayer(spec: LayerSpec): void {
    if (spec.bottoms.length > 0) {
      this.#fail(spec, "bottom", "a layer that makes data has no bottom");
    }
    if (spec.tops.length === 0) this.#fail(spec, "top", "it has no top");
    const data = isDataLayer(spec.type);
    for (const [i, top] of spec.tops.entries()) {
      if (data && !this.#read.has(top)) continue;
      this.#input(top, declaredShape(spec, i), spec.line);
    }
  }

  /** The value of a bottom. */
  read(spec: LayerSpec, name: string): Value {
    const current = this.#current.get(name);
    if (current === undefined) {
      this.#fail(
        spec,
        "bottom",
        `its bottom ${name} is not made by any layer before it`,
        "Check the name, and the order of the layers.",
      );
    }
    current.used = true;
    return current.binding.value;
  }

  /** Sets the tops of a layer; a top that is also a bottom is in place. */
  write(spec: LayerSpec, tops: readonly (Value | undefined)[]): void {
    const written = new Set<string>();
    for (const [i, name] of spec.tops.entries()) {
      const value = tops[i];
      if (value === undefined) throw new BpuError("internal", `${spec.type} did not set top ${i}`);
      if (name === "") this.#fail(spec, "top", `its top ${i} has no name`);
      const before = this.#current.get(name);
      if (written.has(name) || (before !== undefined && !spec.bottoms.includes(name))) {
        this.#fail(
          spec,
          "top",
          `the blob ${name} is made twice` + (before === undefined ? "" : ` (line ${before.line})`),
        );
      }
      written.add(name);
      const binding = { name, value, layer: spec.name };
      this.#bindings.push(binding);
      this.#current.set(name, { binding, line: spec.line, used: false });
    }
  }

  finish(): Graph {
    for (const name of this.shapes?.keys() ?? []) {
      if (this.#inputs.has(name)) continue;
      throw new BpuError("usage", `the net has no input ${name}`, {
        file: this.file,
        hint: `Its inputs are: ${[...this.#inputs].join(", ")}.`,
      });
    }
    const outputs = [...this.#current.values()].filter((c) => !c.used).map((c) => c.binding);
    if (outputs.length === 0) {
      throw new BpuError("model", "the net has no output: every blob is read by some layer", {
        file: this.file,
      });
    }
    return this.builder.finish(this.net.name || "caffe", this.#bindings, outputs);
  }
}
