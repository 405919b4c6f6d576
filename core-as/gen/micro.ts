/**
 * Writes the unrolled micro-kernels. AssemblyScript has no arrays of vectors, so every accumulator is a
 * named local and the source is generated.
 *
 * @module
 */

import { depthwiseF32 } from "./float_depthwise.ts";

/** File name under core-as/micro and its text. */
export function generateMicro(): Map<string, string> {
  return new Map([["tiles.ts", tiles()], ["rows.ts", rows()], ["../transpose_tiles.ts", transposes()], ["peak.ts", peaks()], ["tiles_f32.ts", tilesF32()], ["depthwise_f32.ts", depthwiseF32()]]);
}

const note = "// Written by core-as/gen/micro.ts; do not edit.\n";
const pixels = [0, 1, 2, 3];

/** The dense tiles: 4 pixels x 8 channels, one step is 4 bytes of each pixel and 32 bytes of weights. */
function tiles(): string {
  return note + `
import { fused, rounded } from "./requant";
import { finishTile } from "./finish";
${tile("d16", (w, a) => `i32x4.dot_i16x8_s(${w}, ${a})`)}
${
    tile(
      "rd8",
      (w, a) => `i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(${w}, ${a}), ones)`,
    )
  }`;
}

function tile(name: string, dot: (w: string, a: string) => string): string {
  const step = (k: number, offset: (bytes: number) => string) =>
    `      u = v128.load(w, ${offset(32 * k)});
      v = v128.load(w, ${offset(32 * k + 16)});
` + pixels.map((p) =>
      `      a = v128.load32_splat(p${p}, ${4 * k});
      c${p}0 = i32x4.add(c${p}0, ${dot("u", "a")});
      c${p}1 = i32x4.add(c${p}1, ${dot("v", "a")});
`
    ).join("");
  const body = `
    let c00 = v128.load(bias), c01 = v128.load(bias, 16);
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
    let w = weights;
    for (let r: i32 = 0; r < runs; r++) {
      const o = load<u32>(runOffsets + (<usize>r << 2));
      let p0 = a0 + o, p1 = a1 + o, p2 = a2 + o, p3 = a3 + o;
      let s = steps;
      for (; s >= 4; s -= 4) {
${[0, 1, 2, 3].map((k) => step(k, String)).join("")}
        p0 += 16;
        p1 += 16;
        p2 += 16;
        p3 += 16;
        w += 128;
      }
      for (; s > 0; s--) {
${step(0, String)}
        p0 += 4;
        p1 += 4;
        p2 += 4;
        p3 += 4;
        w += 32;
      }
    }`;
  return `
// Pixels at x + xo[i] for i < n; results to y + yo[i]; with steps (dx is not 0, n is at least 4) at x + i dx and
// y + yo[0] + i dy, where the last tile overlaps the one before. mode: 0 and 4 int8, 1 int16, 2 int32 output; 3 any, through finishTile.
export function ${name}Run(
  x: usize, xo: usize, yo: usize, dx: usize, dy: usize, n: i32, weights: usize, bias: usize, mul: usize,
  runs: i32, runOffsets: usize, steps: i32, y: usize, k: usize, mode: i32, channels: i32, finish: usize,
): void {
  ${name === "rd8" ? "const ones = v128.load(256);" : ""}
  const start = y + <usize>load<u32>(yo);
  let a: v128, u: v128, v: v128;
  for (let t: i32 = 0; t < n; t += 4) {
    const i1 = min<i32>(t + 1, n - 1), i2 = min<i32>(t + 2, n - 1), i3 = min<i32>(t + 3, n - 1);
    let a0: usize, a1: usize, a2: usize, a3: usize;
    if (dx) {
      a0 = x + <usize>min<i32>(t, n - 4) * dx;
      a1 = a0 + dx;
      a2 = a1 + dx;
      a3 = a2 + dx;
    } else {
      a0 = x + <usize>load<u32>(xo + (<usize>t << 2));
      a1 = x + <usize>load<u32>(xo + (<usize>i1 << 2));
      a2 = x + <usize>load<u32>(xo + (<usize>i2 << 2));
      a3 = x + <usize>load<u32>(xo + (<usize>i3 << 2));
    }
${body}
    if (mode == 3) {
${
    pixels.map((p) =>
      `      v128.store(k, c${p}0, ${128 + 32 * p});\n      v128.store(k, c${p}1, ${
        128 + 32 * p + 16
      });\n`
    ).join("")
  }
      const first = dx ? min<i32>(t, n - 4) : t;
      finishTile(k + 128, yo + (<usize>first << 2), min<i32>(4, n - first), channels, 32, y, finish);
      continue;
    }
    let y0: usize, y1: usize, y2: usize, y3: usize;
    if (dx) {
      y0 = start + <usize>min<i32>(t, n - 4) * dy;
      y1 = y0 + dy;
      y2 = y1 + dy;
      y3 = y2 + dy;
    } else {
      y0 = y + <usize>load<u32>(yo + (<usize>t << 2));
      y1 = y + <usize>load<u32>(yo + (<usize>i1 << 2));
      y2 = y + <usize>load<u32>(yo + (<usize>i2 << 2));
      y3 = y + <usize>load<u32>(yo + (<usize>i3 << 2));
    }
    if (mode == 4) {
      const m0 = v128.load(mul), m1 = v128.load(mul, 16), r = v128.load(k, 448), z = v128.load(k, 464);
      const lo = v128.load(k, 32), hi = v128.load(k, 48);
${
    pixels.map((p) =>
      `      c${p}0 = i16x8.narrow_i32x4_s(rounded(c${p}0, m0, r, z), rounded(c${p}1, m1, r, z));\n`
    ).join("")
  }
      c00 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c00, c10), lo), hi);
      c20 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c20, c30), lo), hi);
      v128.store64_lane(y0, c00, 0);
      v128.store64_lane(y1, c00, 1);
      v128.store64_lane(y2, c20, 0);
      v128.store64_lane(y3, c20, 1);
      continue;
    }
    if (mode == 2) {
      const lo = v128.load(k, 96), hi = v128.load(k, 112);
${
    pixels.map((p) =>
      [0, 1].map((h) =>
        `      v128.store(y${p}, i32x4.min_s(i32x4.max_s(c${p}${h}, lo), hi), ${16 * h});\n`
      ).join("")
    ).join("")
  }
      continue;
    }
    const m0 = v128.load(mul), m1 = v128.load(mul, 16), r = v128.load(k), z = v128.load(k, 16);
${
    pixels.map((p) =>
      `    c${p}0 = i16x8.add_sat_s(i16x8.narrow_i32x4_s(fused(c${p}0, m0, r), fused(c${p}1, m1, r)), z);\n`
    ).join("")
  }
    if (mode == 0) {
      const lo = v128.load(k, 32), hi = v128.load(k, 48);
      c00 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c00, c10), lo), hi);
      c20 = i8x16.min_s(i8x16.max_s(i8x16.narrow_i16x8_s(c20, c30), lo), hi);
      v128.store64_lane(y0, c00, 0);
      v128.store64_lane(y1, c00, 1);
      v128.store64_lane(y2, c20, 0);
      v128.store64_lane(y3, c20, 1);
    } else {
      const lo = v128.load(k, 64), hi = v128.load(k, 80);
${
    pixels.map((p) =>
      `      v128.store(y${p}, i16x8.min_s(i16x8.max_s(c${p}0, lo), hi));\n`
    ).join("")
  }
    }
  }
}

// The accumulators of one tile, [4][8] int32 at \`out\`.
export function ${name}Raw(
  a0: usize, a1: usize, a2: usize, a3: usize, weights: usize, bias: usize,
  runs: i32, runOffsets: usize, steps: i32, out: usize,
): void {
  ${name === "rd8" ? "const ones = v128.load(256);" : ""}
  let a: v128, u: v128, v: v128;
${body}
${
    pixels.map((p) =>
      `  v128.store(out, c${p}0, ${32 * p});\n  v128.store(out, c${p}1, ${32 * p + 16});\n`
    ).join("")
  }}
`;
}

