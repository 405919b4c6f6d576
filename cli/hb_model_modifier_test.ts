import { deepStrictEqual as equal, match } from "node:assert/strict";
import { makeModel } from "../src/flow/testing.ts";
import { inFolder, runTool } from "./testing.ts";

Deno.test("hb_model_modifier lists, removes in order, records and restores", async () => {
  const model = (await makeModel({ typeRt: "rgb", softmax: true })).get("small.bin")!;
  await inFolder(new Map([["m.bin", model]]), async (dir) => {
    const access = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    const modify = (...args: string[]) => runTool("hb_model_modifier", access, args, dir);

    const listed = await runTool("hb_model_modifier", [`--allow-read=${dir}`], ["m.bin"], dir);
    equal(listed.code, 0);
    match(listed.out, / INFO Nodes that can be deleted: \['prob'\]\n$/);

    const early = await modify("m.bin", "-r", "flatten");
    equal(early.code, 9);
    match(
      early.err,
      /^ERROR Reshape flatten: only a node next to an input or output can be removed\. Nodes that can be deleted: \['prob'\]\n$/,
    );

    const cut = await modify("m.bin", "-r", "prob", "-a", "Reshape", "-a", "Dequantize");
    equal(cut.code, 0);
    const lines = cut.out.trim().split("\n").map((l) => l.replace(/^\S+ \S+ INFO /, ""));
    equal(lines.shift(), `log will be stored in ${dir}/hb_model_modifier.log`);
    equal(lines, [
      "Tool will remove ['Reshape', 'Dequantize'] nodes from this model",
      "Node 'prob' found, its OP type is 'Softmax'",
      "Node 'prob' is removed",
      "Nodes that will be removed from this model: ['flatten']",
      "Node 'flatten' found, its OP type is 'Reshape'",
      "Node 'flatten' is removed",
      "Nodes that will be removed from this model: ['s_HzDequantize']",
      "Node 's_HzDequantize' found, its OP type is 'Dequantize'",
      "scale: s_HzDequantize_scale; zero point: 0. node info details are stored in " +
      "hb_model_modifier log file",
      "Node 's_HzDequantize' is removed",
      "modified model saved as m_modified.bin",
    ]);
    const log = await Deno.readTextFile(`${dir}/hb_model_modifier.log`);
    match(log, /Node s_HzDequantize info: 's_HzDequantize: type: Dequantize; .*scale: \[0\.\d+, /);
    match(log, /name: "data"\ntype \{\n {2}elem_type: INT8\n {2}dim: 1\n/);

    const info = await runTool("hb_model_info", access, ["m_modified.bin"], dir);
    match(
      info.out,
      /-{9} deleted nodes -\ndeleted nodes: prob\ndeleted nodes: flatten\ndeleted nodes: s_HzDeq/,
    );
    match(info.out, /\nmodel output types {2}: \[<InputDataType\.S32: \d+>\]\n/);
    const kept = (await Deno.readTextFile(`${dir}/deleted_nodes_info.txt`)).trim().split("\n");
    equal(kept.map((l) => l.split(";")[0]), [
      "prob: type: Softmax",
      "flatten: type: Reshape",
      "s_HzDequantize: type: Dequantize",
    ]);

    equal((await modify("m_modified.bin", "--restore", "-o", "again.bin")).code, 0);
    equal(await Deno.readFile(`${dir}/again.bin`), model);
  });
});

Deno.test("hb_model_modifier refuses packed models and unknown nodes", async () => {
  const model = (await makeModel({})).get("small.bin")!;
  await inFolder(new Map([["m.bin", model]]), async (dir) => {
    const access = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    await runTool("hb_pack", access, ["m.bin", "-o", "p.bin"], dir);
    const packed = await runTool("hb_model_modifier", access, ["p.bin", "-r", "x"], dir);
    equal(packed.code, 9);
    match(packed.err, /pack model is not supported/);
    const none = await runTool("hb_model_modifier", access, ["m.bin", "-r", "x"], dir);
    equal(none.code, 2);
    match(
      none.err,
      /node 'x' is not in the model\. Nodes that can be deleted: \['data_HzQuantize'/,
    );
    equal((await runTool("hb_model_modifier", access, ["m.bin", "--restore"], dir)).code, 2);
  });
});
