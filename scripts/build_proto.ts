/**
 * Generates the protobuf code: for every `*.proto` below `src/formats`, TypeScript into the folder
 * `gen/` beside it. The output is committed; the generator and its plugin are pinned because other
 * versions print descriptors differently.
 *
 *     deno task build:proto             rewrite the generated files
 *     deno task build:proto --check     exit 1 when a committed file differs
 *
 * @module
 */

const BUF = "npm:@bufbuild/buf@1.74.0";
const PLUGIN = "npm:@bufbuild/protoc-gen-es@2.17.0";
const RUNTIME = "npm:@bufbuild/protobuf@2.17.0";

/** Every `.proto` below a folder, sorted. */
async function protosBelow(dir: URL): Promise<URL[]> {
  const found: URL[] = [];
  for await (const entry of Deno.readDir(dir)) {
    const url = new URL(entry.name + (entry.isDirectory ? "/" : ""), dir);
    if (entry.isDirectory) found.push(...await protosBelow(url));
    else if (entry.name.endsWith(".proto")) found.push(url);
  }
  return found.sort((a, b) => a.href < b.href ? -1 : 1);
}

/** Runs the generator on one file in a scratch folder and returns the text it produced. */
async function generate(proto: URL): Promise<string> {
  const file = decodeURIComponent(proto.pathname.split("/").pop()!);
  const work = await Deno.makeTempDir();
  try {
    await Deno.copyFile(proto, `${work}/${file}`);
    const template = {
      version: "v2",
      plugins: [{
        local: ["deno", "run", "-A", PLUGIN],
        out: "gen",
        opt: [
          "target=ts",
          "import_extension=ts",
          // Bare specifiers do not resolve when the project is imported from a URL.
          `rewrite_imports=@bufbuild/protobuf:${RUNTIME}`,
          `rewrite_imports=@bufbuild/protobuf/codegenv2:${RUNTIME}/codegenv2`,
        ],
      }],
    };
    const result = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", BUF, "generate", "--template", JSON.stringify(template)],
      cwd: work,
      stdout: "inherit",
      stderr: "inherit",
    }).output();
    if (!result.success) throw new Error(`${file}: the generator failed`);
    return await Deno.readTextFile(`${work}/gen/${file.replace(/\.proto$/, "_pb.ts")}`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  let differing = 0;
  for (const proto of await protosBelow(new URL("../src/formats/", import.meta.url))) {
    const text = await generate(proto);
    const name = decodeURIComponent(proto.pathname.split("/").pop()!).replace(/\.proto$/, "_pb.ts");
    const target = new URL(`gen/${name}`, proto);
    const old = await Deno.readTextFile(target).catch(() => undefined);
    if (check) {
      if (old !== text) {
        differing++;
        console.error(`${target.pathname} is not what ${PLUGIN} makes of its .proto`);
      }
      continue;
    }
    await Deno.mkdir(new URL("gen/", proto), { recursive: true });
    if (old !== text) await Deno.writeTextFile(target, text);
    console.log(`${old === text ? "unchanged" : "wrote"} gen/${name}`);
  }
  if (differing > 0) Deno.exit(1);
}
