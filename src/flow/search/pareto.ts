/**
 * What a mixed-precision search leaves behind: node_info to paste, and the curve of error against
 * latency.
 *
 * @module
 */

import type { ParetoPoint } from "./mixed.ts";
import type { Workshop } from "./recipe.ts";

/** `node_info` that makes these tensors (roots) int16. */
export function nodeInfoText(w: Workshop, int16: readonly string[]): string {
  const made = new Map<string, string>();
  const read = new Map<string, [string, number]>();
  for (const g of w.layout.groups.values()) {
    for (const t of g.outputs) made.set(t, g.node.name);
    for (const [i, t] of g.node.inputs.entries()) {
      if (!read.has(t)) read.set(t, [g.node.name, i]);
    }
  }
  const outputs: string[] = [], inputs = new Map<string, number[]>();
  for (const t of int16) {
    const maker = made.get(t), reader = read.get(t);
    if (maker !== undefined) outputs.push(maker);
    else if (reader !== undefined) {
      inputs.set(reader[0], [...inputs.get(reader[0]) ?? [], reader[1]]);
    }
  }
  const names = [...new Set([...outputs, ...inputs.keys()])];
  if (names.length === 0) return "node_info: {}";
  const lines = names.map((name) => {
    const fields = (inputs.get(name) ?? []).map((i) => `'InputType${i}': 'int16'`);
    if (outputs.includes(name)) fields.push("'OutputType': 'int16'");
    return `  ${JSON.stringify(name)}: {${fields.join(", ")}}`;
  });
  return `node_info: {\n${lines.join(",\n")}\n}`;
}

/** One row a point; `similarity` is empty where it was not measured. */
export function paretoCsv(points: readonly ParetoPoint[]): string {
  const quoted = (s: string) => /[",\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s;
  const rows = points.map((p) =>
    [
      p.count,
      quoted(p.tensor),
      p.microseconds.toFixed(3),
      p.predictedNoise.toExponential(4),
      p.similarity?.toFixed(6) ?? "",
    ].join(",")
  );
  return ["int16_tensors,added_tensor,latency_us,predicted_noise,similarity", ...rows, ""]
    .join("\n");
}

/** Log lines of the curve: what was measured, what was chosen, and powers of two of tensors. */
export function paretoTable(points: readonly ParetoPoint[], chosen: number): string[] {
  const shown = points.filter((p, i) =>
    p.similarity !== undefined || p.count === chosen || i === points.length - 1 ||
    (p.count & (p.count - 1)) === 0
  );
  const rows = shown.map((p) => [
    `${p.count}${p.count === chosen ? " *" : ""}`,
    p.microseconds.toFixed(1),
    p.predictedNoise.toExponential(2),
    p.similarity?.toFixed(6) ?? "-",
  ]);
  const all = [["int16 tensors", "latency us", "predicted error", "worst output"], ...rows];
  const widths = all[0]!.map((_, i) => Math.max(...all.map((r) => r[i]!.length)));
  return all.map((r) => "  " + r.map((v, i) => v.padEnd(widths[i]!)).join("  ").trimEnd());
}

/** The predicted error against the latency, both axes labelled; the chosen point and measurements marked. */
export function paretoSvg(points: readonly ParetoPoint[], chosen: number): string {
  const width = 640, height = 400, left = 70, bottom = 50, top = 30, right = 20;
  const xs = points.map((p) => p.microseconds);
  const ys = points.map((p) => Math.log10(Math.max(p.predictedNoise, 1e-9)));
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  const x = (v: number) => left + (v - x0) / (x1 - x0 || 1) * (width - left - right);
  const y = (v: number) => height - bottom - (v - y0) / (y1 - y0 || 1) * (height - bottom - top);
  const at = (i: number) => `${x(xs[i]!).toFixed(1)},${y(ys[i]!).toFixed(1)}`;
  const dots = points.map((p, i) => {
    if (p.similarity === undefined && p.count !== chosen) return "";
    const [cx, cy] = at(i).split(",");
    const colour = p.count === chosen ? "#c0392b" : "#2c5aa0";
    const text = p.similarity === undefined ? "" : `, similarity ${p.similarity.toFixed(4)}`;
    return `<circle cx="${cx}" cy="${cy}" r="4" fill="${colour}"><title>${p.count} int16 tensors, ` +
      `${p.microseconds.toFixed(1)} us${text}</title></circle>`;
  }).filter((s) => s !== "");
  const label = (v: number, tx: number, ty: number, anchor: string) =>
    `<text x="${tx}" y="${ty}" text-anchor="${anchor}">${v}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<path d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="#333"/>`,
    `<polyline points="${points.map((_, i) => at(i)).join(" ")}" fill="none" stroke="#2c5aa0"/>`,
    ...dots,
    label(Number(x0.toFixed(1)), left, height - bottom + 16, "middle"),
    label(Number(x1.toFixed(1)), width - right, height - bottom + 16, "end"),
    label(Number((10 ** y0).toExponential(1)), left - 6, height - bottom, "end"),
    label(Number((10 ** y1).toExponential(1)), left - 6, top + 8, "end"),
    `<text x="${(left + width - right) / 2}" y="${
      height - 12
    }" text-anchor="middle">latency of the BPU part, microseconds (cost model)</text>`,
    `<text transform="translate(16 ${
      height / 2
    }) rotate(-90)" text-anchor="middle">predicted error power / signal power</text>`,
    "</svg>",
    "",
  ].join("\n");
}
