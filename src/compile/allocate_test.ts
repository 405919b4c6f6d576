import { equal, ok } from "node:assert/strict";
import { allocateArena } from "./allocate.ts";
import type { Live } from "./allocate.ts";

function random(seed: number): () => number {
  let s = seed * 2654435761 >>> 0;
  return () => (s = (Math.imul(s, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

Deno.test("tensors that live at the same time never overlap, and the arena is not larger than all", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const r = random(seed);
    const lives: Live[] = Array.from({ length: 1 + Math.floor(r() * 40) }, (_, i) => {
      const from = Math.floor(r() * 30);
      return { name: `t${i}`, bytes: Math.floor(r() * 5000), from, to: from + Math.floor(r() * 8) };
    });
    const { offsets, bytes } = allocateArena(lives);
    let sum = 0;
    for (const a of lives) {
      const at = offsets.get(a.name)!;
      equal(at % 64, 0);
      ok(at + a.bytes <= bytes);
      sum += Math.ceil(Math.max(a.bytes, 1) / 64) * 64;
      for (const b of lives) {
        if (a === b || a.to < b.from || b.to < a.from) continue;
        const other = offsets.get(b.name)!;
        ok(at + a.bytes <= other || other + b.bytes <= at, `seed ${seed}: ${a.name} and ${b.name}`);
      }
    }
    ok(bytes <= sum);
  }
});

Deno.test("tensors of a chain share two places", () => {
  const chain = Array.from(
    { length: 10 },
    (_, i): Live => ({ name: `t${i}`, bytes: 640, from: i, to: i + 1 }),
  );
  equal(allocateArena(chain).bytes, 1280);
});

Deno.test("the result does not depend on the order of the list", () => {
  const lives: Live[] = [
    { name: "a", bytes: 100, from: 0, to: 2 },
    { name: "b", bytes: 100, from: 1, to: 3 },
    { name: "c", bytes: 300, from: 2, to: 4 },
  ];
  equal(
    JSON.stringify([...allocateArena(lives).offsets].sort()),
    JSON.stringify([...allocateArena([...lives].reverse()).offsets].sort()),
  );
});
