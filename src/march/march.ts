/**
 * Architecture descriptions: data only. A march says what a core can hold and how fast it moves; rules
 * about single operators stand with the operator.
 *
 * @module
 */

/** The marches that models can be converted for. */
export type MarchName = "bayes" | "bernoulli2" | "bayes_e";

/** One BPU generation. */
export interface March {
  readonly name: MarchName;
  /** Chips of that generation, for messages. */
  readonly chips: string;
  /** Whether int16 activations exist. */
  readonly int16: boolean;
  /** Largest `input_batch`. */
  readonly maxBatch: number;
  /** Cores one model may use. */
  readonly cores: readonly number[];
  /** Most outputs of a model. */
  readonly maxOutputs: number;
  /** Peak 8-bit multiply-accumulates per second and core (estimate; see docs/cost-model.md). */
  readonly macsPerSecond: number;
  /** Memory traffic per second and core in bytes (estimate). */
  readonly bytesPerSecond: number;
  /** Channels are padded to a multiple of this inside the core. */
  readonly channelAlign: number;
  /** Whether the performance line names the DDR traffic. */
  readonly printsDdr: boolean;
}
