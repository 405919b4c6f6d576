/**
 * Activation functions of recurrent operators: the names, parameters and defaults of ONNX as onnxruntime
 * reads them.
 *
 * @module
 */

import type { Node } from "../../ir/graph.ts";
import { logistic, softplusOf } from "../special.ts";

/** One function with its parameters. */
export interface Activation {
  /** Tells functions with other parameters apart. */
  readonly key: string;
  f(x: number): number;
  /** What it can give for |x| <= reach. */
  range(reach: number): { readonly lo: number; readonly hi: number };
}

interface Kind {
  /** Parameters that are taken from `activation_alpha` and `activation_beta`, with their defaults. */
  readonly alpha?: number;
  readonly beta?: number;
  make(alpha: number, beta: number): (x: number) => number;
  /** Bounds that hold everywhere; else they are read off the function. */
  bounds?(alpha: number): { readonly lo: number; readonly hi: number };
}

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["sigmoid", { make: () => logistic, bounds: () => ({ lo: 0, hi: 1 }) }],
  ["tanh", { make: () => Math.tanh, bounds: () => ({ lo: -1, hi: 1 }) }],
  ["relu", { make: () => (x) => Math.max(x, 0) }],
  // onnxruntime has no defaults for the parameters of Affine and ScaledTanh: what is not given is 0.
  ["affine", { alpha: 0, beta: 0, make: (a, b) => (x) => a * x + b }],
  ["leakyrelu", { alpha: 0.01, make: (a) => (x) => x < 0 ? a * x : x }],
  ["thresholdedrelu", { alpha: 1, make: (a) => (x) => x > a ? x : 0 }],
  ["scaledtanh", {
    alpha: 0,
    beta: 0,
    make: (a, b) => (x) => a * Math.tanh(b * x),
    bounds: (a) => ({ lo: -Math.abs(a), hi: Math.abs(a) }),
  }],
  ["hardsigmoid", {
    alpha: 0.2,
    beta: 0.5,
    make: (a, b) => (x) => Math.min(1, Math.max(0, a * x + b)),
    bounds: () => ({ lo: 0, hi: 1 }),
  }],
  ["elu", { alpha: 1, make: (a) => (x) => x < 0 ? a * Math.expm1(x) : x }],
  ["softsign", { make: () => (x) => x / (1 + Math.abs(x)), bounds: () => ({ lo: -1, hi: 1 }) }],
  ["softplus", { make: () => softplusOf }],
]);

/** Points at which a function without bounds is looked at. */
const POINTS = 1024;

function rangeOf(f: (x: number) => number, reach: number): { lo: number; hi: number } {
  let lo = Infinity, hi = -Infinity;
  for (let i = 0; i <= POINTS; i++) {
    const y = f(reach * (2 * i / POINTS - 1));
    lo = Math.min(lo, y);
    hi = Math.max(hi, y);
  }
  return { lo, hi };
}

function floats(n: Node, key: string): readonly number[] {
  const a = n.attrs.get(key);
  return a?.type === "floats" ? a.value : [];
}

/**
 * The functions of a node, `usual` repeated for every direction unless it names others; a sentence when one
 * of them is not known.
 */
export function activationsOf(
  n: Node,
  usual: readonly string[],
  directions: number,
): readonly Activation[] | string {
  const own = n.attrs.get("activations");
  const count = usual.length * directions;
  const names = own?.type === "strings" && own.value.length > 0
    ? own.value
    : Array.from({ length: count }, (_, i) => usual[i % usual.length]!);
  if (names.length !== count) return `it names ${names.length} activations, not ${count}`;
  // Parameters are consumed in the order of the functions that take them.
  const alphas = [...floats(n, "activation_alpha")], betas = [...floats(n, "activation_beta")];
  const made: Activation[] = [];
  for (const name of names) {
    const kind = kinds.get(name.toLowerCase());
    if (kind === undefined) return `activation ${name} has no integer form`;
    const alpha = kind.alpha === undefined ? 0 : alphas.shift() ?? kind.alpha;
    const beta = kind.beta === undefined ? 0 : betas.shift() ?? kind.beta;
    const f = kind.make(alpha, beta);
    made.push({
      key: `${name.toLowerCase()}_${alpha}_${beta}`,
      f,
      range: (reach) => kind.bounds?.(alpha) ?? rangeOf(f, reach),
    });
  }
  return made;
}

/** The same function of a clipped argument (attribute `clip`). */
export function clipped(a: Activation, clip: number): Activation {
  if (clip === Infinity) return a;
  return {
    key: `${a.key}_clip`,
    f: (x) => a.f(Math.min(clip, Math.max(-clip, x))),
    range: (reach) => a.range(Math.min(reach, clip)),
  };
}

/** 1 - f: the forget gate of `input_forget`. */
export function complement(a: Activation): Activation {
  return {
    key: `${a.key}_complement`,
    f: (x) => 1 - a.f(x),
    range(reach) {
      const { lo, hi } = a.range(reach);
      return { lo: 1 - hi, hi: 1 - lo };
    },
  };
}
