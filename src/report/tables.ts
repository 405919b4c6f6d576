/**
 * The tables of the original tools: left-justified columns two wider than their longest cell, between
 * rules of `=` and `-`.
 *
 * @module
 */

/** A row of the node table. */
export interface NodeRow {
  readonly name: string;
  readonly on: "BPU" | "CPU";
  /** Number of the BPU subgraph. */
  readonly subgraph?: number;
  readonly type: string;
  readonly cosine?: number;
  readonly threshold?: number;
  /** `int8/int8`, input type then output type. */
  readonly dtype?: string;
}

/** A row of the output table. */
export interface OutputRow {
  readonly name: string;
  readonly cosine: number;
  readonly l1: number;
  readonly l2: number;
  readonly chebyshev: number;
}

/** A table as lines without trailing line end. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((h, i) => Math.max(h.length, ...rows.map((r) => r[i]!.length)) + 2);
  const line = (cells: readonly string[]) =>
    cells.map((c, i) => c.padEnd(i === cells.length - 1 ? 0 : widths[i]!)).join("").trimEnd();
  const span = widths.reduce((a, b) => a + b, 0);
  return ["=".repeat(span), line(header), "-".repeat(span), ...rows.map(line)];
}

const place = (r: NodeRow): string => r.subgraph === undefined ? "--" : `id(${r.subgraph})`;

/** The checker's table: Node, ON, Subgraph, Type. */
export function checkerTable(rows: readonly NodeRow[]): string[] {
  return table(
    ["Node", "ON", "Subgraph", "Type"],
    rows.map((r) => [r.name, r.on, place(r), r.type]),
  );
}

/** makertbin's table: the checker's and Cosine Similarity, Threshold, In/Out DataType. */
export function nodeTable(rows: readonly NodeRow[]): string[] {
  return table(
    ["Node", "ON", "Subgraph", "Type", "Cosine Similarity", "Threshold", "In/Out DataType"],
    rows.map((r) => [
      r.name,
      r.on,
      place(r),
      r.type,
      r.cosine === undefined ? "" : r.cosine.toFixed(6),
      r.threshold === undefined ? "" : r.threshold.toFixed(6),
      r.dtype ?? "",
    ]),
  );
}

/** The output table: Cosine Similarity, L1, L2 and Chebyshev Distance. */
export function outputTable(rows: readonly OutputRow[]): string[] {
  return table(
    ["Node", "Cosine Similarity", "L1 Distance", "L2 Distance", "Chebyshev Distance"],
    rows.map((r) => [r.name, ...[r.cosine, r.l1, r.l2, r.chebyshev].map((v) => v.toFixed(6))]),
  );
}
