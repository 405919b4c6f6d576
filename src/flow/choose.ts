/**
 * Chooses among quantizations of one graph by what they do to its outputs.
 *
 * @module
 */

import { correlation } from "./correlation.ts";
import type { CalibrationSet } from "../formats/data/mod.ts";
import type { Engine } from "../ir/engine.ts";
import type { Graph } from "../ir/graph.ts";
import { numbersOf } from "../ir/tensor.ts";
import type { Tensor } from "../ir/tensor.ts";
import { openProgram } from "../run/simulator.ts";
import type { Candidate } from "./convert.ts";
import { quantizedFeeds } from "./feeds.ts";

/** What the choice is made with. */
export interface ChooseOptions {
  readonly engine: Engine;
  readonly samples: CalibrationSet;
  readonly integerInputs: ReadonlySet<string>;
  log?(line: string): void;
}

/** Samples that the candidates are compared on, spread over the calibration data. */
const COMPARED = 4;

/**
 * Index of the candidate whose outputs correlate best with the float model's: the mean over samples of
 * the worst output's correlation (mean removed: a large common offset would hide errors from a plain
 * cosine). The first candidate wins unless another is better.
 */
export async function chooseBySimilarity(
  graph: Graph,
  candidates: readonly Candidate[],
  o: ChooseOptions,
): Promise<number> {
  const count = Math.min(COMPARED, o.samples.count);
  const picked = Array.from(
    { length: count },
    (_, i) => Math.floor((i + 0.5) * o.samples.count / count),
  );
  const names = graph.outputs.map((p) => p.name);
  const float = await o.engine.open(graph, names);
  const wanted: Map<string, Tensor>[] = [];
  for (const i of picked) wanted.push(await float.run(await o.samples.sample(i)));
  await float.close();

  let best = 0, bestScore = -Infinity;
  for (const [k, c] of candidates.entries()) {
    const simulator = await openProgram(c.program, { cpu: o.engine });
    let score = 0;
    for (const [j, i] of picked.entries()) {
      const got = await simulator.run(quantizedFeeds(await o.samples.sample(i), o.integerInputs));
      score += Math.min(
        ...names.map((n) => correlation(numbersOf(wanted[j]!.get(n)!), numbersOf(got.get(n)!))),
      ) / count;
    }
    await simulator.close();
    o.log?.(`  ${c.method}: output correlation ${score.toFixed(6)}`);
    if (score > bestScore) {
      best = k;
      bestScore = score;
    }
  }
  return best;
}