/** Depthwise rows: 4 outputs x 4 channels over planes of row pairs (see depthwise.ts). */
function rows(): string {
  const accs = pixels.map((j) => `c${j}`);
  const init = `      let ${accs.map((c) => `${c} = b`).join(", ")};\n`;
  // int8 pairs are widened by their load, parts of int16 are there as they are.
  const any = (load: string) => `      let w = weights, line = p0;
      for (let j: i32 = 0; j < pairs; j++, line += pairStep) {
        let at = line;
        for (let i: i32 = 0; i < kw; i++, at += tapStep, w += 16) {
          const u = v128.load(w);
${
    pixels.map((j) =>
      `          c${j} = i32x4.add(c${j}, i32x4.dot_i16x8_s(${load}(at${
        j === 0 ? "" : j === 1 ? " + colStep" : ` + ${j} * colStep`
      }), u));\n`
    ).join("")
  }        }
      }
`;
  const header = (name: string) => `
export function ${name}(
  src: usize, rows: i32, rowStep: usize, pairs: i32, pairStep: usize, kw: i32, tapStep: usize, colStep: usize,
  weights: usize, bias: usize, mul: usize, n: i32, y: usize, yRow: usize, yCol: usize,
  k: usize, mode: i32, channels: i32, finish: usize,
): void {
  const b = v128.load(bias);
  const ends = mode == 4 ? k + 448 : k, m = v128.load(mul), r = v128.load(ends), z = v128.load(ends, 16);
  const limits = mode == 1 ? k + 64 : k + 32, lo = v128.load(limits), hi = v128.load(limits, 16);
`;
  const loop = (body: string) => `  for (let row: i32 = 0; row < rows; row++, src += rowStep, y += yRow) {
    for (let t: i32 = 0; t < n; t += 4) {
      const p0 = src + <usize>t * colStep;
${init}${body}      rowEnd(c0, c1, c2, c3, y + <usize>t * yCol, yCol, n - t, m, r, z, lo, hi, k, mode, channels, finish);
    }
  }
}
`;
  // The last columns of a block are the first of the next; a strip has columns for whole blocks.
  const sliding = (stride: number) => {
    const columns = 3 + 3 * stride, kept = 3 - stride;
    let body = "";
    for (let c = 0; c < columns; c++) {
      if (c >= kept) {
        body += `      p${c} = v128.load_ext<i8>(p, ${16 * c});\n      q${c} = v128.load_ext<i8>(p + pairStep, ${16 * c});\n`;
      }
      for (const j of pixels) {
        const k = c - j * stride;
        if (k < 0 || k > 2) continue;
        body += `      c${j} = i32x4.add(c${j}, i32x4.dot_i16x8_s(p${c}, u${k}));
      c${j} = i32x4.add(c${j}, i32x4.dot_i16x8_s(q${c}, v${k}));
`;
      }
    }
    let first = "", next = "";
    for (let c = 0; c < kept; c++) {
      first += `      p${c} = v128.load_ext<i8>(p, ${16 * c});\n      q${c} = v128.load_ext<i8>(p + pairStep, ${16 * c});\n`;
      next += `      p${c} = p${columns - kept + c};\n      q${c} = q${columns - kept + c};\n`;
    }
    const all = Array.from({ length: columns }, (_, c) => c);
    return header(`dw3s${stride}`) +
      `  const u0 = v128.load(weights), u1 = v128.load(weights, 16), u2 = v128.load(weights, 32);
  const v0 = v128.load(weights, 48), v1 = v128.load(weights, 64), v2 = v128.load(weights, 80);
  let ${all.map((c) => `p${c}: v128`).join(", ")};
  let ${all.map((c) => `q${c}: v128`).join(", ")};
  for (let row: i32 = 0; row < rows; row++, src += rowStep, y += yRow) {
    let p = src, out = y;
${first}    for (let t: i32 = 0; t < n; t += 4) {
${init}${body}${next}      p += ${64 * stride};
      rowEnd(c0, c1, c2, c3, out, yCol, n - t, m, r, z, lo, hi, k, mode, channels, finish);
      out += yCol << 2;
    }
  }
}
`;
  };
  return note + `
import { rowEnd } from "./row_end";
${sliding(1)}${sliding(2)}${header("dwAny")}${loop(any("v128.load_ext<i8>"))}
// The accumulators of 4 outputs x 4 channels, [4][4] int32 at \`out\`.
export function dwRaw(
  p0: usize, pairs: i32, pairStep: usize, kw: i32, tapStep: usize, colStep: usize, weights: usize, out: usize,
): void {
      const b = i32x4.splat(0);
${init}${any("v128.load")}${
    pixels.map((j) => `      v128.store(out, c${j}, ${16 * j});\n`).join("")
  }}
`;
}

