// Files that lie, are cut, or are something else: one sentence each, quickly, without taking memory.
import assert from "node:assert/strict";
import { create, toBinary } from "../../deps.ts";
import { BpuError, type ErrorCode } from "../../errors.ts";
import { attr, node } from "../../ir/graph.ts";
import { f32, i64 } from "../../ir/tensor.ts";
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.ts";
import { loadOnnx } from "./load.ts";
import { saveOnnx } from "./save.ts";
import { random, type TestModel, testModel, testProto } from "./test_models.ts";

function fails(bytes: Uint8Array, code: ErrorCode, pattern: RegExp): void {
  const started = performance.now();
  assert.throws(() => loadOnnx(bytes), (e) => {
    assert.ok(e instanceof BpuError, String(e));
    assert.equal(e.code, code, e.sentence());
    assert.match(e.sentence(), pattern);
    assert.ok(!e.sentence().includes("\n"), "one line");
    return true;
  });
  assert.ok(performance.now() - started < 10_000, "it took too long");
}

const text = (s: string) => new TextEncoder().encode(s);
const bytesOf = (m: ModelProto) => toBinary(ModelProtoSchema, m);

/** A little of everything: weights, typed data, a subgraph, every kind of attribute. */
function sample(): ModelProto {
  const model: TestModel = {
    opset: 11,
    nodes: [
      node("Conv", "conv", ["x", "w", "b"], ["t"], {
        pads: attr.ints([1, 1, 1, 1]),
        auto_pad: attr.string("NOTSET"),
      }),
      node("Clip", "clip", ["t", "low"], ["u"]),
      node("Constant", "k", [], ["axes"], { value: attr.tensor(i64([1])) }),
      node("Act", "act", ["u"], ["a"], { alpha: attr.float(0.5) }, "pkg"),
      node("Softmax", "soft", ["a"], ["v"], { axis: attr.int(1) }),
      node("If", "if", ["cond"], ["y"]),
    ],
    inputs: [{ name: "x", shape: ["N", 2, 5, 5] }],
    outputs: [{ name: "y", shape: ["N", 3, 5, 5] }],
    initializers: new Map([
      ["w", f32([3, 2, 3, 3], new Float32Array(54).fill(0.5))],
      ["b", f32([3], [1, 2, 3])],
      ["low", f32([], [0])],
      ["cond", { dtype: "bool", shape: [], data: Uint8Array.of(1) }],
    ]),
    valueInfo: [{ name: "t", shape: ["N", 3, 5, 5] }],
    domains: new Map([["pkg", 1]]),
  };
  const m = testProto(model);
  const alpha = create(AttributeProtoSchema, {
    name: "alpha",
    type: Kind.FLOAT,
    refAttrName: "alpha",
  });
  m.functions.push(create(FunctionProtoSchema, {
    name: "Act",
    domain: "pkg",
    input: ["p"],
    output: ["q"],
    attribute: ["alpha"],
    node: [create(NodeProtoSchema, {
      opType: "LeakyRelu",
      input: ["p"],
      output: ["q"],
      attribute: [alpha],
    })],
  }));
  const b = m.graph!.initializer[1]!;
  b.rawData = undefined;
  b.$unknown = [{
    no: 4,
    wireType: 2,
    data: Uint8Array.of(12, ...new Uint8Array(Float32Array.of(1, 2, 3).buffer)),
  }];
  m.graph!.node[5]!.attribute = ["then_branch", "else_branch"].map((name) =>
    create(AttributeProtoSchema, {
      name,
      type: Kind.GRAPH,
      g: create(GraphProtoSchema, {
        node: [create(NodeProtoSchema, { opType: "Neg", input: ["v"], output: [`${name}_y`] })],
        output: [create(ValueInfoProtoSchema, { name: `${name}_y` })],
      }),
    })
  );
  return m;
}

function withTensor(change: (t: TensorProto) => void): Uint8Array {
  const m = sample();
  change(m.graph!.initializer[0]!);
  return bytesOf(m);
}

