/**
 * The estimated figures of a program as the `performance` entry of the info section.
 *
 * @module
 */

import { estimate } from "../compile/estimate.ts";
import type { Estimate, NodeCost } from "../compile/estimate.ts";
import type { Program } from "../compile/program.ts";
import { marchOf } from "../march/mod.ts";
import type { Json } from "./codec.ts";

type Info = { readonly [k: string]: Json };

/** Function calls of at most `limit` microseconds that a program is cut into (0: one a subgraph). */
export function functionCalls(nodes: readonly NodeCost[], limit: number): number {
  let calls = 0, at: number | undefined, us = 0;
  for (const n of nodes) {
    if (at !== n.subgraph || (limit > 0 && us + n.us > limit)) {
      calls++;
      us = 0;
    }
    at = n.subgraph;
    us += n.us;
  }
  return calls;
}

/** Figures as JSON, rounded to nanoseconds; with `layers` those of every node. */
export function performanceJson(e: Estimate, calls: number, layers: boolean): Json {
  const number = (v: number) => Math.round(v * 1000) / 1000;
  return {
    latency_us: number(e.latencyUs),
    fps: number(e.fps),
    ddr_bytes: e.ddrBytes,
    macs: e.macs,
    function_calls: calls,
    ...(!layers ? {} : {
      layers: e.nodes.map((n): Json => ({
        name: n.name,
        op: n.op,
        subgraph: n.subgraph,
        us: number(n.us),
        ideal_us: number(n.idealUs),
        macs: n.macs,
        ddr_bytes: n.ddrBytes,
        shape: [...n.shape],
        aligned_shape: [...n.aligned],
      })),
    }),
  };
}

const record = (v: Json | undefined): Info | undefined =>
  typeof v === "object" && v !== null && !Array.isArray(v) ? v as Info : undefined;

/**
 * The entry for a program that takes the place of another one; undefined where the other one's info has
 * none. Layers and the limit of a function call stay as that model was configured.
 */
export function performanceOf(program: Program, info: Info): Json | undefined {
  const old = record(info["performance"]);
  if (old === undefined) return undefined;
  const limit = record(record(info["config"])?.["compiler_parameters"])?.["max_time_per_fc"];
  const e = estimate(program, marchOf(program.march));
  const calls = functionCalls(e.nodes, typeof limit === "number" ? limit : 0);
  return performanceJson(e, calls, old["layers"] !== undefined);
}