/** Square transposes: log2(n) rounds, each interleaving row i with row i + n / 2. */
function transposes(): string {
  return note + [1, 2, 4].map((bytes) => {
    const n = 16 / bytes, lanes = Array.from({ length: n }, (_, i) => i);
    const type = bytes === 1 ? "i8x16" : bytes === 2 ? "i16x8" : "i32x4";
    const mask = (half: number) =>
      Array.from({ length: n }, (_, i) => (i >> 1) + half * n / 2 + (i & 1) * n).join(", ");
    let text = `
// ${n} x ${n} elements of ${bytes} bytes; ss and ds are bytes from row to row.
export function transpose${bytes}(src: usize, ss: usize, dst: usize, ds: usize): void {
  let p = src;
`;
    for (const i of lanes) {
      text += `  const a${i} = v128.load(p);\n${i < n - 1 ? "  p += ss;\n" : ""}`;
    }
    let from = "a";
    for (let k = 1, round = 1; k < n; k *= 2, round++) {
      const to = String.fromCharCode(97 + round);
      for (const i of lanes) {
        const r = i >> 1;
        text += `  const ${to}${i} = ${type}.shuffle(${from}${r}, ${from}${r + n / 2}, ${
          mask(i & 1)
        });\n`;
      }
      from = to;
    }
    for (const i of lanes) {
      text += `  v128.store(dst, ${from}${i});\n${i < n - 1 ? "  dst += ds;\n" : ""}`;
    }
    return text + "}\n";
  }).join("");
}

