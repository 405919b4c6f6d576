/**
 * Interleaved timing: A B C A B C ..., medians. Ratios come from one process; absolute figures swing with the machine.
 *
 * @module
 */

/** Something to time; `run` may be asynchronous. */
export interface Contender {
  readonly name: string;
  run(): unknown;
}

let quickest = false;

/** Takes the quickest round instead of the median everywhere: for machines that other processes keep busy. */
export function preferQuickest(): void {
  quickest = true;
}

/** Median milliseconds per contender; with `best` the quickest round, for what needs every core to itself. */
export async function interleave(
  contenders: readonly Contender[],
  options: { readonly budgetMs?: number; readonly least?: number; readonly best?: boolean } = {},
): Promise<Map<string, number>> {
  const { budgetMs = 1200, least = 5, best = quickest } = options;
  // The quickest of few rounds on a busy machine says little: there are more of them.
  const more = quickest ? 3 : 1;
  // The first calls run unoptimised code: they warm up.
  for (let i = 0; i < 3; i++) for (const c of contenders) await c.run();
  const times = new Map(contenders.map((c) => [c.name, [] as number[]]));
  const start = performance.now();
  for (
    let round = 0;
    round < least * more || performance.now() - start < budgetMs * more;
    round++
  ) {
    for (const c of contenders) {
      const from = performance.now();
      const r = c.run();
      if (r instanceof Promise) await r;
      times.get(c.name)!.push(performance.now() - from);
    }
    if (round >= 400) break;
  }
  return new Map([...times].map(([name, t]) => [name, best ? Math.min(...t) : median(t)]));
}

export function median(values: readonly number[]): number {
  const v = [...values].sort((a, b) => a - b);
  return (v[(v.length - 1) >> 1]! + v[v.length >> 1]!) / 2;
}

export function geomean(values: readonly number[]): number {
  return Math.exp(values.reduce((s, v) => s + Math.log(v), 0) / values.length);
}

/** One line of bench/results.json. */
export interface Row {
  readonly kernel: string;
  readonly shape: string;
  readonly value: number;
  readonly unit: string;
  /** How many times faster than each competitor. */
  readonly ratios: Readonly<Record<string, number>>;
}

/** Rows grow as sections finish. */
export class Results {
  readonly rows: Row[] = [];

  add(row: Row): void {
    const round = (v: number) => Number(v.toPrecision(4));
    const ratios = Object.fromEntries(Object.entries(row.ratios).map(([k, v]) => [k, round(v)]));
    this.rows.push({ ...row, value: round(row.value), ratios });
    const list = Object.entries(ratios).map(([k, v]) => `${k} x${v}`).join("  ");
    console.log(
      `${row.kernel.padEnd(16)} ${row.shape.padEnd(24)} ${round(row.value)} ${row.unit}  ${list}`,
    );
  }

  /** Ratios of a kernel to one competitor, by shape. */
  ratios(kernel: string, competitor: string): number[] {
    return this.rows.filter((r) => r.kernel === kernel && competitor in r.ratios)
      .map((r) => r.ratios[competitor]!);
  }
}
