import assert from "node:assert/strict";
import { attr, node } from "../../ir/graph.ts";
import { f32, i64, type Tensor } from "../../ir/tensor.ts";
import { type ModelProto, TensorProto_DataLocation } from "./gen/onnx_pb.ts";
import { loadOnnx } from "./load.ts";
import { bytesOf, fails, runOrt, testModel, testProto, tiny } from "./test_models.ts";

Deno.test("every form of Constant", () => {
  const forms = {
    value: attr.tensor(i64([7])),
    value_float: attr.float(0.5),
    value_floats: attr.floats([1, 2]),
    value_int: attr.int(-3),
    value_ints: attr.ints([4, 5]),
    value_string: attr.string("s"),
    value_strings: attr.strings(["a", "b"]),
  };
  const keys = Object.keys(forms) as (keyof typeof forms)[];
  const g = loadOnnx(testModel({
    opset: 13,
    nodes: keys.map((k) => node("Constant", "", [], [k], { [k]: forms[k] })),
    inputs: [],
    outputs: keys.map((name) => ({ name, shape: [] })),
  }));
  const of = (k: string) => {
    // An output of the model has a node behind it.
    const t = g.constants.get(g.nodes.find((n) => n.outputs[0] === k)!.inputs[0]!)!;
    return [t.dtype, [...t.shape], Array.from(t.data as ArrayLike<unknown>)];
  };
  assert.deepEqual(keys.map(of), [
    ["int64", [1], [7n]],
    ["float32", [], [0.5]],
    ["float32", [2], [1, 2]],
    ["int64", [], [-3n]],
    ["int64", [2], [4n, 5n]],
    ["string", [], ["s"]],
    ["string", [2], ["a", "b"]],
  ]);
  assert.ok(g.nodes.every((n) => n.op === "Identity"));
});

