import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { Random } from "./cases.ts";
import { type BinaryF32, binaryF32, type UnaryF32, unaryF32 } from "./elementwise_f32.ts";
import { binaryRef, unaryRef } from "./elementwise_f32_ref.ts";

/** Values of all magnitudes, the neighbourhood of zero and of the ends of exp, and odd ones. */
function inputs(): Float32Array {
  const list: number[] = [0, -0, Infinity, -Infinity, NaN, 88.5, -87.2, -100, 1e30, -1e30, 0.625];
  for (let e = -30; e <= 7; e++) for (const m of [1, 1.3, 1.7]) list.push(m * 2 ** e, -m * 2 ** e);
  for (let x = -90; x <= 90; x += 0.37) list.push(x);
  return Float32Array.from(list);
}

/** Rounding of a result: relative, or absolute below `floor`. */
function near(got: number, want: number, tolerance: number, floor: number): boolean {
  if (Object.is(got, want) || got === want) return true;
  if (Number.isNaN(want)) return Number.isNaN(got);
  if (!Number.isFinite(want)) return false;
  if (Math.abs(want) > 3.4e38) return got === Math.sign(want) * Infinity;
  return Math.abs(got - want) <= tolerance * Math.max(Math.abs(want), floor);
}

/** Accurate relative to 1, or to the argument where that is larger. */
const absolute = new Set<UnaryF32>(["elu", "hardSigmoid", "hardSwish", "gelu", "mish"]);
/** Infinity times zero. */
const products = new Set<UnaryF32>(["hardSwish", "gelu", "mish"]);

const unary: [UnaryF32, number, number, tolerance: number][] = [
  ["clamp", -1.5, 2.5, 0],
  ["clamp", 0, Infinity, 0],
  ["leakyRelu", 0.1, 0, 1e-7],
  ["sigmoid", 1, 0, 4e-7],
  ["silu", 1, 0, 4e-7],
  ["hardSigmoid", 0.2, 0.5, 3e-7],
  ["hardSwish", 1 / 6, 0.5, 3e-7],
  ["tanh", 1, 0, 3e-7],
  ["exp", 1, 0, 3e-7],
  ["elu", 1.5, 0, 3e-7],
  ["neg", 1, 0, 0],
  ["abs", 1, 0, 0],
  ["sqrt", 1, 0, 6e-8],
  ["reciprocal", 1, 0, 6e-8],
  ["floor", 1, 0, 0],
  ["ceil", 1, 0, 0],
  ["erf", 1, 0, 3e-7],
  ["gelu", Math.SQRT1_2, 0.5, 3e-7],
  ["mish", 1, 0, 4e-7],
];

Deno.test("float functions agree with double precision within rounding, for every tail", () => {
  const arena = Arena.create(), all = inputs();
  for (const [op, alpha, beta, tolerance] of unary) {
    for (const n of [1, 2, 3, 4, 5, 7, all.length]) {
      const x = all.subarray(all.length - n), mark = arena.mark();
      const px = arena.put(x), y = arena.alloc(n * 4), guard = arena.alloc(16, 4);
      arena.u8(guard, 16).fill(9);
      unaryF32(arena, { op, x: px, y, n, alpha, beta });
      const got = arena.f32(y, n).slice();
      // The kernel sees float32 parameters.
      const [a, b] = [Math.fround(alpha), Math.fround(beta)];
      for (let i = 0; i < n; i++) {
        const v = x[i]!;
        // Beyond 87 the denominator stays what it is there, and an infinity minus infinity is NaN.
        if (op === "silu" && !(v > -87)) {
          assert.ok(
            Number.isNaN(v)
              ? Number.isNaN(got[i]!)
              : got[i]! <= 0 && (v < -1e6 || got[i]! > -1e-30),
          );
          continue;
        }
        if (products.has(op) && !Number.isFinite(v)) continue;
        const want = unaryRef(op, v, a, b),
          floor = absolute.has(op) ? 1 : 1.2e-38;
        const small = op === "sigmoid" && v < -86;
        assert.ok(
          small ? Math.abs(got[i]!) < 1e-36 : near(got[i]!, want, tolerance, floor),
          `${op}(${v}) = ${got[i]}, not ${want}`,
        );
      }
      unaryF32(arena, { op, x: px, y: px, n, alpha, beta });
      assert.deepEqual(arena.f32(px, n).slice(), got, `${op} in place`);
      assert.ok(arena.u8(guard, 16).every((v) => v === 9), `${op} wrote behind its output`);
      arena.release(mark);
    }
  }
});

Deno.test("float operators of two inputs: rows, scalars and repeated rows", () => {
  const arena = Arena.create();
  const ops: BinaryF32[] = ["add", "sub", "mul", "div", "max", "min", "slope"];
  for (let seed = 1; seed <= 300; seed++) {
    const r = new Random(seed), rows = r.int(1, 4), n = r.int(1, 11), op = ops[seed % ops.length]!;
    const operand = () => {
      const scalar = r.chance(0.3), repeat = r.chance(0.3);
      const row = repeat ? 0 : scalar ? 1 : n;
      const data = Float32Array.from(
        { length: (rows - 1) * row + (scalar ? 1 : n) },
        () => r.int(-40, 40) / 8 + 0.0625,
      );
      return { scalar, row, data, at: (i: number, j: number) => data[i * row + (scalar ? 0 : j)]! };
    };
    const a = operand(), b = operand(), mark = arena.mark();
    const y = arena.alloc(rows * n * 4);
    binaryF32(arena, {
      ...{ op, a: arena.put(a.data), b: arena.put(b.data), y, n, rows },
      ...{ aScalar: a.scalar, bScalar: b.scalar, aRow: a.row, bRow: b.row },
    });
    const want = Float32Array.from(
      { length: rows * n },
      (_, i) => binaryRef(op, a.at(Math.floor(i / n), i % n), b.at(Math.floor(i / n), i % n)),
    );
    assert.deepEqual(arena.f32(y, rows * n).slice(), want, `seed ${seed} ${op}`);
    arena.release(mark);
  }
});

Deno.test("float functions refuse what lies outside the memory", () => {
  const arena = Arena.create();
  const x = arena.alloc(64);
  assert.throws(() => unaryF32(arena, { op: "neg", x, y: x, n: 2 ** 28 }), /outside/);
  assert.throws(() => unaryF32(arena, { op: "neg", x: x + 1, y: x, n: 1 }), /aligned/);
  assert.throws(() => binaryF32(arena, { op: "add", a: x, b: x, y: x, n: -1 }), /integer/);
});
