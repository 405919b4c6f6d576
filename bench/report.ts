/**
 * The table in bench/RESULTS.md.
 *
 * @module
 */

import type { Row } from "./measure.ts";
import { summary } from "./targets.ts";

export function markdown(rows: readonly Row[], statistic: string): string {
  const lines = [
    "# Bench results",
    "",
    "Written by `deno task bench`. Every row is interleaved with its competitors in one process.",
    `Statistic of every contender: ${statistic} (rows of two threads: always the quickest round).`,
    "Ratios say how many times faster than the competitor; absolute figures depend on the machine and its load.",
    "",
    "## Targets",
    "",
    "| target | at least | figure | |",
    "| --- | --- | --- | --- |",
    ...summary(rows).map((s) =>
      `| ${s.target} | ${s.least} | ${s.figure ?? "-"} | ${
        s.figure === null ? "not measured" : s.met ? "met" : "missed"
      } |`
    ),
  ];
  for (const kernel of new Set(rows.map((r) => r.kernel))) {
    const own = rows.filter((r) => r.kernel === kernel);
    const competitors = [...new Set(own.flatMap((r) => Object.keys(r.ratios)))];
    lines.push("", `## ${kernel}`, "");
    lines.push(`| shape | ${own[0]!.unit} | ${competitors.join(" | ")} |`);
    lines.push(`| --- | --- | ${competitors.map(() => "---").join(" | ")} |`);
    for (const r of own) {
      lines.push(
        `| ${r.shape} | ${r.value} | ${competitors.map((c) => r.ratios[c] ?? "").join(" | ")} |`,
      );
    }
  }
  return lines.join("\n") + "\n";
}