Deno.test("every dtype, raw and typed", async () => {
  // The same elements, written both ways; onnxruntime says what the typed ones mean.
  const raw: Tensor[] = [
    f32([2, 2], [0.5, -1, 3e38, -0]),
    { dtype: "float64", shape: [3], data: Float64Array.of(0.1, -1e300, Infinity) },
    { dtype: "int8", shape: [3], data: Int8Array.of(-128, 0, 127) },
    { dtype: "uint8", shape: [2], data: Uint8Array.of(0, 255) },
    { dtype: "int16", shape: [2], data: Int16Array.of(-32768, 32767) },
    { dtype: "uint16", shape: [2], data: Uint16Array.of(0, 65535) },
    { dtype: "int32", shape: [2], data: Int32Array.of(-2147483648, 2147483647) },
    { dtype: "uint32", shape: [2], data: Uint32Array.of(0, 4294967295) },
    { dtype: "int64", shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
    { dtype: "uint64", shape: [2], data: BigUint64Array.of(0n, 2n ** 64n - 1n) },
    { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
    { dtype: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0xfbff) },
  ];
  const field: Record<string, number> = {
    float32: 4,
    float64: 10,
    int64: 7,
    uint32: 11,
    uint64: 11,
  };
  for (const packed of [true, false]) {
    for (const t of raw) {
      const model = testProto({
        opset: 17,
        nodes: [node("Identity", "id", ["c"], ["y"])],
        inputs: [],
        outputs: [{ name: "y", dtype: t.dtype, shape: t.shape }],
        initializers: new Map([["c", t]]),
      });
      const proto = model.graph!.initializer[0]!;
      assert.deepEqual(loadOnnx(bytesOf(model)).constants.get("c"), t);
      proto.rawData = undefined;
      proto.$unknown = typed(field[t.dtype] ?? 5, t, packed);
      const bytes = bytesOf(model);
      const ours = loadOnnx(bytes).constants.get("c");
      assert.deepEqual(ours, t, `${t.dtype} packed ${packed}`);
      const theirs = (await runOrt(bytes, new Map())).get("y");
      assert.deepEqual(theirs, ours, `${t.dtype} packed ${packed} in onnxruntime`);
    }
  }
});

/** Elements as fields of TensorProto. */
function typed(no: number, t: Tensor, packed: boolean) {
  const one = (v: number | bigint): number[] => {
    if (no === 4) return [...new Uint8Array(Float32Array.of(Number(v)).buffer)];
    if (no === 10) return [...new Uint8Array(Float64Array.of(Number(v)).buffer)];
    return varint(BigInt.asUintN(64, BigInt(v)));
  };
  const elements = Array.from(t.data as ArrayLike<number | bigint>, one);
  if (!packed) {
    const wireType = no === 4 ? 5 : no === 10 ? 1 : 0;
    return elements.map((e) => ({ no, wireType, data: Uint8Array.from(e) }));
  }
  const all = elements.flat();
  return [{ no, wireType: 2, data: Uint8Array.from([...varint(BigInt(all.length)), ...all]) }];
}

function varint(v: bigint): number[] {
  const out: number[] = [];
  for (; v > 127n; v >>= 7n) out.push(Number(v & 127n) | 128);
  return [...out, Number(v)];
}

Deno.test("external data: read through the resolver, once for each file", () => {
  const data = new Uint8Array(64);
  new Float32Array(data.buffer).set([1, 2, 3, 4], 4);
  const model = external("weights/a.bin", { offset: "16", length: "16" });
  const asked: string[] = [];
  const g = loadOnnx(bytesOf(model), {
    readExternal: (location) => (asked.push(location), data),
  });
  assert.deepEqual(asked, ["weights/a.bin"]);
  assert.deepEqual(g.constants.get("w"), f32([4], [1, 2, 3, 4]));
  assert.deepEqual(g.constants.get("v"), g.constants.get("w"));
});

/** Two tensors of four floats in another file. */
function external(location: string, extra: Record<string, string> = {}): ModelProto {
  const model = testProto(tiny({
    nodes: [node("Add", "a", ["x", "w"], ["t"]), node("Add", "b", ["t", "v"], ["y"])],
    initializers: new Map([["w", f32([4], [0, 0, 0, 0])], ["v", f32([4], [0, 0, 0, 0])]]),
  }));
  for (const t of model.graph!.initializer) {
    t.rawData = undefined;
    t.dataLocation = TensorProto_DataLocation.EXTERNAL;
    t.externalData = Object.entries({ location, ...extra }).map(([key, value]) => ({
      $typeName: "bpukit.onnx.StringStringEntryProto" as const,
      key,
      value,
    }));
  }
  return model;
}

Deno.test("external data: locations that lead elsewhere are refused before anything is read", () => {
  const readExternal = () => assert.fail("it was read");
  for (
    const location of [
      "../x",
      "a/../../x",
      "..",
      "/etc/passwd",
      "\\x",
      "C:x",
      "c:\\x",
      "a\\..\\x",
      "file:///x",
      "https://x/y",
      "",
      "a\0b",
    ]
  ) {
    fails(bytesOf(external(location)), "format", /beside the model/, { readExternal });
  }
});

Deno.test("external data: missing resolver, short file, bad numbers", () => {
  fails(bytesOf(external("w.bin")), "file", /separate file, w\.bin/);
  const broken = () => {
    throw new Error("ENOENT");
  };
  fails(bytesOf(external("w.bin")), "file", /w\.bin, cannot be read/, { readExternal: broken });
  const readExternal = () => new Uint8Array(15);
  fails(bytesOf(external("w.bin")), "format", /has only 15 bytes/, { readExternal });
  const bad = (extra: Record<string, string>, pattern: RegExp) =>
    fails(bytesOf(external("w.bin", extra)), "format", pattern, { readExternal });
  bad({ offset: "-1" }, /offset .* is not a size/);
  bad({ offset: "99999999999999999999" }, /offset/);
  bad({ length: "8" }, /has 8 bytes, a float32 tensor of 4 elements needs 16/);
});
