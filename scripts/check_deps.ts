/**
 * Checks that imports point one way between the folders of src/, and that no files import each other in
 * a circle. Run by `deno task check:deps`.
 *
 * @module
 */

/** Lowest first. A file may import from its own layer and from lower ones. */
const layers = [
  "errors",
  "deps",
  "ir",
  "kernels",
  "march",
  "formats",
  "ops",
  "passes",
  "calibrate",
  "quantize",
  "compile",
  "container",
  "run",
  "debug",
  "report",
  "flow",
  "mod",
  "cli",
] as const;

const root = new URL("../", import.meta.url);

function* files(dir: URL): Generator<URL> {
  for (const e of [...Deno.readDirSync(dir)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (e.isDirectory) yield* files(new URL(`${e.name}/`, dir));
    else if (/\.(ts|js)$/.test(e.name) && !e.name.endsWith(".d.ts")) yield new URL(e.name, dir);
  }
}

/** Layer of a file by its path from the project's root; undefined outside of the checked folders. */
function layerOf(path: string): string | undefined {
  if (path === "mod.ts") return "mod";
  const parts = path.split("/");
  if (parts[0] === "cli") return "cli";
  if (parts[0] !== "src") return undefined;
  return parts.length === 2 ? parts[1]!.replace(/\.ts$/, "") : parts[1];
}

const problems: string[] = [];
const edges = new Map<string, string[]>();
const all = [
  ...files(new URL("src/", root)),
  ...files(new URL("cli/", root)),
];
try {
  Deno.statSync(new URL("mod.ts", root));
  all.push(new URL("mod.ts", root));
} catch {
  // The public module may not exist yet.
}

const pattern =
  /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:source\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/g;
for (const file of all) {
  const path = file.href.slice(root.href.length);
  const text = Deno.readTextFileSync(file).replace(/\/\*[\s\S]*?\*\//g, "");
  const layer = layerOf(path);
  const test = /_test\.ts$/.test(path);
  for (const m of text.matchAll(pattern)) {
    const target = m[3]!;
    if (/^(npm|jsr|https?):/.test(target)) {
      const shim = /_(mod|wasm|text)\.js$|_wasm\.js$|\.d\.ts$/.test(path);
      if (path !== "src/deps.ts" && !shim && !path.includes("/gen/")) {
        problems.push(`${path}: third-party import ${target} belongs in src/deps.ts`);
      }
      continue;
    }
    if (!target.startsWith(".")) continue;
    const to = new URL(target, file).href.slice(root.href.length);
    const toLayer = layerOf(to);
    if (layer === undefined || toLayer === undefined || test) continue;
    const from = layers.indexOf(layer as typeof layers[number]);
    const at = layers.indexOf(toLayer as typeof layers[number]);
    if (from < 0) problems.push(`${path}: folder ${layer} is not in the list of layers`);
    else if (at < 0) problems.push(`${to}: folder ${toLayer} is not in the list of layers`);
    else if (at > from) problems.push(`${path} (${layer}) imports ${to} (${toLayer})`);
    if (m[2] === undefined && !/^import\s+type|^export\s+type/.test(m[0].trim())) {
      edges.set(path, [...edges.get(path) ?? [], to]);
    }
  }
}

// Circles of value imports, each told once.
const state = new Map<string, "open" | "done">();
const told = new Set<string>();
function visit(path: string, trail: string[]): void {
  const s = state.get(path);
  if (s === "done") return;
  if (s === "open") {
    const circle = trail.slice(trail.indexOf(path));
    const key = [...circle].sort().join(" ");
    if (!told.has(key)) {
      told.add(key);
      problems.push(`circle: ${[...circle, path].join(" -> ")}`);
    }
    return;
  }
  state.set(path, "open");
  for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
  state.set(path, "done");
}
for (const path of edges.keys()) visit(path, []);

for (const p of problems) console.error(p);
console.log(`${all.length} files, ${problems.length} problems of import direction`);
if (problems.length > 0) Deno.exit(1);