/** Register-resident loops for the benches: what the dot instructions could give. 32 (relaxed: 64) multiply-adds a line. */
function peaks(): string {
  const lanes = [0, 1, 2, 3, 4, 5, 6, 7];
  // Four by two operands that change on every pass: nothing can be hoisted or shared.
  const peak = (name: string, dot: (a: string, b: string) => string) => `
export function ${name}(n: i32, out: usize): void {
  const ones = v128.load(256);
  let a0 = v128.load(out), a1 = v128.load(out, 16), a2 = v128.load(out, 32), a3 = v128.load(out, 48);
  let b0 = v128.load(out, 64), b1 = v128.load(out, 80);
  let ${lanes.map((i) => `c${i} = a0`).join(", ")};
  for (let i: i32 = 0; i < n; i++) {
    b0 = i32x4.add(b0, ones);
    b1 = i32x4.add(b1, ones);
${lanes.map((i) => `    c${i} = i32x4.add(c${i}, ${dot(`a${i >> 1}`, `b${i & 1}`)});`).join("\n")}
  }
${lanes.map((i) => `  v128.store(out, c${i}, ${96 + 16 * i});`).join("\n")}
}
`;
  return note + peak("peakDot", (a, b) => `i32x4.dot_i16x8_s(${a}, ${b})`) +
    peak("peakRelaxed", (a, b) => `i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(${a}, ${b}), ones)`);
}