Deno.test("files that are something else", () => {
  const cases: [string, RegExp][] = [
    ["", /empty/],
    ["version https://git-lfs.github.com/spec/v1\noid sha256:0\n", /Git LFS pointer.*git lfs pull/],
    ["<!DOCTYPE html><html>", /HTML page/],
    ["\n <html lang=en>", /HTML page/],
    ["PK\x03\x04....", /zip archive/],
    ["\x1c\0\0\0TFL3", /TensorFlow Lite/],
    ["layer { name: 'conv1' }", /text file/],
    ['{"format": 1}', /JSON/],
  ];
  for (const [content, pattern] of cases) fails(text(content), "format", pattern);
  fails(Uint8Array.of(0x1f, 0x8b, 8, 0), "format", /gzip/);
  fails(Uint8Array.of(0x89, 0x48, 0x44, 0x46), "format", /HDF5/);
  fails(new Uint8Array(1000), "format", /damaged|no graph/);
  const next = random(3);
  for (let i = 0; i < 50; i++) {
    const noise = Uint8Array.from({ length: 200 }, () => Math.floor((next() + 1) * 128));
    fails(noise, "format", /./);
  }
});

Deno.test("a model cut anywhere", () => {
  const bytes = bytesOf(sample());
  loadOnnx(bytes);
  // Cut exactly before the functions, or before the import of their domain as well, what is left is a whole
  // model that calls an operator of another domain.
  const bare = { ...sample(), functions: [] };
  const whole = [bare, { ...bare, opsetImport: bare.opsetImport.slice(0, 1) }].map((m) =>
    bytesOf(m).length
  );
  for (let n = 1; n < bytes.length; n++) {
    if (whole.includes(n)) continue;
    assert.throws(() => loadOnnx(bytes.subarray(0, n)), (e) => e instanceof BpuError, `${n} bytes`);
  }
});

Deno.test("shapes that lie", () => {
  fails(withTensor((t) => t.dims = [3n, 2n, 3n, 4n]), "format", /216 bytes.*72 elements/);
  fails(withTensor((t) => t.dims = [-3n, -2n, 3n, 3n]), "format", /negative dimension/);
  fails(withTensor((t) => t.dims = [2n ** 62n, 4n]), "limit", /too large/);
  fails(withTensor((t) => t.dims = [65536n, 65536n, 65536n, 65536n]), "limit", /too large/);
  fails(withTensor((t) => t.dims = [2147483647n, 2147483647n, 0n]), "limit", /too large/);
  fails(withTensor((t) => t.dims = [40000n, 40000n]), "limit", /6400000000 bytes/);
  fails(withTensor((t) => t.dims = new Array(33).fill(1n)), "limit", /33 dimensions/);
  // Typed data: the claim is checked against the bytes before anything is allocated.
  const claim = (dims: bigint[]) =>
    withTensor((t) => {
      t.dims = dims;
      t.rawData = undefined;
      t.$unknown = [{ no: 4, wireType: 2, data: Uint8Array.of(4, 0, 0, 0, 0) }];
    });
  fails(claim([20000n, 20000n]), "format", /needs 400000000 elements/);
  fails(claim([2n]), "format", /needs 2 elements, its data has 1/);
  fails(claim([0n]), "format", /longer/);
  fails(withTensor((t) => t.rawData = undefined), "format", /needs 54 elements/);
  fails(withTensor((t) => t.dataType = 99), "model", /99 does not exist/);
  fails(withTensor((t) => t.dataType = 14), "unsupported", /complex64/);
});

Deno.test("damaged numbers in typed data", () => {
  const broken = (data: number[], wireType = 2) =>
    withTensor((t) => {
      t.dims = [2n];
      t.dataType = 7;
      t.rawData = undefined;
      t.$unknown = [{ no: 7, wireType, data: Uint8Array.from(data) }];
    });
  fails(broken([12, ...new Array(12).fill(0xff)]), "format", /damaged/); // a varint without an end
  fails(broken([2, 1, 0x80]), "format", /./);
});

