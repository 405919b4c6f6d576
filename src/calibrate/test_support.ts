/**
 * Data for the tests of this folder: reproducible random numbers and tensors.
 *
 * @module
 */

import { type Graph, type Node, OPSET } from "../ir/graph.ts";
import { f32, type Tensor, type TensorType } from "../ir/tensor.ts";

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = a + 0x6d2b79f5 | 0;
    let t = Math.imul(a ^ a >>> 15, 1 | a);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

/** Shapes of activations that occur. */
export type Kind = "normal" | "laplace" | "relu" | "silu" | "uniform" | "spiky";

/** `n` values of a distribution. */
export function values(kind: Kind, n: number, seed: number, scale = 1): Float32Array {
  const u = random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - u())) * Math.cos(2 * Math.PI * u());
  const one = (): number => {
    switch (kind) {
      case "normal":
        return normal();
      case "laplace":
        return Math.log(1 - u()) * (u() < 0.5 ? -1 : 1);
      case "relu":
        return Math.max(0, normal());
      case "silu": {
        const x = 4 * normal();
        return x / (1 + Math.exp(-x));
      }
      case "uniform":
        return 2 * u() - 1;
      case "spiky":
        return u() < 0.001 ? 50 * normal() : normal();
    }
  };
  return Float32Array.from({ length: n }, () => one() * scale);
}

/** `n` values as a tensor of 4 channels (n divisible by 4). */
export function activation(kind: Kind, n: number, seed: number, scale = 1): Tensor {
  return f32([1, 4, n / 4], values(kind, n, seed, scale));
}

/** The list in another order. */
export function shuffled<T>(list: readonly T[], seed: number): T[] {
  const u = random(seed), out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const k = Math.floor(u() * (i + 1));
    [out[i], out[k]] = [out[k]!, out[i]!];
  }
  return out;
}

/** A graph from records; `types` of intermediate tensors are optional. */
export function graphOf(
  nodes: readonly Node[],
  inputs: Readonly<Record<string, TensorType>>,
  outputs: Readonly<Record<string, TensorType>>,
  constants: Readonly<Record<string, Tensor>> = {},
  types: Readonly<Record<string, TensorType>> = {},
): Graph {
  const ports = (r: Readonly<Record<string, TensorType>>) =>
    Object.entries(r).map(([name, t]) => ({ name, dtype: t.dtype, shape: t.shape }));
  return {
    name: "test",
    opset: OPSET,
    domains: new Map(),
    nodes,
    inputs: ports(inputs),
    outputs: ports(outputs),
    constants: new Map(Object.entries(constants)),
    types: new Map([
      ...Object.entries(inputs),
      ...Object.entries(types),
      ...Object.entries(outputs),
    ]),
    metadata: new Map(),
  };
}

/** The type of a float tensor. */
export function float(...shape: number[]): TensorType {
  return { dtype: "float32", shape };
}