/** The float32 tile: 6 pixels x 8 channels, one step is one value of each pixel and 8 weights. */
function tilesF32(): string {
  const rows = [0, 1, 2, 3, 4, 5];
  const step = (k: number) =>
    `        u = v128.load(w, ${32 * k});\n        v = v128.load(w, ${32 * k + 16});\n` + rows.map((p) =>
      `        a = v128.load32_splat(p${p}, ${4 * k});
        c${p}0 = f32x4.relaxed_madd(a, u, c${p}0);
        c${p}1 = f32x4.relaxed_madd(a, v, c${p}1);
`
    ).join("");
  const advance = (bytes: number) =>
    rows.map((p) => `        p${p} += ${bytes};\n`).join("") + `        w += ${8 * bytes};\n`;
  return note + `
export function f32Run(
  x: usize, xo: usize, yo: usize, n: i32, weights: usize, bias: usize,
  runs: i32, runOffsets: usize, steps: i32, y: usize, k: usize, channels: i32,
): void {
  let a: v128, u: v128, v: v128;
  const clamps = load<f32>(k) != -Infinity || load<f32>(k, 16) != Infinity;
${rows.map((p) => `  const i${p} = <usize>min<i32>(${p}, n - 1) << 2;\n`).join("")}
  for (let t: i32 = 0; t < n; t += 6) {
    if (t + 6 > n) t = max<i32>(0, n - 6); // the last tile takes pixels that are done once more
    const q = xo + (<usize>t << 2), z = yo + (<usize>t << 2);
${rows.map((p) => `    const a${p} = x + <usize>load<u32>(q + i${p});\n`).join("")}
    let c00 = v128.load(bias), c01 = v128.load(bias, 16);
    let ${rows.slice(1).map((p) => `c${p}0 = c00, c${p}1 = c01`).join(", ")};
    let w = weights;
    for (let r: i32 = 0; r < runs; r++) {
      const o = load<u32>(runOffsets + (<usize>r << 2));
      let ${rows.map((p) => `p${p} = a${p} + o`).join(", ")};
      let s = steps;
      for (; s >= 8; s -= 8) {
${[0, 1, 2, 3, 4, 5, 6, 7].map(step).join("")}${advance(32)}      }
      for (; s >= 4; s -= 4) {
${[0, 1, 2, 3].map(step).join("")}${advance(16)}      }
      for (; s > 0; s--) {
${step(0)}${advance(4)}      }
    }
    if (clamps) {
      const lo = v128.load(k), hi = v128.load(k, 16);
${
    rows.map((p) =>
      `      c${p}0 = f32x4.pmin(f32x4.pmax(c${p}0, lo), hi);\n      c${p}1 = f32x4.pmin(f32x4.pmax(c${p}1, lo), hi);\n`
    ).join("")
  }    }
    if (channels == 8) {
${
    rows.map((p) =>
      `      const y${p} = y + <usize>load<u32>(z + i${p});\n      v128.store(y${p}, c${p}0);\n      v128.store(y${p}, c${p}1, 16);\n`
    ).join("")
  }    } else {
${
    rows.map((p) =>
      `      v128.store(k, c${p}0, 128);\n      v128.store(k, c${p}1, 144);\n      some(k + 128, y + <usize>load<u32>(z + i${p}), channels);\n`
    ).join("")
  }    }
  }
}

// @ts-ignore: decorator
@inline
function some(from: usize, to: usize, channels: i32): void {
  for (let c: i32 = 0; c < channels; c++) store<f32>(to + (<usize>c << 2), load<f32>(from + (<usize>c << 2)));
}
`;
}
