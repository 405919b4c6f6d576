/**
 * Writes docs/operators.md from the operators' own declarations: `deno run -A scripts/operators_doc.ts`;
 * with `--lacking` it prints, per march, the BPU operators without an integer form, and exits with 1 where
 * there are any.
 *
 * @module
 */

import { lowerings, replaced } from "../src/ops/lowerings.ts";
import type { MarchRules, OpDef } from "../src/ops/op.ts";
import { allOps } from "../src/ops/registry.ts";

const where = { BPU: "BPU", CPU: "CPU", none: "refused" } as const;
const int16 = {
  "no": "no",
  "unstated": "not stated",
  "in": "input",
  "out": "output",
  "in+out": "input, output",
} as const;

/** A cell of a table: `|` would end it. */
const cell = (text: string) => text.replaceAll("|", "\\|");

function form(d: OpDef): string {
  const on = d.place!.bayes.on;
  if (d.quant === undefined || on === "none") return "";
  return on === "CPU" ? "on request" : d.quant.kind;
}

function list(title: string, rules: MarchRules["bpu"]): string[] {
  if (rules.length === 0) return [];
  return [`${title}:`, "", ...rules.map((r) => `- ${r.text}`), ""];
}

function texts(r: MarchRules): string {
  return JSON.stringify([r.on, r.int16, r.bpu.map((x) => x.text), r.cpu.map((x) => x.text)]);
}

/** The text of docs/operators.md. */
export function operatorsDoc(): string {
  const ops = allOps()
    .filter((d) => d.place !== undefined && (d.domain ?? "") === "")
    .sort((a, b) => a.op < b.op ? -1 : 1);
  const lines = [
    "# Operators",
    "",
    "Written by `scripts/operators_doc.ts` from the declarations in `src/ops/`; the same rules decide",
    "where a node runs. A node that breaks a BPU constraint runs on the CPU, and `hb_mapper checker`",
    "says which one it was.",
    "",
    "_Integer form_: `active` operators are quantized on their own, `passive` ones next to an active one,",
    "`manual` ones when `node_info` or `run_on_bpu` asks for them, and operators that the table has on the",
    "CPU alone `on request` in the same way. Where a BPU operator has none, a pass turns it into others",
    "(BatchNormalization into Conv), or it is computed when the model is converted (Shape).",
    "",
    "| Operator | bayes | bayes_e | bernoulli2 | int16 on bayes | Integer form |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  for (const d of ops) {
    const p = d.place!;
    lines.push(
      `| ${d.op} | ${where[p.bayes.on]} | ${where[p.bayes_e.on]} | ${where[p.bernoulli2.on]} | ${
        p.bayes.on === "BPU" ? int16[p.bayes.int16] : ""
      } | ${cell(form(d))} |`,
    );
  }
  lines.push(
    "",
    "# Integer forms",
    "",
    "BPU rows per march. _Replaced_ operators need no form of their own.",
    "",
    "| March | BPU rows | own form | replaced | lacking |",
    "| --- | --- | --- | --- | --- |",
    ...marches.map(lowerings).map((l) =>
      `| ${l.march} | ${l.own.length + l.replaced.length + l.lacking.length} | ${l.own.length} | ` +
      `${l.replaced.length} | ${l.lacking.join(", ") || "none"} |`
    ),
    "",
    ...[...replaced].map(([op, what]) => `- ${op}: ${what}`),
  );
  lines.push("", "# Constraints", "");
  for (const d of ops) {
    const p = d.place!;
    const sections: string[] = [];
    const add = (name: string, r: MarchRules) => {
      if (r.bpu.length + r.cpu.length === 0) return;
      sections.push(`### ${d.op} on ${name}`, "");
      sections.push(...list(r.on === "none" ? "Not integrated" : "BPU", r.bpu));
      sections.push(...list("CPU", r.cpu));
    };
    add("bayes", p.bayes);
    if (texts(p.bayes_e) !== texts(p.bayes)) add("bayes_e", p.bayes_e);
    add("bernoulli2", p.bernoulli2);
    if (sections.length > 0) lines.push(`## ${d.op}`, "", ...sections);
  }
  return lines.join("\n").trimEnd() + "\n";
}

const marches = ["bernoulli2", "bayes", "bayes_e"] as const;

/** A text without what a formatter changes: line breaks, the widths of table columns. */
export function unformatted(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/-{3,}/g, "---");
}

if (import.meta.main && Deno.args.includes("--lacking")) {
  const all = marches.map(lowerings);
  for (const l of all) console.log(`${l.march}: ${l.lacking.join(" ") || "none"}`);
  Deno.exit(all.some((l) => l.lacking.length > 0) ? 1 : 0);
}
if (import.meta.main) {
  const file = new URL("../docs/operators.md", import.meta.url);
  Deno.writeTextFileSync(file, operatorsDoc());
  const { code } = new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file.pathname] })
    .outputSync();
  Deno.exit(code);
}
