/**
 * Problems of a config: collected, not thrown one by one, so that a user sees all of them at once.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { Position } from "./yaml.ts";

/** One problem, with its place in the file. */
export interface ConfigIssue {
  readonly severity: "error" | "warning";
  readonly file: string;
  /** 1-based; absent when nothing in the file can be pointed at. */
  readonly line?: number;
  readonly column?: number;
  /** `group.key`, or the group. */
  readonly key?: string;
  /** What is wrong, one sentence without a full stop. */
  readonly message: string;
  /** What is allowed. */
  readonly allowed?: string;
}

/** `file:line:column: group.key: what is wrong; allowed: ...`. */
export function issueText(issue: ConfigIssue): string {
  const place = issue.line === undefined
    ? issue.file
    : `${issue.file}:${issue.line}:${issue.column ?? 1}`;
  const key = issue.key === undefined ? "" : `${issue.key}: `;
  const allowed = issue.allowed === undefined ? "" : `; allowed: ${issue.allowed}`;
  return `${place}: ${key}${issue.message}${allowed}`;
}

/** The error of a config: `issues` holds every problem, the message lists them one a line. */
export class ConfigError extends BpuError {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    const first = issues[0];
    super("config", issues.map(issueText).join("\n"), {
      ...(first?.key === undefined ? {} : { key: first.key }),
      ...(first?.line === undefined ? {} : { line: first.line }),
      ...(first?.column === undefined ? {} : { column: first.column }),
    });
    this.issues = issues;
  }
}

/** Collects issues while a config is read. */
export class Issues {
  readonly errors: ConfigIssue[] = [];
  readonly warnings: ConfigIssue[] = [];

  constructor(readonly file: string) {}

  error(
    key: string | undefined,
    at: Position | undefined,
    message: string,
    allowed?: string,
  ): void {
    this.errors.push(this.make("error", key, at, message, allowed));
  }

  warn(key: string | undefined, at: Position | undefined, message: string, allowed?: string): void {
    this.warnings.push(this.make("warning", key, at, message, allowed));
  }

  /** @throws {ConfigError} when there are errors, in the order of the file. */
  throwErrors(): void {
    if (this.errors.length > 0) throw new ConfigError(this.sorted(this.errors));
  }

  /** Issues in the order of the file. */
  sorted(issues: readonly ConfigIssue[]): ConfigIssue[] {
    const rank = (i: ConfigIssue) => (i.line ?? 0) * 1e6 + (i.column ?? 0);
    return [...issues].sort((a, b) => rank(a) - rank(b));
  }

  private make(
    severity: "error" | "warning",
    key: string | undefined,
    at: Position | undefined,
    message: string,
    allowed: string | undefined,
  ): ConfigIssue {
    return {
      severity,
      file: this.file,
      ...(at === undefined ? {} : { line: at.line, column: at.column }),
      ...(key === undefined ? {} : { key }),
      message,
      ...(allowed === undefined ? {} : { allowed }),
    };
  }
}

/**
 * The candidate that a mistyped word most likely means, or undefined when none is near.
 *
 * @example
 * ```ts
 * import { suggest } from "./issues.ts";
 * console.log(suggest("lantency", ["latency", "bandwidth"])); // latency
 * ```
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const w = word.toLowerCase().slice(0, 64);
  let best: string | undefined;
  let distance = Infinity;
  for (const c of candidates) {
    const d = editDistance(w, c.toLowerCase());
    if (d < distance) [best, distance] = [c, d];
  }
  return best !== undefined && distance <= Math.max(1, Math.floor(best.length / 3))
    ? best
    : undefined;
}

/** Optimal string alignment distance: insertions, deletions, substitutions, swapped neighbours. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let d = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        d = Math.min(d, before[j - 2]! + 1);
      }
      row.push(d);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
