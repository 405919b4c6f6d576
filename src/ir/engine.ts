/**
 * What the layers above an engine need from it. Calibration and passes take an engine as a value, so
 * that they depend on no runtime (onnxruntime-web, the simulator and a board all fit).
 *
 * @module
 */

import type { Graph } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/** Tensors by name. */
export type Feeds = ReadonlyMap<string, Tensor>;

/** A loaded model that runs samples. */
export interface Session {
  /** Runs one sample; returns every output that was asked for when the session was opened. */
  run(feeds: Feeds): Promise<Map<string, Tensor>>;
  close(): Promise<void>;
}

/** Opens graphs. */
export interface Engine {
  readonly name: string;
  /**
   * Loads a graph. `fetch` names the tensors to return, intermediate ones included; without it the
   * graph's own outputs are returned.
   */
  open(graph: Graph, fetch?: readonly string[]): Promise<Session>;
}
