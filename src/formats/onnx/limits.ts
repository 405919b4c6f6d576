/**
 * Bounds on what a file may ask for. They are far above every real model and far below what would
 * hang or exhaust the process.
 *
 * @module
 */

/** Bounds that a reader checks before it allocates or recurses. */
export interface Limits {
  /** Bytes of one tensor. */
  readonly tensorBytes: number;
  /** Elements of all typed (not raw) data of one file, which grow when they are decoded. */
  readonly decodedBytes: number;
  /** Dimensions of one tensor. */
  readonly rank: number;
  /** Subgraphs within subgraphs. */
  readonly depth: number;
  /** Nodes, with those of all subgraphs. */
  readonly nodes: number;
}

/** The bounds used when none are given. */
export const defaultLimits: Limits = {
  tensorBytes: 2 ** 31,
  decodedBytes: 2 ** 32,
  rank: 32,
  depth: 64,
  nodes: 200_000,
};