Deno.test("text that is not UTF-8", () => {
  const m = sample();
  m.graph!.node[0]!.attribute[1]!.s = Uint8Array.of(0xc3, 0x28);
  fails(bytesOf(m), "format", /Conv conv: .*UTF-8/);
  const bytes = bytesOf(sample());
  const at = bytes.findIndex((_, i) => String.fromCharCode(...bytes.subarray(i, i + 4)) === "conv");
  bytes[at] = 0xff;
  fails(bytes, "format", /damaged/);
});

Deno.test("subgraphs within subgraphs", () => {
  const nested = (depth: number): Uint8Array => {
    let g: GraphProto | undefined;
    for (let i = 0; i <= depth; i++) {
      g = create(GraphProtoSchema, {
        node: [create(NodeProtoSchema, {
          opType: g === undefined ? "Neg" : "If",
          input: ["x"],
          output: [`y${i}`],
          attribute: g === undefined
            ? []
            : [create(AttributeProtoSchema, { name: "then_branch", type: Kind.GRAPH, g })],
        })],
        output: [create(ValueInfoProtoSchema, { name: `y${i}` })],
      });
    }
    const m = testProto({
      opset: 17,
      nodes: [],
      inputs: [{ name: "x", shape: [1] }],
      outputs: [{ name: `y${depth}`, shape: [1] }],
    });
    m.graph!.node = g!.node;
    return bytesOf(m);
  };
  loadOnnx(nested(60));
  fails(nested(66), "limit", /nested deeper than 64/);
  fails(nested(90), "limit", /nested deeper than 64/);
  // Far deeper than any stack: written by hand, since the encoder itself would not get through.
  let bytes = Uint8Array.of();
  const wrap = (tag: number, inner: Uint8Array) => {
    const length: number[] = [];
    for (let n = inner.length;; n >>>= 7) {
      length.push(n > 127 ? n & 127 | 128 : n);
      if (n <= 127) break;
    }
    return Uint8Array.from([tag, ...length, ...inner]);
  };
  for (let i = 0; i < 3000; i++) bytes = wrap(0x0a, wrap(0x2a, wrap(0x32, bytes)));
  fails(wrap(0x3a, bytes), "limit", /nested deeper/);
});

Deno.test("a graph as long as the call stack is deep", () => {
  const count = 20_000;
  const g = loadOnnx(testModel({
    opset: 11,
    nodes: Array.from(
      { length: count },
      (_, i) => node("Relu", "", [i === 0 ? "x" : `t${i}`], [`t${i + 1}`]),
    ).reverse(),
    inputs: [{ name: "x", shape: [1] }],
    outputs: [{ name: `t${count}`, shape: [1] }],
  }));
  assert.equal(g.nodes.length, count);
});

Deno.test("fuzz: only our errors come out, and what loads can be saved", () => {
  const original = bytesOf(sample());
  const next = random(2026);
  const pick = (n: number) => Math.min(n - 1, Math.floor((next() + 1) / 2 * n));
  const started = performance.now();
  let loaded = 0;
  for (let round = 0; round < 4000; round++) {
    let bytes = original.slice();
    for (let k = 1 + pick(4); k > 0; k--) {
      const at = pick(bytes.length);
      const kind = pick(5);
      if (kind === 0) bytes[at] = pick(256);
      else if (kind === 1) bytes[at] = bytes[at]! ^ 1 << pick(8);
      else if (kind === 2) bytes = bytes.slice(0, at + 1);
      else if (kind === 3) { // repeat a piece elsewhere
        const piece = bytes.slice(at, at + 1 + pick(30));
        const to = pick(bytes.length);
        bytes = Uint8Array.from([...bytes.slice(0, to), ...piece, ...bytes.slice(to)]);
      } else bytes = Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1 + pick(8))]);
    }
    try {
      const g = loadOnnx(bytes);
      loaded++;
      saveOnnx(g);
    } catch (e) {
      assert.ok(e instanceof BpuError, `round ${round}: ${e instanceof Error ? e.stack : e}`);
      assert.notEqual(e.code, "internal", `round ${round}: ${e.message}`);
    }
  }
  // Both ways are taken: the fuzzer neither breaks everything nor nothing.
  assert.ok(loaded > 100 && loaded < 3900, `${loaded} of 4000 loaded`);
  assert.ok(performance.now() - started < 120_000, "the rounds took too long");
});
