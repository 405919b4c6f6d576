import assert from "node:assert/strict";
import { fn } from "./function.ts";
import { attr } from "./graph.ts";
import { i64 } from "./tensor.ts";

Deno.test("statements, several outputs, domains", () => {
  const f = fn(
    "HzThing",
    "x, m",
    ["y", "i"],
    [],
    "t = Mul(x, m) ; v,i = TopK(t, i64:[2]){axis=-1 largest=1}; y=horizon.HzOther(v, , m)",
  );
  assert.deepEqual(f.inputs, ["x", "m"]);
  assert.deepEqual(f.outputs, ["y", "i"]);
  assert.deepEqual(f.nodes.map((n) => `${n.domain}/${n.op}`), [
    "/Mul",
    "/Constant",
    "/TopK",
    "horizon/HzOther",
  ]);
  assert.deepEqual(f.nodes[2]!.outputs, ["v", "i"]);
  assert.deepEqual(f.nodes[2]!.attrs.get("axis"), attr.int(-1));
  assert.deepEqual(f.nodes[3]!.inputs, ["v", "", "m"]);
  assert.equal(new Set(f.nodes.map((n) => n.name)).size, 4);
});

Deno.test("literals become constants, equal ones once", () => {
  const f = fn(
    "F",
    "x",
    "y",
    [],
    "a=Add(x, f64:0.5); b=Add(a, f64:0.5); c=Clip(b, i8:-128, i8:127); " +
      "d=Reshape(c, i64:[ 0, -9223372036854775808 ]); y=Max(d, f32:-inf, f64:[], u64:18446744073709551615)",
  );
  const values = f.nodes.filter((n) => n.op === "Constant").map((n) => n.attrs.get("value"));
  assert.deepEqual(values, [
    { type: "tensor", value: { dtype: "float64", shape: [], data: Float64Array.of(0.5) } },
    { type: "tensor", value: { dtype: "int8", shape: [], data: Int8Array.of(-128) } },
    { type: "tensor", value: { dtype: "int8", shape: [], data: Int8Array.of(127) } },
    {
      type: "tensor",
      value: { ...i64([0, 0]), data: BigInt64Array.of(0n, -9223372036854775808n) },
    },
    { type: "tensor", value: { dtype: "float32", shape: [], data: Float32Array.of(-Infinity) } },
    { type: "tensor", value: { dtype: "float64", shape: [0], data: new Float64Array() } },
    {
      type: "tensor",
      value: { dtype: "uint64", shape: [], data: BigUint64Array.of(2n ** 64n - 1n) },
    },
  ]);
});

Deno.test("attribute values and references", () => {
  const f = fn(
    "F",
    "x",
    "y",
    ["pads:ints", "qmin:int", "alpha:float", "mode:string=nearest", "keep:int=1"],
    'a=Op(x){i=-3 f=1.5 e=1e-3 s="a b" is=[1, -2] fs=[1.0, 2] none=[] to=i32 p=@pads}; ' +
      "l=Cast(@qmin){to=f64}; k=Pad(a, @pads); y=Add(k, @alpha, @qmin){mode=@mode keep=@keep}",
  );
  assert.deepEqual(f.attributes, ["pads", "qmin", "alpha"]);
  assert.deepEqual([...f.defaults ?? []], [["mode", attr.string("nearest")], [
    "keep",
    attr.int(1),
  ]]);
  assert.deepEqual([...f.nodes[0]!.attrs], [
    ["i", attr.int(-3)],
    ["f", attr.float(1.5)],
    ["e", attr.float(1e-3)],
    ["s", attr.string("a b")],
    ["is", attr.ints([1, -2])],
    ["fs", attr.floats([1, 2])],
    ["none", attr.ints([])],
    ["to", attr.int(6)],
    ["p", { type: "ref", attr: "pads", of: "ints" }],
  ]);
  const holders = f.nodes.filter((n) => n.op === "Constant").map((n) => [...n.attrs]);
  assert.deepEqual(holders, [
    [["value_int", { type: "ref", attr: "qmin", of: "int" }]],
    [["value_ints", { type: "ref", attr: "pads", of: "ints" }]],
    [["value_float", { type: "ref", attr: "alpha", of: "float" }]],
  ]);
});

Deno.test("mistakes in a body are found where it is written", () => {
  const bad = (body: string, pattern: RegExp, attributes: string[] = []) =>
    assert.throws(() => fn("HzBad", "x", "y", attributes, body), (e) => {
      assert.ok(e instanceof Error);
      assert.match(e.message, pattern);
      assert.match(e.message, /HzBad/);
      return true;
    });
  bad("y=Add(x, z)", /nothing produces z/);
  bad("t=Relu(x)", /nothing produces y/);
  bad("x=Relu(x); y=Relu(x)", /x is produced twice/);
  bad("y=Relu(x", /cannot read/);
  bad("y=Add(x, @pads)", /pads is not declared/);
  bad("y=Add(x, f99:1)", /f99 is no dtype/);
  bad("y=Add(x, i64:1.5)", /1.5 is no number/);
  bad("y=Relu(x){axis=one}", /cannot read the attribute value one/);
  bad("y=Relu(x)", /has no kind/, ["pads"]);
});
