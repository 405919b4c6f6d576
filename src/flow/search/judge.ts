/**
 * Runs programs on held-back samples and compares them with the float model.
 *
 * @module
 */

import type { Program } from "../../compile/program.ts";
import type { CalibrationSet } from "../../formats/data/mod.ts";
import type { Engine } from "../../ir/engine.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { openProgram } from "../../run/simulator.ts";
import { quantizedFeeds } from "../feeds.ts";
import { similarity } from "../../debug/similarity.ts";
import type { Similarity } from "../../debug/similarity.ts";

/** What a judge needs. */
export interface JudgeParts {
  readonly engine: Engine;
  readonly samples: CalibrationSet;
  readonly integerInputs: ReadonlySet<string>;
  /** Indices of the held-back samples. */
  readonly held: readonly number[];
}

/** Measures programs. */
export interface Judge {
  /** Full evaluations so far. */
  readonly evaluations: number;
  measure(program: Program): Promise<Similarity>;
}

/** A judge for a float graph. Only the outputs of the samples are kept in memory. */
export async function createJudge(float: Graph, p: JudgeParts): Promise<Judge> {
  const names = float.outputs.map((o) => o.name);
  const wanted: Map<string, Tensor>[] = [];
  const session = await p.engine.open(float, names);
  for (const i of p.held) wanted.push(await session.run(await p.samples.sample(i)));
  await session.close();
  let evaluations = 0;
  return {
    get evaluations() {
      return evaluations;
    },
    async measure(program) {
      evaluations++;
      const simulator = await openProgram(program, { cpu: p.engine });
      try {
        const found: Map<string, Tensor>[] = [];
        for (const i of p.held) {
          const feeds = quantizedFeeds(await p.samples.sample(i), p.integerInputs);
          found.push(await simulator.run(feeds));
        }
        return similarity(wanted, found);
      } finally {
        await simulator.close();
      }
    },
  };
}
